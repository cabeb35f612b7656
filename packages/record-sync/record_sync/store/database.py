"""Opening the link store: SQLite with pragmas for durability, PostgreSQL as it is; one line where it cannot be."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, SQLAlchemyError

from record_sync.errors import StoreError
from record_sync.store import tables


def open_engine(links_url: str) -> sa.Engine:
    """Connect to a link store, creating the file (readable by its owner alone) and the tables where they are missing.

    Raises:
        StoreError: the URL is wrong, the place cannot be written, or the store is of another kind or a newer release.

    """
    try:
        url = sa.make_url(links_url)
    except ArgumentError:
        raise StoreError(
            "links_url is not a database URL. Write it like sqlite:////path/to/links.db or postgresql://user@host/database."
        ) from None
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    try:
        engine = _sqlite(url) if url.get_backend_name() == "sqlite" else sa.create_engine(url)
        with explained(engine):
            tables.metadata.create_all(engine)
    except (NoSuchModuleError, ModuleNotFoundError):
        raise StoreError(
            f"links_url names the database {url.get_backend_name()!r}, which is not supported here. "
            "Use sqlite, or postgresql with the package psycopg installed."
        ) from None
    return engine


def place(engine: sa.Engine) -> str:
    """Where the store is, with no password."""
    return engine.url.render_as_string(hide_password=True)


@contextmanager
def explained(engine: sa.Engine) -> Iterator[None]:
    """Tell database errors in one line, without statement or values."""
    try:
        yield
    except (DatabaseError, sqlite3.Error) as error:
        words = " ".join(str(getattr(error, "orig", error)).split())
        raise StoreError(f"The link store {place(engine)} cannot be used: {words}. {_advice(words)}") from None
    except SQLAlchemyError as error:
        raise StoreError(f"The link store {place(engine)} cannot be used: {type(error).__name__}.") from None


def _advice(words: str) -> str:
    for sign, advice in (
        ("readonly", "Make the file and its folder writable for this user."),
        ("full", "Free some disk space; nothing was lost, run again."),
        ("not a database", "Put links_url right, or restore the file from a backup."),
        ("malformed", "Restore the file from a backup, then run with --full-refresh."),
        ("unable to open", "Check that the folder is there and can be written."),
        ("locked", "Another program holds it; run again."),
    ):
        if sign in words:
            return advice
    return "Check links_url and the database."


def _sqlite(url: sa.URL) -> sa.Engine:
    if url.database and url.database != ":memory:":
        path = Path(url.database)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Made before SQLite makes it: its other files take over these rights.
            os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
        except OSError as error:
            raise StoreError(
                f"The link store {path} cannot be opened: {error.strerror}. Check links_url and the folder's rights."
            ) from None
    engine = sa.create_engine(url, connect_args={"timeout": 30})

    @sa.event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-16000")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
