"""Deletions of the source: queued while a stream is read, made at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from record_sync.outcome import Outcome
from record_sync.plan import deletion_is_contested
from record_sync.record import Current, Incoming, Link
from record_sync.store.waiting import PARKED
from record_sync.system import Refused, RemoveRequest, Unknown, Written

if TYPE_CHECKING:
    from record_sync.flow_sync import FlowSync

ENDED = "ended"
"""State of a link whose records were deleted on one side, and on the other by its policy."""


class Deletions:
    """Passes on what was deleted in the source, by the flow's policy."""

    def __init__(self, flow: FlowSync) -> None:
        self._flow = flow

    def make(self) -> None:
        """Make the deletions that queued up."""
        flow = self._flow
        pending = [(link, record) for link, record in flow.deletions.values() if link.state != ENDED]
        for link, record in flow.deletions.values():
            if link.state == ENDED:
                flow.finish_record(record.id, Outcome.UNCHANGED)
        flow.deletions = {}
        if not pending:
            return
        if flow.rules.on_delete == "ignore":
            for link, record in pending:
                self._end(link, record, Outcome.UNCHANGED)
            return
        ids = [link.target.id for link, _ in pending]
        read = flow.system.read(flow.rules.target_resource, ids, flow.rules.paths)
        for link, record in pending:
            current = read.get(link.target.id)
            if current is None:
                link.target.state = "gone"
                self._end(link, record, Outcome.UNCHANGED)
            elif deletion_is_contested(link, current, flow.rules, flow.prints):
                self._contested(link, record, current)
            else:
                self._remove(link, record, current)

    def _remove(self, link: Link, record: Incoming, current: Current) -> None:
        flow = self._flow
        request = RemoveRequest(current, flow.rules.on_delete)
        result = flow.system.remove(flow.rules.target_resource, request, flow.rules.paths)
        if isinstance(result, Written):
            link.target.version = link.target.own_version = result.current.version
            link.target.written_at = flow.store.now()
            self._end(link, record, Outcome.DELETED)
        elif isinstance(result, Refused | Unknown):
            flow.wait(record, PARKED, result.reason)
        else:
            self._contested(link, record, current)

    def _contested(self, link: Link, record: Incoming, current: Current) -> None:
        """Deleted here, edited there: nothing is deleted, and a person decides."""
        flow = self._flow
        with flow.store.begin() as connection:
            flow.conflicts.put(
                connection,
                link.id or 0,
                "deleted",
                None,
                {flow.key.source_side: {"deleted": True}, flow.key.target_side: dict(current.values)},
            )
        flow.finish_record(record.id, Outcome.CONFLICT)

    def _end(self, link: Link, record: Incoming, outcome: Outcome) -> None:
        flow = self._flow
        link.source.state = "gone"
        link.state = ENDED
        with flow.store.begin() as connection:
            flow.links.save(connection, [link])
        flow.finish_record(record.id, outcome)
