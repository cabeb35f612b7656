"""One run at a time for a sync name: a file lock beside an SQLite store, an advisory lock on PostgreSQL.

Both go with the process that holds them, however it ends, so that a dead run never keeps the next one out.
"""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout

from record_sync.errors import StoreError, StoreLockedError
from record_sync.store import tables
from record_sync.store.database import explained


class Lock:
    """The right to work with one sync name of a store."""

    def __init__(self, engine: sa.Engine, sync_name: str) -> None:
        self._engine = engine
        self._sync_name = sync_name
        self._file: FileLock | None = None
        self._connection: sa.Connection | None = None

    def acquire(self) -> None:
        """Take it, or say who has it.

        Raises:
            StoreLockedError: another run has it.

        """
        if self._engine.url.get_backend_name() != "sqlite":
            taken = self._acquire_advisory()
        elif self._engine.url.database in (None, "", ":memory:"):
            taken = True
        else:
            taken = self._acquire_file(Path(str(self._engine.url.database)))
        if not taken:
            raise StoreLockedError(
                f"Another run works with this link store (sync name {self._sync_name!r}): {self._holder()}. "
                "Wait until it is done; if it hangs, stop that process."
            )

    def release(self) -> None:
        """Let the next run in."""
        if self._file is not None:
            self._file.release()
            self._file = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _acquire_file(self, database: Path) -> bool:
        name = blake2b(self._sync_name.encode(), digest_size=6).hexdigest()
        self._file = FileLock(f"{database}.{name}.lock", mode=0o600)
        try:
            self._file.acquire(timeout=0)
        except Timeout:
            self._file = None
            return False
        except OSError as error:
            self._file = None
            raise StoreError(
                f"No lock can be made beside the link store {database}: {error.strerror}. Check the folder's rights."
            ) from None
        return True

    def _acquire_advisory(self) -> bool:
        number = int.from_bytes(
            blake2b(f"record-sync {self._sync_name}".encode(), digest_size=8).digest(), "big", signed=True
        )
        with explained(self._engine):
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            taken = bool(self._connection.scalar(sa.select(sa.func.pg_try_advisory_lock(number))))
        if not taken:
            self._connection.close()
            self._connection = None
        return taken

    def _holder(self) -> str:
        with explained(self._engine), self._engine.connect() as connection:
            found = connection.scalar(sa.select(tables.sync.c.holder).where(tables.sync.c.name == self._sync_name))
        return str(found or "a process that has just begun")
