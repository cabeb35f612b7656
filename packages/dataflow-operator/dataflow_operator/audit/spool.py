"""What both systems listed, and who is linked: on disk, so that a large register costs no memory.

The database has no name: SQLite makes a file that no other process can open and that goes with this one, however it
ends, since it holds readable records.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence

from record_sync.record import TargetRecord
from record_sync.store.timestamps import from_ms, to_ms
from record_sync.values import Values

CACHE_KB = 16_000
CHUNK = 500
"""Ids in one statement."""

Row = tuple[str, str | None, int | None, str]


class Spool:
    """Records by scope, a number for a resource of a side."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        for statement in (
            f"PRAGMA cache_size=-{CACHE_KB}",
            "PRAGMA temp_store=FILE",
            "PRAGMA journal_mode=OFF",
            "PRAGMA synchronous=OFF",
            "CREATE TABLE record (scope, id TEXT, version, modified, body, PRIMARY KEY (scope, id)) WITHOUT ROWID",
            "CREATE TABLE linked (scope, id TEXT, PRIMARY KEY (scope, id)) WITHOUT ROWID",
            "CREATE TABLE sought (rank, value TEXT, id TEXT, PRIMARY KEY (rank, value, id)) WITHOUT ROWID",
            "CREATE TABLE claimed (scope, id TEXT, PRIMARY KEY (scope, id)) WITHOUT ROWID",
            "BEGIN",
        ):
            self._db.execute(statement)

    def close(self) -> None:
        """The file is gone with it."""
        self._db.close()

    # -- records

    def add(self, scope: int, rows: Iterable[Row]) -> None:
        """Take records in; one that comes twice is kept as it came last."""
        self._db.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)", ((scope, *row) for row in rows))

    def count(self, scope: int) -> int:
        """How many records a resource has."""
        return int(self._db.execute("SELECT count(*) FROM record WHERE scope = ?", (scope,)).fetchone()[0])

    def records(self, scope: int, ids: Collection[str]) -> dict[str, TargetRecord]:
        """Those of these records that were listed."""
        found = {}
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), CHUNK):
            some = wanted[start : start + CHUNK]
            query = f"SELECT id, version, modified, body FROM record WHERE scope = ? AND id IN ({_marks(some)})"  # noqa: S608 - marks only
            for row in self._db.execute(query, (scope, *some)):
                found[row[0]] = _current(row)
        return found

    def all(self, scope: int) -> Iterator[TargetRecord]:
        """Every record of a resource, by its id."""
        return self._batched("SELECT id, version, modified, body FROM record WHERE scope = ? AND id > ?", scope)

    def unlinked(self, scope: int) -> Iterator[TargetRecord]:
        """The records that no link knows, and that no flow claimed before, by id."""
        return self._batched(
            "SELECT id, version, modified, body FROM record WHERE scope = ? AND id > ?"
            " AND NOT EXISTS (SELECT 1 FROM linked WHERE linked.scope = record.scope AND linked.id = record.id)"
            " AND NOT EXISTS (SELECT 1 FROM claimed WHERE claimed.scope = record.scope AND claimed.id = record.id)",
            scope,
        )

    def _batched(self, query: str, scope: int) -> Iterator[TargetRecord]:
        """In portions: what is written meanwhile disturbs no statement that is half read."""
        after = ""
        while rows := self._db.execute(f"{query} ORDER BY id LIMIT {CHUNK}", (scope, after)).fetchall():
            yield from map(_current, rows)
            after = rows[-1][0]

    # -- who is linked

    def link(self, scope: int, ids: Iterable[str]) -> None:
        """These records are linked, or were under these ids."""
        self._db.executemany("INSERT OR IGNORE INTO linked VALUES (?, ?)", ((scope, one) for one in ids))

    def are_linked(self, scope: int, ids: Sequence[str]) -> set[str]:
        """Those of these records that are linked, or that another flow claimed."""
        query = (
            f"SELECT id FROM linked WHERE scope = ? AND id IN ({_marks(ids)})"  # noqa: S608 - marks only
            f" UNION SELECT id FROM claimed WHERE scope = ? AND id IN ({_marks(ids)})"
        )
        return {row[0] for row in self._db.execute(query, (scope, *ids, scope, *ids))}

    def claim(self, scope: int, ids: Iterable[str]) -> None:
        """These unlinked records belong to a flow; no later one is offered them."""
        self._db.executemany("INSERT OR IGNORE INTO claimed VALUES (?, ?)", ((scope, one) for one in ids))

    # -- what records are found by

    def forget_sought(self) -> None:
        """Make room for another flow's."""
        self._db.execute("DELETE FROM sought")

    def file(self, keys: Iterable[tuple[int, str, str]]) -> None:
        """Remember by which values (rank of the criterion, value) records (id) are found."""
        self._db.executemany("INSERT OR IGNORE INTO sought VALUES (?, ?, ?)", keys)

    def found_by(self, rank: int, value: str) -> list[str]:
        """The records that have this value for a criterion."""
        query = "SELECT id FROM sought WHERE rank = ? AND value = ? ORDER BY id LIMIT 100"
        return [row[0] for row in self._db.execute(query, (rank, value))]


def row_of(current: TargetRecord) -> Row:
    """A record as it is kept here."""
    return current.id, current.version, to_ms(current.modified_at), json.dumps(current.values, default=str)


def _current(row: Row) -> TargetRecord:
    record_id, version, modified, body = row
    values: Values = json.loads(body)
    return TargetRecord(record_id, version, from_ms(modified), values)


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
