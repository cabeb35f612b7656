"""Records that wait in one flow, and records that a filter keeps out, in a transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from record_sync.record import incoming_of
from record_sync.store import tables
from record_sync.store.emptiness import Emptiness
from record_sync.store.sql_in import among_named
from record_sync.store.store import FlowKey, Store
from record_sync.store.tables import insert_all
from record_sync.waiting import AMBIGUOUS, DELETION, PARKED, REFERENCE, Holder, Waiting

HOUR_MS = 3_600_000
LONGEST_WAIT_MS = 24 * HOUR_MS

_columns = tables.waiting.c
_MINE = (_columns.flow_id == sa.bindparam("flow")) & (_columns.side == sa.bindparam("of_side"))
_ALL = sa.select(tables.waiting).where(_MINE).order_by(_columns.id)
_THESE = _MINE & among_named(_columns.record_id, "ids")
_OF = sa.select(tables.waiting).where(_THESE)
_BEHIND = _ALL.where(_columns.id > sa.bindparam("after")).limit(sa.bindparam("at_most", type_=sa.Integer))
_FOR_REFERENCES = _BEHIND.where(_columns.kind == REFERENCE)
_DUE = _BEHIND.where(
    _columns.kind.in_((PARKED, AMBIGUOUS)),
    _columns.next_at <= sa.bindparam("now"),
    _columns.last_at < sa.bindparam("begun"),
)
_REMOVE = sa.delete(tables.waiting).where(_THESE)
_OLDER = sa.select(_columns.id, _columns.record_id).where(
    _MINE, _columns.first_at < sa.bindparam("before"), _columns.kind != DELETION
)
_IDS_OF = _OF.with_only_columns(_columns.record_id, _columns.id)
_CHANGE = sa.update(tables.waiting).where(_columns.id == sa.bindparam("b_id"))
_FREE = sa.delete(tables.reserved).where(among_named(tables.reserved.c.waiting_id, "rows"))
_RESERVED = (
    sa.select(tables.reserved.c.record_id, _columns.flow_id, _columns.side, _columns.record_id.label("of"))
    .join(tables.waiting, _columns.id == tables.reserved.c.waiting_id)
    .where(tables.reserved.c.scope_id == sa.bindparam("scope"), among_named(tables.reserved.c.record_id, "ids"))
)
_EXCLUDED = sa.select(tables.excluded.c.record_id).where(
    tables.excluded.c.scope_id == sa.bindparam("scope"), among_named(tables.excluded.c.record_id, "ids")
)
_INCLUDE = sa.delete(tables.excluded).where(
    tables.excluded.c.scope_id == sa.bindparam("scope"), among_named(tables.excluded.c.record_id, "ids")
)


class WaitingRecords:
    """What waits in one flow, from one side. What is put, ended and kept out is gathered, and sent at the end."""

    def __init__(self, connection: sa.Connection, store: Store, flow: FlowKey) -> None:
        self._connection = connection
        self._store = store
        self._flow = flow
        self._empty: Emptiness = store.empty
        self._mine = {"flow": flow.id, "of_side": flow.source_side}
        self._put: dict[str, Waiting] = {}
        self._done: list[str] = []
        self._no_longer: list[str] = []
        self._kept_out: list[str] = []

    # -- reading

    def of(self, ids: Collection[str]) -> dict[str, Waiting]:
        """What waits under these source ids."""
        if not ids or self._none_waits():
            return {}
        rows = self._connection.execute(_OF, {**self._mine, "ids": ids})
        return {row.record_id: _waiting(row) for row in rows}

    def any_of_other_side(self) -> bool:
        """Whether a record of the other side waits."""
        theirs = {"flow_id": self._flow.id, "side": self._flow.target_side}
        return not self._empty.is_empty(self._connection, tables.waiting, **theirs)

    def of_other_side(self) -> Iterator[Waiting]:
        """What waits to be carried over from the other side."""
        theirs = {"flow": self._flow.id, "of_side": self._flow.target_side}
        return (_waiting(row) for row in self._connection.execute(_ALL, theirs))

    def for_references(self, *, after: int, at_most: int) -> list[Waiting]:
        """What waits for a record it refers to: so many, from behind a row on."""
        return self._portion(_FOR_REFERENCES, {"after": after, "at_most": at_most})

    def due(self, *, begun: int, after: int, at_most: int) -> list[Waiting]:
        """What an earlier run than the one begun then left, and is to be tried again now."""
        wanted = {"after": after, "at_most": at_most, "begun": begun, "now": self._store.now_ms()}
        return self._portion(_DUE, wanted)

    def _portion(self, statement: sa.Select[Any], wanted: dict[str, Any]) -> list[Waiting]:
        if self._none_waits():
            return []
        return [_waiting(row) for row in self._connection.execute(statement, {**self._mine, **wanted})]

    def unseen(self, seen: Callable[[int], bool], before_ms: int) -> list[str]:
        """Records that waited before a moment, in other rows than those that were seen since."""
        if self._none_waits():
            return []
        rows = self._connection.execute(_OLDER, {**self._mine, "before": before_ms}).tuples()
        return [record_id for row_id, record_id in rows if not seen(row_id)]

    def reserved_sources(self, ids: Collection[str]) -> dict[str, Holder]:
        """Which of these source records are candidates of an ambiguous one, and of which."""
        return self._reserved(self._flow.source_scope, ids)

    def reserved_targets(self, ids: Collection[str]) -> dict[str, Holder]:
        """Which of these target records are candidates of an ambiguous one, and of which."""
        return self._reserved(self._flow.target_scope, ids)

    def _reserved(self, scope: int, ids: Collection[str]) -> dict[str, Holder]:
        if not ids or self._empty.is_empty(self._connection, tables.reserved, scope_id=scope):
            return {}
        rows = self._connection.execute(_RESERVED, {"scope": scope, "ids": ids})
        return {row.record_id: Holder(row.flow_id, row.side, row.of) for row in rows}

    def excluded(self, scope: int, ids: Collection[str]) -> set[str]:
        """Which of these ids a filter keeps out of a resource."""
        if not ids or self._empty.is_empty(self._connection, tables.excluded, scope_id=scope):
            return set()
        return set(self._connection.scalars(_EXCLUDED, {"scope": scope, "ids": ids}))

    def _none_waits(self) -> bool:
        mine = {"flow_id": self._flow.id, "side": self._flow.source_side}
        return self._empty.is_empty(self._connection, tables.waiting, **mine)

    # -- changing

    def put(self, waiting: Waiting) -> None:
        """Keep a record, with the reason; a newer record takes an older one's place.

        The first later run tries again at once; after that the pauses grow from an hour to a day.
        """
        self._put[waiting.record.id] = waiting

    def done(self, record_id: str) -> None:
        """This source record is where it should be: it waits for nothing, and no filter keeps it out."""
        self._done.append(record_id)

    def waits_no_longer(self, record_id: str) -> None:
        """Whatever this source record waited for, it does so no longer."""
        self._no_longer.append(record_id)

    def keep_out(self, record_id: str) -> None:
        """This source record is not carried over; it waits for nothing, and nothing waits for it."""
        self._kept_out.append(record_id)

    def remove_of_targets(self, ids: Collection[str]) -> None:
        """These records of the other side wait no longer."""
        self._connection.execute(_REMOVE, {"flow": self._flow.id, "of_side": self._flow.target_side, "ids": ids})

    def send(self) -> None:
        """Send what was gathered."""
        self._send_put()
        self._exclude(self._kept_out)
        if self._done and not self._empty.is_empty(self._connection, tables.excluded, scope_id=self._flow.source_scope):
            self._connection.execute(_INCLUDE, {"scope": self._flow.source_scope, "ids": self._done})
        self._remove([*self._done, *self._no_longer, *self._kept_out])
        self._put, self._done, self._no_longer, self._kept_out = {}, [], [], []

    def _remove(self, ids: Collection[str]) -> None:
        # What they reserved goes with them.
        if ids and not self._none_waits():
            self._connection.execute(_REMOVE, {**self._mine, "ids": ids})

    def _exclude(self, ids: Iterable[str]) -> None:
        scope = self._flow.source_scope
        wanted = set(ids)
        news = wanted - self.excluded(scope, wanted)
        if news:
            self._empty.no_longer(tables.excluded, scope_id=scope)
            rows = [{"scope_id": scope, "record_id": record_id} for record_id in sorted(news)]
            self._connection.execute(sa.insert(tables.excluded), rows)

    def _send_put(self) -> None:
        if not self._put:
            return
        rows = {record_id: self._row(one) for record_id, one in self._put.items()}
        known = dict(self._connection.execute(_IDS_OF, {**self._mine, "ids": list(rows)}).tuples().all())
        if known:
            changed = [{**rows[record_id], "b_id": row_id} for record_id, row_id in known.items()]
            self._connection.execute(_CHANGE, changed)
            self._connection.execute(_FREE, {"rows": list(known.values())})
        new = [record_id for record_id in rows if record_id not in known]
        if new:
            key = {"flow_id": self._flow.id, "side": self._flow.source_side}
            self._empty.no_longer(tables.waiting, **key)
            added = [{**rows[one], **key, "record_id": one, "first_at": rows[one]["last_at"]} for one in new]
            given = insert_all(self._connection, tables.waiting, list(added[0]), [tuple(one.values()) for one in added])
            known |= dict(zip(new, given, strict=True))
        self._reserve(known)

    def _reserve(self, row_ids: dict[str, int]) -> None:
        candidates = [
            {"scope_id": scope, "record_id": candidate, "waiting_id": row_ids[record_id]}
            for record_id, one in self._put.items()
            for scope, some in (
                (self._flow.source_scope, one.source_candidates),
                (self._flow.target_scope, one.target_candidates),
            )
            for candidate in sorted(set(some))
        ]
        if candidates:
            for scope in {one["scope_id"] for one in candidates}:
                self._empty.no_longer(tables.reserved, scope_id=scope)
            self._connection.execute(sa.insert(tables.reserved), candidates)

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
