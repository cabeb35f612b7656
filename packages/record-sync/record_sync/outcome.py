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


MOST_REASONS = 1000
"""Kept in memory; the store has all of them."""

STILL_WAITING = frozenset({Outcome.WAITING, Outcome.AMBIGUOUS, Outcome.PARKED, Outcome.CONFLICT})
"""The record is tried again, in this run or a later one."""

WRITTEN = frozenset({Outcome.CREATED, Outcome.LINKED_UPDATED, Outcome.UPDATED, Outcome.DELETED})
"""The system accepted a write."""


class Waits(msgspec.Struct, frozen=True):
    """How often a run waited for a system (its rate limit, or before another attempt), and for how many seconds."""

    number: int = 0
    seconds: float = 0.0


class FirstError(msgspec.Struct, frozen=True):
    """A record that a person should look at. The reason is the system's own words, in which values may stand."""

    flow: str
    id: str
    outcome: str
    reason: str


class Told(msgspec.Struct, frozen=True):
    """What a person should know of one record."""

    outcome: Outcome
    reason: str


class Tally(msgspec.Struct):
    """Counts of a run, by flow."""

    flows: dict[str, Counter[Outcome]] = msgspec.field(default_factory=dict)
    reasons: dict[str, dict[str, Told]] = msgspec.field(default_factory=dict)
    notes: list[str] = msgspec.field(default_factory=list)
    waiting: dict[str, dict[str, Outcome]] = msgspec.field(default_factory=dict)
    """The records that were counted as waiting, by flow and id: a retry replaces that count."""
    refused_in_a_row: Counter[str] = msgspec.field(default_factory=Counter)
    """How many records were refused, by flow, since the system last accepted one."""

    def count(self, flow: str, record_id: str, outcome: Outcome, reason: str = "") -> None:
        """Count one record; a reason says what a person should know of it."""
        self.count_many(flow, outcome, 1)
        if outcome in STILL_WAITING:
            self.waiting.setdefault(flow, {})[record_id] = outcome
        if outcome in WRITTEN:
            self.refused_in_a_row[flow] = 0
        if not reason:
            return
        if outcome is Outcome.PARKED:
            # One without a reason was refused by an earlier run, and not sent again.
            self.refused_in_a_row[flow] += 1
        reasons = self.reasons.setdefault(flow, {})
        if len(reasons) < MOST_REASONS:
            reasons[record_id] = Told(outcome, reason)

    def count_many(self, flow: str, outcome: Outcome, number: int) -> None:
        """Count so many records of which nothing is to be said."""
        counts = self.flows.get(flow)
        if counts is None:
            counts = self.flows[flow] = Counter()
        counts[outcome] += number

    def recount(self, flow: str, record_id: str, outcome: Outcome, reason: str = "") -> None:
        """Count a record; one that this run counted as waiting before is counted in place of that."""
        before = self.waiting.get(flow, {}).pop(record_id, None)
        if before is not None:
            self.flows[flow][before] -= 1
            self.reasons.get(flow, {}).pop(record_id, None)
        self.count(flow, record_id, outcome, reason)

    def first_reasons(self, flow: str, most: int = 5) -> list[str]:
        """What to tell of the records that wait, by their ids."""
        told = self.reasons.get(flow, {})
        return [f"{record_id}: {told[record_id].reason}" for record_id in list(told)[:most]]

    def first_errors(self, most: int = 5) -> list[FirstError]:
        """The first records of each flow that a person should look at."""
        return [
            FirstError(flow, record_id, told.outcome.value, told.reason)
            for flow, reasons in self.reasons.items()
            for record_id, told in list(reasons.items())[:most]
        ]

    def of(self, flow: str) -> dict[str, int]:
        """The counts of a flow by the outcomes' names, in telling order."""
        counts = self.flows.get(flow, Counter())
        return {one.value: counts[one] for one in Outcome if counts[one]}

    def refused(self, flow: str) -> tuple[int, float]:
        """How many of a flow's records were refused, and which share of all."""
        counts = self.flows.get(flow, Counter())
        refused = counts[Outcome.PARKED]
        return refused, refused / sum(counts.values()) if refused else 0.0

    def written(self) -> int:
        """How many records the system accepted, in all flows."""
        return sum(counts[one] for counts in self.flows.values() for one in WRITTEN)
