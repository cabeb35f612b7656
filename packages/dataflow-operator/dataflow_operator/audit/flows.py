"""A flow as the audit looks at it: the sync's own rules and the mapper's own functions, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import msgspec
from dataflow.compiling import Record, compile_filter, compile_flow
from dataflow.schema import target_schema
from dataflow.side import CUSTOMCRM, DIRECTIONS, TRIPLETEX, Direction
from dataflow.table import Flow, Row
from dataflow.tables import Dataflow
from record_sync.rules import FlowRules, Unit
from record_sync.values import Values, nest, pick

SIDES = (CUSTOMCRM.name, TRIPLETEX.name)


class Way(msgspec.Struct, frozen=True):
    """A flow in one direction."""

    direction: Direction
    rules: FlowRules
    build: Callable[[Record], Record]
    passes: Callable[[Record], bool] | None
    looked_at: frozenset[str]
    """Source properties that rows and filter look at."""

    def is_kept_out(self, values: Values) -> bool:
        """Whether the table's filter keeps a record of the source out."""
        return self.passes is not None and not self.passes(nest(values))

    def carried(self, values: Values) -> Values:
        """What the mapper makes of a record of the source: target property to value."""
        return pick(self.build(nest(values)), self.rules.paths)


class AuditedRow(msgspec.Struct, frozen=True):
    """A row of the table that is kept in sync."""

    row: Row
    index: int
    """Its place in the table."""
    paths: dict[str, tuple[str, ...]]
    """Side to properties."""
    units: dict[str, Unit]
    """The sides it is carried to, each with the unit that it is decided with there."""
    conflict_keys: frozenset[str]
    """What a conflict about it is filed under, whichever direction noticed it."""


class AuditedFlow(msgspec.Struct, frozen=True, dict=True):
    """A flow with all that is needed to compare its records."""

    dataflow: Dataflow
    flow: Flow
    ways: Mapping[str, Way]
    """By the side that is written to; without the directions in which nothing goes."""

    @classmethod
    def of(cls, dataflow: Dataflow, flow: Flow) -> AuditedFlow:
        """Compile a flow."""
        return cls(dataflow, flow, {one.target.name: _way(dataflow, flow, one) for one in DIRECTIONS if flow.goes(one)})

    def resource(self, side: str) -> str:
        """What a side calls the flow's records."""
        return self.flow.customcrm if side == CUSTOMCRM.name else self.flow.tripletex

    def tripletex_types(self, row: Row) -> tuple[str, ...]:
        """The types of a row's properties in Tripletex."""
        return self.dataflow.types(self.flow, row, TRIPLETEX)

    def paths(self, side: str) -> frozenset[str]:
        """Every property of a side that the flow looks at."""
        read: frozenset[str] = frozenset()
        for target, way in self.ways.items():
            read |= (way.rules.lasting_paths | way.rules.match_paths) if target == side else way.looked_at
        return read

    @cached_property
    def rows(self) -> tuple[AuditedRow, ...]:
        """The rows that are kept in sync; what is written only at a record's creation is not."""
        return tuple(self._row(index, row) for index, row in enumerate(self.flow.rows) if row.when != "create")

    def _row(self, index: int, row: Row) -> AuditedRow:
        units = {
            side: (way.rules, unit)
            for side, way in self.ways.items()
            for unit in way.rules.units
            if row.goes(way.direction) and set(row.paths(way.direction.source)) <= set(unit.sources)
        }
        return AuditedRow(
            row=row,
            index=index,
            paths={side.name: row.paths(side) for side in (CUSTOMCRM, TRIPLETEX)},
            units={side: unit for side, (_, unit) in units.items()},
            conflict_keys=frozenset(rules.unit_key(unit) for rules, unit in units.values()),
        )


def other(side: str) -> str:
    """The side across."""
    return SIDES[1] if side == SIDES[0] else SIDES[0]


def _way(dataflow: Dataflow, flow: Flow, direction: Direction) -> Way:
    legs = dataflow.legs(flow, direction)
    conditions = flow.condition(direction)
    schema = target_schema(dataflow, flow, direction)
    return Way(
        direction=direction,
        rules=FlowRules.from_schema(schema, direction.target.name),
        build=compile_flow(legs, (), direction),
        passes=compile_filter(conditions),
        looked_at=frozenset(
            {path for leg in legs for path in leg.sources} | {condition.property for condition in conditions}
        ),
    )
