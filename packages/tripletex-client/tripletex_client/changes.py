"""When a record was made and last changed: its `changes`, which must be asked for (Tripletex API, Reading)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from api_transport.errors import UnexpectedAnswer

from tripletex_client.clock import OSLO, to_utc, to_utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

REPORT = "the API may have changed: report this"


class Change(msgspec.Struct, gc=False):
    """One of a record's changes."""

    timestamp: str | None = None


def newest(changes: Iterable[Change], timezone: str = OSLO) -> str | None:
    """When the newest of the changes was made, as `2026-01-31T11:00:00Z`, None where none tells.

    Raises ValueError for a time that cannot be read.
    """
    return max((to_utc_text(one.timestamp, timezone) for one in changes if one.timestamp), default=None)


def modified_at(record: Mapping[str, Any], timezone: str = OSLO) -> datetime | None:
    """The newest change (UTC), None where the record tells of none.

    Raises `UnexpectedAnswer` for a time that cannot be read.
    """
    return max(_times(record, timezone, _changes(record)), default=None)


def created_at(record: Mapping[str, Any], timezone: str = OSLO) -> datetime | None:
    """When the record was made (UTC), None where it does not tell.

    Raises `UnexpectedAnswer` for a time that cannot be read.
    """
    made = (change for change in _changes(record) if change.get("changeType") == "CREATE")
    return min(_times(record, timezone, made), default=None)


def _changes(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    changes = record.get("changes") or []
    if not isinstance(changes, list) or not all(isinstance(change, dict) for change in changes):
        raise UnexpectedAnswer(f"the changes of record {record.get('id')} are not a list of changes")
    return changes


def _times(record: Mapping[str, Any], timezone: str, changes: Iterable[Mapping[str, Any]]) -> list[datetime]:
    try:
        return [to_utc(change["timestamp"], timezone) for change in changes if change.get("timestamp")]
    except (ValueError, TypeError) as error:
        problem = f"a change of record {record.get('id')}: {error}"
    raise UnexpectedAnswer(problem, todo=REPORT)
