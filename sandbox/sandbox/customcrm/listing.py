"""Lists: parameters, filters, order, pages (reference: Customcrm, the reference REST contract)."""

import base64
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

import msgspec

from sandbox.customcrm.refusal import CustomcrmRefusal
from sandbox.customcrm.register import EPOCH, stamp_text
from sandbox.customcrm.resources import Held, Resource
from sandbox.store import Table

RFC_3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", flags=re.ASCII)
LARGEST_PAGE = 500
Position = tuple[str, str]


class Listing(msgspec.Struct, frozen=True):
    """What a list request asks for."""

    filters: dict[str, list[str]]
    since: str
    include_deleted: bool
    per_page: int
    after: Position | None


def since_text(value: str) -> str:
    """A time from a query as the stamps are written, rounded up to the millisecond."""
    match = RFC_3339.fullmatch(value)
    if not match:
        raise CustomcrmRefusal(400, ("updated_since", "must be an RFC 3339 time"))
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=timezone.utc)
    except ValueError:
        raise CustomcrmRefusal(400, ("updated_since", "must be an RFC 3339 time")) from None
    milliseconds = (moment - EPOCH) // timedelta(milliseconds=1)
    if fraction:
        digits = fraction[:3].ljust(3, "0")
        milliseconds += int(digits) + (1 if fraction[3:].strip("0") else 0)
    if zone not in "Zz":
        sign = 1 if zone[0] == "+" else -1
        milliseconds -= sign * (int(zone[1:3]) * 60 + int(zone[4:6])) * 60_000
    # Times outside of what a calendar holds are before or after everything.
    if milliseconds < 0:
        return ""
    return stamp_text(min(milliseconds, 253_402_300_799_999))


def cursor_text(position: Position) -> str:
    """The place of a record in the order, opaque to clients."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def cursor_position(cursor: str) -> Position:
    """The place that a cursor stands for. Raises CustomcrmRefusal 400."""
    try:
        position: Position = msgspec.json.decode(
            base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=Position
        )
    except ValueError:
        raise CustomcrmRefusal(400, ("cursor", "is not one of ours")) from None
    return position


def listing_of(resource: Resource, params: Iterable[tuple[str, str]]) -> Listing:
    """A list request from its query. Raises CustomcrmRefusal 400."""
    filters: dict[str, list[str]] = {}
    since, include_deleted, per_page = "", False, 100
    after: Position | None = None
    for name, value in params:
        if name in resource.filters:
            filters[name] = value.split(",")
        elif name == "updated_since":
            since = since_text(value)
        elif name == "include_deleted":
            if value not in ("true", "false"):
                raise CustomcrmRefusal(400, (name, "must be true or false"))
            include_deleted = value == "true"
        elif name == "per_page":
            if not re.fullmatch(r"\d{1,6}", value, flags=re.ASCII) or not 1 <= int(value) <= LARGEST_PAGE:
                raise CustomcrmRefusal(400, (name, f"must be 1 to {LARGEST_PAGE}"))
            per_page = int(value)
        elif name == "cursor":
            after = cursor_position(value)
        else:
            raise CustomcrmRefusal(400, (name, "is not a parameter of this list"))
    return Listing(filters, since, include_deleted, per_page, after)


def page_of(table: Table[Held], listing: Listing) -> tuple[list[dict[str, Any]], Position | None]:
    """The records of one page in order, and the place of the last of them where more follow."""
    order = table.ordered if not listing.filters else sorted(_matching(table, listing))
    start = bisect_left(order, (listing.since, ""))
    if listing.after is not None:
        start = max(start, bisect_right(order, listing.after))
    records: list[dict[str, Any]] = []
    for index in range(start, len(order)):
        record = table.rows[order[index][1]].record
        if record["Deleted"] and not listing.include_deleted:
            continue
        if len(records) == listing.per_page:
            return records, (records[-1]["UpdatedAt"], records[-1]["Id"])
        records.append(record)
    return records, None


def _matching(table: Table[Held], listing: Listing) -> Iterable[Position]:
    """The places of the records that pass all equality filters."""
    found: set[str] | None = None
    for name, values in listing.filters.items():
        keys = {value for value in values if value in table.rows} if name == "Id" else table.find(name, values)
        found = keys if found is None else found & keys
    for key in found or ():
        yield table.rows[key].record["UpdatedAt"], key


def next_link(base: str, params: Iterable[tuple[str, str]], position: Position) -> str:
    """The absolute address of the following page."""
    kept = [(name, value) for name, value in params if name != "cursor"]
    return f"{base}?{urlencode([*kept, ('cursor', cursor_text(position))])}"
