"""A write that was begun and whose answer is not stored yet."""

from __future__ import annotations

from datetime import datetime

import msgspec

from record_sync.values import Values

CREATE = "create"
UPDATE = "update"
REMOVE = "remove"
"""One that somebody may undo: a deactivation."""


class SentUnit(msgspec.Struct):
    """One unit after an update: fingerprints of the source's raw and of the target's canonical values."""

    source: dict[str, bytes]
    sent: dict[str, bytes]
    kinds: dict[str, str]
    """How each sent value is compared, as the line that reads it back may compare it in another way."""


class Intent(msgspec.Struct):
    """One write that was begun. The source is the side that the writing line reads, the target the one it writes to."""

    kind: str
    source_id: str
    source_version: str | None = None
    source_modified_at: datetime | None = None
    source: dict[str, bytes] = msgspec.field(default_factory=dict)
    """create: fingerprints of the source's raw values"""
    values: Values = msgspec.field(default_factory=dict)
    """create: what was sent, to find the record by"""
    units: list[SentUnit] = msgspec.field(default_factory=list)
    """update: what was sent"""
    target_id: str | None = None
    link_id: int | None = None
    """update, remove: the link; create: the link of a counterpart that is made again"""
    over_version: str | None = None
    target_edited_at: datetime | None = None
    """update: when the target had last been edited by somebody other than us"""
    server_clock: datetime | None = None
    """The newest time that the target's server had reported before the write."""
    place: tuple[int, int] | None = None
    """The row that holds it, and where in the row."""
