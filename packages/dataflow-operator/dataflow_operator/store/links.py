"""Links: which records are one and the same, and how far each side was taken into account. There are no values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from record_sync.ledger.intents import open_writes as begun
from record_sync.store import tables
from record_sync.store.timestamps import from_ms

from dataflow_operator.errors import OperatorError
from dataflow_operator.store.flows import OpenWrites
from dataflow_operator.store.opening import OpenStore


class EndRow(msgspec.Struct, frozen=True):
    """One side of a link."""

    id: str
    state: str
    """live, suspect or gone"""
    version: str | None
    """Newest version taken into account."""
    own_version: str | None
    """The version that the sync's newest write resulted in."""
    modified_at: datetime | None
    edited_at: datetime | None
    """When somebody other than the sync last changed it."""
    written_at: datetime | None
    """When the sync last wrote to it."""
    former_ids: list[str]


class LinkRow(msgspec.Struct, frozen=True):
    """Two records that are one and the same."""

    id: int
    flow: str
    state: str
    """live, ended or contested"""
    created_at: datetime | None
    ends: dict[str, EndRow]
    """By side."""


class Found(msgspec.Struct, frozen=True):
    """Some of the links that were looked for, and how many there are."""

    links: list[LinkRow]
    total: int


def find(
    store: OpenStore, *, flow: str | None = None, record_id: str | None = None, limit: int = 50, offset: int = 0
) -> Found:
    """Links of a flow, or of all; with a record's id, those that it has or had on either side.

    Raises:
        OperatorError: there is no flow of that name.
    """
    flows = store.flow_ids(flow)
    columns = tables.link.c
    wanted: sa.ColumnElement[bool] = columns.flow_id.in_(list(flows))
    if record_id is not None:
        wanted &= columns.id.in_(sa.union_all(*_of_record(store, record_id)))
    total = store.connection.scalar(sa.select(sa.func.count()).select_from(tables.link).where(wanted)) or 0
    query = sa.select(tables.link).where(wanted).order_by(columns.id).limit(limit).offset(offset)
    return Found(_links(store, query, flows), total)


def one_link(store: OpenStore, link_id: int) -> LinkRow:
    """The link of a number.

    Raises:
        OperatorError: there is none.
    """
    flows = store.flow_ids()
    columns = tables.link.c
    query = sa.select(tables.link).where(columns.id == link_id, columns.flow_id.in_(list(flows)))
    found = _links(store, query, flows)
    if not found:
        raise OperatorError(f"There is no link {link_id}: see dataflow links.")
    return found[0]


def open_writes(store: OpenStore, link_id: int) -> list[OpenWrites]:
    """Writes to a link's records that were begun and whose answer is not stored."""
    return [
        OpenWrites(one.side, one.intent.kind, 1, one.begun_at)
        for one in begun(store.connection, list(store.flow_ids()))
        if one.intent.link_id == link_id
    ]


def _links(store: OpenStore, query: sa.Select[Any], flows: dict[int, str]) -> list[LinkRow]:
    rows = store.connection.execute(query).all()
    former = _former_ids(store, [row.id for row in rows])
    return [_link(store, row, flows[row.flow_id], former) for row in rows]


def _of_record(store: OpenStore, record_id: str) -> Iterator[sa.Select[tuple[int]]]:
    """The links that a record has or had: one look-up in each index."""
    mine = sa.select(tables.scope.c.id).where(tables.scope.c.sync_id == store.sync.id)
    yield sa.select(tables.alias.c.link_id).where(
        tables.alias.c.scope_id.in_(mine), tables.alias.c.record_id == record_id
    )
    for end in ("left", "right"):
        columns = tables.link.c
        yield sa.select(columns.id).where(columns[f"{end}_scope"].in_(mine), columns[f"{end}_id"] == record_id)


def _former_ids(store: OpenStore, link_ids: list[int]) -> dict[tuple[int, str], list[str]]:
    found: dict[tuple[int, str], list[str]] = {}
    query = (
        sa.select(tables.alias, tables.scope.c.side)
        .join(tables.scope, tables.scope.c.id == tables.alias.c.scope_id)
        .where(tables.alias.c.link_id.in_(link_ids))
    )
    for row in store.connection.execute(query):
        found.setdefault((row.link_id, row.side), []).append(row.record_id)
    return found


def _link(
    store: OpenStore, row: sa.Row[tuple[object, ...]], flow: str, former: dict[tuple[int, str], list[str]]
) -> LinkRow:
    return LinkRow(
        id=row.id,
        flow=flow,
        state=row.state,
        created_at=from_ms(row.created_at) if row.created_at else None,
        ends={
            side: _end(row._mapping, store.sync.end_of(side), former.get((row.id, side), []))  # noqa: SLF001 - SQLAlchemy's documented access by name
            for side in store.sync.sides
        },
    )


def _end(values: sa.RowMapping, end: str, former: list[str]) -> EndRow:
    return EndRow(
        id=values[f"{end}_id"],
        state=values[f"{end}_state"],
        version=values[f"{end}_version"],
        own_version=values[f"{end}_own_version"],
        modified_at=from_ms(values[f"{end}_modified_at"]),
        edited_at=from_ms(values[f"{end}_edited_at"]),
        written_at=from_ms(values[f"{end}_written_at"]),
        former_ids=former,
    )
