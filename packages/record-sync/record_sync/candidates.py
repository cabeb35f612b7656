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
CREATE TABLE candidate (key BLOB, id TEXT, keys BLOB, PRIMARY KEY (key, id)) WITHOUT ROWID;
CREATE TABLE wanted (key BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE twin (said BLOB, id TEXT, PRIMARY KEY (said, id)) WITHOUT ROWID;
"""


class Candidates:
    """Records filed under the criteria that they have values for.

    Args:
        paths: the properties that records are matched by.

    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = sorted(paths)
        self._database: sqlite3.Connection | None = None
        self._new: list[tuple[bytes, str, bytes]] = []

    def add(self, record_id: str, keys: Keys, under: Iterable[Key]) -> None:
        """File a record; it is found from the next look-up on."""
        packed = b"".join([keys.get(path, _NONE) for path in self._paths])
        for key in under:
            self._new.append((key, record_id, packed))
        if len(self._new) >= 1000:
            self._send()

    def find(self, wanted: AbstractSet[Key]) -> dict[Key, list[Candidate]]:
        """The records filed under these keys, a look-up for all of them."""
        self._send()
        if self._database is None or not wanted:
            return {}
        found: dict[Key, list[Candidate]] = {}
        self._database.executemany("INSERT INTO wanted VALUES (?)", [(one,) for one in wanted])
        for key, record_id, packed in self._database.execute(
            "SELECT candidate.key, id, keys FROM wanted JOIN candidate USING (key)"
        ):
            found.setdefault(key, []).append(Candidate(record_id, self._unpacked(packed)))
        self._database.execute("DELETE FROM wanted")
        return found

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
        if self._new:
            # In the order of the table, which is the cheapest to grow so.
            self._opened().executemany("INSERT OR REPLACE INTO candidate VALUES (?, ?, ?)", sorted(self._new))
            self._new = []

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
