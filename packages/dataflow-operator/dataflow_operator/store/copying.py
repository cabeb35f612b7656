"""A copy of a link store, to rehearse with: the store itself is only read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

import sqlalchemy as sa
from record_sync.store.database import WAIT_FOR_LOCK_S, database_file, explained, open_engine
from record_sync.store.lock import Lock
from record_sync.store.migrations import VERSION_TABLE, migrate
from sqlalchemy.exc import ArgumentError

_AT_ONCE = 2000


def copy_store(links_url: str, sync_name: str, to: Path) -> bool:
    """Copy a store into an SQLite file that only its owner can read; tells whether there was one.

    For as long as it is copied no run can begin with it, and none may be going on: what is half done tells nothing.

    Raises:
        StoreLockedError: a run works with the store.
        StoreError: the URL is wrong, or the database cannot be used.
    """
    engine = _reading(links_url)
    try:
        file = database_file(engine)
        if engine.dialect.name == "sqlite" and (file is None or not file.is_file()):
            return False
        with explained(engine), engine.connect() as connection, _locked(connection, sync_name):
            os.close(os.open(to, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
            if file is None:
                return _copy_rows(engine, to)
            _back_up(file, to)
            return True
    finally:
        engine.dispose()


def _reading(links_url: str) -> sa.Engine:
    """An engine that makes no file where there is none."""
    with suppress(ArgumentError, ValueError):
        url = sa.make_url(links_url)
        if url.get_backend_name() == "sqlite":
            return sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    return open_engine(links_url)


@contextmanager
def _locked(connection: sa.Connection, sync_name: str) -> Iterator[None]:
    lock = Lock(connection, sync_name, datetime.now(timezone.utc))
    lock.acquire()
    try:
        yield
    finally:
        connection.close()  # an advisory lock goes with it
        lock.release()


def _back_up(file: Path, to: Path) -> None:
    address = f"{file.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True, timeout=WAIT_FOR_LOCK_S)) as source,
        closing(sqlite3.connect(to)) as copy,
    ):
        source.backup(copy)


def _copy_rows(engine: sa.Engine, to: Path) -> bool:
    """Table by table, in one snapshot, at the revision that the store has."""
    copy = open_engine(f"sqlite:///{to}")
    try:
        with (
            engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True) as source,
            source.begin(),
            copy.connect() as target,
        ):
            if VERSION_TABLE not in sa.inspect(source).get_table_names():
                return False
            version = sa.table(VERSION_TABLE, sa.column("version_num"))
            migrate(target, str(source.scalar(sa.select(version.c.version_num))))
            with target.begin():
                # As the databases have them: no conversion stands between the two.
                known = sa.MetaData()
                known.reflect(target)
                for table in known.sorted_tables:
                    if table.name != VERSION_TABLE:
                        _copy_table(source, target, table)
    finally:
        copy.dispose()
    return True


def _copy_table(source: sa.Connection, target: sa.Connection, table: sa.Table) -> None:
    rows = source.execution_options(yield_per=_AT_ONCE).execute(sa.select(table)).mappings()
    for some in rows.partitions():
        target.execute(sa.insert(table), [dict(row) for row in some])
