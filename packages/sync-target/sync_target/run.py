"""One run of a target: what it does at each message, when it emits state, and how it ends. Knows no Singer SDK."""

from __future__ import annotations

import json
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from record_sync.breaker import Limits
from record_sync.errors import StampMismatchError, SyncError
from record_sync.rules import FlowRules
from record_sync.session import Session
from record_sync.store import Store
from singer_edge.errors import RunFailed
from singer_edge.systems import identity_in

from sync_target.connected import ConnectedSystem
from sync_target.flow_input import FlowInput
from sync_target.record_message import RecordMessage
from sync_target.report import account, report

STATE_EVERY_RECORDS = 10_000
STATE_EVERY_SECONDS = 60.0

State = dict[str, Any]


@dataclass
class Run:
    """Takes the messages of the mapper, flow by flow."""

    system: ConnectedSystem
    """Written to."""
    open_session: Callable[[], Session]
    """Opens the link store, when the first flow comes."""
    emit: Callable[[State], None]
    drain: Callable[[], None]
    """Writes what other streams than flows still hold back; called before a state is emitted."""
    count: Callable[[str, int], None]
    """Is told how many more records came on a stream."""
    logger: logging.Logger
    _session: Session | None = None
    _inputs: dict[str, FlowInput] = field(default_factory=dict)
    _state: State | None = None
    _since_state: int = 0
    """Records that came since a state was emitted."""
    _emitted_at: float = field(default_factory=time.monotonic)

    # -- messages

    def takes(self, stream: str) -> bool:
        """Whether a stream is a flow: its SCHEMA has the mapper's rules."""
        return stream in self._inputs

    def schema(self, stream: str, schema: Mapping[str, Any]) -> None:
        """Take a flow into the run, or its new rules or types.

        Raises:
            SyncError: its rules are not valid, or the store cannot be used.

        """
        rules = FlowRules.from_schema(schema, self.system.side)
        before = self._inputs.get(stream)
        if before is not None:
            self._hand_on(before)
            if before.schema == schema:
                return
        if self._session is None:
            self._session = self.open_session()
        count = partial(self.count, stream)
        flow_input = FlowInput(self._session.flow(rules), stream, schema, count)
        # The read goes on: where it started was told at its beginning.
        flow_input.start_checked = before is not None and before.start_checked
        self._inputs[stream] = flow_input
        count(0)

    def record(self, message: RecordMessage) -> bool:
        """Take a record of a flow; tells whether so many came in that :meth:`hand_on` is due."""
        flow_input = self._inputs[message.stream]
        flow_input.add(message)
        self._since_state += 1
        return flow_input.has_batch

    def hand_on(self, stream: str) -> None:
        """Be done with the records that say nothing new, and hand the others on once they are worth it."""
        flow_input = self._inputs[stream]
        flow_input.recognise()
        if flow_input.is_full:
            self._hand_on(flow_input, more=True)

    def state(self, value: State) -> None:
        """Keep a state until it may be emitted. The first one after a flow's SCHEMA tells what is read, from where on.

        Raises:
            SyncError: the store is another system's, or does not hold what was read before that.

        """
        bookmarks = _bookmarks(value) if self._inputs else {}
        self._state = value
        for flow_input in self._inputs.values():
            if not flow_input.start_checked:
                flow_input.start_checked = True
                rules = flow_input.rules
                identity = identity_in(value, rules.source_side)
                if identity is not None:
                    self.session.reads_from(rules.source_side, identity)
                self.session.starts_from(rules.flow, bookmarks.get(rules.source_resource) or {})
        age = time.monotonic() - self._emitted_at
        if self._since_state >= STATE_EVERY_RECORDS or age >= STATE_EVERY_SECONDS:
            self._emit_state()

    def version(self, stream: str, version: int) -> None:
        """All records of a flow came with this version; what did not come may be gone."""
        flow_input = self._inputs[stream]
        self._hand_on(flow_input)
        missing = flow_input.flow.presence.complete(version)
        if missing:
            self.logger.info(
                "%s: %d linked records did not come; the next run that writes there looks them up",
                flow_input.rules.flow,
                missing,
            )

    def end(self) -> None:
        """Bring everything to its end: what came in, what waits, and last the state.

        Raises:
            SyncError: too much was refused, or held back.

        """
        self._hand_on_all()
        if self._session is not None:
            self._session.finish()
        self._emit_state()
        if self._session is not None:
            self._session.verdict()

    def close(self, outcome: str, error: BaseException | None = None, words: str | None = None) -> None:
        """Report what became of the records, in the log and in the store's row about the run.

        Args:
            outcome: done, failed or stopped.
            error: what ended it.
            words: the same, for people.

        Raises:
            SyncError: the row cannot be written, and no other error ended the run.

        """
        session, self._session = self._session, None
        if session is None:
            return
        requests, waits = self.system.requests, self.system.waits
        report(self.logger, session)
        self.logger.info("%s", json.dumps(account(session, self.system.side, outcome, error, requests, waits)))
        try:
            session.close(outcome, words, requests, waits)
        except SyncError:
            if error is None:
                raise
            # The store is what failed; that is reported already.
            self.logger.debug("The run's row could not be written")

    def await_writes(self) -> None:
        """Wait for the answers to what is being written, and store them."""
        for flow_input in self._inputs.values():
            flow_input.await_writes()

    # -- within

    @property
    def session(self) -> Session:
        """The run as the store knows it; begun by the first flow that comes in."""
        if self._session is None:
            raise RuntimeError("no flow has come in")
        return self._session

    def _hand_on_all(self) -> None:
        for flow_input in self._inputs.values():
            self._hand_on(flow_input)

    def _hand_on(self, flow_input: FlowInput, *, more: bool = False) -> None:
        """Hand a flow's records on, after those of the flows that have to see the same records first."""
        for name in flow_input.rules.after:
            first = self._inputs.get(name)
            if first is not None and first is not flow_input:
                self._hand_on(first)
        for other in self._inputs.values():
            if other is not flow_input:
                other.await_writes()
        flow_input.hand_on(more=more)
        self.session.check_failures()

    def _emit_state(self) -> None:
        """Emit the newest state, once all that it covers is written, linked or durably waiting."""
        self._hand_on_all()
        self.drain()
        if self._state:
            if self._session is not None:
                flows_of = defaultdict(list)
                for flow_input in self._inputs.values():
                    flows_of[flow_input.rules.source_resource].append(flow_input.rules.flow)
                self._session.acknowledge(_bookmarks(self._state), flows_of)
            self.emit(self._state)
        self._since_state, self._emitted_at = 0, time.monotonic()


def open_session(
    config: Mapping[str, Any], system: ConnectedSystem, sides: tuple[str, str], links_url: str | None
) -> Session:
    """Begin a run.

    Raises:
        RunFailed: no store is named.
        SyncError: it cannot be opened, or is another system's.

    """
    if not links_url:
        raise RunFailed(
            "missing setting 'links_url' (Link store): a two-way sync has to remember which records belong "
            "together, for example sqlite:////path/to/links.db"
        )
    store = Store(links_url, sides, config["sync_name"])
    try:
        _check_address(store, system)
        limits = Limits(config["max_delete_share"], config["max_overwrite_share"])
        return Session(store, system, max_failure_share=config["max_failure_share"], limits=limits)
    except BaseException:
        store.close()
        raise


def _check_address(store: Store, system: ConnectedSystem) -> None:
    """Refuse a store of another system before anything is taken in; a run that writes checks the whole stamp."""
    bound_to = store.stamped(system.side)
    if bound_to is not None and not bound_to.endswith(system.address):
        raise StampMismatchError(
            f"The link store {store.place} (sync name {store.sync_name!r}) belongs to {bound_to}, "
            f"but this run would write to the one{system.address}. Use another links_url or sync_name for it."
        )


def _bookmarks(state: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The bookmarks in a state, by the tap's stream. Raises RunFailed where it has something else in their place."""
    bookmarks = state.get("bookmarks") or {}
    if not isinstance(bookmarks, dict) or not all(isinstance(one, dict) for one in bookmarks.values()):
        raise RunFailed(
            "a STATE of the input has no object of bookmarks by stream; "
            "give the tap the state of the last good run, or run it with --full-refresh"
        )
    return bookmarks
