"""A property table: what is synchronised with what, as its file says it."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

import msgspec
from located_yaml import Place

from dataflow.side import CUSTOMCRM, DIRECTIONS, TRIPLETEX, Direction, Side

CONFLICT_POLICIES = ("latest", "customcrm", "tripletex", "manual")
CREATE_POLICIES = ("both", "to-tripletex", "to-customcrm", "none")
ROW_DIRECTIONS = ("both", "to-tripletex", "to-customcrm")
WRITE_TIMES = ("always", "create")
DELETE_POLICIES = {"to-tripletex": ("deactivate", "delete", "ignore"), "to-customcrm": ("delete", "ignore")}
"""A Customcrm has no inactive records: a record there is kept or becomes a tombstone."""

Scalar: TypeAlias = str | bool | int | Decimal


class Condition(msgspec.Struct, frozen=True):
    """One condition of a filter, on a property of the source."""

    property: str
    place: Place
    among: tuple[Scalar, ...] = ()
    """The value is one of these."""
    not_among: tuple[Scalar, ...] = ()
    """The value is none of these; no value is none of them."""
    empty: bool | None = None
    """The property has no value (true), or has one (false)."""


class Row(msgspec.Struct, frozen=True):
    """A property of Customcrm and the property or properties of Tripletex that say the same."""

    customcrm: str
    tripletex: tuple[str, ...]
    places: dict[str, Place]
    """Where each key of the row stands; ``""`` is the row itself."""
    type: str | None = None
    convert: str | None = None
    """A conversion's name; ``None`` takes values as they are."""
    link: str | None = None
    """The flow whose link translates the id that this row holds."""
    direction: str = "both"
    when: str = "always"
    conflict: str | None = None
    group: str | None = None
    """What the property belongs to: rows of one group are decided together."""
    country: str | None = None
    """The Tripletex property of the country in which a phone number without a prefix is read."""
    optional: bool = False
    """Whether the row holds only for a Customcrm that has the property; for any other it is as if it were not there."""
    cut: bool = False
    """A text that is longer than Tripletex takes it is cut on its way there; else its record waits."""

    def place(self, key: str = "") -> Place:
        """Where the row, or one of its keys, stands."""
        return self.places.get(key, self.places[""])

    def goes(self, direction: Direction) -> bool:
        """Whether values are carried in a direction."""
        return self.direction in ("both", direction.key)

    def paths(self, side: Side) -> tuple[str, ...]:
        """The row's properties on a side, nested ones dotted."""
        return (self.customcrm,) if side is CUSTOMCRM else self.tripletex


class Flow(msgspec.Struct, frozen=True):
    """A pair of entities that are kept in sync, with the rules for it."""

    name: str
    customcrm: str
    tripletex: str
    match_on: tuple[tuple[str, ...], ...]
    """Criteria by which two existing records are the same one; Tripletex properties, strongest first."""
    rows: tuple[Row, ...]
    places: dict[str, Place]
    conflict: str = "latest"
    create: str = "both"
    deletes: dict[str, str] = msgspec.field(default_factory=dict)
    """Direction key to policy; a direction that is not named ignores deletions."""
    filters: dict[str, tuple[Condition, ...]] = msgspec.field(default_factory=dict)
    """Direction key to conditions, all of which must hold."""
    after: tuple[str, ...] = ()
    """Flows that are offered a record first, where both read the same stream."""
    timeless: str = "tripletex"
    """The side that wins where a side's records have no times."""
    lacking: tuple[Row, ...] = ()
    """Rows of groups for what the Customcrm does not have: its values of the group leave them empty."""

    def place(self, key: str = "") -> Place:
        """Where the flow, or one of its keys, stands."""
        return self.places.get(key, self.places[""])

    def stream(self, side: Side) -> str:
        """The stream of the tap of a side, and what the target of that side writes."""
        return self.customcrm if side is CUSTOMCRM else self.tripletex

    def goes(self, direction: Direction) -> bool:
        """Whether any property is carried in a direction."""
        return any(row.goes(direction) for row in self.rows)

    def creates(self, direction: Direction) -> bool:
        """Whether records without a counterpart get one in a direction."""
        return self.create in ("both", direction.key)

    def on_delete(self, direction: Direction) -> str:
        """What a deletion in the source does in the target."""
        return self.deletes.get(direction.key, "ignore")

    def condition(self, direction: Direction) -> tuple[Condition, ...]:
        """The filter of a direction; none lets every record through."""
        return self.filters.get(direction.key, ())

    def row_of(self, tripletex: str, direction: Direction) -> Row | None:
        """The row that carries a Tripletex property in a direction."""
        return next((row for row in self.rows if tripletex in row.tripletex and row.goes(direction)), None)


SIDES = (CUSTOMCRM, TRIPLETEX)
DIRECTION_KEYS = tuple(direction.key for direction in DIRECTIONS)
