"""Records that wait: parked, invalid, ambiguous, for another record, or in conflict."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from record_sync.store import tables
from record_sync.store.timestamps import from_ms
from record_sync.waiting import AMBIGUOUS, CONFLICT, INVALID, PARKED, REFERENCE

from dataflow_operator.errors import OperatorError
from dataflow_operator.store.links import LinkRow
from dataflow_operator.store.opening import OpenStore

KINDS = (PARKED, INVALID, REFERENCE, AMBIGUOUS, CONFLICT)
TRIED = (PARKED, AMBIGUOUS, REFERENCE)
"""What a run tries again from what the store holds."""
UNTRIED = {
    INVALID: "no valid record; it is looked at when it comes again: changed, or by a run with --full-refresh",
    CONFLICT: "a person has to decide: dataflow conflicts",
}
"""Why a run tries none of these, and what helps instead."""
_UNDECIDED = ("open", "taken")


class WaitingRow(msgspec.Struct, frozen=True):
    """One record that waits."""

    id: int
    flow: str
    side: str
    """Where the record comes from."""
    record_id: str
    kind: str
    reason: str
    details: list[str]
    attempts: int
    """How often it was tried again."""
    first_at: datetime | None
    last_at: datetime | None
    next_at: datetime | None
    """Runs that begin later try again."""


class Content(msgspec.Struct, frozen=True):
    """What is kept of a waiting record."""

    version: str | None
    modified_at: str | None
    values: dict[str, Any]
    """By the property of the system it goes to."""
    source: dict[str, Any]
    """By the property of the system it comes from, as they came."""
    candidates: dict[str, list[str]]
    """Of an ambiguous record: by side, the records that are kept free for it."""


class Retried(msgspec.Struct, frozen=True):
    """What became of the wish to try records again."""

    due: list[WaitingRow]
    left: list[WaitingRow]
    """Of a kind that no run tries."""
    count: int
    """How many of those that are due still wait."""


def how_many(
    store: OpenStore, *, flow: str | None = None, kind: str | None = None, record_id: str | None = None
) -> int:
    """The number of waiting records."""
    columns = tables.waiting.c
    query = sa.select(sa.func.count()).where(columns.flow_id.in_(list(store.flow_ids(flow))))
    if kind is not None:
        query = query.where(columns.kind == kind)
    if record_id is not None:
        query = query.where(columns.record_id == record_id)
    return store.connection.scalar(query) or 0


def waiting(
    store: OpenStore,
    *,
    flow: str | None = None,
    kind: str | None = None,
    record_id: str | None = None,
    ids: Collection[int] | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[WaitingRow]:
    """Waiting records, those that have waited longest first.

    Raises:
        OperatorError: there is no flow of that name.
    """
    flows = store.flow_ids(flow)
    columns = tables.waiting.c
    query = sa.select(tables.waiting).where(columns.flow_id.in_(list(flows))).order_by(columns.first_at, columns.id)
    if kind is not None:
        query = query.where(columns.kind == kind)
    if record_id is not None:
        query = query.where(columns.record_id == record_id)
    if ids is not None:
        query = query.where(columns.id.in_(list(ids)))
    return [_row(row, flows) for row in store.connection.execute(query.limit(limit).offset(offset))]


def of_link(store: OpenStore, link: LinkRow) -> list[WaitingRow]:
    """What waits of the two records that a link joins, under whichever id they came."""
    columns = tables.waiting.c
    flows = store.flow_ids(link.flow)
    either = [
        (columns.side == side) & columns.record_id.in_([end.id, *end.former_ids]) for side, end in link.ends.items()
    ]
    query = sa.select(tables.waiting).where(columns.flow_id.in_(list(flows)), sa.or_(*either)).order_by(columns.id)
    return [_row(row, flows) for row in store.connection.execute(query)]


def one_waiting(store: OpenStore, waiting_id: int) -> tuple[WaitingRow, Content]:
    """One waiting record with its content.

    Raises:
        OperatorError: nothing waits under this number.
    """
    (row,) = named(store, [waiting_id])
    body = store.connection.scalar(sa.select(tables.waiting.c.record).where(tables.waiting.c.id == waiting_id))
    record = msgspec.json.decode(body or b"{}")
    reserved = (
        sa.select(tables.scope.c.side, tables.reserved.c.record_id)
        .join(tables.scope, tables.scope.c.id == tables.reserved.c.scope_id)
        .where(tables.reserved.c.waiting_id == waiting_id)
        .order_by(tables.reserved.c.record_id)
    )
    candidates: dict[str, list[str]] = {}
    for one in store.connection.execute(reserved):
        if (one.side, one.record_id) != (row.side, row.record_id):
            candidates.setdefault(one.side, []).append(one.record_id)
    return row, Content(
        version=record.get("version"),
        modified_at=record.get("modified_at"),
        values=record.get("values") or {},
        source=record.get("source") or {},
        candidates=candidates,
    )


def named(store: OpenStore, ids: Collection[int]) -> list[WaitingRow]:
    """The records that wait under these numbers.

    Raises:
        OperatorError: under one of them nothing waits.
    """
    rows = waiting(store, ids=ids)
    missing = sorted(set(ids) - {row.id for row in rows})
    if missing:
        raise OperatorError(
            f"Nothing waits under the number {', '.join(map(str, missing))}: see dataflow failures. "
            "A record gets a new number when a run tries it again."
        )
    return rows


def retry(
    store: OpenStore, numbers: Collection[int] = (), *, flow: str | None = None, kind: str | None = None
) -> Retried:
    """Let the next run try the records of these numbers, or without numbers all that wait, of a flow or a kind.

    Raises:
        OperatorError: under one of the numbers nothing waits, or nothing that a run would try.
    """
    rows = named(store, numbers) if numbers else waiting(store, flow=flow, kind=kind)
    left = [row for row in rows if row.kind not in TRIED]
    if numbers and left:
        raise OperatorError(f"Number {left[0].id} cannot be tried again: {UNTRIED[left[0].kind]}.")
    due = [row for row in rows if row.kind in TRIED]
    return Retried(due, left, _each(store, due, sa.update(tables.waiting).values(next_at=0)))


def drop(store: OpenStore, rows: Sequence[WaitingRow]) -> None:
    """Forget these, all of them or none.

    Raises:
        OperatorError: a person has to decide on one of them first, or a run has just worked on one.
    """
    for row in rows:
        if row.kind == CONFLICT and (conflict_id := _undecided(store, row)) is not None:
            raise OperatorError(
                f"Number {row.id} ({row.flow} {row.record_id}) waits for conflict {conflict_id}, and would be lost to "
                f"it. Decide instead: dataflow conflicts resolve {conflict_id} --take …"
            )
    for row in rows:
        store.connection.execute(sa.delete(tables.reserved).where(tables.reserved.c.waiting_id == row.id))
    if _each(store, rows, sa.delete(tables.waiting)) < len(rows):
        raise OperatorError("A run has just worked on these records, so nothing was dropped: see dataflow failures.")


def _each(store: OpenStore, rows: Sequence[WaitingRow], change: sa.Update | sa.Delete) -> int:
    columns = tables.waiting.c
    flows = {name: key for key, name in store.flow_ids().items()}
    changed = 0
    for row in rows:
        same = (columns.id == row.id) & (columns.flow_id == flows[row.flow]) & (columns.side == row.side)
        # A number may have passed to another record since it was read.
        same &= (columns.record_id == row.record_id) & (columns.kind == row.kind)
        changed += store.connection.execute(change.where(same)).rowcount
    return changed


def _undecided(store: OpenStore, row: WaitingRow) -> int | None:
    link, conflict = tables.link.c, tables.conflict.c
    end = store.sync.end_of(row.side)
    query = (
        sa.select(conflict.id)
        .join(tables.link, link.id == conflict.link_id)
        .join(tables.flow, tables.flow.c.id == conflict.flow_id)
        .where(tables.flow.c.sync_id == store.sync.id, tables.flow.c.name == row.flow)
        .where(link[f"{end}_id"] == row.record_id, conflict.state.in_(_UNDECIDED))
    )
    return store.connection.scalar(query.limit(1))


def _row(row: sa.Row[tuple[object, ...]], flows: dict[int, str]) -> WaitingRow:
    return WaitingRow(
        id=row.id,
        flow=flows[row.flow_id],
        side=row.side,
        record_id=row.record_id,
        kind=row.kind,
        reason=row.reason,
        details=json.loads(row.details),
        attempts=row.attempts,
        first_at=from_ms(row.first_at),
        last_at=from_ms(row.last_at),
        next_at=from_ms(row.next_at),
    )
