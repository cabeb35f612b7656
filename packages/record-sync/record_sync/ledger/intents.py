"""Intents of one flow in a transaction: writes that were begun and whose answer is not stored yet.

A row holds the intents of one list write: a row a record would cost more than all else that is kept of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from record_sync.intent import Intent, SentUnit
from record_sync.store import tables
from record_sync.store.sql_in import among_named
from record_sync.store.store import FlowKey, Store
from record_sync.store.tables import insert_all
from record_sync.store.timestamps import from_ms
from record_sync.values import Values

LIST = 100
"""Intents in one row: as many records as a list write takes, so that a row mostly goes with one answer."""

_columns = tables.intent.c
_TOWARDS = (
    sa.select(tables.intent)
    .where(_columns.flow_id == sa.bindparam("flow"), _columns.side == sa.bindparam("of_side"))
    .order_by(_columns.id)
)
_DELETE = sa.delete(tables.intent).where(among_named(_columns.id, "ids"))
_REWRITE = sa.update(tables.intent).where(_columns.id == sa.bindparam("b_id"))


class _Sent(msgspec.Struct, array_like=True):
    """An intent as a row's body holds it."""

    source_id: str
    source_version: str | None
    source_modified_at: datetime | None
    source: dict[str, bytes]
    values: Values
    units: list[SentUnit]
    target_id: str | None
    link_id: int | None
    over_version: str | None
    target_edited_at: datetime | None
    server_clock: datetime | None


_SENT = tuple(_Sent.__struct_fields__)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[_Sent]).decode

OpenLists = dict[int, dict[int, Intent]]
"""Row to place in it to the intent, of those that this run knows to be open."""


class Intents:
    """Intents are added before their writes are sent, and resolved in the transaction that stores the answers."""

    def __init__(self, connection: sa.Connection, store: Store, flow: FlowKey, known: OpenLists) -> None:
        self._connection = connection
        self._store = store
        self._flow = flow
        self._known = known

    def add(self, intents: Sequence[Intent]) -> None:
        """Add intents of one kind; each is told its place."""
        self._store.empty.no_longer(tables.intent, flow_id=self._flow.id)
        lists = [intents[start : start + LIST] for start in range(0, len(intents), LIST)]
        if not lists:
            return
        once = (self._flow.id, self._flow.target_side, self._store.now_ms())
        rows = [(*once, some[0].kind, _body(some)) for some in lists]
        columns = ("flow_id", "side", "created_at", "kind", "body")
        for some, row in zip(lists, insert_all(self._connection, tables.intent, columns, rows), strict=True):
            for place, intent in enumerate(some):
                intent.place = (row, place)
            self._known[row] = dict(enumerate(some))

    def resolve(self, intents: Iterable[Intent]) -> None:
        """What became of these writes is known."""
        touched = set()
        for one in intents:
            if one.place is not None:
                row, place = one.place
                self._known[row].pop(place)
                touched.add(row)
        empty = [row for row in touched if not self._known[row]]
        for row in empty:
            del self._known[row]
        if empty:
            self._connection.execute(_DELETE, {"ids": empty})
        for row in touched.difference(empty):
            self._connection.execute(_REWRITE, {"b_id": row, "body": _body(list(self._known[row].values()))})

    def towards(self, side: str) -> list[Intent]:
        """The open intents that write to a side, oldest first."""
        found = []
        for row in self._connection.execute(_TOWARDS, {"flow": self._flow.id, "of_side": side}):
            some = _intents(row)
            self._known[row.id] = dict(enumerate(some))
            found += some
        return found


class OpenWrite(msgspec.Struct, frozen=True):
    """A write that was begun and whose answer is not stored, seen from outside a run."""

    flow_id: int
    side: str
    """The side that is written to."""
    begun_at: datetime | None
    intent: Intent


def open_writes(connection: sa.Connection, flow_ids: Collection[int]) -> list[OpenWrite]:
    """The open writes of flows, oldest first; for who looks at a store from outside a run."""
    rows = connection.execute(sa.select(tables.intent).where(_columns.flow_id.in_(flow_ids)).order_by(_columns.id))
    return [
        OpenWrite(row.flow_id, row.side, from_ms(row.created_at), intent) for row in rows for intent in _intents(row)
    ]


def _body(intents: Sequence[Intent]) -> bytes:
    return _encode([_Sent(*[getattr(one, name) for name in _SENT]) for one in intents])


def _intents(row: sa.Row[tuple[object, ...]]) -> list[Intent]:
    return [
        Intent(kind=row.kind, place=(row.id, place), **msgspec.structs.asdict(sent))
        for place, sent in enumerate(_decode(row.body))
    ]
