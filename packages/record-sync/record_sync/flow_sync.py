"""One flow in one direction: takes batches of the source's records and brings each to its outcome.

A batch is sorted into what is linked and what is not. The linked go through ``updating``, the others through
``linking``; each of them commits its writes batch by batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import msgspec
import sqlalchemy as sa

from record_sync.bases import saw
from record_sync.breaker import USUAL, Breaker, Limits
from record_sync.conflict import DELETED, Decisions, decided_for
from record_sync.finder import Finder
from record_sync.linking import Linking
from record_sync.outcome import Outcome, Tally
from record_sync.plan import changed, is_stale
from record_sync.presence import Presence
from record_sync.record import CONTESTED, ENDED, GONE, LIVE, Arrived, Incoming, Link
from record_sync.recovery import Recovery
from record_sync.references import ReferencedFlow, Resolved, resolve
from record_sync.rules import FlowRules
from record_sync.store.batch import Batch
from record_sync.store.conflicts import Conflicts
from record_sync.store.intents import Intents
from record_sync.store.links import Links
from record_sync.store.store import FlowKey, Store
from record_sync.store.waiting import AMBIGUOUS, CONFLICT, INVALID, PARKED, REFERENCE, Waiting, WaitingRecords
from record_sync.system import TargetSystem
from record_sync.updating import ToUpdate, Updating

AT_ONCE = 1000
"""Waiting records that are taken up together."""

OUTCOME_OF_WAITING = {
    PARKED: Outcome.PARKED,
    INVALID: Outcome.PARKED,
    REFERENCE: Outcome.WAITING,
    AMBIGUOUS: Outcome.AMBIGUOUS,
    CONFLICT: Outcome.CONFLICT,
}


_AS_LINKED = {
    Outcome.UPDATED: Outcome.LINKED_UPDATED,
    Outcome.AGREED: Outcome.LINKED,
    Outcome.KEPT: Outcome.LINKED,
    Outcome.UNCHANGED: Outcome.LINKED,
}
"""What a record is told as that was linked in this run, and only then found what it refers to."""


class FlowSync:
    """The work of one run on one flow."""

    def __init__(
        self,
        store: Store,
        connect: Callable[[], TargetSystem],
        rules: FlowRules,
        key: FlowKey,
        tally: Tally,
        limits: Limits = USUAL,
    ) -> None:
        self.store = store
        self._connect = connect
        self.rules = rules
        self.key = key
        self.tally = tally
        self.prints = store.prints
        self.links = Links(store, key)
        self.intents = Intents(store, key)
        self.waiting = WaitingRecords(store, key)
        self.conflicts = Conflicts(store, key)
        self.finder = Finder(connect, rules, store.prints)
        self.all_may_be_there = store.acknowledged(key) is None
        """Nothing of the source was ever read to its end, or all of it is read again, as after a store was brought back
        from a backup: also records without a key may be on both sides."""
        self.breaker = Breaker(store, key, limits)
        self.presence = Presence(self)
        self._updating = Updating(self)
        self._linking = Linking(self)
        self.recovery = Recovery(self)
        self.linked_now: set[str] = set()
        """Those of the records linked in this run that wait for what they refer to."""
        self._retried: dict[str, Waiting] = {}

    @property
    def system(self) -> TargetSystem:
        """The system that is written to."""
        return self._connect()

    def note(self, text: str) -> None:
        """Tell the operator something at the end of the run."""
        self.tally.notes.append(text)

    def recover(self) -> None:
        """Settle what an earlier run began and did not finish, before anything else is planned."""
        self.recovery.settle_own()

    # -- taking records in

    def unchanged(self, arrived: Mapping[str, Arrived]) -> set[str]:
        """Recognise the records that are to the letter what they were when all they say was agreed.

        They have their outcome with that, and need not be looked into.

        Args:
            arrived: by id.

        Returns:
            Their ids.

        """
        with self.store.reading() as connection:
            if self.intents.any_towards(connection, self.key.source_side):
                return set()
            found = set()
            for record_id, link_id, version, whole in self.links.settled(connection, arrived):
                one = arrived[record_id]
                if one.whole == whole and one.version == version:
                    found.add(record_id)
                    self.presence.seen.add(link_id)
        self.tally.count_many(self.key.name, Outcome.UNCHANGED, len(found))
        return found

    def take(self, records: Iterable[Incoming], *, more: bool = False) -> None:
        """Bring records to their outcomes, in order where one record comes several times.

        Where there is more to come, creations may still be under way afterwards: see :meth:`settle`.
        """
        batch: dict[str, Incoming] = {}
        for one in records:
            if one.id in batch:
                self._take(list(batch.values()))
                batch = {}
            batch[one.id] = one
        if batch:
            self._take(list(batch.values()))
        if not more:
            self.settle()

    def settle(self) -> None:
        """Wait for creations that are under way."""
        self._linking.settle()

    def abandon(self) -> None:
        """Wait for none of them any longer: the run has failed."""
        self._linking.abandon()

    def retry(self, rows: Sequence[Waiting]) -> int:
        """Try waiting records again; tells how many do not wait any more."""
        self._retried = {one.record.id: one for one in rows}
        try:
            self._take([one.record for one in rows])
            self.settle()
            with self.store.reading() as connection:
                return len(rows) - len(self.waiting.of(connection, list(self._retried)))
        finally:
            self._retried = {}

    def ready(self) -> Iterator[list[Waiting]]:
        """The records that waited for others which are there by now, or never will be, in portions."""
        for rows in self._portions(self.waiting.for_references):
            with self.store.reading() as connection:
                resolved = resolve(
                    connection,
                    [row.record for row in rows],
                    self.rules,
                    partial(self._referenced, connection),
                )
            ready = [row for row, one in zip(rows, resolved, strict=True) if not one.missing]
            if ready:
                yield ready

    def due(self, begun: int) -> Iterator[list[Waiting]]:
        """What an earlier run than the one begun then left, and is to be tried again now, in portions."""
        return self._portions(partial(self.waiting.due, begun=begun))

    def _portions(self, read: Callable[..., list[Waiting]]) -> Iterator[list[Waiting]]:
        """Waiting records, so many at a time, oldest first; meanwhile others may be worked on."""
        last = 0
        while True:
            with self.store.reading() as connection:
                rows = read(connection, after=last, at_most=AT_ONCE)
            if not rows:
                return
            last = rows[-1].id or 0
            yield rows

    def park_invalid(self, record: Incoming, reason: str) -> None:
        """Keep a record that is no valid one, so that it is not lost silently."""
        self.park_all_invalid([(record, reason)])

    def park_all_invalid(self, records: Sequence[tuple[Incoming, str]]) -> None:
        """Keep records that are no valid ones, each with the reason."""
        if self._linking.is_creating(record.id for record, _ in records):
            self.settle()
        with self.batch() as batch:
            for link in self.links.of_sources(batch.connection, [record.id for record, _ in records]).values():
                self.presence.seen.add(link.id or 0)
            for record, reason in records:
                self.put_waiting(batch, record, INVALID, reason)

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """One transaction, what it says of many records being sent in sets."""
        with self.store.begin() as connection:
            batch = Batch(connection, self.links, self.waiting, self.conflicts)
            yield batch
            batch.send()

    def _take(self, records: list[Incoming]) -> None:
        ids = [one.id for one in records]
        if self._linking.is_creating(ids):
            self.settle()
        with self.batch() as batch:
            connection = batch.connection
            links = self.links.of_sources(connection, ids)
            waiting = self.waiting.of(connection, ids)
            for row in waiting.values():
                self.presence.waiting_seen.add(row.id or 0)
            self.recovery.settle_opposite(connection, records, links)
            for link in links.values():
                self.presence.seen.add(link.id or 0)
            decisions = self.conflicts.taken(connection, [link.id or 0 for link in links.values()])
            fresh = [one for one in records if not self._set_aside(batch, one, links.get(one.id), waiting.get(one.id))]
            updates, unlinked, lost = self._sort(batch, fresh, links, waiting, decisions)
            resolved = {
                one.record.id: one
                for one in resolve(
                    connection,
                    [*(one.incoming for one in updates), *unlinked, *lost],
                    self.rules,
                    partial(self._referenced, connection),
                )
            }
        self._updating.run([self._with_references(one, resolved[one.incoming.id]) for one in updates])
        self._linking.run([resolved[one.id] for one in unlinked])
        self._linking.create_again([(resolved[one.id], links[one.id]) for one in lost])

    def _referenced(self, connection: sa.Connection, name: str) -> ReferencedFlow | None:
        key = self.store.flow_named(connection, name, self.key.source_side, self.key.target_side)
        return None if key is None else ReferencedFlow(key, Links(self.store, key))

    @staticmethod
    def _with_references(update: ToUpdate, resolved: Resolved) -> ToUpdate:
        return msgspec.structs.replace(
            update,
            incoming=resolved.record,
            original=update.incoming,
            units=tuple(
                unit for unit in update.units if all(one.path in resolved.record.values for one in unit.properties)
            ),
            missing=resolved.missing,
        )

    def _set_aside(self, batch: Batch, record: Incoming, link: Link | None, waiting: Waiting | None) -> bool:
        """Bring those records to their outcome that nothing needs to be planned for."""
        if link is not None and link.flow != self.key.name:
            batch.waits_no_longer(record.id)
            return self._done(record, Outcome.OTHER_FLOW)
        if record.filtered:
            batch.keep_out(record.id)
            return self._done(record, Outcome.FILTERED)
        if waiting is not None and record.id not in self._retried:
            outcome = self._still_waits(record, waiting)
            if outcome is not None:
                return self._done(record, outcome)
        if record.deleted:
            if link is None:
                # Deleted before it was ever linked: what refers to it has nothing to wait for.
                batch.keep_out(record.id)
                return self._done(record, Outcome.UNCHANGED)
            batch.waits_no_longer(record.id)
            if link.state == ENDED or link.source.id != record.id:
                return self._done(record, Outcome.UNCHANGED)
            # Remembered in the store: it is made when the stream has ended, by this run or a later one.
            link.source.state = GONE
            batch.save(link)
            return True
        return False

    def _still_waits(self, record: Incoming, waiting: Waiting) -> Outcome | None:
        """The outcome of a record that says nothing newer than the waiting one, whose time will come."""
        if _older(record, waiting.record):
            return Outcome.STALE
        if record.deleted:
            # A tombstone says what the record last said, and yet something new.
            return None
        # Once a record is valid, what kept it waiting as an invalid one is over, be its values the same.
        if waiting.fingerprint == self.print_of(record) and waiting.kind not in (REFERENCE, INVALID):
            return OUTCOME_OF_WAITING[waiting.kind]
        return None

    def _sort(
        self,
        batch: Batch,
        records: list[Incoming],
        links: dict[str, Link],
        waiting: dict[str, Waiting],
        decisions: Decisions,
    ) -> tuple[list[ToUpdate], list[Incoming], list[Incoming]]:
        """Tell apart what was changed, what has no counterpart, and what is to get its lost counterpart again."""
        updates, unlinked, lost = [], [], []
        for record in records:
            link = links.get(record.id)
            if link is None:
                unlinked.append(record)
                continue
            if is_stale(record, link.source):
                if record.id in self._retried:
                    # What waits here was overtaken by what the other direction wrote.
                    batch.waits_no_longer(record.id)
                self._done(record, Outcome.STALE)
                continue
            change = changed(record, link.source, self.rules, self.prints)
            news = saw(link.source, record.version, record.modified_at)
            for path, mark in change.confirmed.items():
                link.source.base.agree(path, mark)
            is_back, was_ended = self._is_back(batch, link)
            if link.target.state == GONE and (was_ended or self._is_to_be_made_again(link, decisions)):
                lost.append(record)
                continue
            if link.target.state == GONE and (change.units or link.state == CONTESTED):
                self.contest(batch, record, link)
                continue
            if change.units or was_ended:
                updates.append(
                    ToUpdate(incoming=record, original=record, link=link, units=change.units, restore=was_ended)
                )
                continue
            if news or change.confirmed or is_back or link.source.base.whole != record.whole:
                link.source.base.whole = record.whole
                batch.save(link)
            if record.id in waiting:
                batch.waits_no_longer(record.id)
            self._done(record, Outcome.UNCHANGED)
        return updates, unlinked, lost

    def _is_to_be_made_again(self, link: Link, decisions: Decisions) -> bool:
        """Whether a person took the edit of a record whose counterpart was deleted."""
        return link.state == CONTESTED and decided_for(decisions, link, DELETED) == self.key.source_side

    def _is_back(self, batch: Batch, link: Link) -> tuple[bool, bool]:
        """A record that came is not gone: tells whether it was, and whether that had been passed on."""
        if link.source.state == LIVE:
            return False, False
        was_gone, was_ended = link.source.state == GONE, link.state == ENDED
        link.source.state = LIVE
        if not was_gone:
            return True, False
        link.state = LIVE
        batch.settle(link, DELETED)
        return True, was_ended

    def contest(self, batch: Batch, record: Incoming, link: Link) -> None:
        """Edited here, gone there: nothing is created or deleted, and a person decides."""
        link.target.state, link.state = GONE, CONTESTED
        batch.save(link)
        self.conflicts.put(
            batch.connection,
            link.id or 0,
            DELETED,
            None,
            {self.key.source_side: dict(record.source), self.key.target_side: {"deleted": True}},
        )
        self.put_waiting(
            batch, record, CONFLICT, f"its counterpart {link.target.id} is gone from {self.key.target_side}"
        )

    # -- ending a record

    def _done(self, record: Incoming, outcome: Outcome, reason: str = "") -> bool:
        self.finish_record(record.id, outcome, reason)
        return True

    def finish_record(self, record_id: str, outcome: Outcome, reason: str = "") -> None:
        """Count a record's outcome, once: a retry takes the place of the waiting it ends."""
        if record_id not in self._retried:
            self.tally.count(self.key.name, record_id, outcome, reason)
            return
        if record_id in self.linked_now:
            outcome = _AS_LINKED.get(outcome, outcome)
        self.tally.recount(self.key.name, record_id, outcome, reason)

    def wait(
        self,
        record: Incoming,
        kind: str,
        reason: str,
        details: tuple[str, ...] = (),
        candidates: tuple[str, ...] = (),
    ) -> None:
        """Keep a record for later, with the reason, and count it as such."""
        with self.batch() as batch:
            self.put_waiting(batch, record, kind, reason, details, candidates)

    def put_waiting(
        self,
        batch: Batch,
        record: Incoming,
        kind: str,
        reason: str,
        details: tuple[str, ...] = (),
        candidates: tuple[str, ...] = (),
    ) -> None:
        """Like :meth:`wait`, within a transaction."""
        before = self._retried.get(record.id)
        row = Waiting(
            record=record,
            kind=kind,
            reason=reason,
            details=details,
            fingerprint=self.print_of(record),
            attempts=before.attempts + 1 if before else 0,
            source_candidates=(record.id,) if candidates else (),
            target_candidates=candidates,
        )
        batch.wait(row)
        self.finish_record(record.id, OUTCOME_OF_WAITING[kind], reason)

    def print_of(self, record: Incoming) -> bytes:
        """Tells one state of a record from another."""
        return self.prints.of_record({**record.values, **{f" {p}": v for p, v in record.source.items()}})


def _older(record: Incoming, waiting: Incoming) -> bool:
    if record.modified_at is None or waiting.modified_at is None:
        return False
    return record.modified_at < waiting.modified_at
