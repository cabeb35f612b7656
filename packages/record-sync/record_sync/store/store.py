"""The store as a whole: its key, the sync it serves, the flows in it, and what each side acknowledged."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timezone
from functools import cache
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
from record_sync.store.database import DATABASE_ERRORS, READING, explained, open_engine, place, unusable
from record_sync.store.emptiness import MOSTLY_EMPTY, Emptiness
from record_sync.store.lock import Lock
from record_sync.store.migrations import bring_up_to_date
from record_sync.store.timestamps import to_ms
from record_sync.waiting import CONFLICT, PARKED

# Made once: making a statement takes longer than a small store's answer, and most runs ask little else.
_KEY = sa.select(tables.meta.c.value).where(tables.meta.c.name == "fingerprint_key")
_SYNC = sa.select(tables.sync.c.id).where(tables.sync.c.name == sa.bindparam("sync_name"))
_OPENING = sa.select(
    _KEY.scalar_subquery(),
    _SYNC.scalar_subquery(),
    *(sa.exists(sa.select(sa.literal(1)).select_from(table)) for table in MOSTLY_EMPTY),
)
_PROPERTIES = sa.select(tables.property_name)
_SCOPE = sa.select(tables.scope.c.id).where(
    tables.scope.c.sync_id == sa.bindparam("sync"),
    tables.scope.c.side == sa.bindparam("of_side"),
    tables.scope.c.resource == sa.bindparam("of_resource"),
)
_left, _right = tables.scope.alias("left_scope_row"), tables.scope.alias("right_scope_row")
_FLOW = (
    sa.select(
        tables.flow,
        _left.c.resource.label("left_resource"),
        _right.c.resource.label("right_resource"),
        *(
            sa.select(tables.acknowledged.c.as_of)
            .where(tables.acknowledged.c.flow_id == tables.flow.c.id, tables.acknowledged.c.side == scope.c.side)
            .scalar_subquery()
            .label(name)
            for name, scope in (("left_as_of", _left), ("right_as_of", _right))
        ),
    )
    .join(_left, _left.c.id == tables.flow.c.left_scope)
    .join(_right, _right.c.id == tables.flow.c.right_scope)
    .where(tables.flow.c.sync_id == sa.bindparam("sync"), tables.flow.c.name == sa.bindparam("flow_name"))
)
_ACKNOWLEDGE = (
    sa.update(tables.acknowledged)
    .where(tables.acknowledged.c.flow_id == sa.bindparam("flow"), tables.acknowledged.c.side == sa.bindparam("of_side"))
    .values(as_of=sa.bindparam("newest", type_=sa.Text))
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
        self._acknowledged: dict[tuple[int, str], str | None] = {}
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
                self._info = self._connection.info
            with self.begin() as connection:
                key, sync_id, *has_rows = connection.execute(_OPENING, {"sync_name": sync_name}).one()
                self.prints = Fingerprints(bytes(key or self._new_key(connection)))
                self.sync_id = int(sync_id or self._new_sync(connection))
                self.empty = Emptiness(
                    table.name for table, has_row in zip(MOSTLY_EMPTY, has_rows, strict=True) if not has_row
                )
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
    def begin(self, *, reading: bool = False) -> Iterator[sa.Connection]:
        """One transaction: all of it, or nothing. One that only reads keeps nobody from writing.

        Raises:
            StoreError: the database cannot be used, or is gone.

        """
        if self._connection.invalidated:
            # Another connection would not hold the lock.
            raise StoreError(
                f"The connection to the link store {self.place} was lost, and the lock on it with it. "
                "Nothing was half written; run again."
            )
        self._info[READING] = reading
        try:
            with self._connection.begin():
                self._info[READING] = False
                yield self._connection
        except DATABASE_ERRORS as error:
            raise unusable(self.engine, error) from None

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """One transaction that only reads: it sees one state."""
        return self.begin(reading=True)

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

    def _new_key(self, connection: sa.Connection) -> bytes:
        _insert_missing(connection, tables.meta, name="fingerprint_key", value=os.urandom(32))
        return bytes(connection.scalar(_KEY) or b"")

    def _new_sync(self, connection: sa.Connection) -> int:
        row = {"name": self.sync_name, "left_side": self._left, "right_side": self._right}
        connection.execute(sa.insert(tables.sync).values(row))
        return int(connection.scalar(_SYNC, {"sync_name": self.sync_name}) or 0)

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
        with self.reading() as connection:
            return connection.scalar(_stamp_of(self._stamp_column(side)), {"sync": self.sync_id})

    def _stamp_column(self, side: str) -> str:
        return "left_stamp" if side == self._left else "right_stamp"

    def stamp(self, side: str, stamp: str, doing: str = "write to") -> None:
        """Bind this store's side to one system and company, for good. `doing` is what a run would do with it.

        Raises:
            StampMismatchError: it is bound to another; its ids must never be written there.

        """
        column = self._stamp_column(side)
        with self.begin() as connection:
            found = connection.scalar(_stamp_of(column), {"sync": self.sync_id})
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
        resources = rules.source_resource, rules.target_resource
        resources = resources if source_is_left else resources[::-1]
        with self.begin() as connection:
            row = connection.execute(_FLOW, self._named(rules.flow)).one_or_none()
            if row is None:
                left, right = (
                    self._scope(connection, side, resource)
                    for side, resource in zip((self._left, self._right), resources, strict=True)
                )
                once = {"sync_id": self.sync_id, "name": rules.flow, "digest": rules.digest}
                connection.execute(sa.insert(tables.flow).values(**once, left_scope=left, right_scope=right))
                row = connection.execute(_FLOW, self._named(rules.flow)).one()
            elif (row.left_resource, row.right_resource) != resources:
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
        key = self._flow_key(row, rules.source_side, rules.target_side)
        known = row.left_as_of if source_is_left else row.right_as_of
        self._acknowledged.setdefault((key.id, key.source_side), known)
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
        return None if row is None else self._flow_key(row, source_side, target_side)

    def _flow_key(self, row: Any, source_side: str, target_side: str) -> FlowKey:
        source_is_left = source_side == self._left
        source, target = (row.left_scope, row.right_scope) if source_is_left else (row.right_scope, row.left_scope)
        return FlowKey(row.id, row.name, source_side, target_side, source, target, source_is_left)

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
        """The ``as_of`` of the newest bookmark this store acknowledged for the source of a flow of this run."""
        return self._acknowledged[flow.id, flow.source_side]

    def acknowledge(self, read: Mapping[FlowKey, str]) -> None:
        """Remember that all that was read of these flows' sources up to these bookmarks is written, linked or waiting.

        What was read earlier than the newest changes nothing: of two lines with states of their own, the one that read
        first may come last.
        """
        news = {flow: as_of for flow, as_of in read.items() if (self.acknowledged(flow) or "") < as_of}
        if not news:
            return
        with self.begin() as connection:
            for flow, as_of in news.items():
                if self.acknowledged(flow) is None:
                    row = {"flow_id": flow.id, "side": flow.source_side, "as_of": as_of}
                    connection.execute(sa.insert(tables.acknowledged).values(row))
                else:
                    connection.execute(_ACKNOWLEDGE, {"flow": flow.id, "of_side": flow.source_side, "newest": as_of})
        self._acknowledged.update({(flow.id, flow.source_side): as_of for flow, as_of in news.items()})


@cache
def _stamp_of(column: str) -> sa.Select[tuple[str | None]]:
    return sa.select(tables.sync.c[column]).where(tables.sync.c.id == sa.bindparam("sync"))


def _insert_missing(connection: sa.Connection, table: sa.Table, **values: object) -> None:
    """Insert a row that a run of another sync name may be inserting at this moment."""
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(table).values(**values))
    except IntegrityError:
        return
