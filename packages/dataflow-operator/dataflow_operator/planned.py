"""What a rehearsal found: read from its copy of the link store, and from the writes that were not made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from record_sync.outcome import Outcome
from record_sync.store import tables
from singer_edge.rehearsal import CREATE, DEACTIVATE, DELETE, RESTORE, UPDATE, Rehearsal, Write

from dataflow_operator.rehearsing import Line
from dataflow_operator.store.opening import OpenStore
from dataflow_operator.store.runs import RunRow, runs

_AT_ONCE = 500
_COUNTED = {
    "matched": (Outcome.LINKED, Outcome.LINKED_UPDATED),
    "waiting": (Outcome.WAITING,),
    "ambiguous": (Outcome.AMBIGUOUS,),
    "refused": (Outcome.PARKED, Outcome.HELD),
    "in conflict": (Outcome.CONFLICT,),
}
"""Column to the outcomes of records that it counts."""
_WRITTEN = {
    "created": (CREATE,),
    "changed": (UPDATE,),
    "restored": (RESTORE,),
    "deactivated": (DEACTIVATE,),
    "deleted": (DELETE,),
}
"""Column to the writes that it counts."""
COLUMNS = ("matched", *_WRITTEN, "waiting", "ambiguous", "refused", "in conflict")


class PlannedWrite(msgspec.Struct, frozen=True):
    """One record that would be written, and how."""

    to: str
    flow: str | None
    kind: str
    """create, update, deactivate, delete or restore"""
    resource: str
    id: str
    """Of the record written to; made up (`new:…`) where it is yet to be created, here and in references."""
    source_id: str | None
    """Of the record on the other side."""
    before: dict[str, Any]
    """Property to what it says now; nothing of a record that would be created."""
    after: dict[str, Any]
    """Property to what it would say."""


class PlannedFlow(msgspec.Struct, frozen=True):
    """One flow in one direction."""

    to: str
    flow: str
    counts: dict[str, int]
    """By column: matched, created, changed … in conflict."""
    outcomes: dict[str, int]
    """What would become of the records that came in, as the run itself would count it."""


class PlannedCycle(msgspec.Struct, frozen=True):
    """A whole cycle."""

    flows: list[PlannedFlow]
    writes: list[PlannedWrite]
    """In the order in which they would be made."""
    remarks: list[str]
    """Records that a person should look at, in the words the run would use."""
    held: list[str]
    """Why a line would end with an error, with what of it would not be done; the lines after it would not run."""


def planned(store: OpenStore, rehearsal: Rehearsal, lines: Sequence[Line]) -> PlannedCycle:
    """Put together what each line would have done."""
    rows = {row.id: row for row in runs(store)}
    made = [rows[line.run] for line in lines if line.run in rows]
    writes = [one for run in made for one in _writes(store, run.to, rehearsal.writes(run.to))]
    return PlannedCycle(
        flows=[_flow(run, name, writes) for run in made for name in run.counts],
        writes=writes,
        remarks=[f"{one.flow} {one.id}: {one.reason}" for run in made for one in run.first_errors],
        held=[run.error for run in made if run.error],
    )


def _flow(run: RunRow, name: str, writes: Iterable[PlannedWrite]) -> PlannedFlow:
    outcomes = run.counts[name]
    kinds = [one.kind for one in writes if (one.to, one.flow) == (run.to, name)]
    counts = {column: sum(outcomes.get(one.value, 0) for one in some) for column, some in _COUNTED.items()}
    counts |= {column: sum(kinds.count(kind) for kind in some) for column, some in _WRITTEN.items()}
    return PlannedFlow(run.to, name, {column: counts[column] for column in COLUMNS}, outcomes)


def _writes(store: OpenStore, side: str, writes: Iterable[Write]) -> list[PlannedWrite]:
    noted = list(writes)
    owners = _owners(store, side, {(one.resource, one.id) for one in noted})
    return [
        PlannedWrite(
            side,
            *owner[:1],
            one.kind,
            one.resource,
            one.id,
            *owner[1:],
            {path: value for path, value in one.before.items() if one.kind != CREATE},
            one.after,
        )
        for one in noted
        for owner in (owners.get((one.resource, one.id), (None, None)),)
    ]


def _owners(
    store: OpenStore, side: str, records: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    """Of each record its flow, and the id on the other side."""
    mine, theirs = store.sync.end_of(side), store.sync.end_of(store.sync.other(side))
    link, scope = tables.link.c, tables.scope.c
    ids = sorted({record_id for _, record_id in records})
    found = {}
    for start in range(0, len(ids), _AT_ONCE):
        query = (
            sa.select(
                scope.resource,
                link[f"{mine}_id"].label("mine"),
                link[f"{theirs}_id"].label("theirs"),
                tables.flow.c.name,
            )
            .join(tables.scope, scope.id == link[f"{mine}_scope"])
            .join(tables.flow, tables.flow.c.id == link.flow_id)
            .where(scope.sync_id == store.sync.id, link[f"{mine}_id"].in_(ids[start : start + _AT_ONCE]))
        )
        for row in store.connection.execute(query.select_from(tables.link)):
            found[row.resource, row.mine] = (row.name, row.theirs)
    return found
