"""Opening the link store: SQLite with pragmas for durability, PostgreSQL as it is; one line where it cannot be."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from record_sync.errors import StoreError

WAIT_FOR_LOCK_S = 30
"""So long another connection's transaction is waited for."""
READING = "reading"
"""Among what a connection's ``info`` says: whether its next transaction only reads."""

_POSTGRESQL = {
    "connect_timeout": "10",
    # A server that is gone without a word is noticed within a minute.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
    "application_name": "record-sync",
}
_SECRETS = ("password", "sslpassword")
_LONGEST_WORDS = 300


def open_engine(links_url: str) -> sa.Engine:
    """Make ready to connect to a link store; an SQLite file is created, readable by its owner alone.

    Raises:
        StoreError: the URL is wrong, the place cannot be written, or the database's driver is not installed.

    """
    try:
        url = sa.make_url(links_url)
        kind = url.get_backend_name()
    except (ArgumentError, ValueError):
        raise StoreError(
            "links_url is not a database URL. Write it like sqlite:////path/to/links.db or postgresql://user@host/database."
        ) from None
    if kind == "sqlite":
        file = _file(url)
        if file is None:
            return _sqlite(url)
        if url.query.get("mode", "rwc") == "rwc":
            _make(file)
        return _sqlite_file(url)
    if kind in ("postgresql", "postgres"):
        return _postgresql(url)
    raise StoreError(f"links_url names the database {kind!r}, which is not supported. Use sqlite or postgresql.")


def place(engine: sa.Engine) -> str:
    """Where the store is, with no password."""
    url = engine.url
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{url.database or ''}"
    host = url.host or url.query.get("host", "")
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{host}{port}/{url.database or ''}"


def database_file(engine: sa.Engine) -> Path | None:
    """The file of an SQLite store; None for one in memory and for PostgreSQL."""
    return _file(engine.url) if engine.url.get_backend_name() == "sqlite" else None


@contextmanager
def explained(engine: sa.Engine) -> Iterator[None]:
    """Tell database errors in one line, without statement, values or password."""
    try:
        yield
    except DATABASE_ERRORS as error:
        raise unusable(engine, error) from None


DATABASE_ERRORS = (SQLAlchemyError, sqlite3.Error)


def unusable(engine: sa.Engine, error: Exception) -> StoreError:
    """A database error in one line."""
    if isinstance(error, DBAPIError | sqlite3.Error):
        words = _words(error, engine.url)
        return StoreError(f"The link store {place(engine)} cannot be used: {words}. {_advice(words)}")
    return StoreError(f"The link store {place(engine)} cannot be used: {type(error).__name__}.")


def _words(error: Exception, url: sa.URL) -> str:
    told = getattr(error, "orig", None) or error
    # PostgreSQL's first line; its details quote values and statements.
    diagnosis = getattr(told, "diag", None)
    words = " ".join(str(getattr(diagnosis, "message_primary", None) or told).split()).rstrip(" .?")
    for secret in (url.password, *(url.query.get(name) for name in _SECRETS)):
        if secret:
            words = words.replace(str(secret), "***")
    return words if len(words) <= _LONGEST_WORDS else f"{words[:_LONGEST_WORDS]}…"


_ADVICE = (
    ("readonly", "Make the file and its folder writable for this user."),
    ("disk is full", "Free some disk space, then run again; nothing was half written."),
    ("No space left", "Free some disk space on the server, then run again; nothing was half written."),
    ("not a database", "Put links_url right, or restore the file from a backup."),
    ("malformed", "Restore the file from a backup, then run with --full-refresh."),
    ("unable to open", "Check that the folder is there and can be written."),
    ("disk I/O error", "Check the disk and its rights; nothing was half written."),
    ("locked", "Another program holds it; run again."),
    ("authentication failed", "Put user and password in links_url right."),
    ("permission denied", "Give this user the right to create and change tables in its schema."),
    ("too many", "Let other programs end their connections, or allow the server more."),
    ("no schema has been selected", "Create the schema that links_url names, or let this user use it."),
    ("connection to server", "Check that the server runs and can be reached, then run again."),
    ("connection failed", "Check that the server runs and can be reached, then run again."),
    ("connection", "Nothing was half written; run again when the server is back."),
)


def _advice(words: str) -> str:
    return next((advice for sign, advice in _ADVICE if sign in words), "Check links_url and the database.")


# -- PostgreSQL


@lru_cache(maxsize=8)
def _postgresql(url: sa.URL) -> sa.Engine:
    url = url.set(drivername="postgresql+psycopg")
    chosen = {name: value for name, value in _POSTGRESQL.items() if name not in url.query}
    try:
        return sa.create_engine(url, connect_args=chosen, hide_parameters=True)
    except ImportError:
        raise StoreError(
            "A link store on PostgreSQL needs the driver psycopg, which is not installed. Install the target with "
            "its extra, for example target-tripletex[postgresql], or: pip install 'psycopg[binary]'"
        ) from None
    except (SQLAlchemyError, TypeError, ValueError):
        raise StoreError(
            "links_url is not a PostgreSQL URL. Write it like postgresql://user:password@host:5432/database."
        ) from None


# -- SQLite


def _file(url: sa.URL) -> Path | None:
    name = url.database or ""
    if name.startswith("file:"):
        parts = urlsplit(name)
        name = "" if "mode=memory" in parts.query else unquote(parts.path)
    return None if name in ("", ":memory:") else Path(name)


@lru_cache(maxsize=8)
def _sqlite_file(url: sa.URL) -> sa.Engine:
    """One engine a file: a process that opens a store again need not compile its statements again."""
    return _sqlite(url)


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": WAIT_FOR_LOCK_S}, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _record: Any) -> None:
        # Transactions are begun below, not by the driver, which would begin none for CREATE and ALTER TABLE.
        connection.isolation_level = None
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        # Small: what is not at hand is in the system's own cache.
        connection.execute("PRAGMA cache_size=-4000")
        # A checkpoint after every small transaction would write the same pages again and again.
        connection.execute("PRAGMA wal_autocheckpoint=16000")
        connection.execute("PRAGMA journal_size_limit=67108864")

    # Not by an event: where an engine has any, each statement looks for those that are meant for it.
    engine.dialect.do_begin = _begin  # type: ignore[method-assign, assignment]
    return engine


def _begin(connection: Any) -> None:
    # A transaction that reads first and writes later fails where another has written between; one that takes the right
    # to write at once waits for its turn.
    connection.driver_connection.execute("BEGIN" if connection.info.get(READING) else "BEGIN IMMEDIATE")


def _make(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Made before SQLite makes it: its other files take over these rights.
        descriptor = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            rights = stat.S_IMODE(os.fstat(descriptor).st_mode)
            if rights & 0o077:
                # A copy brought back from elsewhere; another user's file is that user's affair.
                with suppress(PermissionError):
                    file.chmod(rights & 0o700)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreError(
            f"The link store {file} cannot be opened: {error.strerror}. "
            "Check links_url, and the rights of file and folder."
        ) from None


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging; SQLite does not wait here for a process that does the same right now."""
    until = time.monotonic() + WAIT_FOR_LOCK_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return
