"""Writes that an earlier run began and whose answer it never stored: find out what became of them.

Nothing is sent again before that is known. What the target holds now says it: still at the version written over,
then it never happened; otherwise the values that equal what was sent are ours, and nobody's edit. A creation is looked
for by a whole merge criterion that no stronger one contradicts, else by all that was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeAlias

from record_sync.agreement import agree_found_update, is_next_version
from record_sync.creation import adopt, adopt_from_source, is_open
from record_sync.flow import FEW_SEARCHES, Flow
from record_sync.intent import CREATE, UPDATE, Intent
from record_sync.ledger import Transaction
from record_sync.matching import asked_for
from record_sync.record import GONE, Link, SourceRecord, TargetRecord
from record_sync.sent_records import SentRecords, Terms
from record_sync.system import CLOCK_DOUBT, Refused
from record_sync.values import Values

SECOND = timedelta(seconds=1)
CLOCK_ROUNDED = 2 * SECOND
"""Servers report their time in whole seconds."""


Place: TypeAlias = tuple[int, int] | None
"""Where an intent stands in the store."""


class Recovery:
    """Resolves the intents of one flow: its own, and those of the line that writes to the side it reads."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._of_target = Terms.of_target(flow.rules)
        self._of_source = Terms.of_source(flow.rules)
        self._updates: dict[int, list[Intent]] = {}
        """Open updates of the other line, by link."""
        self._creates: SentRecords[Intent] | None = None
        self._open: set[Place] = set()
        """Intents of the other line that are not resolved yet."""

    @property
    def expects_answers(self) -> bool:
        """Whether the other line left writes whose answers the records that come in may be."""
        return bool(self._open)

    # -- this flow's own writes

    def begin(self) -> None:
        """Resolve this flow's own intents, and make ready to recognise the other line's writes."""
        flow = self._flow
        if not flow.ledger.has_intents:
            return
        with flow.ledger.reading() as now:
            own = now.intents.towards(flow.ledger.key.target_side)
            theirs = now.intents.towards(flow.ledger.key.source_side)
        self._expect(theirs)
        if own:
            self._resolve_own(own)

    def _resolve_own(self, intents: Sequence[Intent]) -> None:
        flow = self._flow
        creates = [one for one in intents if one.kind == CREATE]
        others = [one for one in intents if one.kind != CREATE]
        read = flow.target.read([one.target_id for one in others if one.target_id is not None])
        found = self._found(creates)
        with flow.ledger.transaction() as now:
            links = now.links.by_ids([one.link_id for one in others if one.link_id is not None])
            for one in others:
                link, current = links.get(one.link_id or 0), read.get(one.target_id or "")
                if link is not None and current is not None and current.version != one.over_version:
                    self._resolve_found(now, one, link, current)
            self._adopt_all(now, creates, found)
            now.intents.resolve(intents)

    def _resolve_found(self, now: Transaction, intent: Intent, link: Link, current: TargetRecord) -> None:
        flow = self._flow
        if intent.kind == UPDATE:
            prints, moment = flow.ledger.prints, flow.ledger.store.now()
            agree_found_update(intent, link.source, link.target, current, prints, moment)
            now.links.save(link)
        elif link.source.state == GONE and not is_next_version(intent.over_version, current.version):
            # Deactivated, and edited since: who made it active again may not find it inactive once more.
            flow.outcomes.contest_deletion(now, link, current)

    def _found(self, creates: Sequence[Intent]) -> dict[Place, list[TargetRecord]]:
        """The records that each of these creations may have made."""
        if not creates:
            return {}
        flow = self._flow
        open_creates = SentRecords(self._of_target, [(one, one.values) for one in creates])
        found: dict[Place, list[TargetRecord]] = {}
        if len(creates) <= FEW_SEARCHES or len(creates) <= flow.target.listing_cost():
            found = self._sorted(open_creates, self._searched(creates))
        # What no criterion finds is looked for in one listing for all, and so is everything where searches cost more.
        if all(one.place in found for one in creates):
            return found
        return self._sorted(open_creates, flow.target.listing()) | found

    def _searched(self, creates: Sequence[Intent]) -> Iterator[TargetRecord]:
        sought = (self._strongest(one.values) for one in creates)
        for values in (one for one in sought if one is not None):
            some = self._flow.target.search(asked_for(tuple(values), values, self._flow.rules))
            if not isinstance(some, Refused):
                yield from some

    def _strongest(self, values: Values) -> Values | None:
        """The strongest criterion that a record has values for."""
        keys = self._of_target.keys(values)
        return next(
            (
                {path: values[path] for path in criterion}
                for criterion in self._of_target.criteria
                if all(path in keys for path in criterion)
            ),
            None,
        )

    def _sorted(
        self, creates: SentRecords[Intent], currents: Iterable[TargetRecord]
    ) -> dict[Place, list[TargetRecord]]:
        found: dict[Place, dict[str, TargetRecord]] = {}
        for current in currents:
            intents = creates.of(current.values, still=partial(self._is_made_by, current=current))
            if not intents:
                intents = creates.near(current.values, still=partial(_is_edited_since, current=current))
            for intent in intents:
                found.setdefault(intent.place, {})[current.id] = current
        return {place: list(some.values()) for place, some in found.items()}

    def _is_made_by(self, intent: Intent, current: TargetRecord) -> bool:
        """Whether a record is young enough to be what a creation made."""
        clock = intent.server_clock
        return clock is None or not self._flow.target.created_before(current, clock)

    def _adopt_all(
        self, now: Transaction, creates: Sequence[Intent], found: Mapping[Place, list[TargetRecord]]
    ) -> None:
        flow = self._flow
        links = now.links.of_sources([one.source_id for one in creates])
        taken = set(now.links.of_targets({one.id for some in found.values() for one in some}))
        for intent in creates:
            before = links.get(intent.source_id)
            current = self._chosen(intent, [one for one in found.get(intent.place, ()) if one.id not in taken])
            if current is not None and is_open(before, made="target"):
                taken.add(current.id)
                links[intent.source_id] = adopt(flow, now, intent, current, before)

    def _chosen(self, intent: Intent, free: Sequence[TargetRecord]) -> TargetRecord | None:
        """The one record that a creation made. Of several that say exactly the same the first is as good as any."""
        exact = [one for one in free if self._of_target.says_all(intent.values, one.values)]
        if not exact and len(free) != 1:
            return None
        return min(exact or free, key=lambda one: (len(one.id), one.id))

    # -- the other line's writes, which come in as records

    def _expect(self, intents: Sequence[Intent]) -> None:
        self._open = {one.place for one in intents}
        for one in intents:
            if one.kind == UPDATE:
                self._updates.setdefault(one.link_id or 0, []).append(one)
        creates = [(one, one.values) for one in intents if one.kind == CREATE]
        self._creates = SentRecords(self._of_source, creates) if creates else None

    def recognise(
        self, now: Transaction, records: Sequence[SourceRecord], links: dict[str, Link]
    ) -> dict[str, tuple[str, ...]]:
        """Take records that come in as the answers that the other line never stored.

        A record read before the write was begun says nothing about it.

        Args:
            now: the transaction in which the records are looked into.
            records: as they came in.
            links: theirs; those found here are added.

        Returns:
            Records that may be such an answer, edited since, and what they may have been made of: only the line that
            wrote can look that up.

        """
        doubtful: dict[str, tuple[str, ...]] = {}
        if not self._open:
            return doubtful
        created: list[tuple[SourceRecord, Intent]] = []
        for record in records:
            if record.deleted or record.filtered:
                continue
            link = links.get(record.id)
            if link is not None:
                self._recognise_update(now, record, link)
            else:
                intent = self._creation_of(record)
                if intent is not None:
                    created.append((record, intent))
                elif near := self._near(record):
                    doubtful[record.id] = near
        self._recognise_created(now, created, links)
        return doubtful

    def _recognise_update(self, now: Transaction, record: SourceRecord, link: Link) -> None:
        flow = self._flow
        for intent in self._updates.get(link.id or 0, ()):
            if intent.place not in self._open or record.version == intent.over_version:
                continue
            # Seen from here, what was the target of that write is the source.
            prints, moment = flow.ledger.prints, flow.ledger.store.now()
            agree_found_update(intent, link.target, link.source, _current(record), prints, moment)
            now.links.save(link)
            self._resolve(now, intent)

    def _creation_of(self, record: SourceRecord) -> Intent | None:
        if self._creates is None:
            return None
        found = self._creates.of(record.source, still=partial(self._may_be, record))
        exact = [one for one in found if self._of_source.says_all(one.values, record.source)]
        if not exact and len(found) != 1:
            return None
        return (exact or found)[0]

    def _near(self, record: SourceRecord) -> tuple[str, ...]:
        near = self._creates.near(record.source, still=partial(self._may_be, record)) if self._creates else ()
        return tuple(one.source_id for one in near)

    def _may_be(self, record: SourceRecord, intent: Intent) -> bool:
        return intent.place in self._open and not _is_older(record, intent)

    def _recognise_created(
        self, now: Transaction, created: Sequence[tuple[SourceRecord, Intent]], links: dict[str, Link]
    ) -> None:
        flow = self._flow
        made_of = now.links.of_targets([intent.source_id for _, intent in created])
        for record, intent in created:
            before = made_of.get(intent.source_id)
            if intent.place in self._open and is_open(before, made="source"):
                links[record.id] = adopt_from_source(flow, now, intent, _current(record), before)
                made_of[intent.source_id] = links[record.id]
                self._resolve(now, intent)

    def _resolve(self, now: Transaction, intent: Intent) -> None:
        now.intents.resolve([intent])
        self._open.discard(intent.place)


def _current(record: SourceRecord) -> TargetRecord:
    return TargetRecord(record.id, record.version, record.modified_at, dict(record.source))


def _is_edited_since(intent: Intent, current: TargetRecord) -> bool:
    """Whether a record was made since a write was begun, and edited then. Unedited, it says what was sent."""
    clock, made, edited = intent.server_clock, current.created_at, current.modified_at
    if clock is None or made is None or edited is None:
        return False
    return made >= clock - CLOCK_ROUNDED and edited - made >= SECOND


def _is_older(record: SourceRecord, intent: Intent) -> bool:
    """Whether a record surely was not changed since a write was begun, so that it cannot be what that made."""
    clock = intent.server_clock
    return record.modified_at is not None and clock is not None and record.modified_at < clock - CLOCK_DOUBT
