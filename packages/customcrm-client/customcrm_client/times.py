"""Times as CRMs write them: read into RFC 3339, and written into queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from email.utils import format_datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

NAMED = ("rfc3339", "rfc3339_seconds", "date", "http_date", "epoch", "epoch_ms")
_STEPS = {
    "rfc3339": dt.timedelta(milliseconds=1),
    "epoch_ms": dt.timedelta(milliseconds=1),
    "date": dt.timedelta(days=1),
}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


def check_format(name: str) -> None:
    """Raises ValueError for what is neither a named format nor a pattern."""
    if name not in NAMED and "%" not in name:
        raise ValueError(f"is no format of times. Choose one of {', '.join(NAMED)}, or a pattern like %Y-%m-%d %H:%M.")


def check_zone(name: str) -> None:
    """Raises ValueError for what is no time zone."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError("is not a time zone. Give a name like Europe/Oslo.") from None


def text_of(moment: dt.datetime) -> str:
    """RFC 3339, UTC, milliseconds: cut, not rounded, so that nothing is passed over."""
    return moment.astimezone(dt.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def asked_as(moment: dt.datetime, form: str, *, inclusive: bool, zone: str = "UTC") -> str | int:
    """A moment as a filter takes it, cut to what the format holds; one step earlier where just that moment is left out.

    A date and a pattern tell no zone, so they are written in the CRM's.
    """
    moment = moment if inclusive else moment - _STEPS.get(form, dt.timedelta(seconds=1))
    moment = moment.astimezone(dt.timezone.utc)
    if form == "rfc3339":
        return text_of(moment)
    if form == "rfc3339_seconds":
        return moment.isoformat(timespec="seconds").partition("+")[0] + "Z"
    if form == "http_date":
        return format_datetime(moment.replace(microsecond=0), usegmt=True)
    if form == "epoch":
        return (moment - _EPOCH) // dt.timedelta(seconds=1)
    if form == "epoch_ms":
        return (moment - _EPOCH) // dt.timedelta(milliseconds=1)
    local = moment.astimezone(ZoneInfo(zone))
    return local.date().isoformat() if form == "date" else local.strftime(form)


@lru_cache(maxsize=64)
def reader(form: str, zone: str) -> Callable[[Any], Any]:
    """The function that makes RFC 3339 of a time as the CRM writes it. What is no such time passes as it is."""
    here = ZoneInfo(zone)
    if form in ("epoch", "epoch_ms"):
        unit = 1 if form == "epoch" else 1000

        def from_epoch(value: Any) -> Any:
            try:
                return text_of(dt.datetime.fromtimestamp(float(value) / unit, dt.timezone.utc))
            except (TypeError, ValueError, OverflowError, OSError):
                return value

        return from_epoch
    if "%" in form:

        def from_pattern(value: Any) -> Any:
            try:
                moment = dt.datetime.strptime(value, form)  # noqa: DTZ007 - the zone comes next
                return text_of(moment if moment.tzinfo else moment.replace(tzinfo=here))
            except (TypeError, ValueError, OverflowError):
                return value

        return from_pattern

    def from_text(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value.endswith("Z") and "T" in value:
            return value
        try:
            moment = (
                dt.datetime.fromisoformat(value)
                if len(value) == len("2024-01-31")
                else msgspec.convert(value, dt.datetime)
            )
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=here)).astimezone(dt.timezone.utc)
        except (msgspec.ValidationError, ValueError, OverflowError):
            return value
        # Microseconds are kept: two edits of one millisecond are two versions.
        return moment.isoformat().replace("+00:00", "Z")

    return from_text


def moment_of(text: Any) -> dt.datetime | None:
    """The moment that a record tells, in UTC; None where it tells none."""
    try:
        moment: dt.datetime = msgspec.convert(text, dt.datetime)
        return moment.replace(tzinfo=dt.timezone.utc) if moment.tzinfo is None else moment.astimezone(dt.timezone.utc)
    except (msgspec.ValidationError, OverflowError):
        return None
