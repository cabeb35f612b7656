"""What became of a record. Every incoming record ends in exactly one outcome."""

from __future__ import annotations

from collections import Counter
from enum import Enum

import msgspec


class Outcome(Enum):
    """The outcomes, in the order in which they are told."""

    CREATED = "created"
    LINKED = "linked"
    """Found to be an existing record; nothing had to be written."""
    LINKED_UPDATED = "linked and updated"
    UPDATED = "updated"
    AGREED = "agreed"
    """Both sides had come to say the same."""
    UNCHANGED = "unchanged"
    KEPT = "kept"
    """The other side's values stand and are carried back by the other direction."""
    CONFLICT = "in conflict"
    """A person decides."""
    STALE = "stale"
    FILTERED = "filtered"
    UNMATCHED = "unmatched"
    """No counterpart, and the flow creates none."""
    OTHER_FLOW = "belongs to another flow"
    WAITING = "waiting"
    """For a record it refers to."""
    AMBIGUOUS = "ambiguous"
    PARKED = "parked"
    """Refused by the system, or not valid; tried again on later runs."""
    DELETED = "deleted"
    HELD = "held back"
    """A deletion that could not be made yet."""
    GONE = "gone"
    """The target's record is not there any more."""


MOST_REASONS = 1000
"""Kept in memory; the store has all of them."""

DURABLE_FAILURES = frozenset({Outcome.PARKED})


class Tally(msgspec.Struct):
    """Counts of a run, by flow."""

    flows: dict[str, Counter[Outcome]] = msgspec.field(default_factory=dict)
    reasons: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    notes: list[str] = msgspec.field(default_factory=list)

    def count(self, flow: str, record_id: str, outcome: Outcome, reason: str = "") -> None:
        """Count one record; a reason says what a person should know of it."""
        self.flows.setdefault(flow, Counter())[outcome] += 1
        reasons = self.reasons.setdefault(flow, {})
        if reason and len(reasons) < MOST_REASONS:
            reasons[record_id] = reason

    def uncount(self, flow: str, record_id: str, outcome: Outcome) -> None:
        """Take back the count of a record that found a better end in the same run."""
        counts = self.flows.setdefault(flow, Counter())
        if counts[outcome]:
            counts[outcome] -= 1
        self.reasons.setdefault(flow, {}).pop(record_id, None)

    def first_reasons(self, flow: str, most: int = 5) -> list[str]:
        """What to tell of the records that wait, by their ids."""
        told = self.reasons.get(flow, {})
        return [f"{record_id}: {told[record_id]}" for record_id in list(told)[:most]]

    def of(self, flow: str) -> dict[str, int]:
        """The counts of a flow by the outcomes' names, in telling order."""
        counts = self.flows.get(flow, Counter())
        return {one.value: counts[one] for one in Outcome if counts[one]}

    def share_failed(self, flow: str) -> float:
        """The share of a flow's records that were refused."""
        counts = self.flows.get(flow, Counter())
        total = sum(counts.values())
        return sum(counts[one] for one in DURABLE_FAILURES) / total if total else 0.0
