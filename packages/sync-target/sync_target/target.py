"""The target: where each message goes, when state is emitted, and how a run ends."""

from __future__ import annotations

import gc
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import FrameType
from typing import IO, TYPE_CHECKING, Any, ClassVar

from record_sync.errors import SyncError
from singer_edge.console import EXPECTED, SingerPlugin
from singer_edge.errors import RunFailed
from singer_edge.progress import COUNTED_EVERY
from singer_edge.rehearsal import Rehearsal
from singer_edge.start import GARBAGE_AFTER
from singer_sdk import Target, metrics
from singer_sdk.plugin_base import PluginBase, _ConfigInput

from sync_target.connected import ConnectedSystem
from sync_target.ordinary import OrdinarySink
from sync_target.reader import MessageReader, RecordMessage
from sync_target.rehearsal import RehearsedConnection
from sync_target.report import account, log_account, report

if TYPE_CHECKING:
    from record_sync.session import Session

    from sync_target.flow_input import FlowInput

STATE_EVERY_RECORDS = 10_000
STATE_EVERY_SECONDS = 60.0


class SyncTarget(SingerPlugin, Target, ABC):
    """A target that writes what a change needs and remembers what was agreed."""

    side: ClassVar[str]
    """The name of the system written to, as in ``x-sync``."""
    sides: ClassVar[tuple[str, str]] = ("customcrm", "tripletex")
    default_sink_class = OrdinarySink
    message_reader_class = MessageReader
    expected_failures: ClassVar[tuple[type[Exception], ...]] = (*EXPECTED, SyncError)

    def __init__(self, **kwargs: Any) -> None:
        # Told to stop from here on: the SDK takes over the signals first of all.
        self._busy = False
        self._stop_code: int | None = None
        super().__init__(**kwargs)
        # Sinks share one connection and one store; the order of their writes matters.
        self._max_parallelism = 1
        self._rehearsal = Rehearsal.asked()
        self._system: ConnectedSystem | None = None
        self._session: Session | None = None
        self._inputs: dict[str, FlowInput] = {}
        self._counters: dict[str, metrics.Counter] = {}
        self._counted: dict[str, int] = {}
        self._came_at_state = 0
        self._state_at = time.monotonic()

    @abstractmethod
    def connect(self) -> ConnectedSystem:
        """Make the adapter of the system that the settings name."""

    @property
    def system(self) -> ConnectedSystem:
        """The system written to; connected when first needed."""
        if self._system is None:
            system = self.connect()
            self._system = system if self._rehearsal is None else RehearsedConnection(system, self._rehearsal)
        return self._system

    # -- running

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        file_input: IO[str] | None = None,
    ) -> None:
        """Run the command: read messages until the input ends."""
        PluginBase.invoke.__func__(cls, about=about, about_format=about_format)  # type: ignore[attr-defined]
        cls.print_version(print_fn=cls.logger.info)
        config = config or _ConfigInput()
        target = cls(config=config.config, validate_config=True, parse_env_config=config.parse_env)
        target.run(file_input)

    def run(self, file_input: IO[str] | None = None) -> None:
        """Process all messages, and leave a row about the run whichever way it ends."""
        gc.set_threshold(GARBAGE_AFTER)
        try:
            self.listen(file_input)
        except self.expected_failures as error:
            self._close("failed", error)
            raise
        except BaseException as error:
            self._close("stopped", error)
            raise

    def _close(self, outcome: str, error: BaseException | None = None) -> None:
        session, self._session = self._session, None
        if session is not None:
            for counter in self._counters.values():
                counter.exit()
            requests, waits = self.system.requests, self.system.waits
            report(self.logger, session)
            log_account(self.logger, account(session, self.side, outcome, error, requests, waits))
            try:
                session.close(outcome, self._words(error), requests, waits)
            except SyncError:
                if error is None:
                    raise
                # The store is what failed; that is told already.
                self.logger.debug("The run's row could not be written")

    def _words(self, error: BaseException | None) -> str | None:
        if error is None or isinstance(error, self.expected_failures):
            return None if error is None else str(error)
        return type(error).__name__

    # -- messages

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        with self._uninterrupted():
            schema = message_dict.get("schema")
            if not isinstance(schema, dict) or "x-sync" not in schema:
                super()._process_schema_message(message_dict)
                return
            # See there why it is imported only now.
            from sync_target import opening  # noqa: PLC0415

            rules = opening.FlowRules.from_schema(schema, self.side)
            stream = message_dict["stream"]
            before = self._inputs.get(stream)
            if before is not None:
                self._hand_on(before)
                if before.rules == rules:
                    return
            if self._session is None:
                links_url = self.config.get("links_url") if self._rehearsal is None else self._rehearsal.links_url
                self._session = opening.open_session(self.config, self.system, self.sides, links_url)
            self._inputs[stream] = opening.open_flow(self._session, stream, schema, rules)
            if before is not None:
                self._inputs[stream].came = before.came
            else:
                self._counters[stream] = metrics.record_counter(stream, log_interval=COUNTED_EVERY)
                self._counters[stream].__enter__()

    def _process_record_message(self, message_dict: RecordMessage) -> None:  # type: ignore[override]
        flow_input = self._inputs.get(message_dict.stream)
        if flow_input is None:
            with self._uninterrupted():
                super()._process_record_message(message_dict.content())
            return
        flow_input.add(message_dict)
        if flow_input.has_batch:
            with self._uninterrupted():
                flow_input.recognise()
                self._count(flow_input)
                if flow_input.is_full:
                    self._hand_on(flow_input, more=True)

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        with self._uninterrupted():
            bookmarks = _bookmarks(message_dict["value"]) if self._inputs else {}
            super()._process_state_message(message_dict)
            for flow_input in self._inputs.values():
                if not flow_input.start_checked:
                    flow_input.start_checked = True
                    rules = flow_input.rules
                    self.session.starts_from(rules.flow, bookmarks.get(rules.source_resource) or {})
            if (
                sum(one.came for one in self._inputs.values()) - self._came_at_state >= STATE_EVERY_RECORDS
                or time.monotonic() - self._state_at >= STATE_EVERY_SECONDS
            ):
                self.drain_all()

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        with self._uninterrupted():
            flow_input = self._inputs.get(message_dict["stream"])
            if flow_input is None:
                if self.sink_exists(message_dict["stream"]):
                    super()._process_activate_version_message(message_dict)
                return
            self._hand_on(flow_input)
            missing = flow_input.flow.presence.complete(int(message_dict["version"]))
            if missing:
                self.logger.info(
                    "%s: %d linked records did not come; the next run that writes there looks them up",
                    flow_input.rules.flow,
                    missing,
                )

    @property
    def session(self) -> Session:
        """The run; begun by the first flow that comes in."""
        if self._session is None:
            raise RuntimeError("no flow has come in")
        return self._session

    def _hand_on(self, flow_input: FlowInput, *, more: bool = False) -> None:
        """Hand a flow's records on, after those of the flows that have to see the same records first."""
        for name in flow_input.rules.after:
            first = self._inputs.get(name)
            if first is not None and first is not flow_input:
                self._hand_on(first)
        for other in self._inputs.values():
            if other is not flow_input:
                other.flow.settle()
        flow_input.hand_on(more=more)
        self._count(flow_input)
        self.session.check_failures()

    def settle(self) -> None:
        """Wait for what is being written."""
        for flow_input in self._inputs.values():
            flow_input.flow.settle()

    def _count(self, flow_input: FlowInput) -> None:
        """Tell the metric what came in since it was last told."""
        stream = flow_input.stream
        self._counters[stream].increment(flow_input.came - self._counted.get(stream, 0))
        self._counted[stream] = flow_input.came

    # -- state and the end

    def _write_state_message(self, state: dict[str, Any]) -> None:
        """Emit state, once all that it covers is written, linked or durably waiting."""
        for flow_input in self._inputs.values():
            self._hand_on(flow_input)
        if self._session is not None:
            flows_of: dict[str, list[str]] = {}
            for flow_input in self._inputs.values():
                flows_of.setdefault(flow_input.rules.source_resource, []).append(flow_input.rules.flow)
            self._session.acknowledge(_bookmarks(state), flows_of)
        super()._write_state_message(state)
        self._came_at_state = sum(one.came for one in self._inputs.values())
        self._state_at = time.monotonic()

    def process_endofpipe(self) -> None:
        """Bring everything to its end: what came in, what waited, and last the state."""
        with self._uninterrupted():
            for flow_input in self._inputs.values():
                self._hand_on(flow_input)
            if self._session is not None:
                self._session.finish()
            self.drain_all(is_endofpipe=True)
            if self._session is not None:
                self._session.verdict()
        self._close("done")

    # -- being told to stop

    def _uninterrupted(self) -> _Uninterrupted:
        return _Uninterrupted(self)

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop at the end of the message at hand; what was not handed on is read again by the next run."""
        del frame
        self.logger.info("Told to stop (%s); stopping after what is being written", signal.Signals(signum).name)
        if not self._busy or self._stop_code is not None:
            raise SystemExit(128 + signum)
        self._stop_code = 128 + signum


def _bookmarks(state: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The bookmarks in a state, by the tap's stream. Raises RunFailed where it has something else in their place."""
    bookmarks = state.get("bookmarks") or {}
    if not isinstance(bookmarks, dict) or not all(isinstance(one, dict) for one in bookmarks.values()):
        raise RunFailed(
            "a STATE of the input has no object of bookmarks by stream; "
            "give the tap the state of the last good run, or run it with --full-refresh"
        )
    return bookmarks


class _Uninterrupted:
    """While a message is worked on, a signal waits for its end."""

    def __init__(self, target: SyncTarget) -> None:
        self._target = target
        self._outermost = not target._busy  # noqa: SLF001 - one with the target

    def __enter__(self) -> None:
        self._target._busy = True  # noqa: SLF001 - one with the target

    def __exit__(self, *_: object) -> None:
        if not self._outermost:
            return
        self._target._busy = False  # noqa: SLF001 - one with the target
        if self._target._stop_code is not None:  # noqa: SLF001 - one with the target
            self._target.settle()
            raise SystemExit(self._target._stop_code)  # noqa: SLF001 - one with the target
