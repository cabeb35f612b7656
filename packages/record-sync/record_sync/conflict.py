"""Conflicts as the engine sees them: what a person decided, and putting a lost value back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import sqlalchemy as sa

from record_sync.canonical import same
from record_sync.outcome import Outcome
from record_sync.record import CONTESTED, Current, Link
from record_sync.store.conflicts import PutBack
from record_sync.system import Refused, UpdateRequest, Written

if TYPE_CHECKING:
    from record_sync.flow_sync import FlowSync

DELETED = "deleted"
"""In place of a unit: one side deleted the record, the other one edited it."""

Decisions = Mapping[int, Mapping[str, str]]
"""Link, unit, and the side that a person took."""


def decided_for(decisions: Decisions, link: Link, unit: str) -> str | None:
    """The side that a person took, where one did."""
    return decisions.get(link.id or 0, {}).get(unit)


def contest_deletion(flow: FlowSync, connection: sa.Connection, link: Link, current: Current) -> None:
    """Deleted here, edited there: nothing is deleted, and a person decides."""
    link.state = CONTESTED
    flow.links.save(connection, [link])
    flow.conflicts.put(
        connection,
        link.id or 0,
        DELETED,
        None,
        {flow.key.source_side: {"deleted": True}, flow.key.target_side: dict(current.values)},
    )
    flow.finish_record(link.source.id, Outcome.CONFLICT, "deleted here, edited in the other system")


def put_back(flow: FlowSync) -> None:
    """Write values that lost, and that a person wants back, to their own side, as that person's edit.

    The bases stay as they are, so that the other line sees the edit and carries it over.
    """
    with flow.store.reading() as connection:
        wanted = flow.conflicts.to_put_back(connection, flow.key.target_side)
        links = {row.link_id: flow.links.get(connection, row.link_id) for row in wanted}
    ids = [link.target.id for link in links.values() if link is not None]
    read = flow.system.read(flow.rules.target_resource, ids, flow.rules.paths) if ids else {}
    for row in wanted:
        link = links[row.link_id]
        current = None if link is None else read.get(link.target.id)
        if link is None or current is None:
            flow.note(f"Conflict {row.id}: its record is gone from {flow.key.target_side}; no value is put back")
            _end(flow, row, link)
        elif all(same(flow.rules.kind(path), current.get(path), value) for path, value in row.values.items()):
            _end(flow, row, link)
        else:
            _write_back(flow, row, link, current)


def _write_back(flow: FlowSync, row: PutBack, link: Link, current: Current) -> None:
    """Where the record moved on or no answer came, the next run looks again."""
    request = UpdateRequest(current, row.values)
    for results in flow.system.update(flow.rules.target_resource, [request], flow.rules.paths):
        for result in results:
            if isinstance(result, Refused):
                flow.note(
                    f"Conflict {row.id}: {flow.key.target_side} refuses the value that was to be put back: "
                    f"{result.reason}. The other side's stands"
                )
                with flow.store.begin() as connection:
                    flow.conflicts.leave(connection, row.id)
            elif isinstance(result, Written):
                _end(flow, row, link)


def _end(flow: FlowSync, row: PutBack, link: Link | None) -> None:
    with flow.store.begin() as connection:
        if link is not None:
            # The next read finds a version that is not ours: an edit like any other, and the latest one.
            link.target.written_at = flow.store.now()
            flow.links.save(connection, [link])
        flow.conflicts.settle_one(connection, row.id)
