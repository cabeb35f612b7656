"""Records that could not be carried over yet: parked, waiting for a reference, ambiguous."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from record_sync.record import Incoming, incoming_of
from record_sync.store import tables
from record_sync.store.among import among, among_named
from record_sync.store.links import chunks
from record_sync.store.store import FlowKey, Store
from record_sync.store.tables import insert_all

HOUR_MS = 3_600_000
LONGEST_WAIT_MS = 24 * HOUR_MS

PARKED = "parked"
INVALID = "invalid"
REFERENCE = "reference"
AMBIGUOUS = "ambiguous"
CONFLICT = "conflict"
"""Until a person has decided."""


_columns = tables.waiting.c
_MINE = (_columns.flow_id == sa.bindparam("flow")) & (_columns.side == sa.bindparam("of_side"))
_THESE = _MINE & among_named(_columns.record_id, "ids")
_OF = sa.select(tables.waiting).where(_THESE)
_BEHIND = (
    sa.select(tables.waiting)
    .where(_MINE, _columns.id > sa.bindparam("after"))
    .order_by(_columns.id)
    .limit(sa.bindparam("at_most", type_=sa.Integer))
)
_FOR_REFERENCES = _BEHIND.where(_columns.kind == REFERENCE)
_DUE = _BEHIND.where(
    _columns.kind.in_((PARKED, AMBIGUOUS)),
    _columns.next_at <= sa.bindparam("now"),
    _columns.last_at < sa.bindparam("begun"),
)
_REMOVE = sa.delete(tables.waiting).where(_THESE)
_FREE = sa.delete(tables.reserved).where(
    tables.reserved.c.waiting_id.in_(sa.select(_columns.id).where(_THESE).scalar_subquery())
)
_OLDER = sa.select(_columns.id, _columns.record_id).where(_MINE, _columns.first_at < sa.bindparam("before"))
_INCLUDE = sa.delete(tables.excluded).where(
    tables.excluded.c.scope_id == sa.bindparam("scope"), among_named(tables.excluded.c.record_id, "ids")
)


class Waiting(msgspec.Struct):
    """One record that waits, and why."""

    record: Incoming
    kind: str
    reason: str
    details: tuple[str, ...] = ()
    fingerprint: bytes = b""
    attempts: int = 0
    next_at: int = 0
    id: int | None = None
    source_candidates: tuple[str, ...] = ()
    target_candidates: tuple[str, ...] = ()


class WaitingRecords:
    """What waits in one flow, from one side."""

    def __init__(self, store: Store, flow: FlowKey) -> None:
        self._store = store
        self._flow = flow
        self._mine = {"flow": flow.id, "of_side": flow.source_side}

    def of(self, connection: sa.Connection, ids: Collection[str]) -> dict[str, Waiting]:
        """What waits under these source ids."""
        found = {}
        for some in chunks(ids):
            for row in connection.execute(_OF, {**self._mine, "ids": some}):
                found[row.record_id] = _waiting(row)
        return found

    def for_references(self, connection: sa.Connection, *, after: int, at_most: int) -> list[Waiting]:
        """What waits for a record it refers to: so many, from behind a row on."""
        wanted = {**self._mine, "after": after, "at_most": at_most}
        return [_waiting(row) for row in connection.execute(_FOR_REFERENCES, wanted)]

    def due(self, connection: sa.Connection, *, begun: int, after: int, at_most: int) -> list[Waiting]:
        """What an earlier run than the one begun then left, and is to be tried again now."""
        wanted = {**self._mine, "after": after, "at_most": at_most, "begun": begun, "now": self._store.now_ms()}
        return [_waiting(row) for row in connection.execute(_DUE, wanted)]

    def put(self, connection: sa.Connection, records: Sequence[Waiting]) -> None:
        """Keep records, with the reasons; a newer record takes an older one's place.

        The first later run tries again at once; after that the waits grow from an hour to a day.
        """
        if not records:
            return
        by_id = {one.record.id: one for one in records}
        rows = {record_id: self._row(one) for record_id, one in by_id.items()}
        columns = tables.waiting.c
        query = _OF.with_only_columns(columns.record_id, columns.id)
        known = dict(connection.execute(query, {**self._mine, "ids": list(by_id)}).tuples().all())
        if known:
            statement = sa.update(tables.waiting).where(columns.id == sa.bindparam("b_id"))
            connection.execute(statement, [{**rows[record_id], "b_id": row_id} for record_id, row_id in known.items()])
            connection.execute(sa.delete(tables.reserved).where(among(tables.reserved.c.waiting_id, known.values())))
        new = [record_id for record_id in by_id if record_id not in known]
        if new:
            key = {"flow_id": self._flow.id, "side": self._flow.source_side}
            added = [{**rows[one], **key, "record_id": one, "first_at": rows[one]["last_at"]} for one in new]
            ids = insert_all(connection, tables.waiting, list(added[0]), [tuple(one.values()) for one in added])
            known |= dict(zip(new, ids, strict=True))
        candidates = [
            {"scope_id": scope, "record_id": candidate, "waiting_id": known[record_id]}
            for record_id, one in by_id.items()
            for scope, some in (
                (self._flow.source_scope, one.source_candidates),
                (self._flow.target_scope, one.target_candidates),
            )
            for candidate in sorted(set(some))
        ]
        if candidates:
            connection.execute(sa.insert(tables.reserved), candidates)

    def _row(self, waiting: Waiting) -> dict[str, Any]:
        now = self._store.now_ms()
        attempts = waiting.attempts
        pause = 0 if attempts == 0 else min(HOUR_MS * 2 ** (attempts - 1), LONGEST_WAIT_MS)
        return {
            "kind": waiting.kind,
            "reason": waiting.reason,
            "details": json.dumps(waiting.details, ensure_ascii=False),
            "fingerprint": waiting.fingerprint,
            "record": msgspec.json.encode(waiting.record),
            "attempts": attempts,
            "last_at": now,
            "next_at": now + pause,
        }

    def remove(self, connection: sa.Connection, ids: Collection[str]) -> None:
        """These records wait no longer."""
        for some in chunks(ids):
            connection.execute(_FREE, {**self._mine, "ids": some})
            connection.execute(_REMOVE, {**self._mine, "ids": some})

    def remove_of_targets(self, connection: sa.Connection, ids: Collection[str]) -> None:
        """These records of the other side wait no longer."""
        theirs = {"flow": self._flow.id, "of_side": self._flow.target_side}
        for some in chunks(ids):
            connection.execute(_REMOVE, {**theirs, "ids": some})

    def forget_unseen(self, connection: sa.Connection, seen: Callable[[int], bool], before: int) -> None:
        """Records that a complete read did not bring (the rows seen) are gone, and have nothing to wait for."""
        rows = connection.execute(_OLDER, {**self._mine, "before": before}).tuples()
        self.remove(connection, [record_id for row_id, record_id in rows if not seen(row_id)])

    def reserved_sources(self, connection: sa.Connection, ids: Collection[str]) -> dict[str, str]:
        """Which of these source records are candidates of an ambiguous one, and of which."""
        return self._reserved(connection, self._flow.source_scope, ids)

    def reserved_targets(self, connection: sa.Connection, ids: Collection[str]) -> dict[str, str]:
        """Which of these target records are candidates of an ambiguous one, and of which."""
        return self._reserved(connection, self._flow.target_scope, ids)

    def _reserved(self, connection: sa.Connection, scope: int, ids: Collection[str]) -> dict[str, str]:
        found = {}
        for some in chunks(ids):
            query = (
                sa.select(tables.reserved.c.record_id, tables.waiting.c.side, tables.waiting.c.record_id.label("of"))
                .join(tables.waiting, tables.waiting.c.id == tables.reserved.c.waiting_id)
                .where(tables.reserved.c.scope_id == scope, among(tables.reserved.c.record_id, some))
            )
            for row in connection.execute(query):
                found[row.record_id] = f"{row.side} {row.of}"
        return found

    # -- kept out by a filter

    def exclude(self, connection: sa.Connection, ids: Collection[str]) -> None:
        """Remember that the filter keeps these source records out."""
        news = set(ids) - self.excluded(connection, self._flow.source_scope, ids)
        if news:
            rows = [{"scope_id": self._flow.source_scope, "record_id": record_id} for record_id in sorted(news)]
            connection.execute(sa.insert(tables.excluded), rows)

    def include(self, connection: sa.Connection, ids: Collection[str]) -> None:
        """The filter lets these in (again)."""
        for some in chunks(ids):
            connection.execute(_INCLUDE, {"scope": self._flow.source_scope, "ids": some})

    @staticmethod
    def excluded(connection: sa.Connection, scope: int, ids: Collection[str]) -> set[str]:
        """Which of these ids a filter keeps out."""
        found: set[str] = set()
        for some in chunks(ids):
            query = sa.select(tables.excluded.c.record_id).where(
                tables.excluded.c.scope_id == scope, among(tables.excluded.c.record_id, some)
            )
            found.update(connection.scalars(query))
        return found


def _waiting(row: sa.Row[tuple[object, ...]]) -> Waiting:
    return Waiting(
        record=incoming_of(row.record),
        kind=row.kind,
        reason=row.reason,
        details=tuple(json.loads(row.details)),
        fingerprint=bytes(row.fingerprint),
        attempts=row.attempts,
        next_at=row.next_at,
        id=row.id,
    )
