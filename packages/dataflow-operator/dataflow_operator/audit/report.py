"""What an audit found, as structs. All of them travel as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

IN_SYNC = "in sync"
DIFFERS = "differs"
MISSING = "missing"
"""There on one side alone."""
UNLINKED = "unlinked"
"""There on both sides, the same by the merge criteria, and not linked."""
AMBIGUOUS = "ambiguous"
KINDS = (DIFFERS, MISSING, UNLINKED, AMBIGUOUS)

BOTH = "both"
NEITHER = "neither"
UNKNOWN = "unknown"


class Difference(msgspec.Struct, frozen=True):
    """A property on which two linked records do not say the same."""

    customcrm: str
    tripletex: tuple[str, ...]
    """The row of the table: the properties' names."""
    values: dict[str, dict[str, Any]]
    """Side to property to value, as it stands there."""
    changed: str
    """The side that changed since the last agreement, or both, neither, unknown (nothing was ever agreed)."""
    explained: str | None = None
    """What waits and will settle it; None where nothing does."""


class Finding(msgspec.Struct, frozen=True):
    """A pair of records, or one without a counterpart, that is not in sync."""

    flow: str
    kind: str
    ids: dict[str, str | None]
    """Side to record; None where there is none."""
    reason: str
    """In words."""
    explained: str | None = None
    link: int | None = None
    differences: tuple[Difference, ...] = ()
    candidates: dict[str, tuple[str, ...]] = {}
    """Of an ambiguous record: side to the records that it may be."""

    @property
    def is_explained(self) -> bool:
        """Whether something that waits will settle all of it."""
        if self.kind == DIFFERS and self.differences:
            return all(one.explained is not None for one in self.differences)
        return self.explained is not None


class Example(msgspec.Struct, frozen=True):
    """A pair that differs in a property."""

    ids: dict[str, str | None]
    difference: Difference


class PropertyAudit(msgspec.Struct):
    """A row of a table, over all linked pairs: a line of the checklist."""

    customcrm: str
    tripletex: tuple[str, ...]
    types: tuple[str, ...]
    """Of the Tripletex properties."""
    direction: str
    """both, to-tripletex or to-customcrm"""
    group: str | None = None
    """What it belongs to, and is decided with."""
    compared: int = 0
    in_sync: int = 0
    differs: int = 0
    """Nothing that waits explains it."""
    explained: int = 0
    """It differs, and something that waits will settle it."""
    not_compared: str | None = None
    """Why it is not compared at all."""
    examples: list[Example] = []


class Count(msgspec.Struct):
    """Findings of one kind."""

    unexplained: int = 0
    explained: int = 0


class FlowAudit(msgspec.Struct):
    """A pair of entities."""

    flow: str
    records: dict[str, int]
    """Side to the number of records that were read."""
    properties: list[PropertyAudit]
    linked: int = 0
    """Pairs that are linked and were compared."""
    in_sync: int = 0
    """Of those, the ones that say the same in every property."""
    ended: int = 0
    """Links whose deletion was passed on; there is nothing to compare."""
    kept_out: dict[str, int] = {}
    """Side to the number of records that a filter keeps out."""
    alone: dict[str, int] = {}
    """Side to the number of records that have no counterpart and, by the table, get none."""
    counts: dict[str, Count] = {}
    """By kind."""
    findings: list[Finding] = []
    """Some of them, those that nothing explains first."""

    @property
    def unexplained(self) -> int:
        """Findings that nothing that waits explains."""
        return sum(one.unexplained for one in self.counts.values())

    @property
    def explained(self) -> int:
        """Findings that something that waits will settle."""
        return sum(one.explained for one in self.counts.values())


class Audit(msgspec.Struct):
    """All of it."""

    store: str
    sync_name: str
    systems: dict[str, str]
    """Side to the system and company that was read."""
    began_at: datetime
    ended_at: datetime
    requests: dict[str, int]
    """Side to the number of requests made."""
    flows: list[FlowAudit]
    notes: list[str] = []
    is_clean: bool = True
    """Nothing differs that nothing explains."""
