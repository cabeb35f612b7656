"""Records in memory, with indexes, all-or-nothing transactions, and a SQLite file behind them where one is wanted."""

import sqlite3
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import msgspec

# Not INSERT OR REPLACE: a changed row stays in its place, so that rows are read back in the order they were made.
KEEP_ROW = "INSERT INTO row VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body"

Key = Any  # int in Tripletex, str in Customcrm


class Row(Protocol):
    """What a table holds: an immutable value that is replaced, never changed."""

    @property
    def key(self) -> Key:
        """What the row is found by."""


R = TypeVar("R", bound=Row)


class Table(Generic[R]):
    """The rows of one kind.

    `indexes` name what rows are looked up by: a function from a row to the value, None where it has none.
    `order`, if given, is a sort key by which the rows are kept in order.
    """

    def __init__(
        self,
        row_type: type[R],
        indexes: Mapping[str, Callable[[R], Hashable]] | None = None,
        order: Callable[[R], tuple[Any, ...]] | None = None,
    ) -> None:
        self.row_type = row_type
        self.rows: dict[Key, R] = {}
        self.revision = 0
        self.ordered: list[tuple[Any, ...]] = []
        self.journal: list[tuple[Key, R | None]] = []
        self._order = order
        self._indexes = dict(indexes or {})
        self._found: dict[str, dict[Hashable, set[Key]]] = {name: defaultdict(set) for name in self._indexes}

    def find(self, index: str, values: Iterable[Hashable]) -> set[Key]:
        """The keys of the rows that have one of the values."""
        found = self._found[index]
        return {key for value in values for key in found.get(value, ())}

    def has_index(self, index: str) -> bool:
        """Whether rows can be found by it."""
        return index in self._indexes

    def put(self, row: R) -> None:
        """Store a row, in place of the one with its key if there is one."""
        self.journal.append((row.key, self.rows.get(row.key)))
        self._replace(row.key, row)

    def remove(self, key: Key) -> None:
        """Let a row go."""
        self.journal.append((key, self.rows.get(key)))
        self._replace(key, None)

    def undo(self) -> None:
        """Take back what the journal holds."""
        while self.journal:
            key, row = self.journal.pop()
            self._replace(key, row)

    def _replace(self, key: Key, row: R | None) -> None:
        self.revision += 1
        old = self.rows.pop(key, None) if row is None else self.rows.get(key)
        if old is not None:
            self._unindex(old)
        if row is None:
            return
        self.rows[key] = row
        for name, value_of in self._indexes.items():
            value = value_of(row)
            if value is not None:
                self._found[name][value].add(key)
        if self._order is not None:
            insort(self.ordered, self._order(row))

    def _unindex(self, row: R) -> None:
        for name, value_of in self._indexes.items():
            value = value_of(row)
            if value is None:
                continue
            keys = self._found[name][value]
            keys.discard(row.key)
            if not keys:
                del self._found[name][value]
        if self._order is not None:
            del self.ordered[bisect_left(self.ordered, self._order(row))]


class Store:
    """The tables of one system, and its counters."""

    def __init__(self, tables: Mapping[str, Table[Any]], path: Path | None = None) -> None:
        self.tables = tables
        self.counters: dict[str, int] = {}
        self._depth = 0
        self._file = None if path is None else self._open(path)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is put and removed inside is kept together or, on an exception, not at all.

        The system's lock must be held. Inside another transaction this is part of it.
        """
        self._depth += 1
        try:
            yield
        except BaseException:
            if self._depth == 1:
                for table in self.tables.values():
                    table.undo()
            raise
        else:
            if self._depth == 1:
                self._keep()
        finally:
            self._depth -= 1

    def next(self, counter: str, first: int) -> int:
        """The counter's next number; numbers are never given twice, not even after a failed transaction."""
        number = self.counters.get(counter, first)
        self.counters[counter] = number + 1
        return number

    def clear(self) -> None:
        """Begin anew: no rows, and counters at their start."""
        with self.transaction():
            for table in self.tables.values():
                for key in list(table.rows):
                    table.remove(key)
            self.counters.clear()
            if self._file is not None:
                self._file.execute("DELETE FROM counter")

    def close(self) -> None:
        """Close the file behind the store."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self, path: Path) -> sqlite3.Connection:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Requests come from the server's thread, user-like operations from others; the system's lock orders them.
        file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = NORMAL")
        file.execute("CREATE TABLE IF NOT EXISTS row (kind TEXT, key TEXT, body BLOB, PRIMARY KEY (kind, key))")
        file.execute("CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER)")
        for kind, body in file.execute("SELECT kind, body FROM row ORDER BY rowid"):
            table = self.tables.get(kind)
            if table is not None:
                table.put(msgspec.json.decode(body, type=table.row_type))
        for table in self.tables.values():
            table.journal.clear()
        self.counters.update(dict(file.execute("SELECT name, value FROM counter")))
        return file

    def _keep(self) -> None:
        """Write what the journals hold to the file."""
        if self._file is not None:
            self._file.execute("BEGIN")
            for kind, table in self.tables.items():
                for key in {key: None for key, _ in table.journal}:
                    row = table.rows.get(key)
                    if row is None:
                        self._file.execute("DELETE FROM row WHERE kind = ? AND key = ?", (kind, str(key)))
                    else:
                        body = msgspec.json.encode(row)
                        self._file.execute(KEEP_ROW, (kind, str(key), body))
            self._file.executemany("INSERT OR REPLACE INTO counter VALUES (?, ?)", self.counters.items())
            self._file.execute("COMMIT")
        for table in self.tables.values():
            table.journal.clear()
