"""Conflicts: both sides' values where they disagree, and what a person decides."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from record_sync.conflict import DELETED
from record_sync.store import tables
from record_sync.store.timestamps import from_ms, to_ms
from record_sync.values import empty

from dataflow_operator.errors import OperatorError
from dataflow_operator.store.opening import OpenStore
from dataflow_operator.timestamps import at, now

OPEN = "open"
TAKEN = "taken"
KEPT = "kept"
PUTBACK = "putback"
SETTLED = "settled"
AT_WORK = (OPEN, TAKEN, PUTBACK)
"""What waits for a person, or for the next run."""
STATES = (*AT_WORK, KEPT, SETTLED)


class ConflictRow(msgspec.Struct, frozen=True):
    """One unit of one pair of records on which both sides disagreed."""

    id: int
    flow: str
    link: int
    unit: str
    """The properties on both sides, or ``deleted``."""
    state: str
    winner: str | None
    """The side whose values stand."""
    ids: dict[str, str]
    """Side to record."""
    at: datetime | None
    settled_at: datetime | None


class Shown(msgspec.Struct, frozen=True):
    """A conflict with what both sides say."""

    conflict: ConflictRow
    values: dict[str, dict[str, Any]]
    """Side to property to value."""
    why: str
    edited_at: dict[str, datetime | None]
    """When each side's record was last edited by somebody other than the sync, as far as it knows by now."""


class Conflicts(msgspec.Struct, frozen=True):
    """Some conflicts, and how many there are in each state."""

    conflicts: list[ConflictRow]
    total: dict[str, int]


def conflicts(
    store: OpenStore,
    *,
    flow: str | None = None,
    states: Collection[str] = STATES,
    link: int | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> Conflicts:
    """Conflicts in these states, newest first; of all links, or of one.

    Raises:
        OperatorError: there is no flow of that name.
    """
    flows = store.flow_ids(flow)
    columns = tables.conflict.c
    mine: sa.ColumnElement[bool] = columns.flow_id.in_(list(flows))
    if link is not None:
        mine &= columns.link_id == link
    query = _query().where(mine, columns.state.in_(states)).order_by(columns.id.desc()).limit(limit).offset(offset)
    counts = sa.select(columns.state, sa.func.count().label("many")).where(mine).group_by(columns.state)
    return Conflicts(
        [_row(store, row, flows) for row in store.connection.execute(query)],
        {row.state: row.many for row in store.connection.execute(counts)},
    )


def one_conflict(store: OpenStore, conflict_id: int) -> Shown:
    """One conflict with both sides' values.

    Raises:
        OperatorError: there is none of this number.
    """
    flows = store.flow_ids()
    wanted = (tables.conflict.c.id == conflict_id) & tables.conflict.c.flow_id.in_(list(flows))
    row = store.connection.execute(_query().where(wanted)).one_or_none()
    if row is None:
        raise OperatorError(f"There is no conflict {conflict_id}: see dataflow conflicts list --all.")
    conflict = _row(store, row, flows)
    values = msgspec.json.decode(row.both)
    values = {side: values.get(side, {}) for side in store.sync.sides}
    edited_at = {
        side: from_ms(row._mapping[f"{store.sync.end_of(side)}_edited_at"])  # noqa: SLF001 - SQLAlchemy's documented access by name
        for side in store.sync.sides
    }
    return Shown(conflict, values, _why(store, conflict, values), edited_at)


def deleting_side(shown: Shown) -> str | None:
    """Of a deletion that meets an edit: the side that deleted."""
    if shown.conflict.unit != DELETED:
        return None
    return next((side for side, values in shown.values.items() if values == {"deleted": True}), None)


def decide(store: OpenStore, conflict_id: int, side: str) -> Shown:
    """Let one side's values stand; tells the conflict as it is now. The next runs act on it.

    Until one has, another decision takes its place.

    Raises:
        OperatorError: there is no such conflict or side, or the conflict is settled.
    """
    before = one_conflict(store, conflict_id).conflict
    if side not in store.sync.sides:
        raise OperatorError(f"--take {side} names no side. The sides are {' and '.join(store.sync.sides)}.")
    if before.state == SETTLED:
        raise OperatorError(
            f"Conflict {conflict_id} was settled at {at(before.settled_at)} UTC; there is nothing left to decide. "
            "Edit the record in either system instead."
        )
    columns = tables.conflict.c
    expected = (columns.id == conflict_id) & (columns.state == before.state)
    changed = store.connection.execute(sa.update(tables.conflict).where(expected).values(_decided(before, side)))
    if not changed.rowcount:
        raise OperatorError(
            f"A run has just changed conflict {conflict_id}: see dataflow conflicts show {conflict_id}."
        )
    return one_conflict(store, conflict_id)


def _decided(before: ConflictRow, side: str) -> dict[str, Any]:
    if before.state in (OPEN, TAKEN):
        return {"state": TAKEN, "winner": side}
    if side == before.winner:
        return {"state": SETTLED, "settled_at": to_ms(now())}
    return {"state": PUTBACK}


def _query() -> sa.Select[Any]:
    ends = [tables.link.c[f"{end}_{name}"] for end in ("left", "right") for name in ("id", "edited_at")]
    return sa.select(tables.conflict, *ends).join(tables.link, tables.link.c.id == tables.conflict.c.link_id)


def _why(store: OpenStore, conflict: ConflictRow, values: dict[str, dict[str, Any]]) -> str:
    if conflict.unit == DELETED:
        return "deleted on one side and edited on the other, so a person decides"
    if conflict.state == OPEN or conflict.winner is None:
        return "edited on both sides, and the policy leaves it to a person (manual)"
    if conflict.state == TAKEN:
        return f"a person took {conflict.winner}"
    if conflict.state == SETTLED:
        return "both sides differed; that is over"
    loser = store.sync.other(conflict.winner)
    if all(empty(one) for one in values[loser].values()):
        return f"a value goes before no value, and {loser} had none"
    return f"both sides differed, and the policy of the flow or property gave it to {conflict.winner}"


def _row(store: OpenStore, row: sa.Row[Any], flows: dict[int, str]) -> ConflictRow:
    return ConflictRow(
        id=row.id,
        flow=flows[row.flow_id],
        link=row.link_id,
        unit=row.unit,
        state=row.state,
        winner=row.winner,
        ids={side: getattr(row, f"{store.sync.end_of(side)}_id") for side in store.sync.sides},
        at=from_ms(row.at),
        settled_at=from_ms(row.settled_at),
    )
