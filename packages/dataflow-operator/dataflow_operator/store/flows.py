"""Flows: how many records of each are in step, wait, are contested or about to be deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from record_sync.breaker import words
from record_sync.ledger.intents import OpenWrite, open_writes
from record_sync.record import CONTESTED, ENDED, GONE, LIVE, SUSPECT
from record_sync.store import tables
from record_sync.store.timestamps import from_ms

from dataflow_operator.store.opening import OpenStore


class Pile(msgspec.Struct, frozen=True):
    """Rows of one kind that wait."""

    count: int
    oldest: datetime | None


class OpenWrites(msgspec.Struct, frozen=True):
    """Writes that were begun and whose answer is not stored."""

    to: str
    kind: str
    count: int
    oldest: datetime | None


class FlowStatus(msgspec.Struct):
    """One flow, as it stands."""

    flow: str
    held: dict[str, list[str]]
    """What the circuit breaker holds back (deletions, overwrites), by the side in which it would be done."""
    let_through: list[str]
    """What the next run may do without limit."""
    linked: int = 0
    ended: int = 0
    """Links whose deletion was passed on."""
    contested: int = 0
    """Links deleted on one side and edited on the other."""
    waiting: dict[str, Pile] = msgspec.field(default_factory=dict)
    """By kind."""
    conflicts: dict[str, Pile] = msgspec.field(default_factory=dict)
    """By state."""
    deletions_pending: dict[str, int] = msgspec.field(default_factory=dict)
    """By the side in which they are to be made."""
    suspects: dict[str, int] = msgspec.field(default_factory=dict)
    """By the side on which a complete read did not bring the record."""
    open_writes: list[OpenWrites] = msgspec.field(default_factory=list)


def flows(store: OpenStore, only: str | None = None) -> list[FlowStatus]:
    """Every flow that a run registered, or the one of that name.

    Raises:
        OperatorError: there is none of that name.
    """
    ids = list(store.flow_ids(only))
    rows = store.connection.execute(
        sa.select(tables.flow).where(tables.flow.c.id.in_(ids)).order_by(tables.flow.c.name)
    )
    found = {row.id: FlowStatus(row.name, _held(row.breaker), words(row.let_through)) for row in rows}
    _count_links(store, found)
    for column, piles, table in (
        (tables.waiting.c.kind, "waiting", tables.waiting),
        (tables.conflict.c.state, "conflicts", tables.conflict),
    ):
        for flow_id, name, pile in _piles(store, table, column, ids):
            getattr(found[flow_id], piles)[name] = pile
    _count_writes(store, found)
    return list(found.values())


def _held(breaker: str | None) -> dict[str, list[str]]:
    held: dict[str, list[str]] = {}
    for entry in words(breaker):
        side, _, what = entry.partition(":")
        held.setdefault(side, []).append(what)
    return held


def _count_links(store: OpenStore, found: dict[int, FlowStatus]) -> None:
    columns = tables.link.c
    many = sa.func.count().label("many")
    mine = columns.flow_id.in_(list(found))
    groups = (columns.flow_id, columns.state)
    for row in store.connection.execute(sa.select(*groups, many).where(mine).group_by(*groups)):
        status = found[row.flow_id]
        status.ended += row.many if row.state == ENDED else 0
        status.contested += row.many if row.state == CONTESTED else 0
        status.linked += row.many if row.state != ENDED else 0
    # Each by its own index, which holds the few that are not there.
    for side, missing in zip(store.sync.sides, (tables.LEFT_MISSING, tables.RIGHT_MISSING), strict=True):
        state = columns[f"{store.sync.end_of(side)}_state"].label("presence")
        query = sa.select(columns.flow_id, state, many).where(mine, missing, columns.state == LIVE)
        for row in store.connection.execute(query.group_by(columns.flow_id, state)):
            status = found[row.flow_id]
            if row.presence == SUSPECT:
                status.suspects[side] = row.many
            elif row.presence == GONE:
                status.deletions_pending[store.sync.other(side)] = row.many


def _piles(store: OpenStore, table: sa.Table, kind: sa.Column[Any], flow_ids: list[int]) -> list[tuple[int, str, Pile]]:
    since = table.c.first_at if "first_at" in table.c else table.c.at
    query = (
        sa.select(
            table.c.flow_id, kind.label("kind"), sa.func.count().label("many"), sa.func.min(since).label("oldest")
        )
        .where(table.c.flow_id.in_(flow_ids))
        .group_by(table.c.flow_id, kind)
    )
    return [
        (row.flow_id, row.kind, Pile(row.many, from_ms(row.oldest)))
        for row in store.connection.execute(query.order_by(kind))
    ]


def _count_writes(store: OpenStore, found: dict[int, FlowStatus]) -> None:
    begun: dict[tuple[int, str, str], list[OpenWrite]] = {}
    for one in open_writes(store.connection, list(found)):
        begun.setdefault((one.flow_id, one.side, one.intent.kind), []).append(one)
    for (flow_id, side, kind), some in sorted(begun.items()):
        found[flow_id].open_writes.append(OpenWrites(side, kind, len(some), some[0].begun_at))
