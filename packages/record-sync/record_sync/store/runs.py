"""Runs: one row for each time a target worked, with what it did."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa

from record_sync.outcome import FirstError, Waits
from record_sync.store import tables
from record_sync.store.store import Store
from record_sync.store.tables import new_id

NO_WAITS = Waits()

_BEGIN = sa.insert(tables.run)
_END = sa.update(tables.run).where(tables.run.c.id == sa.bindparam("b_id"))


class Runs:
    """The history of a sync."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, side: str) -> int:
        """A run begins."""
        with self._store.begin() as connection:
            begun = {"sync_id": self._store.sync_id, "side": side, "started_at": self._store.now_ms()}
            result = connection.execute(_BEGIN, begun)
            return new_id(result)

    def end(
        self,
        run_id: int,
        outcome: str,
        counts: Mapping[str, Mapping[str, int]],
        requests: int,
        error: str | None,
        waits: Waits = NO_WAITS,
        first_errors: Sequence[FirstError] = (),
    ) -> None:
        """A run has ended: done, stopped or failed."""
        with self._store.begin() as connection:
            ended = {
                "b_id": run_id,
                "ended_at": self._store.now_ms(),
                "outcome": outcome,
                "counts": json.dumps(counts),
                "requests": requests,
                "error": error,
                "waits": waits.number,
                "waited_ms": round(waits.seconds * 1000),
                "first_errors": json.dumps(msgspec.to_builtins(first_errors)),
            }
            connection.execute(_END, ended)
