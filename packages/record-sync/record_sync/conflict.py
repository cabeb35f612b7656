"""Conflicts: what states one goes through, and what a person decides. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from record_sync.canonical import same
from record_sync.record import Link
from record_sync.values import Values

OPEN = "open"
"""A person has to decide."""
DECIDED = "taken"
"""A person has; the next run in either direction acts on it."""
LOST = "kept"
"""A policy has decided; the value that lost is kept."""
RESTORE_REQUESTED = "putback"
"""A person wants the value that lost back on its side."""
SETTLED = "settled"

DELETED = "deleted"
"""In place of a unit: one side deleted the record, the other one edited it."""

Decisions: TypeAlias = Mapping[int, Mapping[str, str]]
"""Link, unit, and the side whose values a person let stand."""


class Lost(msgspec.Struct, frozen=True):
    """Values that lost, and are wanted back on their side."""

    id: int
    link_id: int
    unit: str
    values: Values
    over: Values | None
    """What was written over them; ``None`` where the store does not know."""


def is_as_shown(shown: Values, values: Values) -> bool:
    """Whether a side still says what whoever decided was shown of it."""
    return all(same("text", shown[path], value) for path, value in values.items() if path in shown)


def decided_for(decisions: Decisions, link: Link, unit: str) -> str | None:
    """The side that a person let stand, where one did."""
    return decisions.get(link.id or 0, {}).get(unit)
