"""Tripletex's times: `YYYY-MM-DDThh:mm:ss` without a zone, Norwegian local time (reference: Tripletex API, Reading).

In late October an hour comes twice. A time in it is read as its earlier moment, and asked for from before its first
pass: so a bookmark never skips a change, at worst it reads some again.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

OSLO = "Europe/Oslo"

_WALL_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_MINUTES = re.compile(r":[0-5]\d:[0-5]\d", re.ASCII)
_PLAIN = len("2026-01-31T12:00:00")
_TO_THE_HOUR = len("2026-01-31T12")
_ALL_BUT_A_SECOND = timedelta(minutes=59, seconds=59)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of a name. Raises ValueError for one that is not known."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"timezone {name[:50]!r} is not known; write it like {OSLO}") from None


@lru_cache(maxsize=2**12)
def to_utc(text: str, timezone_name: str = OSLO) -> datetime:
    """The moment of a time as Tripletex writes it, whole seconds. Raises ValueError for what is no such time.

    A time with a zone, which Tripletex does not write today, is taken at its word.
    """
    match = _WALL_TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a time like 2026-01-31T12:00:00")
    wall, offset = match.groups()
    moment = datetime.fromisoformat(wall)
    if offset is None:
        # fold=0: the first pass of the repeated hour.
        return moment.replace(tzinfo=zone_of(timezone_name), fold=0).astimezone(timezone.utc)
    offset = "+00:00" if offset == "Z" else offset
    offset = offset if ":" in offset else f"{offset[:3]}:{offset[3:]}"
    return datetime.fromisoformat(wall + offset).astimezone(timezone.utc)


def to_utc_text(text: str, timezone_name: str = OSLO) -> str:
    """The same moment as text, `2026-01-31T11:00:00Z`. Raises ValueError as `to_utc` does."""
    if len(text) == _PLAIN and (hour := _utc_hour(text[:_TO_THE_HOUR], timezone_name)):
        return f"{hour}{text[_TO_THE_HOUR:]}Z" if _MINUTES.fullmatch(text, _TO_THE_HOUR) else _text(text, timezone_name)
    return _text(text, timezone_name)


def _text(text: str, timezone_name: str) -> str:
    return f"{to_utc(text, timezone_name):%Y-%m-%dT%H:%M:%SZ}"


@lru_cache(maxsize=2**14)
def _utc_hour(hour: str, timezone_name: str) -> str | None:
    """UTC's hour while it is this hour by the clock on the wall; None where it is no whole hour, or two, or none."""
    try:
        first, last = (to_utc(f"{hour}{minutes}", timezone_name) for minutes in (":00:00", ":59:59"))
    except ValueError:
        return None
    return f"{first:%Y-%m-%dT%H}" if first.minute == 0 and last - first == _ALL_BUT_A_SECOND else None


def to_local_for_changed_since(moment: datetime, timezone_name: str = OSLO) -> str:
    """The `changedSince` that finds every change at or after a moment. Raises ValueError for a moment without a zone.

    What is later in truth may be earlier by the clock on the wall while the October hour repeats; a moment in it is
    therefore asked for from before its first pass.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    local = moment.astimezone(zone_of(timezone_name))
    first, second = local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset()
    wall = local.replace(tzinfo=None, fold=0)
    if first is not None and second is not None and first > second:
        wall -= first - second
    return wall.isoformat(timespec="seconds")
