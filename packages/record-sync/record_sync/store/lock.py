"""One run at a time for a sync name: a file lock beside an SQLite store, an advisory lock on PostgreSQL.

Both go with the process that holds them, however it ends, so that a dead run never keeps the next one out. The
advisory lock is the run's own connection's: a run that loses its connection loses both, and writes no more.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from contextlib import suppress
from datetime import datetime, timezone
from hashlib import blake2b
from pathlib import Path

import msgspec
import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from record_sync.errors import StoreError, StoreLockedError
from record_sync.store.database import database_file, explained

TELLS_WITHIN_S = 1.0
"""A process that took the lock has written by then who it is."""
_NAME_BYTES = 63
"""PostgreSQL cuts longer application names."""


class Holder(msgspec.Struct, frozen=True):
    """Who works with a store."""

    pid: int
    host: str
    since: datetime

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.since:%Y-%m-%d %H:%M:%S} UTC"

    def is_dead(self) -> bool:
        """Whether its process is known to have ended."""
        if self.host != socket.gethostname() or sys.platform == "win32":
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False


class Lock:
    """The right to work with one sync name of a store.

    Args:
        connection: the run's own.
        sync_name: what is locked.
        now: since when it is held.
    """

    def __init__(self, connection: sa.Connection, sync_name: str, now: datetime) -> None:
        self._connection = connection
        self._sync_name = sync_name
        self._me = Holder(os.getpid(), socket.gethostname(), now)
        file = database_file(connection.engine)
        self._lock: _FileLock | _AdvisoryLock | None = None
        if connection.dialect.name == "postgresql":
            self._lock = _AdvisoryLock(connection, sync_name)
        elif file is not None:
            self._lock = _FileLock(file, sync_name)

    def acquire(self) -> None:
        """Take it, or say who has it.

        Raises:
            StoreLockedError: another run has it.

        """
        if self._lock is None:
            return
        with explained(self._connection.engine):
            until = time.monotonic() + TELLS_WITHIN_S
            while not self._lock.take(self._me):
                holder = self._lock.holder()
                known = holder is not None and not holder.is_dead()
                if not known and time.monotonic() < until:
                    time.sleep(0.02)
                    continue
                raise StoreLockedError(
                    f"Another run works with this link store (sync name {self._sync_name!r}): "
                    f"{holder if known else 'a process that does not say who it is'}. "
                    "Wait until it is done; if it hangs, stop that process."
                )

    def leave(self) -> None:
        """Free what the database itself holds, before the connection ends: it learns of that a little later."""
        if isinstance(self._lock, _AdvisoryLock):
            self._lock.free()

    def release(self) -> None:
        """Let the next run in, once the database is closed."""
        if isinstance(self._lock, _FileLock):
            self._lock.release()


def holder_of(connection: sa.Connection, sync_name: str) -> Holder | None:
    """Who works with a sync name at this moment, told without taking part: None for nobody, or nobody who says so.

    Args:
        connection: in a transaction.
        sync_name: which one.
    """
    if connection.dialect.name == "postgresql":
        return _AdvisoryLock(connection, sync_name).told()
    file = database_file(connection.engine)
    found = None if file is None else _FileLock(file, sync_name).holder()
    return None if found is None or found.is_dead() else found


class _FileLock:
    def __init__(self, database: Path, sync_name: str) -> None:
        name = blake2b(sync_name.encode(), digest_size=6).hexdigest()
        self._database = database
        self._file = FileLock(f"{database}.{name}.lock", timeout=0, mode=0o600, thread_local=False)
        # Not in the locked file: some ways of asking for a lock empty it.
        self._told = Path(f"{database}.{name}.holder")

    def take(self, me: Holder) -> bool:
        try:
            self._file.acquire()
            descriptor = os.open(self._told, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as told:
                told.write(msgspec.json.encode(me))
        except Timeout:
            return False
        except (OSError, NotImplementedError) as error:
            self._file.release()
            raise StoreError(
                f"No lock can be made beside the link store {self._database}: "
                f"{getattr(error, 'strerror', None) or error}. Check the folder's rights and space."
            ) from None
        return True

    def holder(self) -> Holder | None:
        try:
            return msgspec.json.decode(self._told.read_bytes(), type=Holder)
        except (OSError, msgspec.DecodeError):
            return None

    def release(self) -> None:
        if self._file.is_locked:
            self._told.unlink(missing_ok=True)
            self._file.release()


class _AdvisoryLock:
    """The holder is told by the name of its connection, so that a dead one is never named."""

    def __init__(self, connection: sa.Connection, sync_name: str) -> None:
        self._connection = connection
        self._sync_name = sync_name

    def take(self, me: Holder) -> bool:
        with self._connection.begin():
            name = f"record-sync {me.pid} {int(me.since.timestamp())} {me.host}"[:_NAME_BYTES]
            self._connection.execute(sa.select(sa.func.set_config("application_name", name, sa.false())))
            return bool(self._connection.scalar(sa.select(sa.func.pg_try_advisory_lock(self._number()))))

    def free(self) -> None:
        # A connection that is broken holds nothing any more.
        with suppress(SQLAlchemyError):
            self._connection.rollback()
            with self._connection.begin():
                self._connection.execute(sa.select(sa.func.pg_advisory_unlock(self._number())))

    def holder(self) -> Holder | None:
        with self._connection.begin():
            return self.told()

    def told(self) -> Holder | None:
        """What the holder's connection is named, asked in the transaction that is going on."""
        number = self._number() % 2**64
        found = self._connection.scalar(
            sa.text(
                "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE locktype = 'advisory' AND granted AND objsubid = 1"
                " AND classid::bigint = :high AND objid::bigint = :low"
                " AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            ),
            {"high": number >> 32, "low": number & 0xFFFFFFFF},
        )
        told = re.fullmatch(r"record-sync (\d+) (\d+) (.+)", found or "")
        if told is None:
            return None
        return Holder(int(told[1]), told[3], datetime.fromtimestamp(int(told[2]), timezone.utc))

    def _number(self) -> int:
        # Locks are a database's, stores a schema's.
        schema = self._connection.scalar(sa.select(sa.func.current_schema()))
        return advisory_number("run", str(schema), self._sync_name)


def advisory_number(*names: str) -> int:
    """The number that PostgreSQL knows a lock by."""
    digest = blake2b("\0".join(("record-sync", *names)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
