"""Which rows a list request asks for: the query parameters of each resource, as the API description lists them."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from sandbox.store import Table
from sandbox.tripletex.refusal import Message, TripletexRefusal
from sandbox.tripletex.rows import Row, wall_time

DATE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?", flags=re.ASCII
)


def refused_parameter(name: str, message: str) -> TripletexRefusal:
    """A parameter's value makes no sense: 422, code 21000."""
    return TripletexRefusal(21000, f"Parameter {name}", (Message(name, message, name),))


class Narrowing(msgspec.Struct, frozen=True):
    """A filter's effect: the keys it leaves, or a test of each row."""

    keys: set[int] | None = None
    passes: Callable[[Row], bool] | None = None


Filter = Callable[[str, list[str], Table[Row]], Narrowing]


def _numbers(name: str, values: list[str]) -> list[int]:
    texts = [text.strip() for value in values for text in value.split(",") if text.strip()]
    if any(not re.fullmatch(r"-?\d{1,18}", text, flags=re.ASCII) for text in texts):
        raise refused_parameter(name, "Må være en liste av heltall.")
    return [int(text) for text in texts]


def ids(name: str, values: list[str], table: Table[Row]) -> Narrowing:
    """A comma-separated list of ids."""
    return Narrowing({key for key in _numbers(name, values) if key in table.rows})


def refers(prop: str) -> Filter:
    """A comma-separated list of ids of what a property refers to."""

    def narrow(name: str, values: list[str], table: Table[Row]) -> Narrowing:
        wanted = set(_numbers(name, values))
        if table.has_index(prop):
            return Narrowing(table.find(prop, wanted))
        return Narrowing(passes=lambda row: row.refs[prop] in wanted)

    return narrow


def equals(prop: str, *, folded: bool = False) -> Filter:
    """A text that is equal; e-mail addresses without regard to capitals."""

    def narrow(_: str, values: list[str], table: Table[Row]) -> Narrowing:
        wanted = values[-1].casefold() if folded else values[-1]
        if table.has_index(prop):
            return Narrowing(table.find(prop, [wanted]))
        return Narrowing(passes=lambda row: (row.values[prop] or "") == wanted)

    return narrow


def contains(prop: str) -> Filter:
    """A text that occurs in the value, without regard to capitals."""

    def narrow(_: str, values: list[str], __: Table[Row]) -> Narrowing:
        wanted = values[-1].casefold()
        return Narrowing(passes=lambda row: wanted in (row.values[prop] or "").casefold())

    return narrow


def one_of(prop: str, *, number: bool = False) -> Filter:
    """A list of values, comma-separated or repeated."""

    def narrow(name: str, values: list[str], table: Table[Row]) -> Narrowing:
        wanted: list[Any] = _numbers(name, values) if number else [v for value in values for v in value.split(",")]
        if table.has_index(prop):
            return Narrowing(table.find(prop, wanted))
        return Narrowing(passes=lambda row: row.values[prop] in wanted)

    return narrow


def flag(prop: str | None) -> Filter:
    """A boolean; without a property it is false of every row."""

    def narrow(name: str, values: list[str], table: Table[Row]) -> Narrowing:
        if values[-1] not in ("true", "false"):
            raise refused_parameter(name, "Må være true eller false.")
        wanted = values[-1] == "true"
        if prop is not None and table.has_index(prop):
            return Narrowing(table.find(prop, [wanted]))
        return Narrowing(passes=lambda row: bool(prop and row.values[prop]) == wanted)

    return narrow


def bound(prop: str, *, lower: bool) -> Filter:
    """From and including, or to and excluding, a number."""

    def narrow(name: str, values: list[str], _: Table[Row]) -> Narrowing:
        try:
            limit = float(values[-1])
        except ValueError:
            raise refused_parameter(name, "Må være et tall.") from None
        if lower:
            return Narrowing(passes=lambda row: (row.values[prop] or 0) >= limit)
        return Narrowing(passes=lambda row: (row.values[prop] or 0) < limit)

    return narrow


def changed_since(zone: ZoneInfo, heeded: Callable[[], str]) -> Filter:
    """Changed at that time or later; without a zone it is Norwegian local time, as in `changes`.

    Compared as the clock on the wall shows it, so that in the repeated hour of October a change may be missed.
    `heeded` says whether the time itself is included, or the parameter ignored altogether.
    """

    def narrow(name: str, values: list[str], _: Table[Row]) -> Narrowing:
        match = DATE_TIME.fullmatch(values[-1])
        if match is None:
            raise refused_parameter(name, "Må være et tidspunkt på formatet yyyy-MM-ddTHH:mm:ss.")
        *parts, offset = match.groups()
        try:
            since = datetime(*(int(part or 0) for part in parts))  # type: ignore[arg-type]  # noqa: DTZ001  local
            if offset is not None:
                text = "+00:00" if offset == "Z" else offset
                sign = -1 if text[0] == "-" else 1
                minutes = sign * (int(text[1:3]) * 60 + int(text[-2:]))
                moment = since.replace(tzinfo=timezone.utc).timestamp() - minutes * 60
                since = datetime.fromtimestamp(moment, zone)
        except (ValueError, OverflowError, OSError):
            raise refused_parameter(name, "Må være et gyldig tidspunkt.") from None
        text = wall_time(since)
        if heeded() == "ignored":
            return Narrowing()
        if heeded() == "exclusive":
            return Narrowing(passes=lambda row: row.changed > text)
        return Narrowing(passes=lambda row: row.changed >= text)

    return narrow


def resource_filters(zone: ZoneInfo, changes: Callable[[], str]) -> Mapping[str, Mapping[str, Filter]]:
    """The filters of each resource by parameter name; `changes` says how `changedSince` is heeded."""
    prices = {
        f"{prop}{end}": bound(prop, lower=end == "From")
        for prop in ("costExcludingVatCurrency", "priceExcludingVatCurrency", "priceIncludingVatCurrency")
        for end in ("From", "To")
    }
    return {
        "customer": {
            "id": ids,
            "customerAccountNumber": one_of("customerNumber", number=True),
            "organizationNumber": equals("organizationNumber"),
            "email": equals("email", folded=True),
            "invoiceEmail": equals("invoiceEmail", folded=True),
            "customerName": contains("name"),
            "phoneNumberMobile": equals("phoneNumberMobile"),
            "isInactive": flag("isInactive"),
            "accountManagerId": refers("accountManager"),
            "changedSince": changed_since(zone, changes),
        },
        "supplier": {
            "id": ids,
            "supplierNumber": one_of("supplierNumber", number=True),
            "organizationNumber": equals("organizationNumber"),
            "email": equals("email", folded=True),
            "isInactive": flag("isInactive"),
            "changedSince": changed_since(zone, changes),
        },
        "contact": {
            "id": ids,
            "firstName": contains("firstName"),
            "lastName": contains("lastName"),
            "email": contains("email"),
            "customerId": refers("customer"),
            "departmentId": refers("department"),
        },
        "product": {
            "number": one_of("number"),
            "ids": ids,
            "productNumber": one_of("number"),
            "name": contains("name"),
            "ean": equals("ean"),
            "isInactive": flag("isInactive"),
            "isStockItem": flag("isStockItem"),
            "isSupplierProduct": flag(None),
            "supplierId": refers("supplier"),
            "currencyId": refers("currency"),
            "vatTypeId": refers("vatType"),
            "productUnitId": refers("productUnit"),
            "departmentId": refers("department"),
            "accountId": refers("account"),
            **prices,
        },
        "country": {
            "id": ids,
            "code": one_of("isoAlpha2Code"),
            "isDisabled": flag(None),
            "supportedInZtl": flag(None),
        },
        "deliveryAddress": {
            "id": ids,
            **{name: one_of(name) for name in ("addressLine1", "addressLine2", "postalCode", "city", "name")},
        },
        "company": {},
    }
