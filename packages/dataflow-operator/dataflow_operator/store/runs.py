"""Runs: the history of a sync."""

from __future__ import annotations

import json
from datetime import datetime

import msgspec
import sqlalchemy as sa
from record_sync.outcome import FirstError
from record_sync.store import tables
from record_sync.store.timestamps import from_ms

from dataflow_operator.store.opening import OpenStore

RUNNING = "running"
DIED = "died"


class RunRow(msgspec.Struct, frozen=True):
    """One time a target worked."""

    id: int
    to: str
    """The side written to."""
    started_at: datetime | None
    ended_at: datetime | None
    outcome: str
    """done, failed, stopped, running, or died: it is over and did not get to say how it went."""
    counts: dict[str, dict[str, int]]
    """Flow to outcome to number of records."""
    requests: int | None
    waits: int | None
    """How often it waited for the system written to; unknown for runs of an older release."""
    waited_seconds: float | None
    error: str | None
    first_errors: list[FirstError]
    """The first records of each flow that a person should look at."""


def how_many(store: OpenStore) -> int:
    """The number of runs."""
    mine = tables.run.c.sync_id == store.sync.id
    return store.connection.scalar(sa.select(sa.func.count()).where(mine)) or 0


def runs(store: OpenStore, limit: int | None = None, offset: int = 0) -> list[RunRow]:
    """The newest runs, newest first."""
    columns = tables.run.c
    query = sa.select(tables.run).where(columns.sync_id == store.sync.id).order_by(columns.id.desc())
    query = query.limit(limit).offset(offset)
    newest = _newest(store)
    return [_run(row, newest) for row in store.connection.execute(query)]


def last_runs(store: OpenStore) -> dict[str, RunRow | None]:
    """The newest run towards each side."""
    columns = tables.run.c
    last = sa.select(sa.func.max(columns.id)).where(columns.sync_id == store.sync.id).group_by(columns.side)
    newest = _newest(store)
    rows = store.connection.execute(sa.select(tables.run).where(columns.id.in_(last)))
    found = {row.side: _run(row, newest) for row in rows}
    return {side: found.get(side) for side in store.sync.sides}


def _newest(store: OpenStore) -> int:
    wanted = tables.run.c.sync_id == store.sync.id
    return store.connection.scalar(sa.select(sa.func.max(tables.run.c.id)).where(wanted)) or 0


def _run(row: sa.Row[tuple[object, ...]], newest: int) -> RunRow:
    return RunRow(
        id=row.id,
        to=row.side,
        started_at=from_ms(row.started_at),
        ended_at=from_ms(row.ended_at),
        # There is one run at a time: with a later one begun, this one is over.
        outcome=DIED if row.outcome == RUNNING and row.id != newest else row.outcome,
        counts=json.loads(row.counts),
        requests=row.requests,
        waits=row.waits,
        waited_seconds=None if row.waited_ms is None else row.waited_ms / 1000,
        error=row.error,
        first_errors=msgspec.convert(json.loads(row.first_errors), list[FirstError]),
    )
