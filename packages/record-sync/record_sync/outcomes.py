"""The end of a record: the only place where one is finished, kept waiting, or left to a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from record_sync.agreement import observe_gone, observe_target
from record_sync.conflict import DELETED
from record_sync.ledger import Ledger, Transaction
from record_sync.outcome import Outcome, Tally
from record_sync.record import CONTESTED, GONE, Link, SourceRecord, TargetRecord
from record_sync.waiting import AMBIGUOUS, CONFLICT, DELETION, INVALID, PARKED, REFERENCE, Waiting

OUTCOME_OF_WAITING = {
    PARKED: Outcome.PARKED,
    INVALID: Outcome.PARKED,
    REFERENCE: Outcome.WAITING,
    AMBIGUOUS: Outcome.AMBIGUOUS,
    CONFLICT: Outcome.CONFLICT,
    DELETION: Outcome.HELD,
}

_AS_LINKED = {
    Outcome.UPDATED: Outcome.LINKED_UPDATED,
    Outcome.AGREED: Outcome.LINKED,
    Outcome.KEPT: Outcome.LINKED,
    Outcome.UNCHANGED: Outcome.LINKED,
}
"""How a record is reported that was linked in this run, and only then found what it refers to."""


class Outcomes:
    """One flow's outcomes in one run. Each record is counted once: a better end takes the place of a waiting."""

    def __init__(self, ledger: Ledger, tally: Tally) -> None:
        self._ledger = ledger
        self._key = ledger.key
        self._tally = tally
        self._retried: dict[str, Waiting] = {}
        self._linked_now: set[str] = set()

    def note(self, text: str) -> None:
        """Report something to the operator at the end of the run."""
        self._tally.notes.append(text)

    @contextmanager
    def retrying(self, rows: Sequence[Waiting]) -> Iterator[None]:
        """Meanwhile these waiting records are tried again."""
        self._retried = {one.record.id: one for one in rows}
        try:
            yield
        finally:
            self._retried = {}

    def is_retried(self, record_id: str) -> bool:
        """Whether a record is one that waits and is tried again."""
        return record_id in self._retried

    def linked_now(self, record_id: str) -> None:
        """This record was linked in this run, and waits for what it refers to."""
        self._linked_now.add(record_id)

    # -- ends

    def finish(self, now: Transaction, record_id: str, outcome: Outcome, reason: str = "") -> None:
        """The record is where it should be: it waits for nothing, and no filter keeps it out."""
        now.waiting.done(record_id)
        self.count(record_id, outcome, reason)

    def drop(self, now: Transaction, record_id: str, outcome: Outcome) -> None:
        """Nothing is to be done for the record; whatever it waited for, it does so no longer."""
        now.waiting.waits_no_longer(record_id)
        self.count(record_id, outcome)

    def keep_out(self, now: Transaction, record_id: str, outcome: Outcome) -> None:
        """The record is not carried over, and nothing waits for it."""
        now.waiting.keep_out(record_id)
        self.count(record_id, outcome)

    def wait(
        self,
        now: Transaction,
        record: SourceRecord,
        kind: str,
        reason: str,
        details: tuple[str, ...] = (),
        candidates: tuple[str, ...] = (),
    ) -> None:
        """Keep a record for later, with the reason; its candidates are reserved on both sides."""
        before = self._retried.get(record.id)
        now.waiting.put(
            Waiting(
                record=record,
                kind=kind,
                reason=reason,
                details=details,
                fingerprint=self.print_of(record),
                attempts=before.attempts + 1 if before else 0,
                source_candidates=(record.id,) if candidates else (),
                target_candidates=candidates,
            )
        )
        self.count(record.id, OUTCOME_OF_WAITING[kind], reason)

    def contest_edit(self, now: Transaction, record: SourceRecord, link: Link, *, is_news: bool = True) -> None:
        """Edited here, gone there: nothing is created or deleted, and a person decides."""
        if link.target.state != GONE:
            observe_gone(link.target, self._ledger.store.now())
        link.state = CONTESTED
        now.links.save(link)
        both = {self._key.source_side: dict(record.source), self._key.target_side: {"deleted": True}}
        now.conflicts.open(link, DELETED, both, is_news=is_news)
        self.wait(now, record, CONFLICT, f"its counterpart {link.target.id} is gone from {self._key.target_side}")

    def contest_deletion(self, now: Transaction, link: Link, current: TargetRecord) -> None:
        """Deleted here, edited there: nothing is deleted, and a person decides, again where somebody did before."""
        observe_target(link.target, current, self._ledger.prints)
        link.state = CONTESTED
        now.links.save(link)
        both = {self._key.source_side: {"deleted": True}, self._key.target_side: dict(current.values)}
        now.conflicts.open(link, DELETED, both, is_news=True)
        self.count(link.source.id, Outcome.CONFLICT, "deleted here, edited in the other system")

    # -- counting

    def count(self, record_id: str, outcome: Outcome, reason: str = "") -> None:
        """Count a record whose rows in the store stay as they are."""
        if record_id in self._linked_now:
            outcome = _AS_LINKED.get(outcome, outcome)
        self._tally.recount(self._key.name, record_id, outcome, reason)

    def count_unchanged(self, number: int) -> None:
        """Count so many records that say nothing new."""
        self._tally.count_many(self._key.name, Outcome.UNCHANGED, number)

    def print_of(self, record: SourceRecord) -> bytes:
        """Tells one state of a record from another."""
        source = {f" {path}": value for path, value in record.source.items()}
        return self._ledger.prints.of_record({**record.values, **source})
