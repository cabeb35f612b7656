"""The ledger: what one flow's store says and keeps, a transaction at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from record_sync.breaker import Held
from record_sync.ledger.conflicts import Conflicts
from record_sync.ledger.intents import Intents, OpenLists
from record_sync.ledger.links import LinkLayout, Links
from record_sync.ledger.waiting import WaitingRecords
from record_sync.store import tables
from record_sync.store.store import FlowKey, Store

_ROW = sa.select(tables.flow).where(tables.flow.c.id == sa.bindparam("flow"))


class Transaction:
    """One transaction on one flow: all of it is kept, or nothing."""

    def __init__(self, connection: sa.Connection, store: Store, layout: LinkLayout, open_lists: OpenLists) -> None:
        self._connection = connection
        self._store = store
        self._key = layout.flow
        self.links = Links(connection, layout, store.empty)
        self.intents = Intents(connection, store, layout.flow, open_lists)
        self.waiting = WaitingRecords(connection, store, layout.flow)
        self.conflicts = Conflicts(connection, store, layout.flow)

    def flow_named(self, name: str) -> FlowKey | None:
        """Another flow of the same direction, where some run registered it."""
        return self._store.flow_named(self._connection, name, self._key.source_side, self._key.target_side)

    def links_of(self, flow: FlowKey) -> Links:
        """The links of another flow."""
        return Links(self._connection, LinkLayout(self._store, flow), self._store.empty)

    def held(self) -> Held:
        """What the circuit breaker holds back in this flow, and what a person let through."""
        row = self._connection.execute(_ROW, {"flow": self._key.id}).one()
        return Held.of(row.breaker, row.let_through)

    def hold(self, held: Held) -> None:
        """Remember what the circuit breaker holds back, and what is let through."""
        values = {"breaker": held.breaker_text, "let_through": held.let_through_text}
        self._connection.execute(sa.update(tables.flow).where(tables.flow.c.id == self._key.id).values(values))

    def send(self) -> None:
        """Send what was gathered: a statement a record would cost more than all else that is done for it."""
        self.links.send()
        self.conflicts.send()
        self.waiting.send()


class Ledger:
    """One flow in one direction, in the store. Nothing above it sees a database."""

    def __init__(self, store: Store, key: FlowKey) -> None:
        self.store = store
        self.key = key
        self.prints = store.prints
        self._layout = LinkLayout(store, key)
        self._open_lists: OpenLists = {}

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """One transaction that may change what is there.

        Raises:
            StoreError: the database cannot be used, or is gone.

        """
        with self.store.begin() as connection:
            transaction = Transaction(connection, self.store, self._layout, self._open_lists)
            yield transaction
            transaction.send()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """One transaction that only reads: it sees one state, and keeps nobody from writing.

        Raises:
            StoreError: the database cannot be used, or is gone.

        """
        with self.store.begin(reading=True) as connection:
            yield Transaction(connection, self.store, self._layout, self._open_lists)

    @property
    def has_intents(self) -> bool:
        """Whether the store may hold intents, of whichever flow."""
        return not self.store.empty.has_none(tables.intent)

    @property
    def has_waiting(self) -> bool:
        """Whether records may wait in the store."""
        return not self.store.empty.has_none(tables.waiting)

    @property
    def has_conflicts(self) -> bool:
        """Whether the store may hold conflicts."""
        return not self.store.empty.has_none(tables.conflict)

    def number_live(self) -> int:
        """How many links of the flow are not ended."""
        with self.reading() as now:
            return now.links.number_live()

    @property
    def acknowledged(self) -> str | None:
        """The ``as_of`` of the newest bookmark that this store acknowledged for the flow's source."""
        return self.store.acknowledged(self.key)
