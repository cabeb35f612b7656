"""A record that could not be carried over yet, and why."""

from __future__ import annotations

import msgspec

from record_sync.record import SourceRecord

PARKED = "parked"
"""Refused by the system, or without an answer; tried again on a schedule."""
INVALID = "invalid"
"""Not a valid record; it waits for its next state."""
REFERENCE = "reference"
"""Waits for a record it refers to."""
AMBIGUOUS = "ambiguous"
"""Fits several records."""
CONFLICT = "conflict"
"""Waits until a person has decided."""
DELETION = "deletion"
"""A deletion that the other system refused; tried in every run."""


class Holder(msgspec.Struct, frozen=True):
    """The ambiguous record that another one is reserved for."""

    flow_id: int
    side: str
    record_id: str

    def __str__(self) -> str:
        """As it is reported."""
        return f"{self.side} {self.record_id}"


class Waiting(msgspec.Struct):
    """One record that waits."""

    record: SourceRecord
    kind: str
    reason: str
    details: tuple[str, ...] = ()
    fingerprint: bytes = b""
    """Of what the record says, so that one that says nothing new goes on waiting."""
    attempts: int = 0
    next_at: int = 0
    """Milliseconds since 1970, UTC: when it is tried again."""
    id: int | None = None
    source_candidates: tuple[str, ...] = ()
    """Reserved on the record's own side: the record itself."""
    target_candidates: tuple[str, ...] = ()
    """Reserved on the other side: the records it may be."""

    def is_newer_than(self, record: SourceRecord) -> bool:
        """Whether the record is an earlier state than this one, and was read before it.

        An earlier state that was read *later* is real: somebody restored it.
        """
        mine, its = self.record, record
        if its.modified_at is None or mine.modified_at is None or its.modified_at >= mine.modified_at:
            return False
        return its.read_at is None or mine.read_at is None or its.read_at <= mine.read_at
