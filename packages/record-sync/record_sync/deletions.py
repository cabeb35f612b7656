"""Deletions of the source: remembered as they come in, made when its stream has ended and they have been counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from record_sync.conflict import DELETED, contest_deletion, decided_for
from record_sync.outcome import Outcome
from record_sync.plan import deletion_is_contested
from record_sync.record import CONTESTED, ENDED, GONE, Current, Link
from record_sync.store.intents import Intent
from record_sync.system import Moved, Refused, RemoveRequest, Unknown, Written
from record_sync.updating import ATTEMPTS

if TYPE_CHECKING:
    from record_sync.flow_sync import FlowSync


class Deletions:
    """Passes on what is gone from the source, by the flow's policy.

    What is to be deleted stands in the store (the link's source is *gone*), so nothing is lost where a run ends before.
    """

    def __init__(self, flow: FlowSync) -> None:
        self._flow = flow

    def make(self) -> None:
        """Make the deletions that are due.

        Raises:
            BreakerOpenError: they are too many to be made unasked; none was made.
        """
        flow = self._flow
        with flow.store.reading() as connection:
            pending = flow.links.source_gone(connection)
            decisions = flow.conflicts.taken(connection, [link.id or 0 for link in pending])
        due = []
        for link in pending:
            decision = decided_for(decisions, link, DELETED)
            if link.state == CONTESTED and decision is None:
                continue
            if decision == flow.key.target_side:
                continue  # the other line makes the record anew
            due.append((link, decision is not None))
        if not due:
            return
        if flow.rules.on_delete == "ignore":
            for link, _ in due:
                self._end(link, Outcome.UNCHANGED)
            return
        flow.breaker.check_deletions(len(due))
        read = flow.system.read(flow.rules.target_resource, [link.target.id for link, _ in due], flow.rules.paths)
        for link, is_decided in due:
            self._pass_on(link, read.get(link.target.id), is_decided=is_decided)

    def _pass_on(self, link: Link, current: Current | None, *, is_decided: bool) -> None:
        """Judge the record as it is; where somebody is faster, as it is then."""
        flow = self._flow
        for _ in range(ATTEMPTS):
            if current is None:
                link.target.state = GONE
                self._end(link, Outcome.UNCHANGED)
                return
            if not is_decided and deletion_is_contested(link, current, flow.rules, flow.prints):
                with flow.store.begin() as connection:
                    contest_deletion(flow, connection, link, current)
                return
            if self._remove(link, current):
                return
            current = flow.system.read(flow.rules.target_resource, [link.target.id], flow.rules.paths).get(
                link.target.id
            )
        reason = "somebody keeps changing this record in the other system; tried again later"
        flow.finish_record(link.source.id, Outcome.HELD, reason)

    def _remove(self, link: Link, current: Current) -> bool:
        """Remove the record as it was read; False where it has moved on."""
        flow = self._flow
        request = RemoveRequest(current, flow.rules.on_delete)
        intents = self._begun(link, current)
        result = flow.system.remove(flow.rules.target_resource, request, flow.rules.paths)
        if isinstance(result, Refused | Moved):
            with flow.store.begin() as connection:
                flow.intents.remove(connection, intents)
        if isinstance(result, Written):
            link.target.version = link.target.own_version = result.current.version
            link.target.written_at = flow.store.now()
            if flow.rules.on_delete == "delete":
                link.target.state = GONE
            for path in flow.rules.paths:
                # What it said last is no edit that anybody waits for.
                link.target.base.agree(path, flow.prints.of(current.get(path)))
            self._end(link, Outcome.DELETED, intents)
        elif isinstance(result, Refused | Unknown):
            # The link still says that its source is gone: the next run tries again.
            flow.finish_record(link.source.id, Outcome.HELD, result.reason)
        else:
            return False
        return True

    def _begun(self, link: Link, current: Current) -> list[int | None]:
        """Commit that a record is about to be deactivated; what was deleted is not there to be asked about it."""
        flow = self._flow
        if flow.rules.on_delete != "deactivate":
            return []
        intent = Intent(
            kind="remove",
            source_id=link.source.id,
            target_id=link.target.id,
            link_id=link.id,
            over_version=current.version,
        )
        with flow.store.begin() as connection:
            flow.intents.add(connection, [intent])
        return [intent.id]

    def _end(self, link: Link, outcome: Outcome, intents: Sequence[int | None] = ()) -> None:
        flow = self._flow
        link.state = ENDED
        with flow.store.begin() as connection:
            flow.links.save(connection, [link])
            flow.conflicts.settle(connection, {(link.id or 0, DELETED)})
            flow.waiting.remove(connection, [link.source.id])
            flow.waiting.remove_of_targets(connection, [link.target.id])
            flow.intents.remove(connection, intents)
        flow.finish_record(link.source.id, outcome)
