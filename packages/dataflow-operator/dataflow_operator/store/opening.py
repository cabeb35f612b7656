"""Opening a link store that is there; none is ever made here."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
import sqlalchemy as sa
from record_sync.store import tables
from record_sync.store.database import WAIT_FOR_LOCK_S, explained, open_engine, place
from record_sync.store.lock import Holder, holder_of
from record_sync.store.migrations import FIRST_REVISION, REVISION, VERSION_TABLE
from sqlalchemy.exc import ArgumentError

from dataflow_operator.errors import OperatorError


class Sync(msgspec.Struct, frozen=True):
    """One sync name's part of a store."""

    id: int
    name: str
    sides: tuple[str, str]
    """As the store has them: left, right."""
    systems: dict[str, str | None]
    """Side to the system and company that the store is bound to; None before the first request to it."""

    def end_of(self, side: str) -> str:
        """Which of the store's columns speak of a side."""
        return "left" if side == self.sides[0] else "right"

    def other(self, side: str) -> str:
        """The side across."""
        return self.sides[1] if side == self.sides[0] else self.sides[0]


class OpenStore(msgspec.Struct, frozen=True):
    """A transaction on a store, and whose rows it is about."""

    connection: sa.Connection
    place: str
    sync: Sync

    def at_work(self) -> Holder | None:
        """The run that works with this sync name at this moment, if one does and says so."""
        return holder_of(self.connection, self.sync.name)

    def flow_ids(self, name: str | None = None) -> dict[int, str]:
        """The flows that runs registered, by their ids.

        Raises:
            OperatorError: there is none of that name.
        """
        columns = tables.flow.c
        query = sa.select(columns.id, columns.name).where(columns.sync_id == self.sync.id).order_by(columns.name)
        flows = {row.id: str(row.name) for row in self.connection.execute(query)}
        found = {key: flow for key, flow in flows.items() if name in (None, flow)}
        if name is not None and not found:
            raise OperatorError(
                f"No run ever had a flow {name!r}. Known: {', '.join(flows.values()) or 'none, since none ran yet'}."
            )
        return found


@contextmanager
def opened(
    links_url: str, sync_name: str, *, to_change: bool = False, wait_s: float = WAIT_FOR_LOCK_S
) -> Iterator[OpenStore]:
    """Open a store for one transaction: a snapshot to read, or with ``to_change`` a change that is all made or not.

    Args:
        links_url: SQLAlchemy URL of the store.
        sync_name: whose rows.
        to_change: whether it is to be written to.
        wait_s: how long another one's transaction is waited for.

    Raises:
        OperatorError: there is no store, it is of another release, or it does not have this sync name.
        StoreError: the URL is wrong, or the database cannot be used.
    """
    engine = _sqlite(links_url, wait_s, to_change=to_change) or open_engine(links_url)
    try:
        with explained(engine), engine.connect() as connection:
            if connection.dialect.name == "postgresql" and not to_change:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                if connection.dialect.name == "postgresql" and to_change:
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, int(wait_s * 1000))}")
                _check_revision(connection)
                yield OpenStore(connection, place(engine), _sync(connection, sync_name))
    finally:
        engine.dispose()


def _sqlite(links_url: str, wait_s: float, *, to_change: bool) -> sa.Engine | None:
    """An engine for an SQLite file that is there: it makes none, and reading it writes nothing to it."""
    try:
        url = sa.make_url(links_url)
    except (ArgumentError, ValueError):
        return None  # told by who opens the others
    if url.get_backend_name() != "sqlite":
        return None
    name = url.database or ""
    path = unquote(urlsplit(name).path) if name.startswith("file:") else name
    if path in ("", ":memory:"):
        raise OperatorError("links_url names a database in memory, which no other program can read. Name a file.")
    file = Path(path).absolute()
    if not file.is_file():
        raise OperatorError(
            f"There is no link store {file}. Run the sync first, or say where it is: --links-url, LINKS_URL, "
            "or MELTANO_ENVIRONMENT for another environment's."
        )
    address = f"{file.as_uri()}?mode={'rw' if to_change else 'ro'}"
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(file)),
        creator=lambda: sqlite3.connect(address, uri=True, timeout=wait_s, isolation_level=None),
        poolclass=sa.NullPool,
        hide_parameters=True,
    )

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if to_change else "BEGIN")

    return engine


def _check_revision(connection: sa.Connection) -> None:
    told = place(connection.engine)
    names = set(sa.inspect(connection).get_table_names())
    version = sa.table(VERSION_TABLE, sa.column("version_num"))
    found = connection.scalar(sa.select(version.c.version_num)) if VERSION_TABLE in names else None
    if found == REVISION:
        return
    if found is None and tables.link.name not in names:
        raise OperatorError(f"There is no link store in {told}. Run the sync first, or put links_url right.")
    if found is None or (found.isdecimal() and int(found) < int(FIRST_REVISION)):
        raise OperatorError(
            f"The link store {told} was made before anything was released, and cannot be brought up to date. "
            "Remove it, and run both directions once with --full-refresh."
        )
    if found.isdecimal() and int(found) < int(REVISION):
        raise OperatorError(
            f"An older release made the link store {told}. Run the sync once with this one, which brings it up to date."
        )
    raise OperatorError(
        f"A newer release made the link store {told}: revision {found}, this one knows {REVISION}. Use that release."
    )


def _sync(connection: sa.Connection, name: str) -> Sync:
    found = {row.name: row for row in connection.execute(sa.select(tables.sync).order_by(tables.sync.c.name))}
    if name not in found:
        raise OperatorError(
            f"The link store {place(connection.engine)} has no sync name {name!r}. "
            f"It has: {', '.join(found) or 'none'}. Choose with --sync-name."
        )
    row = found[name]
    return Sync(
        id=row.id,
        name=name,
        sides=(row.left_side, row.right_side),
        systems={row.left_side: row.left_stamp, row.right_side: row.right_stamp},
    )
