"""Records that are being created: begun, and ended when their answers come.

Creations go on while the next records are made ready; whatever may depend on them waits for :meth:`await_writes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from record_sync.candidates import Key, Sought
from record_sync.creation import end_answered
from record_sync.finder import Finder
from record_sync.flow import Flow
from record_sync.intent import CREATE, Intent
from record_sync.ledger import Transaction
from record_sync.outcome import Outcome
from record_sync.record import Link, SourceRecord
from record_sync.references import Resolved
from record_sync.rules import FlowRules
from record_sync.system import CreateRequest, Refused, Result, Written, answered, let_go
from record_sync.values import stated
from record_sync.waiting import PARKED


class ToCreate(msgspec.Struct, frozen=True):
    """A record that has no counterpart."""

    resolved: Resolved
    link: Link | None = None
    """Of a record whose counterpart is gone and is to be made again."""
    sought: Sought | None = None
    """What it was looked for by before."""


class _UnderWay(msgspec.Struct, frozen=True):
    begun: list[tuple[ToCreate, Intent]]
    answers: Iterator[Sequence[Result]]
    ids: frozenset[str]
    """Of the source's records."""
    claims: frozenset[Key]
    """Match keys of records being created; a later record with one of these must wait, it may be the same."""


class Creating:
    """Creates records, exactly once each."""

    def __init__(self, flow: Flow, finder: Finder) -> None:
        self._flow = flow
        self._finder = finder
        self._under_way: _UnderWay | None = None

    def concerns(self, ids: Iterable[str]) -> bool:
        """Whether some of these source records are being created."""
        return self._under_way is not None and not self._under_way.ids.isdisjoint(ids)

    def concerns_any(self, keys: Iterable[Key]) -> bool:
        """Whether a record with some of these match keys may be one that is being created."""
        return self._under_way is not None and not self._under_way.claims.isdisjoint(keys)

    def begin(self, creates: Sequence[ToCreate]) -> None:
        """Commit what is about to be created, send it, and then take the answers to what was sent before."""
        if not creates:
            return
        flow = self._flow
        begun = [(one, self._intent(one)) for one in creates]
        with flow.ledger.transaction() as now:
            now.intents.add([intent for _, intent in begun])
        requests = [CreateRequest(intent.source_id, intent.values) for _, intent in begun]
        under_way = _UnderWay(
            begun,
            flow.target.create(requests),
            frozenset(intent.source_id for _, intent in begun),
            frozenset(key for one in creates if one.sought is not None for key in one.sought.under),
        )
        before, self._under_way = self._under_way, under_way
        if before is not None:
            self._end_all(before)

    def await_writes(self) -> None:
        """Wait for the creations that are under way, and store what became of them."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            self._end_all(under_way)

    def abandon(self) -> None:
        """Wait for no more answers; the next run looks what became of what was sent."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            let_go(under_way.answers)

    def _intent(self, one: ToCreate) -> Intent:
        flow, record = self._flow, one.resolved.record
        return Intent(
            kind=CREATE,
            source_id=record.id,
            source_version=record.version,
            source_modified_at=record.modified_at,
            source=flow.ledger.prints.of_all(record.source, _agreed_by(record, flow.rules)),
            values=stated(record.values),
            link_id=None if one.link is None else one.link.id,
            server_clock=flow.target.clock,
        )

    def _end_all(self, under_way: _UnderWay) -> None:
        for some in answered(under_way.begun, under_way.answers):
            with self._flow.ledger.transaction() as now:
                made = [result.current.id for _, result in some if isinstance(result, Written)]
                taken = set(now.links.holding_targets(made))
                for (one, intent), result in some:
                    self._end(now, one, intent, result, taken)
                now.intents.resolve(intent for (_, intent), result in some if isinstance(result, Written | Refused))

    def _end(self, now: Transaction, one: ToCreate, intent: Intent, result: Result, taken: set[str]) -> None:
        outcomes, record = self._flow.outcomes, one.resolved.record
        if isinstance(result, Written) and result.current.id in taken:
            reason = f"answered with {result.current.id}, which is linked to another record already"
            outcomes.wait(now, one.resolved.original, PARKED, reason)
            return
        if isinstance(result, Written):
            taken.add(result.current.id)
            end_answered(self._flow, now, intent, result.current, record.record_fingerprint, one.link)
            self._finder.created(result.current, intent.values, one.sought)
            outcomes.finish(now, record.id, Outcome.CREATED)
            return
        # Where no answer came the intent stays: the next run looks for the record before it tries again.
        details = result.details if isinstance(result, Refused) else ()
        outcomes.wait(now, one.resolved.original, PARKED, result.reason, details)


def _agreed_by(record: SourceRecord, rules: FlowRules) -> frozenset[str]:
    """The source's properties that both sides agree on by the creation."""
    units = rules.mentioned(record.source, record.values)
    if units is rules.units:
        return rules.source_paths
    return frozenset(path for unit in units for path in unit.sources)
