"""Conflicts as the engine sees them: what a person decided, and putting a lost value back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from record_sync.record import Link
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


def put_back(flow: FlowSync) -> None:
    """Write values that lost, and that a person wants back, to their own side, as that person's edit.

    The bases stay as they are, so that the other line sees the edit and carries it over.
    """
    with flow.store.reading() as connection:
        wanted = flow.conflicts.to_put_back(connection, flow.key.target_side)
        links = {row.link_id: flow.links.get(connection, row.link_id) for row in wanted}
    ids = [link.target.id for link in links.values() if link is not None]
    if not ids:
        return
    read = flow.system.read(flow.rules.target_resource, ids, flow.rules.paths)
    for row in wanted:
        link = links[row.link_id]
        current = read.get(link.target.id) if link is not None else None
        if link is None or current is None:
            continue
        request = UpdateRequest(current, row.values)
        for results in flow.system.update(flow.rules.target_resource, [request], flow.rules.paths):
            for result in results:
                if isinstance(result, Refused):
                    flow.note(f"Conflict {row.id}: the value cannot be put back: {result.reason}")
                if not isinstance(result, Written):
                    continue
                # The next read finds a version that is not ours: an edit like any other, and the latest one.
                link.target.written_at = flow.store.now()
                with flow.store.begin() as connection:
                    flow.links.save(connection, [link])
                    flow.conflicts.settle_one(connection, row.id)
