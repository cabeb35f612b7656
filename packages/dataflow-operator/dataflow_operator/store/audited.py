"""What the link store says of a flow's records: links with what was last agreed, and all that waits about them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from typing import Any

import msgspec
import sqlalchemy as sa
from record_sync.fingerprint import Fingerprints
from record_sync.ledger.intents import open_writes
from record_sync.record import LinkSide
from record_sync.store import tables
from record_sync.store.base_blob import BasePacker
from record_sync.store.sql_in import among
from record_sync.store.timestamps import from_ms

from dataflow_operator.store.conflicts import AT_WORK
from dataflow_operator.store.opening import OpenStore

PORTION = 500
"""Links that are looked at together."""


class LinkedPair(msgspec.Struct, frozen=True):
    """A link, with what was last agreed on both sides."""

    id: int
    state: str
    ends: dict[str, LinkSide]


class Waits(msgspec.Struct, frozen=True):
    """A record that waits."""

    id: int
    side: str
    kind: str
    reason: str
    source: dict[str, Any]
    """Property to value, as it came from its side."""


class OpenConflict(msgspec.Struct, frozen=True):
    """A conflict that a person or a run has still to settle."""

    id: int
    unit: str
    state: str


class OpenWrite(msgspec.Struct, frozen=True):
    """A write whose answer is not known."""

    to: str
    kind: str
    source_id: str
    link_id: int | None
    paths: frozenset[str]
    """Properties of the side written to."""


class AuditedStore:
    """A snapshot of the store."""

    def __init__(self, store: OpenStore) -> None:
        self._store = store
        self._connection = store.connection
        self.sides = store.sync.sides
        names = {row.id: str(row.name) for row in self._connection.execute(sa.select(tables.property_name))}
        self._bases = BasePacker(lambda _name: 0, names.__getitem__)

    @cached_property
    def prints(self) -> Fingerprints:
        """Makes fingerprints as this store's runs do."""
        wanted = sa.select(tables.meta.c.value).where(tables.meta.c.name == "fingerprint_key")
        return Fingerprints(bytes(self._connection.scalar(wanted) or b""))

    def flow(self, name: str) -> StoredFlow | None:
        """A flow that some run registered."""
        columns = tables.flow.c
        query = sa.select(tables.flow).where(columns.sync_id == self._store.sync.id, columns.name == name)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        left, right = self.sides
        return StoredFlow(
            self._connection, row.id, {left: row.left_scope, right: row.right_scope}, self._bases, self.sides
        )

    def newest_run(self) -> tuple[int, str]:
        """The number and outcome of the newest run; 0 where there was none."""
        columns = tables.run.c
        query = sa.select(columns.id, columns.outcome).where(columns.sync_id == self._store.sync.id)
        row = self._connection.execute(query.order_by(columns.id.desc()).limit(1)).one_or_none()
        return (0, "") if row is None else (row.id, row.outcome)

    def linked_ids(self, side: str, resource: str) -> Iterator[list[str]]:
        """Every id of a resource that is linked, or was, in whichever flow."""
        end = self._store.sync.end_of(side)
        scope_columns = tables.scope.c
        scope = self._connection.scalar(
            sa.select(scope_columns.id).where(
                scope_columns.sync_id == self._store.sync.id,
                scope_columns.side == side,
                scope_columns.resource == resource,
            )
        )
        columns = tables.link.c
        for query in (
            sa.select(columns[f"{end}_id"]).where(columns[f"{end}_scope"] == scope),
            sa.select(tables.alias.c.record_id).where(tables.alias.c.scope_id == scope),
        ):
            with self._connection.execute(query, execution_options={"yield_per": 1000}) as found:
                for some in found.scalars().partitions():
                    yield [str(one) for one in some]


class StoredFlow:
    """A flow's rows."""

    def __init__(
        self,
        connection: sa.Connection,
        flow_id: int,
        scopes: dict[str, int],
        bases: BasePacker,
        sides: tuple[str, str],
    ) -> None:
        self._connection = connection
        self._id = flow_id
        self._scopes = scopes
        self._bases = bases
        self._ends = dict(zip(sides, ("left", "right"), strict=True))

    def pairs(self) -> Iterator[list[LinkedPair]]:
        """All links, in portions."""
        after = 0
        columns = tables.link.c
        while True:
            query = sa.select(tables.link).where(columns.flow_id == self._id, columns.id > after)
            some = [self._pair(row) for row in self._connection.execute(query.order_by(columns.id).limit(PORTION))]
            if not some:
                return
            yield some
            after = some[-1].id

    def pairs_of(self, link_ids: Collection[int]) -> list[LinkedPair]:
        """These links, as they are now."""
        found = []
        query = sa.select(tables.link).where(among(tables.link.c.id, link_ids)).order_by(tables.link.c.id)
        found += [self._pair(row) for row in self._connection.execute(query)]
        return found

    def counterparts(self, side: str, ids: Collection[str]) -> dict[str, tuple[str, str]]:
        """Of these records of a side those that are linked in this flow: the other side's id, and its state there."""
        end = self._ends[side]
        across = next(one for one in self._ends.values() if one != end)
        columns = tables.link.c
        found = {}
        query = sa.select(
            columns[f"{end}_id"].label("mine"),
            columns[f"{across}_id"].label("theirs"),
            columns[f"{across}_state"].label("state"),
        ).where(
            columns.flow_id == self._id,
            columns[f"{end}_scope"] == self._scopes[side],
            among(columns[f"{end}_id"], ids),
        )
        for row in self._connection.execute(query):
            found[str(row.mine)] = (str(row.theirs), str(row.state))
        return found

    def kept_out(self, side: str, ids: Collection[str]) -> set[str]:
        """Those of these records that a filter kept out of the runs."""
        columns = tables.excluded.c
        found: set[str] = set()
        query = sa.select(columns.record_id).where(
            columns.scope_id == self._scopes[side], among(columns.record_id, ids)
        )
        found.update(self._connection.scalars(query))
        return found

    def reserved(self, side: str, ids: Collection[str]) -> dict[str, str]:
        """Those of these records that are kept free for an ambiguous one, and for which."""
        columns = tables.reserved.c
        found = {}
        query = (
            sa.select(columns.record_id, tables.waiting.c.side, tables.waiting.c.record_id.label("of"))
            .join(tables.waiting, tables.waiting.c.id == columns.waiting_id)
            .where(columns.scope_id == self._scopes[side], among(columns.record_id, ids))
        )
        for row in self._connection.execute(query):
            found[str(row.record_id)] = f"{row.of} of {row.side}"
        return found

    def waiting(self, side: str, ids: Collection[str]) -> dict[str, Waits]:
        """What waits of these records of a side."""
        columns = tables.waiting.c
        found = {}
        query = sa.select(tables.waiting).where(
            columns.flow_id == self._id, columns.side == side, among(columns.record_id, ids)
        )
        for row in self._connection.execute(query):
            source = msgspec.json.decode(row.record).get("source") or {}
            found[str(row.record_id)] = Waits(row.id, side, row.kind, row.reason, source)
        return found

    def conflicts(self, link_ids: Sequence[int]) -> dict[int, list[OpenConflict]]:
        """What is undecided, or decided and not carried out, on these links."""
        columns = tables.conflict.c
        found: dict[int, list[OpenConflict]] = {}
        query = sa.select(columns.id, columns.link_id, columns.unit, columns.state).where(
            among(columns.link_id, link_ids), columns.state.in_(AT_WORK)
        )
        for row in self._connection.execute(query):
            found.setdefault(row.link_id, []).append(OpenConflict(row.id, row.unit, row.state))
        return found

    @cached_property
    def open_writes(self) -> list[OpenWrite]:
        """Writes that were begun and whose answer is not stored: those of one batch, at the most."""
        return [
            OpenWrite(
                to=one.side,
                kind=one.intent.kind,
                source_id=one.intent.source_id,
                link_id=one.intent.link_id,
                paths=frozenset(one.intent.values) | {path for unit in one.intent.units for path in unit.sent},
            )
            for one in open_writes(self._connection, [self._id])
        ]

    def _pair(self, row: sa.Row[Any]) -> LinkedPair:
        values = row._mapping  # noqa: SLF001 - SQLAlchemy's documented access by name
        return LinkedPair(row.id, row.state, {side: self._end(values, end) for side, end in self._ends.items()})

    def _end(self, values: sa.RowMapping, end: str) -> LinkSide:
        return LinkSide(
            id=values[f"{end}_id"],
            version=values[f"{end}_version"],
            own_version=values[f"{end}_own_version"],
            modified_at=from_ms(values[f"{end}_modified_at"]),
            edited_at=from_ms(values[f"{end}_edited_at"]),
            written_at=from_ms(values[f"{end}_written_at"]),
            base=self._bases.unpack(values[f"{end}_base"]),
            state=values[f"{end}_state"],
        )
