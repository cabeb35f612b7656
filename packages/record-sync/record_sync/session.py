"""One run of a target: it opens the store, takes flows in, and ends with what waited being tried again."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from record_sync.breaker import USUAL, Limits
from record_sync.errors import BehindTheTapError, BreakerOpenError, SyncError, TooManyFailuresError
from record_sync.flow_sync import FlowSync
from record_sync.ledger import Ledger
from record_sync.outcome import Tally, Waits
from record_sync.rules import FlowRules
from record_sync.store.runs import NO_WAITS, Runs
from record_sync.store.store import Store
from record_sync.system import TargetSystem

FEW_FAILURES = 20
"""So many refused records never end a run, whatever their share."""
MOST_REFUSED_IN_A_ROW = 1000
"""So many refused records, with none accepted between them, stop a run in its middle: nothing gets through. Fewer are
judged at its end, by their share of all records, so that refusals that come first keep nothing back."""


class Session:
    """A run of one target with one store.

    Args:
        store: opened, and so locked for this run.
        system: the side this target writes to.
        max_failure_share: more refused records than this share of a flow make the run end with an error.
    """

    def __init__(
        self, store: Store, system: TargetSystem, *, max_failure_share: float = 0.2, limits: Limits = USUAL
    ) -> None:
        self.store = store
        self._system = system
        self.tally = Tally()
        self.flows: dict[str, FlowSync] = {}
        self._max_failure_share = max_failure_share
        self._limits = limits
        self._held: list[BreakerOpenError] = []
        self._stamped = False
        self._runs = Runs(store)
        self.started_at = store.now()
        self._begun = store.now_ms()
        self.run_id = self._runs.begin(system.side)
        self._read: dict[str, str] = {}

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, SyncError):
            self.close("failed", str(error))
        elif kind is not None:
            self.close("stopped", kind.__name__)
        else:
            self.close("done")

    def close(self, outcome: str, error: str | None = None, requests: int = 0, waits: Waits = NO_WAITS) -> None:
        """Write the run's row and let go of the store."""
        for flow in self.flows.values():
            flow.abandon()
        try:
            counts = {name: self.tally.of(name) for name in self.flows}
            self._runs.end(self.run_id, outcome, counts, requests, error, waits, self.tally.first_errors())
        finally:
            self.store.close()

    def system(self) -> TargetSystem:
        """The system that is written to; at its first use in a run it must be the one that the store is bound to.

        A run in which nothing changed so makes no request at all.

        Raises:
            StampMismatchError: the store belongs to another system or company.
        """
        if not self._stamped:
            self.store.stamp(self._system.side, self._system.stamp())
            self._stamped = True
        return self._system

    @property
    def notes(self) -> list[str]:
        """What the operator is told at the end of the run, beside the counts."""
        return self.tally.notes

    # -- flows

    def flow(self, rules: FlowRules) -> FlowSync:
        """Take a flow into the run, or its new rules; what an earlier run left half done in it is settled first."""
        key, different = self.store.flow(rules)
        flow = FlowSync(Ledger(self.store, key), self.system, rules, self.tally, self._limits)
        before = self.flows.get(rules.flow)
        if before is not None:
            flow.go_on_from(before)
        self.flows[rules.flow] = flow
        flow.recover()
        if different:
            self.tally.notes.append(
                f"The table or the policies of flow {rules.flow!r} changed since the last run. "
                "Run both directions once with --full-refresh to carry the change over to all records."
            )
        return flow

    def reads_from(self, side: str, identity: str) -> None:
        """The tap reads this system: the store must be bound to it, or be new.

        Raises:
            StampMismatchError: the store's ids of this side are another system's.
        """
        if self._read.get(side) != identity:
            self.store.stamp(side, identity, "read from")
            self._read[side] = identity

    def starts_from(self, flow_name: str, bookmark: Mapping[str, Any]) -> None:
        """The tap reads a flow's source from this bookmark on.

        Raises:
            BehindTheTapError: this store never got what was read before it, so that records that it does not know
                may well be linked in truth; creating them would double them.

        """
        as_of = bookmark.get("as_of")
        flow = self.flows[flow_name]
        if not as_of:
            flow.match_whole_records()
            return
        known = flow.flow.ledger.acknowledged
        if known is None or known < str(as_of):
            raise BehindTheTapError(
                f"Flow {flow_name!r}: the tap starts from {as_of}, but this link store has "
                + ("no record of an earlier run" if known is None else f"only what was read up to {known}")
                + f". {self._written()} "
                "Run again with --full-refresh, so that all records are looked at and linked first."
            )

    def _written(self) -> str:
        written = self.tally.written()
        if not written:
            return "Nothing was written."
        return f"Before that, the run had written {written} record{'s' * (written > 1)}."

    def acknowledge(self, bookmarks: Mapping[str, Mapping[str, Any]], flows_of: Mapping[str, list[str]]) -> None:
        """All that was read up to these bookmarks is written, linked or waiting.

        Args:
            bookmarks: of a STATE message, by the tap's stream.
            flows_of: the flows that a stream of the tap feeds.

        """
        self.store.acknowledge(
            {
                self.flows[name].key: str(bookmark["as_of"])
                for stream, bookmark in bookmarks.items()
                for name in flows_of.get(stream, [])
                if bookmark.get("as_of") and name in self.flows
            }
        )

    # -- the end

    def finish(self) -> None:
        """Try again what waits, then make the deletions that are due. How it went tells :meth:`verdict`."""
        self.retry_references()
        for flow in self.flows.values():
            flow.retry_due(self._begun)
        self.retry_references()
        for flow in self.flows.values():
            try:
                flow.end()
            except BreakerOpenError as error:
                self._held.append(error)
        for flow in self.flows.values():
            flow.purge()

    def verdict(self) -> None:
        """Say whether the run was a good one, when all it did is stored.

        Raises:
            BreakerOpenError: deletions were held back.
            TooManyFailuresError: more was refused than a run may leave behind.
        """
        for error in self._held:
            raise error
        for name in self.flows:
            refused, share = self.tally.refused(name)
            if refused > FEW_FAILURES and share > self._max_failure_share:
                raise self._too_many(
                    name,
                    f"{refused} records were refused, more than the share of {self._max_failure_share:.0%} that "
                    "max_failure_share allows",
                )

    def retry_references(self) -> None:
        """Take up the records that wait for others, for as long as some of them get further."""
        waiting = [flow for flow in self.flows.values() if flow.rules.references]
        while any(flow.retry_references() for flow in waiting):
            pass

    def check_failures(self) -> None:
        """Stop a run in which nothing gets through.

        Raises:
            TooManyFailuresError: more than MOST_REFUSED_IN_A_ROW records were refused, and none accepted since.

        """
        for name in self.flows:
            refused = self.tally.refused_in_a_row[name]
            if refused > MOST_REFUSED_IN_A_ROW:
                raise self._too_many(name, f"{refused} records in a row were refused, so the run was stopped")

    def _too_many(self, flow_name: str, what: str) -> TooManyFailuresError:
        reasons = "; ".join(self.tally.first_reasons(flow_name, 2))
        return TooManyFailuresError(f"Flow {flow_name!r}: {what}. They are kept and tried again. First: {reasons}")
