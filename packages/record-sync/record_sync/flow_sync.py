"""One flow in one direction: takes batches of the source's records and brings each to its outcome.

A batch is sorted into what is linked and what is not. The linked go through ``updating``, the others through
``linking``; each of them commits its writes batch by batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from record_sync.agreement import observe
from record_sync.breaker import USUAL, Limits
from record_sync.conflict import DELETED, Decisions, decided_for
from record_sync.deletions import Deletions
from record_sync.flow import AT_ONCE, Flow
from record_sync.guard import Guard
from record_sync.ledger import Ledger, Transaction
from record_sync.linking import Linking, take_over
from record_sync.outcome import Outcome, Tally
from record_sync.outcomes import OUTCOME_OF_WAITING, Outcomes
from record_sync.plan import changed, is_stale
from record_sync.presence import Presence
from record_sync.put_back import put_back
from record_sync.record import CONTESTED, ENDED, GONE, LIVE, SUSPECT, Link, RawRecord, SourceRecord
from record_sync.recovery import Recovery
from record_sync.references import Resolved, resolve
from record_sync.rules import FlowRules
from record_sync.system import TargetSystem
from record_sync.target import Target
from record_sync.updating import ToUpdate, Updating
from record_sync.waiting import AMBIGUOUS, CONFLICT, DELETION, INVALID, REFERENCE, Waiting

_DOUBT = "it may be what a creation without an answer made, edited since; the line that began it looks first"


class Sorted(msgspec.Struct):
    """A batch, by what is to be done for its records."""

    updates: list[ToUpdate] = msgspec.field(default_factory=list)
    unlinked: list[SourceRecord] = msgspec.field(default_factory=list)
    lost: list[tuple[SourceRecord, Link]] = msgspec.field(default_factory=list)
    """Linked ones whose counterpart is to be made again."""

    @property
    def records(self) -> list[SourceRecord]:
        """All of them."""
        updated = [one.resolved.record for one in self.updates]
        return [*updated, *self.unlinked, *(record for record, _ in self.lost)]


class FlowSync:
    """The work of one run on one flow."""

    def __init__(
        self,
        ledger: Ledger,
        connect: Callable[[], TargetSystem],
        rules: FlowRules,
        tally: Tally,
        limits: Limits = USUAL,
    ) -> None:
        outcomes = Outcomes(ledger, tally)
        self.flow = Flow(rules, ledger, Target(connect, rules, ledger.number_live), outcomes, Guard(ledger, limits))
        self.rules = rules
        self.key = ledger.key
        self.prints = ledger.prints
        self.presence = Presence(self.flow)
        self._recovery = Recovery(self.flow)
        self._updating = Updating(self.flow)
        self._linking = Linking(self.flow, self._updating)

    def recover(self) -> None:
        """Resolve what an earlier run began and did not finish, before anything else is planned."""
        self._recovery.begin()

    def match_whole_records(self) -> None:
        """All of the source is read again: also records without a match key may be on both sides."""
        self._linking.match_whole_records = True

    def go_on_from(self, before: FlowSync) -> None:
        """Go on with the read that the same flow began under other rules: what came has come."""
        self.presence.seen, self.presence.waiting_seen = before.presence.seen, before.presence.waiting_seen
        self._linking.match_whole_records = before._linking.match_whole_records

    # -- taking records in

    def recognise_unchanged(self, arrived: Mapping[str, RawRecord]) -> set[str]:
        """Recognise the records that are to the letter what they were when all they say was agreed.

        They have their outcome with that, and need not be looked into.

        Args:
            arrived: by id.

        Returns:
            Their ids.

        """
        if self._recovery.expects_answers:
            return set()
        found = set()
        with self.flow.ledger.reading() as now:
            for record_id, link_id, version, record_fingerprint in now.links.settled(arrived):
                one = arrived[record_id]
                if one.record_fingerprint == record_fingerprint and one.version == version:
                    found.add(record_id)
                    self.presence.seen.add(link_id)
        self.flow.outcomes.count_unchanged(len(found))
        return found

    def take(self, records: Iterable[SourceRecord], *, more: bool = False) -> None:
        """Bring records to their outcomes, in order where one record comes several times.

        Where there is more to come, creations may still be under way afterwards: see :meth:`await_writes`.
        """
        batch: dict[str, SourceRecord] = {}
        for one in records:
            if one.id in batch:
                self._take(list(batch.values()))
                batch = {}
            batch[one.id] = one
        if batch:
            self._take(list(batch.values()))
        if not more:
            self.await_writes()

    def await_writes(self) -> None:
        """Wait for creations that are under way."""
        self._linking.creating.await_writes()

    def abandon(self) -> None:
        """Wait for none of them any longer: the run has failed."""
        self._linking.creating.abandon()

    def park_all_invalid(self, records: Sequence[tuple[SourceRecord, str]]) -> None:
        """Keep records that are not valid, each with the reason, so that they are not lost silently."""
        ids = [record.id for record, _ in records]
        if self._linking.creating.concerns(ids):
            self.await_writes()
        with self.flow.ledger.transaction() as now:
            links, waiting = now.links.of_sources(ids), now.waiting.of(ids)
            self.presence.saw(links, waiting)
            for record, reason in records:
                link, row = links.get(record.id), waiting.get(record.id)
                if (row is not None and row.is_newer_than(record)) or (
                    link is not None and is_stale(record, link.source)
                ):
                    self.flow.outcomes.count(record.id, Outcome.STALE)
                else:
                    self.flow.outcomes.wait(now, record, INVALID, reason)

    # -- what waits

    def retry(self, rows: Sequence[Waiting]) -> int:
        """Try waiting records again; tells how many do not wait any more."""
        with self.flow.outcomes.retrying(rows):
            self._take([one.record for one in rows])
            self.await_writes()
        with self.flow.ledger.reading() as now:
            return len(rows) - len(now.waiting.of([one.record.id for one in rows]))

    def retry_references(self) -> bool:
        """Take up the records that waited for others which are there by now, or never will be; tells if any moved."""
        moved = False
        for rows in self._portions(lambda now, **portion: now.waiting.for_references(**portion)):
            with self.flow.ledger.reading() as now:
                resolved = resolve(now, [row.record for row in rows], self.rules)
            ready = [row for row, one in zip(rows, resolved, strict=True) if not one.missing]
            if ready:
                moved = bool(self.retry(ready)) or moved
        return moved

    def retry_due(self, begun_ms: int) -> None:
        """Try again what an earlier run than the one begun then left and is due, and what a person has decided."""
        for rows in self._portions(lambda now, **portion: now.waiting.due(begun=begun_ms, **portion)):
            self.retry(rows)
        if not self.flow.ledger.has_conflicts:
            return
        with self.flow.ledger.reading() as now:
            links = now.links.by_ids(now.conflicts.links_decided())
            waiting = now.waiting.of([link.source.id for link in links.values()])
        decided = [row for row in waiting.values() if row.kind == CONFLICT]
        if decided:
            self.retry(decided)

    def _portions(self, read: Callable[..., list[Waiting]]) -> Iterator[list[Waiting]]:
        """Waiting records, so many at a time, oldest first; meanwhile others may be worked on."""
        last = 0
        while self.flow.ledger.has_waiting:
            with self.flow.ledger.reading() as now:
                rows = partial(read, now)(after=last, at_most=AT_ONCE)
            if not rows:
                return
            last = rows[-1].id or 0
            yield rows

    # -- the end of a run

    def end(self) -> None:
        """Verify what the other line suspects, put back what is wanted back, and make the deletions that are due.

        Raises:
            BreakerOpenError: deletions are held back.

        """
        with self.flow.ledger.reading() as now:
            is_some_missing, held = now.links.is_some_missing(), now.held()
        if is_some_missing:
            self.presence.verify()
        put_back(self.flow)
        if is_some_missing:
            Deletions(self.flow).make()
        self.flow.guard.close(held)

    def purge(self) -> None:
        """Forget conflicts that were closed long ago."""
        if self.flow.ledger.has_conflicts:
            with self.flow.ledger.transaction() as now:
                now.conflicts.purge()

    # -- one batch

    def _take(self, records: list[SourceRecord]) -> None:
        ids = [one.id for one in records]
        if self._linking.creating.concerns(ids):
            self.await_writes()
        with self.flow.ledger.transaction() as now:
            links = now.links.of_sources(ids)
            doubtful = self._recovery.recognise(now, records, links)
            waiting = now.waiting.of(ids)
            self._leave_former_ids(now, records, links)
            self.presence.saw(links, waiting)
            decisions = now.conflicts.decisions(list(links.values()))
            fresh = [one for one in records if not self._set_aside(now, one, links.get(one.id), waiting.get(one.id))]
            for one in fresh:
                if one.id in doubtful:
                    self.flow.outcomes.wait(now, one, AMBIGUOUS, _DOUBT, candidates=doubtful[one.id])
            fresh = [one for one in fresh if one.id not in doubtful]
            batch = self._sort(now, fresh, links, waiting, decisions)
            resolved = {one.record.id: one for one in resolve(now, batch.records, self.rules)}
        returned = self._updating.run([_with_references(one, resolved) for one in batch.updates])
        self._release(returned.others)
        unlinked = [resolved[one.id] for one in batch.unlinked]
        self._linking.run([*unlinked, *(one.resolved for one in returned.others), *returned.strangers])
        lost = [(resolved[record.id], link) for record, link in batch.lost]
        self._linking.create_again([*lost, *((one.resolved, one.link) for one in returned.lost)])

    def _leave_former_ids(self, now: Transaction, records: Sequence[SourceRecord], links: dict[str, Link]) -> None:
        """A live record that comes under a former id of a linked one takes the link over, or is one of its own."""
        for record in records:
            link = links.get(record.id)
            if link is None or link.source.id == record.id or record.deleted or record.filtered:
                continue
            if link.flow == self.rules.flow and link.source.state == GONE:
                take_over(now, link, Resolved(record))
            else:
                del links[record.id]

    def _set_aside(self, now: Transaction, record: SourceRecord, link: Link | None, waiting: Waiting | None) -> bool:
        """Bring those records to their outcome that nothing needs to be planned for."""
        outcomes = self.flow.outcomes
        if link is not None and link.flow != self.rules.flow:
            outcomes.drop(now, record.id, Outcome.OTHER_FLOW)
        elif record.filtered:
            outcomes.keep_out(now, record.id, Outcome.FILTERED)
        elif (still := self._still_waits(record, link, waiting)) is not None:
            outcomes.count(record.id, still)
        elif record.deleted:
            self._take_tombstone(now, record, link, waiting)
        else:
            return False
        return True

    def _take_tombstone(
        self, now: Transaction, record: SourceRecord, link: Link | None, waiting: Waiting | None
    ) -> None:
        outcomes = self.flow.outcomes
        if link is None:
            # Deleted before it was ever linked: what refers to it has nothing to wait for.
            outcomes.keep_out(now, record.id, Outcome.UNCHANGED)
        elif link.state == ENDED or link.source.id != record.id:
            outcomes.drop(now, record.id, Outcome.UNCHANGED)
        else:
            if waiting is not None and waiting.kind != DELETION:
                now.waiting.waits_no_longer(record.id)
            # Remembered in the store: it is passed on when the stream has ended, by this run or a later one.
            link.source.state = GONE
            now.links.save(link)

    def _still_waits(self, record: SourceRecord, link: Link | None, waiting: Waiting | None) -> Outcome | None:
        """The outcome of a record that says nothing newer than the waiting one, whose time will come."""
        if waiting is None:
            return None
        if self.flow.outcomes.is_retried(record.id):
            # That it waits does not say that it is still there.
            is_suspect = link is not None and link.source.state == SUSPECT
            return OUTCOME_OF_WAITING[waiting.kind] if is_suspect else None
        if waiting.is_newer_than(record):
            return Outcome.STALE
        if record.deleted or waiting.kind in (REFERENCE, INVALID, DELETION):
            # A tombstone says what the record last said, and yet something new. Once a record is valid, what kept it
            # waiting as an invalid one is over, be its values the same.
            return None
        if waiting.kind == CONFLICT and waiting.record.version != record.version:
            # Who decides is to be asked about the record as it is.
            return None
        return OUTCOME_OF_WAITING[waiting.kind] if waiting.fingerprint == self.flow.outcomes.print_of(record) else None

    def _sort(
        self,
        now: Transaction,
        records: list[SourceRecord],
        links: dict[str, Link],
        waiting: dict[str, Waiting],
        decisions: Decisions,
    ) -> Sorted:
        """Tell apart what was changed, what has no counterpart, and what is to get its lost counterpart again."""
        batch = Sorted()
        for record in records:
            link = links.get(record.id)
            if link is None:
                batch.unlinked.append(record)
            elif is_stale(record, link.source):
                self._drop_stale(now, record)
            else:
                self._sort_linked(now, record, link, batch, decisions, waits=record.id in waiting)
        return batch

    def _drop_stale(self, now: Transaction, record: SourceRecord) -> None:
        if self.flow.outcomes.is_retried(record.id):
            # What waits here was overtaken by what the other direction wrote.
            self.flow.outcomes.drop(now, record.id, Outcome.STALE)
        else:
            self.flow.outcomes.count(record.id, Outcome.STALE)

    def _sort_linked(
        self, now: Transaction, record: SourceRecord, link: Link, batch: Sorted, decisions: Decisions, *, waits: bool
    ) -> None:
        change = changed(record, link.source, self.rules, self.prints)
        is_news = observe(link.source, record.version, record.modified_at)
        for path, mark in change.confirmed.items():
            link.source.base.agree(path, mark)
        is_back, was_ended = _is_back(now, link)
        if link.target.state == GONE and (was_ended or self._is_to_be_made_again(link, decisions)):
            batch.lost.append((record, link))
        elif link.target.state == GONE and (change.units or link.state == CONTESTED):
            self.flow.outcomes.contest_edit(now, record, link, is_news=is_news)
        elif change.units or was_ended:
            batch.updates.append(ToUpdate(Resolved(record), link, change.units, is_back=was_ended))
        else:
            if (
                is_news
                or change.confirmed
                or is_back
                or link.source.base.record_fingerprint != record.record_fingerprint
            ):
                link.source.base.record_fingerprint = record.record_fingerprint
                now.links.save(link)
            if waits:
                self.flow.outcomes.drop(now, record.id, Outcome.UNCHANGED)
            else:
                self.flow.outcomes.count(record.id, Outcome.UNCHANGED)

    def _is_to_be_made_again(self, link: Link, decisions: Decisions) -> bool:
        """Whether a person took the edit of a record whose counterpart was deleted."""
        return link.state == CONTESTED and decided_for(decisions, link, DELETED) == self.rules.source_side

    def _release(self, others: Sequence[ToUpdate]) -> None:
        """The source gave these ids to other records: the ended links keep what they were, under no id."""
        if others:
            with self.flow.ledger.transaction() as now:
                for link in now.links.by_ids([one.link.id or 0 for one in others]).values():
                    now.links.release_source(link)


def _is_back(now: Transaction, link: Link) -> tuple[bool, bool]:
    """A record that came is not gone: tells whether it was, and whether that had been passed on."""
    if link.source.state == LIVE:
        return False, False
    was_gone, was_ended = link.source.state == GONE, link.state == ENDED
    link.source.state = LIVE
    if not was_gone:
        return True, False
    link.state = LIVE
    now.conflicts.agree(link, DELETED)
    return True, was_ended


def _with_references(update: ToUpdate, resolved: Mapping[str, Resolved]) -> ToUpdate:
    one = resolved[update.resolved.record.id]
    units = tuple(unit for unit in update.units if all(each.path in one.record.values for each in unit.properties))
    return msgspec.structs.replace(update, resolved=one, units=units)
