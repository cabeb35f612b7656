"""All tables of a dataflow together, read and checked: what the mapper, a document or an audit is made from."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
from located_yaml import suggestion

from dataflow.checking import check, conversion_of, in_order
from dataflow.conversion import CONVERSIONS, LINK, Conversion, Convert, cut
from dataflow.groups import policy_of
from dataflow.reading import read_file, read_table
from dataflow.side import CUSTOMCRM, DIRECTIONS, TRIPLETEX, Direction, Side
from dataflow.streams import Absent, Schema, Schemas, json_type, leaf_of, longest, stream_schemas
from dataflow.table import Flow, Row


class Leg(msgspec.Struct, frozen=True):
    """A row in one direction: which properties of the source make which properties of the target."""

    row: Row
    sources: tuple[str, ...]
    source_types: tuple[str, ...]
    targets: tuple[str, ...]
    target_types: tuple[str, ...]
    """JSON types as the target is sent them; an id goes as text."""
    convert: Convert
    """Takes as many values as there are sources; gives a tuple where there are several targets."""
    compare: tuple[str, ...]
    """How each target property is compared (docs/architecture.md, ``x-compare``)."""
    beside: tuple[str, ...] = ()
    """Source properties that tell what a value means, and are not carried by this row: a phone number's country."""
    country: str | None = None
    """The target's property that says the same."""


NOTHING: frozenset[str] = frozenset()


class Dataflow:
    """Flows that were checked against the streams' schemas, and each other.

    What this CRM does not have is left out: flows of streams and rows of properties that are ``absent`` by its profile,
    and rows that are optional in the table and not in the stream's schema.
    """

    def __init__(
        self, flows: Sequence[Flow], schemas: Schemas | None = None, absent: Absent = MappingProxyType({})
    ) -> None:
        self.schemas = stream_schemas() if schemas is None else schemas
        gone = {flow.name for flow in flows if absent.get(flow.customcrm, NOTHING) is None}
        self.flows = tuple(
            self._as_far_as_there(flow, absent.get(flow.customcrm) or NOTHING, gone)
            for flow in flows
            if flow.name not in gone
        )
        check(self.flows, self.schemas)

    @classmethod
    def load(
        cls,
        tables: Sequence[str | Path | Mapping[str, Any]],
        root: Path,
        schemas: Schemas | None = None,
        absent: Absent = MappingProxyType({}),
    ) -> Dataflow:
        """Read and check tables: files (relative to ``root``), or tables themselves as a configuration holds them.

        ``schemas`` are the streams' schemas where they are not the standard ones.

        Raises TableError: one line, with file, line, what is wrong and what to do.
        """
        flows = []
        for index, table in enumerate(tables):
            if isinstance(table, Mapping):
                flows.append(read_table(table, f"tables[{index}]"))
            else:
                flows.append(read_file(root / table, str(table)))
        return cls(flows, schemas, absent)

    def flow(self, name: str) -> Flow:
        """The flow of a name.

        Raises LookupError: there is none.
        """
        for flow in self.flows:
            if flow.name == name:
                return flow
        raise LookupError(f"There is no flow {name}. {suggestion(name, [flow.name for flow in self.flows])}")

    def going(self, direction: Direction) -> tuple[Flow, ...]:
        """The flows of a direction, in the order in which they are offered a record that several of them read."""
        return in_order(self.flows, direction)

    def before(self, flow: Flow, direction: Direction) -> tuple[str, ...]:
        """The flows that are offered a record of this one's stream before it."""
        stream = flow.stream(direction.source)
        return tuple(
            name for name in flow.after
            if (other := self.flow(name)).stream(direction.source) == stream and other.goes(direction)
        )  # fmt: skip

    def conversion(self, flow: Flow, row: Row) -> Conversion:
        """How a row's value is written on the other side."""
        return conversion_of(row, flow, self.schemas)

    def types(self, flow: Flow, row: Row, side: Side) -> tuple[str, ...]:
        """The JSON types of a row's properties on a side, as the system has them."""
        schema: Schema = self.schemas[side.name][flow.stream(side)]
        return tuple(json_type(leaf_of(schema, path) or {}) for path in row.paths(side))

    def legs(self, flow: Flow, direction: Direction) -> tuple[Leg, ...]:
        """The rows that go in a direction, in the table's order."""
        legs = [self._leg(flow, row, direction) for row in flow.rows if row.goes(direction)]
        if direction.target is TRIPLETEX:
            legs += [self._empty_leg(flow, row) for row in flow.lacking if row.goes(direction)]
        return tuple(legs)

    def match_on(self, flow: Flow, direction: Direction) -> tuple[tuple[str, ...], ...]:
        """The merge criteria, in the target's properties."""
        return tuple(
            tuple(
                dict.fromkeys(
                    path if direction.target is TRIPLETEX else row.customcrm
                    for path in criterion
                    if (row := flow.row_of(path, direction)) is not None
                )
            )
            for criterion in flow.match_on
        )

    def digest(self, flow: Flow) -> str:
        """Changes when the table means something else; comments, layout and the order of rows do not change it."""
        rows = []
        for row in flow.rows:
            conversion = self.conversion(flow, row)
            said = (row.customcrm, row.tripletex, row.link, row.direction, row.when, policy_of(flow, row))
            # Said only where it is so: a table that cuts nothing means what it always meant.
            cuts = ["cut"] if row.cut else []
            rows.append((*said, row.group, row.country, conversion.name, conversion.revision, *cuts))
        filters = {
            key: sorted((one.property, *_meant(one.among, one.not_among), one.empty) for one in conditions)
            for key, conditions in flow.filters.items()
        }
        table = {
            "flow": (flow.name, flow.customcrm, flow.tripletex, flow.match_on, sorted(flow.after)),
            "policies": (flow.conflict, flow.create, flow.timeless),
            "deletes": [flow.on_delete(direction) for direction in DIRECTIONS],
            "filters": filters,
            "rows": sorted(rows, key=repr),
        }
        return hashlib.sha256(msgspec.json.encode(table, order="deterministic")).hexdigest()[:32]

    def _as_far_as_there(self, flow: Flow, absent: frozenset[str], gone: set[str]) -> Flow:
        """The flow without the rows for what the Customcrm does not have, and without flows that are gone."""
        schema = self.schemas[CUSTOMCRM.name].get(flow.customcrm, {})
        after = tuple(name for name in flow.after if name not in gone)
        return _without(
            msgspec.structs.replace(flow, after=after),
            lambda row: (
                row.customcrm.partition(".")[0] in absent
                or row.link in gone
                or (row.optional and leaf_of(schema, row.customcrm) is None)
            ),
        )

    def _leg(self, flow: Flow, row: Row, direction: Direction) -> Leg:
        conversion = self.conversion(flow, row)
        target_types = self.types(flow, row, direction.target)
        beside = None if row.country is None else flow.row_of(row.country, direction)
        return Leg(
            row=row,
            sources=row.paths(direction.source),
            source_types=self.types(flow, row, direction.source),
            targets=row.paths(direction.target),
            target_types=conversion.types(direction.target) if conversion is LINK else target_types,
            convert=self._convert(flow, row, conversion, direction),
            compare=conversion.compare(direction.target),
            beside=() if beside is None else beside.paths(direction.source)[:1],
            country=None if beside is None else beside.paths(direction.target)[0],
        )

    def _empty_leg(self, flow: Flow, row: Row) -> Leg:
        return Leg(
            row=row,
            sources=(),
            source_types=(),
            targets=row.tripletex,
            target_types=self.types(flow, row, TRIPLETEX),
            convert=lambda: None,
            compare=CONVERSIONS.get(row.convert or "text", CONVERSIONS["text"]).compare(TRIPLETEX),
        )

    def _convert(self, flow: Flow, row: Row, conversion: Conversion, direction: Direction) -> Convert:
        convert = conversion.convert(direction)
        (most, *others) = (
            longest(direction.target, flow.stream(direction.target), path) for path in row.paths(direction.target)
        )
        return convert if others or most is None or not row.cut else cut(convert, most)


def _without(flow: Flow, is_absent: Callable[[Row], bool]) -> Flow:
    gone = [row for row in flow.rows if is_absent(row)]
    kept = [row for row in flow.rows if row not in gone]
    if not gone:
        return flow
    held = {path for row in kept for path in row.tripletex}
    no_country = {path for row in gone for path in row.tripletex} - held
    groups = Counter(row.group for row in kept)
    left_alone = {row.group for row in gone if groups[row.group] == 1}
    rows = tuple(
        msgspec.structs.replace(
            row,
            country=None if row.country in no_country else row.country,
            group=None if row.group in left_alone else row.group,
        )
        for row in kept
    )
    lacking = tuple(
        row
        for row in gone
        if row.group is not None
        and groups[row.group] > 1
        and len(row.tripletex) == 1
        and held.isdisjoint(row.tripletex)
    )
    return msgspec.structs.replace(flow, rows=rows, lacking=lacking)


def _meant(*values: tuple[Any, ...]) -> list[list[str]]:
    return [sorted(f"{type(value).__name__}:{value}" for value in some) for some in values]


__all__ = ["CUSTOMCRM", "TRIPLETEX", "Dataflow", "Leg"]
