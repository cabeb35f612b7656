"""Unlinked records: find the one they are in the target, or create them, exactly once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from record_sync.bases import created_link, saw
from record_sync.candidates import Key, Sought
from record_sync.conflict import DELETED
from record_sync.matching import Match, MatchKind, first_match
from record_sync.outcome import Outcome
from record_sync.record import ENDED, GONE, LIVE, Base, End, Incoming, Link
from record_sync.references import Resolved
from record_sync.store.batch import Batch
from record_sync.store.intents import Intent
from record_sync.store.waiting import AMBIGUOUS, PARKED, REFERENCE
from record_sync.system import CreateRequest, Refused, Result, Written, answered, let_go
from record_sync.updating import ToUpdate, Updating
from record_sync.values import Values, stated

if TYPE_CHECKING:
    from record_sync.flow_sync import FlowSync


class ToCreate(msgspec.Struct, frozen=True):
    """A record that has no counterpart."""

    resolved: Resolved
    original: Incoming
    values: Values
    link: Link | None = None
    """Of a record whose counterpart is gone and is to be made again."""
    sought: Sought | None = None
    """What it was looked for by before."""


class Creating(msgspec.Struct, frozen=True):
    """Creations that are under way."""

    asked: list[tuple[ToCreate, Intent]]
    answers: Iterator[Sequence[Result]]
    ids: frozenset[str]
    """Of the source's records."""
    claims: frozenset[Key]
    """What those are looked for by that may turn out to be one of them."""


class Linking:
    """Gives unlinked records their counterparts.

    Creations go on while the next records are made ready; whatever may depend on them waits for :meth:`settle`.
    """

    def __init__(self, flow: FlowSync) -> None:
        self._flow = flow
        self._updating = Updating(flow)
        self._creating: Creating | None = None

    def is_creating(self, ids: Iterable[str]) -> bool:
        """Whether some of these source records are being created."""
        return self._creating is not None and not self._creating.ids.isdisjoint(ids)

    def run(self, unlinked: Sequence[Resolved]) -> None:
        """Link or create these records. Those that look for the same one take turns."""
        todo = list(unlinked)
        while todo:
            todo = self._round(todo)

    def _round(self, records: list[Resolved]) -> list[Resolved]:
        flow = self._flow
        sought = {one.record.id: flow.finder.sought(one.record.values) for one in records}
        if self._creating is not None and not self._creating.claims.isdisjoint(_claims(sought.values())):
            self.settle()
        with flow.store.reading() as connection:
            reserved = flow.waiting.reserved_sources(connection, list(sought))
        mine = []
        waits: list[tuple[Resolved, Match | None]] = []
        for one in records:
            holder = reserved.get(one.record.id)
            if holder is not None and holder != f"{flow.key.source_side} {one.record.id}":
                reason = f"it may be the counterpart of {holder}, which fits several records"
                waits.append((one, Match(MatchKind.AMBIGUOUS, reason=reason)))
            else:
                mine.append(one)
        flow.finder.prepare((one.record.values, sought[one.record.id]) for one in mine)
        matches, later = self._match(mine, sought)
        creates: list[ToCreate] = []
        found: list[tuple[Resolved, str]] = []
        unmatched: list[str] = []
        for one, match in matches:
            if match.kind is MatchKind.AMBIGUOUS:
                waits.append((one, match))
            elif match.id is not None:
                found.append((one, match.id))
            elif not flow.rules.create:
                unmatched.append(one.record.id)
            elif one.missing:
                waits.append((one, None))
            else:
                creates.append(
                    ToCreate(one, self._original(one), stated(one.record.values), sought=sought[one.record.id])
                )
        self._wait(waits)
        self._unmatched(unmatched)
        self._link(found)
        self._create(creates)
        return later

    def _match(
        self, records: list[Resolved], sought: dict[str, Sought]
    ) -> tuple[list[tuple[Resolved, Match]], list[Resolved]]:
        """Match what can be matched side by side; the second that looks for the same record comes later."""
        flow = self._flow
        candidates = {one.record.id: flow.finder.candidates(sought[one.record.id]) for one in records}
        ids = {one.id for some in candidates.values() for one in some}
        with flow.store.reading() as connection:
            linked = {
                target_id
                for target_id, link in flow.links.of_targets(connection, ids).items()
                if not self._is_orphan(link)
            }
            reserved = flow.waiting.reserved_targets(connection, ids)
        matches, later = [], []
        claimed: set[Any] = set()
        for one in records:
            mine = sought[one.record.id]
            claims: set[Any] = set(mine.under)
            match = first_match(mine.keys, candidates[one.record.id], linked, flow.rules.match_on)
            if not claims and flow.all_may_be_there:
                match = Match(MatchKind.NONE, id=flow.finder.twin(one.record.values, self._linked_targets))
            refusal = flow.finder.refusal(mine)
            if refusal is not None:
                match = Match(MatchKind.AMBIGUOUS, reason=refusal)
            if match.id is not None:
                claims.add(match.id)
                holder = reserved.get(match.id)
                if holder is not None and holder != f"{flow.key.source_side} {one.record.id}":
                    match = Match(
                        MatchKind.AMBIGUOUS,
                        candidates=(match.id,),
                        reason=f"{match.id} may also be the counterpart of {holder}",
                    )
            if claims & claimed:
                later.append(one)
                continue
            claimed |= claims
            matches.append((one, match))
        return matches, later

    def _linked_targets(self, ids: list[str]) -> set[str]:
        with self._flow.store.reading() as connection:
            return set(self._flow.links.of_targets(connection, ids))

    def _is_orphan(self, link: Link) -> bool:
        """Whether a linked target's source is gone, so that a record that returns under a new id may take its place."""
        return link.flow == self._flow.key.name and link.source.state == GONE

    def _original(self, one: Resolved) -> Incoming:
        return one.original if one.original is not None else one.record

    def _wait(self, waits: Sequence[tuple[Resolved, Match | None]]) -> None:
        """Keep records for later: ambiguous ones, and those without a match that lack what they refer to."""
        flow = self._flow
        if not waits:
            return
        with flow.batch() as batch:
            for one, match in waits:
                record = self._original(one)
                if match is None:
                    flow.put_waiting(batch, record, REFERENCE, f"waits for {', '.join(one.missing)}")
                else:
                    kind = PARKED if flow.finder.refusal(flow.finder.sought(one.record.values)) else AMBIGUOUS
                    flow.put_waiting(batch, record, kind, match.reason, candidates=match.candidates)

    def _unmatched(self, ids: Sequence[str]) -> None:
        flow = self._flow
        if ids:
            with flow.store.begin() as connection:
                flow.waiting.remove(connection, ids)
        for record_id in ids:
            flow.finish_record(record_id, Outcome.UNMATCHED)

    def create_again(self, lost: Sequence[tuple[Resolved, Link]]) -> None:
        """Make the counterparts again that were deleted."""
        creates = []
        waits: list[tuple[Resolved, Match | None]] = []
        for one, link in lost:
            if one.missing:
                waits.append((one, None))
            else:
                creates.append(ToCreate(one, self._original(one), stated(one.record.values), link))
        self._wait(waits)
        if creates:
            self._create(creates)
            self.settle()

    # -- an existing record

    def _link(self, found: list[tuple[Resolved, str]]) -> None:
        flow = self._flow
        updates = []
        with flow.batch() as batch:
            orphans = flow.links.of_targets(batch.connection, [target_id for _, target_id in found])
            for one, target_id in found:
                # With no base yet: should the run end here, the next one merges them as it would now.
                orphan = orphans.get(target_id)
                was_ended = orphan is not None and orphan.state == ENDED
                link = self._taken_over(batch, orphan, one) if orphan else self._linked(batch, target_id, one)
                if one.missing:
                    flow.linked_now.add(one.record.id)
                updates.append(
                    ToUpdate(
                        incoming=one.record,
                        original=self._original(one),
                        link=link,
                        units=flow.rules.mentioned(one.record.source, one.record.values),
                        missing=one.missing,
                        found_now=True,
                        restore=was_ended,
                    )
                )
        self._updating.run(updates)

    def _linked(self, batch: Batch, target_id: str, one: Resolved) -> Link:
        link = Link(source=End(id=one.record.id), target=End(id=target_id), flow=self._flow.rules.flow)
        saw(link.source, one.record.version, one.record.modified_at)
        batch.add(link)
        return link

    def _taken_over(self, batch: Batch, link: Link, one: Resolved) -> Link:
        """Give the link of a record that was gone to the one that returns in its place."""
        flow = self._flow
        flow.links.rename_source(batch.connection, link, one.record.id)
        link.source = End(id=one.record.id)
        link.target.base = Base()
        link.state = LIVE
        saw(link.source, one.record.version, one.record.modified_at)
        batch.save(link)
        batch.settle(link, DELETED)
        return link

    # -- a new record

    def _create(self, creates: list[ToCreate]) -> None:
        if not creates:
            return
        flow = self._flow
        clock = flow.system.server_clock()
        intents = [
            Intent(
                kind="create",
                source_id=one.resolved.record.id,
                source_version=one.resolved.record.version,
                source_modified_at=one.resolved.record.modified_at,
                source=flow.prints.of_all(one.resolved.record.source),
                values=one.values,
                server_clock=clock,
            )
            for one in creates
        ]
        with flow.store.begin() as connection:
            flow.intents.add(connection, intents)
        requests = [CreateRequest(one.resolved.record.id, one.values) for one in creates]
        begun = Creating(
            list(zip(creates, intents, strict=True)),
            flow.system.create(flow.rules.target_resource, requests, flow.rules.paths),
            frozenset(one.resolved.record.id for one in creates),
            frozenset(_claims(one.sought for one in creates if one.sought is not None)),
        )
        before, self._creating = self._creating, begun
        if before is not None:
            self._settle_all(before)

    def settle(self) -> None:
        """Wait for the creations that are under way, and store what became of them."""
        creating, self._creating = self._creating, None
        if creating is not None:
            self._settle_all(creating)

    def abandon(self) -> None:
        """Wait for no more answers; the next run looks what became of what was sent."""
        creating, self._creating = self._creating, None
        if creating is not None:
            let_go(creating.answers)

    def _settle_all(self, creating: Creating) -> None:
        flow = self._flow
        for some in answered(creating.asked, creating.answers):
            now = flow.store.now()
            with flow.batch() as batch:
                for (one, intent), result in some:
                    self._settle(batch, one, intent, result, now)
                settled = [intent.id for (_, intent), result in some if isinstance(result, Written | Refused)]
                flow.intents.remove(batch.connection, settled)

    def _settle(self, batch: Batch, one: ToCreate, intent: Intent, result: Result, now: datetime) -> None:
        flow = self._flow
        if isinstance(result, Written):
            record = one.resolved.record
            link = created_link(record, result.current, one.values, flow.rules, flow.prints, now, intent.source)
            if one.link is None:
                batch.add(link)
            else:
                flow.links.rename_target(batch.connection, one.link, link.target.id)
                link.id = one.link.id
                batch.save(link)
                batch.settle(link, DELETED)
            flow.finder.created(result.current, one.values, one.sought)
            batch.done(record.id)
            flow.finish_record(record.id, Outcome.CREATED)
            return
        # Where no answer came the intent stays: the next run looks for the record before it tries again.
        details = result.details if isinstance(result, Refused) else ()
        flow.put_waiting(batch, one.original, PARKED, result.reason, details)


def _claims(some: Iterable[Sought]) -> Iterator[Key]:
    for one in some:
        yield from one.under
