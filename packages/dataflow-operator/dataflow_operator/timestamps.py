"""Times as people read them: in UTC, and how long ago."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_UNITS = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("min", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
)


def now() -> datetime:
    """This moment."""
    return datetime.now(timezone.utc)


def at(moment: datetime | None) -> str:
    """A moment, to the second."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def age(moment: datetime, seen_from: datetime) -> str:
    """How long ago a moment was, in its two largest units. A clock that runs ahead makes it no time at all."""
    return length(max(seen_from - moment, timedelta()))


def length(span: timedelta) -> str:
    """A length of time in its two largest units."""
    if span < timedelta(seconds=10):
        return f"{span / timedelta(seconds=1):.1f} s"
    found = next(position for position, (_, size) in enumerate(_UNITS) if span >= size)
    told = []
    for unit, size in _UNITS[found : found + 2]:
        count, span = divmod(span, size)
        told += [f"{count} {unit}"] if count else []
    return " ".join(told)
