"""Unlinked records: find the one they are in the target, or create them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from record_sync.agreement import observe
from record_sync.candidates import Sought
from record_sync.conflict import DELETED
from record_sync.creating import Creating, ToCreate
from record_sync.finder import Finder
from record_sync.flow import Flow
from record_sync.ledger import Transaction
from record_sync.matching import NO_MATCH, Match, MatchKind, first_match
from record_sync.outcome import Outcome
from record_sync.parked import Parked
from record_sync.record import ENDED, GONE, LIVE, Base, Link, LinkSide
from record_sync.references import Resolved
from record_sync.updating import ToUpdate, Updating
from record_sync.waiting import AMBIGUOUS, PARKED, REFERENCE, Holder


class Linking:
    """Gives unlinked records their counterparts."""

    def __init__(self, flow: Flow, updating: Updating) -> None:
        self._flow = flow
        self._updating = updating
        self._finder = Finder(flow.target, flow.rules, flow.ledger.prints)
        self._parked = Parked(flow)
        self.creating = Creating(flow, self._finder)
        self._lost: Mapping[str, Link] = {}
        """The links of records whose counterparts are gone, while those are made again."""
        self.match_whole_records = flow.ledger.acknowledged is None
        """Nothing of the source was ever read to its end, or all of it is read again, as after a store was brought back
        from a backup: also records without a match key may be on both sides."""

    def run(self, unlinked: Sequence[Resolved]) -> None:
        """Link or create these records. Those that look for the same one take turns."""
        left = list(unlinked)
        while left:
            left = self._round(left)

    def create_again(self, lost: Sequence[tuple[Resolved, Link]]) -> None:
        """Give records whose counterparts were deleted others: such as somebody made anew, or that are created."""
        before, self._lost = self._lost, {one.record.id: link for one, link in lost}
        self.run([one for one, _ in lost])
        self._lost = before
        if lost:
            self.creating.await_writes()

    def _round(self, records: list[Resolved]) -> list[Resolved]:
        flow = self._flow
        sought = {one.record.id: self._finder.sought(one.record.values) for one in records}
        if self.creating.concerns_any(key for one in sought.values() for key in one.under):
            self.creating.await_writes()
        self._finder.prepare((one.record.values, sought[one.record.id]) for one in records)
        matches, later = self._match(records, sought)
        matches = self._parked.check(matches)
        creates: list[ToCreate] = []
        found: list[tuple[Resolved, str]] = []
        with flow.ledger.transaction() as now:
            for one, match in matches:
                if match.id is not None:
                    found.append((one, match.id))
                elif match.kind is MatchKind.AMBIGUOUS:
                    candidates = match.candidates
                    flow.outcomes.wait(now, one.original, AMBIGUOUS, match.reason, candidates=candidates)
                elif match.kind is MatchKind.REFUSED:
                    flow.outcomes.wait(now, one.original, PARKED, match.reason)
                elif not (flow.rules.create or one.record.id in self._lost):
                    flow.outcomes.drop(now, one.record.id, Outcome.UNMATCHED)
                elif one.missing:
                    self._wait_for_references(now, one)
                else:
                    creates.append(ToCreate(one, self._lost.get(one.record.id), sought[one.record.id]))
        self._link(found)
        self.creating.begin(creates)
        return later

    def _wait_for_references(self, now: Transaction, one: Resolved) -> None:
        self._flow.outcomes.wait(now, one.original, REFERENCE, f"waits for {', '.join(one.missing)}")

    # -- matching

    def _match(
        self, records: list[Resolved], sought: dict[str, Sought]
    ) -> tuple[list[tuple[Resolved, Match]], list[Resolved]]:
        """Match what can be matched side by side; the second that looks for the same record comes later."""
        candidates = {one.record.id: self._finder.candidates(sought[one.record.id]) for one in records}
        ids = {one.id for some in candidates.values() for one in some}
        with self._flow.ledger.reading() as now:
            links = now.links.holding_targets(ids)
            reserved = now.waiting.reserved_sources(list(sought))
            reserved_targets = now.waiting.reserved_targets(ids)
        linked = {target_id for target_id, link in links.items() if not self._is_orphan(link)}
        matches, later = [], []
        claimed: set[object] = set()
        for one in records:
            mine = sought[one.record.id]
            holder = self._other_holder(reserved, one.record.id, one)
            if holder is not None:
                reason = f"it may be the counterpart of {holder}, which fits several records"
                matches.append((one, Match(MatchKind.AMBIGUOUS, reason=reason)))
                continue
            free = candidates[one.record.id]
            if one.record.id in self._lost:
                # Its own link is not given up for one whose other record is gone.
                free = [candidate for candidate in free if candidate.id in linked or candidate.id not in links]
            match = first_match(mine.keys, free, linked, self._flow.rules.match_on)
            if match.kind is MatchKind.NONE:
                match = self._without_match(mine, one)
            elif match.id is not None:
                match = self._unless_reserved(match, match.id, one, reserved_targets)
            claims: set[object] = {*mine.under, *([] if match.id is None else [match.id])}
            if claims & claimed:
                later.append(one)
                continue
            claimed |= claims
            matches.append((one, match))
        return matches, later

    def _without_match(self, mine: Sought, one: Resolved) -> Match:
        """A record that no criterion finds: the search was refused, or it has nothing to be matched by."""
        refusal = self._finder.refusal(mine)
        if refusal is not None:
            return Match(MatchKind.REFUSED, reason=refusal)
        if not mine.under and self.match_whole_records:
            twin = self._finder.twin(one.record.values, self._linked_targets)
            if twin is not None:
                return Match(MatchKind.TWIN, id=twin)
        return NO_MATCH

    def _unless_reserved(self, match: Match, target_id: str, one: Resolved, reserved: dict[str, Holder]) -> Match:
        holder = self._other_holder(reserved, target_id, one)
        if holder is None:
            return match
        reason = f"{target_id} may also be the counterpart of {holder}"
        return Match(MatchKind.AMBIGUOUS, candidates=(target_id,), reason=reason)

    def _other_holder(self, reserved: dict[str, Holder], record_id: str, one: Resolved) -> Holder | None:
        """The ambiguous record that a record is reserved for, where that is another one than this."""
        key, holder = self._flow.ledger.key, reserved.get(record_id)
        return None if holder == Holder(key.id, key.source_side, one.record.id) else holder

    def _linked_targets(self, ids: Collection[str]) -> set[str]:
        with self._flow.ledger.reading() as now:
            return set(now.links.holding_targets(ids))

    def _is_orphan(self, link: Link) -> bool:
        """Whether a linked target's source is gone, so that a record that returns under a new id may take its place."""
        return link.flow == self._flow.rules.flow and link.source.state == GONE

    # -- an existing record

    def _link(self, found: list[tuple[Resolved, str]]) -> None:
        if not found:
            return
        flow = self._flow
        updates = []
        with flow.ledger.transaction() as now:
            orphans = now.links.holding_targets([target_id for _, target_id in found])
            for one, target_id in found:
                # With no base yet: should the run end here, the next one merges them as it would now.
                orphan, lost = orphans.get(target_id), self._lost.get(one.record.id)
                is_back = orphan is not None and orphan.state == ENDED
                if lost is not None:
                    link = _renewed(now, lost, target_id)
                else:
                    link = self._new_link(now, target_id, one) if orphan is None else take_over(now, orphan, one)
                if one.missing:
                    flow.outcomes.linked_now(one.record.id)
                units = flow.rules.mentioned(one.record.source, one.record.values)
                updates.append(ToUpdate(one, link, units, found_now=True, is_back=is_back))
        returned = self._updating.run(updates)
        self.create_again([(one.resolved, one.link) for one in returned.lost])

    def _new_link(self, now: Transaction, target_id: str, one: Resolved) -> Link:
        link = Link(source=LinkSide(id=one.record.id), target=LinkSide(id=target_id), flow=self._flow.rules.flow)
        observe(link.source, one.record.version, one.record.modified_at)
        now.links.add(link)
        return link


def _renewed(now: Transaction, link: Link, target_id: str) -> Link:
    """Give the link of a record whose counterpart is gone the one that was made in its place."""
    now.links.rename_target(link, target_id)
    link.target = LinkSide(id=target_id)
    link.source.base = Base()
    link.state = LIVE
    now.links.save(link)
    now.conflicts.agree(link, DELETED)
    return link


def take_over(now: Transaction, link: Link, one: Resolved) -> Link:
    """Give the link of a record that was gone to the one that returns in its place."""
    now.links.rename_source(link, one.record.id)
    link.source = LinkSide(id=one.record.id)
    link.target.base = Base()
    link.state = LIVE
    observe(link.source, one.record.version, one.record.modified_at)
    now.links.save(link)
    now.conflicts.agree(link, DELETED)
    return link
