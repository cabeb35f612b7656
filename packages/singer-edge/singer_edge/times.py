"""Moments as Singer messages carry them: RFC 3339, UTC, milliseconds."""

from __future__ import annotations

import datetime as dt

import msgspec

SECOND = dt.timedelta(seconds=1)
MILLISECOND = dt.timedelta(milliseconds=1)


def now() -> dt.datetime:
    """This moment by our own clock, in UTC, cut to milliseconds (never later than it is)."""
    moment = dt.datetime.now(dt.timezone.utc)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def parse_moment(text: str) -> dt.datetime:
    """The moment that a text names, in UTC. A date alone is its first moment; without a zone UTC is meant.

    Raises ValueError where it names none.
    """
    text = text.strip()
    try:
        if len(text) == len("2024-01-31"):
            day = msgspec.convert(text, dt.date)
            return dt.datetime(day.year, day.month, day.day, tzinfo=dt.timezone.utc)
        return in_utc(msgspec.convert(text, dt.datetime))
    except (msgspec.ValidationError, OverflowError):
        raise ValueError("is not a time like 2024-01-31T00:00:00Z") from None


def in_utc(moment: dt.datetime) -> dt.datetime:
    """The same moment in UTC; one without a zone is taken for UTC."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=dt.timezone.utc)
    return moment.astimezone(dt.timezone.utc)


def text_of(moment: dt.datetime) -> str:
    """The moment as a bookmark holds it, for example 2026-11-22T10:00:00.123Z."""
    return in_utc(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch_ms(moment: dt.datetime) -> int:
    """The moment as whole milliseconds since 1970, as ACTIVATE_VERSION carries it."""
    return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)) // MILLISECOND
