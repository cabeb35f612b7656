"""Times in the store: milliseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(moment: datetime | None) -> int | None:
    """A moment as the store keeps it; finer parts are cut."""
    return None if moment is None else (moment - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int | None) -> datetime | None:
    """A moment the store kept."""
    return None if milliseconds is None else _EPOCH + milliseconds * _MILLISECOND
