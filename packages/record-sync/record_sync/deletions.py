"""Deletions of the source: remembered as they come in, made when its stream has ended and they have been counted.

What is to be deleted stands in the store (the link's source is *gone*), so nothing is lost where a run ends before.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from record_sync.agreement import observe_gone, observe_own_write
from record_sync.conflict import DELETED, decided_for, is_as_shown
from record_sync.flow import ATTEMPTS, Flow
from record_sync.intent import REMOVE, Intent
from record_sync.ledger import Transaction
from record_sync.outcome import Outcome
from record_sync.plan import deletion_is_contested
from record_sync.record import CONTESTED, ENDED, GONE, Link, SourceRecord, TargetRecord
from record_sync.system import Moved, RemoveRequest, Result, Unknown, Written, answered
from record_sync.waiting import DELETION


class Due(msgspec.Struct, frozen=True):
    """A deletion that is to be passed on."""

    link: Link
    is_decided: bool
    """A person decided so, of the record as it was shown."""
    is_new: bool
    """No earlier run tried it."""


class Removal(msgspec.Struct, frozen=True):
    """A deletion over the record as it was read."""

    due: Due
    current: TargetRecord
    intent: Intent


class Deletions:
    """Passes on what is gone from the source, by the flow's policy."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    def make(self) -> None:
        """Make the deletions that are due.

        Raises:
            BreakerOpenError: they are too many to be made unasked; none was made.
        """
        flow = self._flow
        due = self._due()
        if flow.rules.on_delete == "ignore":
            self._end_all([one.link for one in due], Outcome.UNCHANGED)
            return
        flow.guard.check_deletions(sum(one.is_new for one in due))
        for _ in range(ATTEMPTS):
            if not due:
                return
            due = self._round(due)
        reason = "somebody keeps changing this record in the other system; tried again later"
        with flow.ledger.transaction() as now:
            for one in due:
                self._hold(now, one.link, reason)

    def _due(self) -> list[Due]:
        flow = self._flow
        with flow.ledger.reading() as now:
            gone = now.links.source_gone()
            decisions = now.conflicts.decisions(gone)
            tried = now.waiting.of([link.source.id for link in gone])
        due = []
        for link in gone:
            decision = decided_for(decisions, link, DELETED)
            if link.target.state != GONE:
                if link.state == CONTESTED and decision is None:
                    continue
                if decision == flow.ledger.key.target_side:
                    continue  # the other line makes the record anew
            row = tried.get(link.source.id)
            due.append(Due(link, decision is not None, is_new=row is None or row.kind != DELETION))
        return due

    def _round(self, due: Sequence[Due]) -> list[Due]:
        """Judge the records as they are; those that somebody changed meanwhile are judged again."""
        flow = self._flow
        read = flow.target.read([one.link.target.id for one in due])
        removals, missing = [], []
        with flow.ledger.transaction() as now:
            for one in due:
                current = read.get(one.link.target.id)
                if current is None:
                    observe_gone(one.link.target, flow.ledger.store.now())
                    missing.append(one.link)
                elif self._is_contested(now, one, current):
                    flow.outcomes.contest_deletion(now, one.link, current)
                else:
                    removals.append(Removal(one, current, self._intent(one.link, current)))
            if flow.rules.on_delete == "deactivate":
                # What was deleted is not there to be asked about it.
                now.intents.add([one.intent for one in removals])
        self._end_all(missing, Outcome.UNCHANGED)
        return self._remove(removals)

    def _is_contested(self, now: Transaction, one: Due, current: TargetRecord) -> bool:
        """Whether the record was edited since the last agreement, or since a person was shown it and decided."""
        flow, target = self._flow, one.link.target
        if not one.is_decided:
            return deletion_is_contested(one.link, current, flow.rules, flow.ledger.prints)
        shown = now.conflicts.shown(one.link, DELETED, flow.ledger.key.target_side)
        has_moved = (current.version, current.modified_at) != (target.version, target.modified_at)
        return has_moved or not is_as_shown(shown, current.values)

    def _remove(self, removals: Sequence[Removal]) -> list[Due]:
        flow = self._flow
        moved = []
        requests = [RemoveRequest(one.current, flow.rules.on_delete) for one in removals]
        for some in answered(removals, flow.target.remove(requests) if requests else iter(())):
            with flow.ledger.transaction() as now:
                for one, result in some:
                    if isinstance(result, Moved):
                        moved.append(one.due)
                    else:
                        self._removed(now, one, result)
                now.intents.resolve(one.intent for one, result in some if not isinstance(result, Unknown))
        return moved

    def _removed(self, now: Transaction, one: Removal, result: Result) -> None:
        flow, link = self._flow, one.due.link
        if not isinstance(result, Written):
            # The link still says that its source is gone: the next run tries again.
            self._hold(now, link, result.reason)
            return
        observe_own_write(link.target, result.current, flow.ledger.store.now())
        if flow.rules.on_delete == "delete":
            link.target.state = GONE
        for path in flow.rules.paths:
            # What it said last is no edit that anybody waits for.
            link.target.base.agree(path, flow.ledger.prints.of(one.current.get(path)))
        self._end(now, link, Outcome.DELETED)

    def _intent(self, link: Link, current: TargetRecord) -> Intent:
        return Intent(
            kind=REMOVE,
            source_id=link.source.id,
            target_id=link.target.id,
            link_id=link.id,
            over_version=current.version,
        )

    def _hold(self, now: Transaction, link: Link, reason: str) -> None:
        tombstone = SourceRecord(link.source.id, link.source.version, link.source.modified_at, {}, {}, deleted=True)
        self._flow.outcomes.wait(now, tombstone, DELETION, reason)

    def _end_all(self, links: Sequence[Link], outcome: Outcome) -> None:
        if links:
            with self._flow.ledger.transaction() as now:
                for link in links:
                    self._end(now, link, outcome)

    def _end(self, now: Transaction, link: Link, outcome: Outcome) -> None:
        link.state = ENDED
        now.links.save(link)
        now.conflicts.agree(link, DELETED)
        now.waiting.remove_of_targets([link.target.id])
        self._flow.outcomes.drop(now, link.source.id, outcome)
