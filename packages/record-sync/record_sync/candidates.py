"""The target's records by what they can be matched by, of one flow, during one run.

A register may be large, so they are kept beside the process: in a database of SQLite's that has no name, spills to a
temporary file when it grows, and goes with the process. What is looked up by are fingerprints, nobody's values.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from record_sync.fingerprint import SIZE
from record_sync.matching import Candidate, Keys

Key = bytes
"""A criterion's rank, and behind it the fingerprints of its values."""

_NONE = bytes(SIZE)
_TABLES = """
PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-2000;
CREATE TABLE candidate (number INTEGER PRIMARY KEY, id TEXT, keys BLOB);
CREATE TABLE filed (place INTEGER, number INTEGER, PRIMARY KEY (place, number)) WITHOUT ROWID;
CREATE TABLE twin (said BLOB, id TEXT, PRIMARY KEY (said, id)) WITHOUT ROWID;
"""
_FILED_AT = """
SELECT place, id, keys FROM filed CROSS JOIN candidate USING (number)
WHERE place IN (SELECT value FROM json_each(?)) ORDER BY place, number
"""


class Candidates:
    """Records filed under the criteria that they have values for.

    Places are the keys' hashes, which keeps that table narrow: it grows anywhere, and is fast while it stays in memory.
    Two keys that share a place bring a record too many, whose own keys tell that it is another.

    Args:
        paths: the properties that records are matched by.

    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = sorted(paths)
        self._database: sqlite3.Connection | None = None
        self._number = 0
        self._new: list[tuple[int, str, bytes]] = []
        self._new_places: list[tuple[int, int]] = []

    def add(self, record_id: str, keys: Keys, under: Iterable[Key]) -> None:
        """File a record; it is found from the next look-up on."""
        places = [(hash(key), self._number) for key in under]
        if not places:
            return
        self._new_places += places
        self._new.append((self._number, record_id, b"".join([keys.get(path, _NONE) for path in self._paths])))
        self._number += 1
        if len(self._new) >= 1000:
            self._send()

    def find(self, wanted: AbstractSet[Key]) -> dict[Key, list[Candidate]]:
        """The records filed under these keys, by one look-up; what was filed last of a record comes last."""
        self._send()
        if self._database is None:
            return {}
        places = msgspec.json.encode([hash(key) for key in wanted]).decode()
        found: dict[int, list[Candidate]] = {}
        for place, record_id, packed in self._database.execute(_FILED_AT, (places,)):
            found.setdefault(place, []).append(Candidate(record_id, self._unpacked(packed)))
        return {key: found[hash(key)] for key in wanted if hash(key) in found}

    def add_twin(self, record_id: str, said: bytes) -> None:
        """File a record that has nothing to be matched by under all that it says."""
        self._opened().execute("INSERT OR IGNORE INTO twin VALUES (?, ?)", (said, record_id))

    def twins(self, said: bytes) -> list[str]:
        """The records filed under this."""
        rows = self._opened().execute("SELECT id FROM twin WHERE said = ? ORDER BY length(id), id", (said,))
        return [record_id for (record_id,) in rows]

    def take_twin(self, record_id: str, said: bytes) -> None:
        """This one has found its counterpart."""
        self._opened().execute("DELETE FROM twin WHERE said = ? AND id = ?", (said, record_id))

    def _unpacked(self, packed: bytes) -> Keys:
        marks = [packed[start : start + SIZE] for start in range(0, len(packed), SIZE)]
        return {path: mark for path, mark in zip(self._paths, marks, strict=True) if mark != _NONE}

    def _send(self) -> None:
        if not self._new:
            return
        database = self._opened()
        # One transaction, and in the order of the table, which is the cheapest to grow so.
        with database:
            database.execute("BEGIN")
            database.executemany("INSERT INTO candidate VALUES (?, ?, ?)", self._new)
            database.executemany("INSERT INTO filed VALUES (?, ?)", sorted(self._new_places))
        self._new, self._new_places = [], []

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            self._database = sqlite3.connect("", isolation_level=None)
            self._database.executescript(_TABLES)
        return self._database


class Sought(msgspec.Struct, frozen=True):
    """What one record is looked for by."""

    keys: Keys
    under: list[Key]


def keys_under(criteria: Sequence[Sequence[str]], keys: Keys) -> list[Key]:
    """What a record is filed under, and looked up by: each criterion that it has all values of."""
    return [
        bytes((rank,)) + b"".join([keys[path] for path in criterion])
        for rank, criterion in enumerate(criteria)
        if all(path in keys for path in criterion)
    ]
