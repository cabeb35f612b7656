"""The store as a whole: its key, the sync it serves, the flows in it, and what each side acknowledged."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from types import TracebackType
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from record_sync.conflict import DECIDED, DELETED, OPEN, SETTLED
from record_sync.errors import StampMismatchError, StoreError
from record_sync.fingerprint import Fingerprints
from record_sync.rules import FlowRules
from record_sync.store import tables
from record_sync.store.database import READING, explained, open_engine, place
from record_sync.store.emptiness import Emptiness
from record_sync.store.lock import Lock
from record_sync.store.migrations import bring_up_to_date
from record_sync.store.timestamps import to_ms
from record_sync.waiting import CONFLICT, PARKED

# Made once: making a statement takes longer than a small store's answer, and most runs ask little else.
_KEY = sa.select(tables.meta.c.value).where(tables.meta.c.name == "fingerprint_key")
_SYNC = sa.select(tables.sync.c.id).where(tables.sync.c.name == sa.bindparam("sync_name"))
_PROPERTIES = sa.select(tables.property_name)
_SCOPE = sa.select(tables.scope.c.id).where(
    tables.scope.c.sync_id == sa.bindparam("sync"),
    tables.scope.c.side == sa.bindparam("of_side"),
    tables.scope.c.resource == sa.bindparam("of_resource"),
)
_FLOW = sa.select(tables.flow).where(
    tables.flow.c.sync_id == sa.bindparam("sync"), tables.flow.c.name == sa.bindparam("flow_name")
)
_OF_SOURCE = (tables.acknowledged.c.flow_id == sa.bindparam("flow")) & (
    tables.acknowledged.c.side == sa.bindparam("of_side")
)
_ACKNOWLEDGED = sa.select(tables.acknowledged.c.as_of).where(_OF_SOURCE)
_AS_OF = sa.bindparam("newest", type_=sa.Text)
_ACKNOWLEDGE = (
    sa.update(tables.acknowledged)
    .where(_OF_SOURCE)
    .values(as_of=sa.case((tables.acknowledged.c.as_of < _AS_OF, _AS_OF), else_=tables.acknowledged.c.as_of))
)


class FlowKey(msgspec.Struct, frozen=True):
    """Where a flow's rows stand, seen from one direction."""

    id: int
    name: str
    source_side: str
    target_side: str
    source_scope: int
    target_scope: int
    source_is_left: bool


class Store:
    """One sync name's part of a link store, locked for this process while it is open.

    Args:
        links_url: SQLAlchemy URL of the store.
        sides: the names of the two sides; always the same two in a store.
        sync_name: one store serves many companies, each under a name of its own.
        now: the clock, in UTC.

    Raises:
        StoreError: it cannot be opened, or another run works with the same sync name.

    """

    def __init__(
        self,
        links_url: str,
        sides: tuple[str, str],
        sync_name: str = "default",
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self.now = now
        self.empty = Emptiness()
        self._left, self._right = sorted(sides)
        self.sync_name = sync_name
        self.engine = open_engine(links_url)
        with explained(self.engine):
            self._connection = self.engine.connect()
        self._lock = Lock(self._connection, sync_name, now())
        try:
            self._lock.acquire()
            with explained(self.engine):
                bring_up_to_date(self._connection)
            with self.begin() as connection:
                self.prints = Fingerprints(self._key(connection))
                self.sync_id = self._sync(connection)
                self._names = {row.id: row.name for row in connection.execute(_PROPERTIES)}
            self._numbers = {name: number for number, name in self._names.items()}
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the lock and the database."""
        try:
            self._lock.leave()
            self._connection.close()
            self.engine.dispose()
        finally:
            self._lock.release()

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One transaction: all of it, or nothing.

        Raises:
            StoreError: the database cannot be used, or is gone.

        """
        with explained(self.engine):
            if self._connection.invalidated:
                # Another connection would not hold the lock.
                raise StoreError(
                    f"The connection to the link store {self.place} was lost, and the lock on it with it. "
                    "Nothing was half written; run again."
                )
            with self._connection.begin():
                yield self._connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One transaction that only reads: it sees one state, and keeps nobody from writing."""
        self._connection.execution_options(**READING)
        try:
            with self.begin() as connection:
                yield connection
        finally:
            self._connection.execution_options(reading=False)

    def rewrite(self) -> None:
        """Write an SQLite file anew, so that nothing is left of what is gone; a server does so in its own time."""
        driver = self._connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            with explained(self.engine):
                driver.execute("VACUUM")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @property
    def place(self) -> str:
        """Where the store is, with no password."""
        return place(self.engine)

    def now_ms(self) -> int:
        """This moment, as the store keeps it."""
        return to_ms(self.now()) or 0

    # -- what is made once

    def _key(self, connection: sa.Connection) -> bytes:
        found = connection.scalar(_KEY)
        if found is None:
            _insert_missing(connection, tables.meta, name="fingerprint_key", value=os.urandom(32))
            found = connection.scalar(_KEY)
        return bytes(found or b"")

    def _sync(self, connection: sa.Connection) -> int:
        wanted = {"sync_name": self.sync_name}
        found = connection.scalar(_SYNC, wanted)
        if found is None:
            connection.execute(
                sa.insert(tables.sync).values(name=self.sync_name, left_side=self._left, right_side=self._right)
            )
            found = connection.scalar(_SYNC, wanted)
        return int(found or 0)

    def number_of(self, path: str) -> int:
        """The store's number for a property; :meth:`know_properties` has met it before."""
        return int(self._numbers[path])

    def name_of(self, number: int) -> str:
        """The property with a number."""
        return str(self._names[number])

    def know_properties(self, connection: sa.Connection, paths: Iterator[str]) -> None:
        """Give numbers to properties met for the first time."""
        for path in paths:
            if path in self._numbers:
                continue
            _insert_missing(connection, tables.property_name, name=path)
            number = int(
                connection.scalar(sa.select(tables.property_name.c.id).where(tables.property_name.c.name == path)) or 0
            )
            self._numbers[path], self._names[number] = number, path

    # -- stamps

    def stamped(self, side: str) -> str | None:
        """What this store's side is bound to; ``None`` where it is new."""
        column = tables.sync.c.left_stamp if side == self._left else tables.sync.c.right_stamp
        with self.reading() as connection:
            return connection.scalar(sa.select(column).where(tables.sync.c.id == self.sync_id))

    def stamp(self, side: str, stamp: str, doing: str = "write to") -> None:
        """Bind this store's side to one system and company, for good. `doing` is what a run would do with it.

        Raises:
            StampMismatchError: it is bound to another; its ids must never be written there.

        """
        column = tables.sync.c.left_stamp if side == self._left else tables.sync.c.right_stamp
        with self.begin() as connection:
            found = connection.scalar(sa.select(column).where(tables.sync.c.id == self.sync_id))
            if found is None:
                connection.execute(
                    sa.update(tables.sync).where(tables.sync.c.id == self.sync_id).values({column: stamp})
                )
            elif found != stamp:
                raise StampMismatchError(
                    f"The link store {self.place} (sync name {self.sync_name!r}) belongs to {found}, "
                    f"but this run would {doing} {stamp}. Use another links_url or sync_name for it."
                )

    # -- flows

    def flow(self, rules: FlowRules) -> tuple[FlowKey, bool]:
        """Register a flow; tells its key, and whether its table or policies changed since the last run."""
        source_is_left = rules.source_side == self._left
        with self.begin() as connection:
            source = self._scope(connection, rules.source_side, rules.source_resource)
            target = self._scope(connection, rules.target_side, rules.target_resource)
            left, right = (source, target) if source_is_left else (target, source)
            row = connection.execute(_FLOW, self._named(rules.flow)).one_or_none()
            if row is None:
                connection.execute(
                    sa.insert(tables.flow).values(
                        sync_id=self.sync_id,
                        name=rules.flow,
                        left_scope=left,
                        right_scope=right,
                        digest=rules.digest,
                    )
                )
                row = connection.execute(_FLOW, self._named(rules.flow)).one()
            elif (row.left_scope, row.right_scope) != (left, right):
                raise StoreError(
                    f"Flow {rules.flow!r} joins other resources than when its links were made. "
                    "Give the new flow a name of its own."
                )
            different = row.digest != rules.digest
            if different:
                connection.execute(sa.update(tables.flow).where(tables.flow.c.id == row.id).values(digest=rules.digest))
                self._settle_needless(connection, row.id, rules)
            self.know_properties(
                connection,
                iter(sorted({p for one in rules.properties for p in (one.path, *one.sources)})),
            )
        key = FlowKey(row.id, rules.flow, rules.source_side, rules.target_side, source, target, source_is_left)
        return key, different

    def _settle_needless(self, connection: sa.Connection, flow_id: int, rules: FlowRules) -> None:
        """Settle the conflicts that the table no longer leaves to a person, and try again what waits for them.

        Those are about units that it no longer has, or for which it has a policy now. Where both sides still differ,
        that opens one under the unit's new name, or has a winner.
        """
        conflict, waiting = tables.conflict, tables.waiting
        known = (DELETED, *map(rules.unit_key, rules.units))
        asked = (DELETED, *(rules.unit_key(unit) for unit in rules.units if unit.policy == "manual"))
        state, unit = conflict.c.state, conflict.c.unit
        needless = (conflict.c.flow_id == flow_id) & (
            ((state == OPEN) & unit.not_in(asked)) | ((state == DECIDED) & unit.not_in(known))
        )
        settled = {"state": SETTLED, "settled_at": self.now_ms()}
        if connection.execute(sa.update(conflict).where(needless).values(settled)).rowcount:
            waits = (waiting.c.flow_id == flow_id) & (waiting.c.kind == CONFLICT)
            connection.execute(sa.update(waiting).where(waits).values(kind=PARKED, next_at=0))

    def flow_named(self, connection: sa.Connection, name: str, source_side: str, target_side: str) -> FlowKey | None:
        """The key of a flow that some run registered."""
        row = connection.execute(_FLOW, self._named(name)).one_or_none()
        if row is None:
            return None
        source_is_left = source_side == self._left
        source, target = (row.left_scope, row.right_scope) if source_is_left else (row.right_scope, row.left_scope)
        return FlowKey(row.id, name, source_side, target_side, source, target, source_is_left)

    def _named(self, flow_name: str) -> dict[str, Any]:
        return {"sync": self.sync_id, "flow_name": flow_name}

    def _scope(self, connection: sa.Connection, side: str, resource: str) -> int:
        wanted = {"sync": self.sync_id, "of_side": side, "of_resource": resource}
        found = connection.scalar(_SCOPE, wanted)
        if found is None:
            connection.execute(sa.insert(tables.scope).values(sync_id=self.sync_id, side=side, resource=resource))
            found = connection.scalar(_SCOPE, wanted)
        return int(found or 0)

    # -- how far the taps' reading is covered

    def acknowledged(self, flow: FlowKey) -> str | None:
        """The ``as_of`` of the newest bookmark this store acknowledged for a flow's source."""
        with self.reading() as connection:
            return connection.scalar(_ACKNOWLEDGED, {"flow": flow.id, "of_side": flow.source_side})

    def acknowledge(self, flow: FlowKey, as_of: str) -> None:
        """Remember that all that was read up to this bookmark is written, linked or waiting here.

        What was read earlier than the newest changes nothing: of two lines with states of their own, the one that read
        first may come last.
        """
        source = {"flow": flow.id, "of_side": flow.source_side}
        with self.begin() as connection:
            if not connection.execute(_ACKNOWLEDGE, {**source, "newest": as_of}).rowcount:
                connection.execute(
                    sa.insert(tables.acknowledged).values(flow_id=flow.id, side=flow.source_side, as_of=as_of)
                )


def _insert_missing(connection: sa.Connection, table: sa.Table, **values: object) -> None:
    """Insert a row that a run of another sync name may be inserting at this moment."""
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(table).values(**values))
    except IntegrityError:
        return
