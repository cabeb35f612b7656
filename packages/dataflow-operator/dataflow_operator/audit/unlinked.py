"""Records that no link knows: which of them are the same on both sides, and which have no counterpart."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec
from record_sync.matching import Candidate, Keys, Match, MatchKind, criterion_key, first_match, keys_of
from record_sync.record import TargetRecord
from record_sync.waiting import AMBIGUOUS as WAITS_AMBIGUOUS

from dataflow_operator.audit.comparing import told
from dataflow_operator.audit.flows import AuditedFlow, Way, other
from dataflow_operator.audit.report import AMBIGUOUS, MISSING, UNLINKED, Finding, FlowAudit
from dataflow_operator.audit.spool import Spool
from dataflow_operator.store.audited import StoredFlow, Waits

FEW = 5
"""Candidates that are named."""
PORTION = 5000
"""Records that are read together."""

T = TypeVar("T")


class Unlinked:
    """The unlinked records of one flow. Those of the other flows that read the same resource come after it."""

    def __init__(
        self,
        flow: AuditedFlow,
        spool: Spool,
        scopes: Mapping[str, int],
        stored: StoredFlow | None,
        offered_later: Collection[str] = (),
    ) -> None:
        self._flow = flow
        self._spool = spool
        self._scopes = scopes
        self._stored = stored
        self._way: Way = next(iter(flow.ways.values()))
        """The direction in which records are looked for; the other one finds the same pairs."""
        self._filed = False
        self._offered_later = offered_later
        """Sides whose records another flow is offered after this one."""

    def findings(self, audit: FlowAudit) -> Iterator[Finding]:
        """What there is, the records of one side first; counts what has no counterpart by right."""
        source, target = self._way.rules.source_side, self._way.rules.target_side
        claimed: dict[str, list[str]] = {}
        ambiguous: list[tuple[str, Match]] = []
        alone: list[str] = []
        for record in self._spool.unlinked(self._scopes[source]):
            if self._is_kept_out(source, record, audit):
                continue
            match = self._match(record)
            if match.kind is MatchKind.FOUND and match.id is not None:
                claimed.setdefault(match.id, []).append(record.id)
            elif match.kind is MatchKind.AMBIGUOUS:
                ambiguous.append((record.id, match))
            else:
                alone.append(record.id)
        for some in _portions(ambiguous):
            yield from self._ambiguous(some, source, target)
        for pairs in _portions(list(claimed.items())):
            yield from self._pairs(pairs, source, target)
        self._spool.claim(self._scopes[source], (one for ids in claimed.values() for one in ids))
        involved = {*claimed, *(one for _, match in ambiguous for one in match.candidates)}
        self._spool.claim(self._scopes[target], involved)
        for ids in _portions(alone):
            yield from self._alone(ids, source, audit)
        rest = [
            record.id
            for record in self._spool.unlinked(self._scopes[target])
            if not self._is_kept_out(target, record, audit)
        ]
        for ids in _portions(rest):
            yield from self._alone(ids, target, audit)

    def _is_kept_out(self, side: str, record: TargetRecord, audit: FlowAudit) -> bool:
        way = self._flow.ways.get(other(side))
        if way is None or not way.is_kept_out(record.values):
            return False
        audit.kept_out[side] = audit.kept_out.get(side, 0) + 1
        return True

    # -- matching, as the sync does it

    def _match(self, record: TargetRecord) -> Match:
        rules = self._way.rules
        keys = keys_of(self._way.carried(record.values), rules)
        ids: dict[str, None] = {}
        for rank, value in self._lookups(keys):
            self._file()
            ids |= dict.fromkeys(self._spool.found_by(rank, value))
        if not ids:
            return Match(MatchKind.NONE)
        target = self._scopes[rules.target_side]
        candidates = [
            Candidate(one.id, keys_of(one.values, rules)) for one in self._spool.records(target, ids).values()
        ]
        return first_match(keys, candidates, self._spool.are_linked(target, list(ids)), rules.match_on)

    def _lookups(self, keys: Keys) -> Iterator[tuple[int, str]]:
        for rank, criterion in enumerate(self._way.rules.match_on):
            key = criterion_key(criterion, keys)
            if key is not None:
                yield rank, json.dumps(key, default=str)

    def _file(self) -> None:
        """Find the target's records by their values, once the first one is looked for."""
        if self._filed:
            return
        self._filed = True
        self._spool.forget_sought()
        rules = self._way.rules
        for record in self._spool.all(self._scopes[rules.target_side]):
            self._spool.file((rank, value, record.id) for rank, value in self._lookups(keys_of(record.values, rules)))

    # -- telling

    def _ambiguous(self, found: Sequence[tuple[str, Match]], source: str, target: str) -> Iterator[Finding]:
        held = self._held(source, [record_id for record_id, _ in found])
        for record_id, match in found:
            candidates = {target: match.candidates[:FEW]} if match.candidates else {}
            ids = {source: record_id, target: None}
            yield Finding(self._name, AMBIGUOUS, ids, match.reason, held.why(record_id), candidates=candidates)

    def _pairs(self, claimed: Sequence[tuple[str, list[str]]], source: str, target: str) -> Iterator[Finding]:
        here = self._held(source, [one for _, ids in claimed for one in ids])
        there = self._held(target, [target_id for target_id, _ in claimed])
        for target_id, source_ids in claimed:
            reasons = (there.why(target_id), *map(here.why, source_ids))
            explained = next(filter(None, reasons), None)
            if len(source_ids) > 1:
                reason = f"{' and '.join(source_ids[:FEW])} of {source} fit it alike"
                candidates = {source: tuple(source_ids[:FEW])}
                ids = {source: None, target: target_id}
                yield Finding(self._name, AMBIGUOUS, ids, reason, explained, candidates=candidates)
            else:
                ids = {source: source_ids[0], target: target_id}
                reason = "the same by the merge criteria, and not linked"
                yield Finding(self._name, UNLINKED, ids, reason, explained)

    def _alone(self, ids: Sequence[str], side: str, audit: FlowAudit) -> Iterator[Finding]:
        way = self._flow.ways.get(other(side))
        creates = way is not None and way.rules.create
        held = self._held(side, ids)
        belongs = []
        for record_id in ids:
            explained = held.why(record_id)
            if not creates and explained is None:
                if side not in self._offered_later:
                    audit.alone[side] = audit.alone.get(side, 0) + 1
                continue
            belongs.append(record_id)
            kind = AMBIGUOUS if held.is_ambiguous(record_id) else MISSING
            reason = f"not in {other(side)}, and never linked" if kind == MISSING else "fits several records"
            yield Finding(self._name, kind, {side: record_id, other(side): None}, reason, explained)
        self._spool.claim(self._scopes[side], belongs)

    def _held(self, side: str, ids: Sequence[str]) -> _Held:
        """What holds unlinked records."""
        if self._stored is None:
            return _Held({}, {}, {})
        made = {
            write.source_id: f"a record is being made of it in {write.to}: its answer is not known yet"
            for write in self._stored.open_writes
            if write.kind == "create" and write.to == other(side)
        }
        return _Held(self._stored.waiting(side, ids), made, self._stored.reserved(side, ids))

    @property
    def _name(self) -> str:
        return self._flow.flow.name


class _Held(msgspec.Struct, frozen=True):
    waiting: Mapping[str, Waits]
    made: Mapping[str, str]
    reserved: Mapping[str, str]

    def why(self, record_id: str) -> str | None:
        if record_id in self.waiting:
            return told(self.waiting[record_id])
        if record_id in self.made:
            return self.made[record_id]
        holder = self.reserved.get(record_id)
        return None if holder is None else f"it may be the counterpart of {holder}, which fits several"

    def is_ambiguous(self, record_id: str) -> bool:
        waits = self.waiting.get(record_id)
        return record_id in self.reserved or (waits is not None and waits.kind == WAITS_AMBIGUOUS)


def _portions(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """So many at a time, as each is read whole."""
    for start in range(0, len(items), PORTION):
        yield items[start : start + PORTION]
