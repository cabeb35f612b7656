"""The Singer SDK's target around a run: settings, command line, signals, and the streams of other taps."""

from __future__ import annotations

import gc
import json
import signal
from abc import ABC, abstractmethod
from functools import cached_property, partial
from types import FrameType
from typing import IO, Any, ClassVar

from record_sync.errors import SyncError
from singer_edge.console import EXPECTED, SingerPlugin
from singer_edge.errors import RunFailed
from singer_edge.messages import write_out
from singer_edge.progress import COUNTED_EVERY
from singer_edge.rehearsal import Rehearsal
from singer_edge.start import GARBAGE_AFTER
from singer_edge.stop import Stop
from singer_sdk import metrics
from singer_sdk.plugin_base import _ConfigInput

from sync_target.connected import ConnectedSystem
from sync_target.ordinary import LoadingTarget, OrdinarySink
from sync_target.reader import MessageReader
from sync_target.record_message import RecordMessage
from sync_target.rehearsal import RehearsedConnection


class SyncTarget(SingerPlugin, LoadingTarget, ABC):
    """A target that writes what a change needs and remembers what was agreed."""

    side: ClassVar[str]
    """The name of the system written to, as in ``x-sync``."""
    sides: ClassVar[tuple[str, str]] = ("customcrm", "tripletex")
    default_sink_class = OrdinarySink
    message_reader_class = MessageReader
    expected_failures: ClassVar[tuple[type[Exception], ...]] = (*EXPECTED, SyncError)

    def __init__(self, **kwargs: Any) -> None:
        # The SDK takes over the signals first of all.
        self._stop = Stop()
        super().__init__(**kwargs)
        # What works with the store takes long to import, which `--version` and `--about` need not wait for.
        from sync_target.run import Run, open_session  # noqa: PLC0415

        # Sinks share one connection; the order of their writes matters.
        self._max_parallelism = 1
        self._counters: dict[str, metrics.Counter] = {}
        self._rehearsal = Rehearsal.asked()
        links_url = self.config.get("links_url") if self._rehearsal is None else self._rehearsal.links_url
        self._run = Run(
            self.system,
            partial(open_session, self.config, self.system, self.sides, links_url),
            emit=self._write_state_message,
            drain=self.drain_all,
            count=self._count,
            logger=self.logger,
        )
        self._stop.before_leaving = self._run.await_writes

    @abstractmethod
    def connect(self) -> ConnectedSystem:
        """Make the adapter of the system that the settings name."""

    @cached_property
    def system(self) -> ConnectedSystem:
        """The system written to."""
        system = self.connect()
        return system if self._rehearsal is None else RehearsedConnection(system, self._rehearsal)

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
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        given = config or _ConfigInput()
        cls(config=given.config, parse_env_config=given.parse_env).run(file_input)

    def run(self, file_input: IO[str] | None = None) -> None:
        """Process all messages, and leave a row about the run whichever way it ends."""
        gc.set_threshold(GARBAGE_AFTER)
        try:
            self.listen(file_input)
        except self.expected_failures as error:
            self._close("failed", error, str(error))
            raise
        except BaseException as error:
            self._close("stopped", error, type(error).__name__)
            raise

    def _close(self, outcome: str, error: BaseException | None = None, words: str | None = None) -> None:
        for counter in self._counters.values():
            counter.exit()
        self._run.close(outcome, error, words)

    # -- messages: a stream with the mapper's rules is a flow, any other one the SDK's

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        with self._stop:
            if "x-sync" in message_dict["schema"]:
                self._run.schema(message_dict["stream"], message_dict["schema"])
            else:
                super()._process_schema_message(message_dict)

    def _process_record_message(self, message_dict: RecordMessage) -> None:  # type: ignore[override]
        run = self._run
        if not run.takes(message_dict.stream):
            with self._stop:
                super()._process_record_message(message_dict.content())
        elif run.record(message_dict):
            with self._stop:
                run.hand_on(message_dict.stream)

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        with self._stop:
            self._run.state(message_dict["value"])

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Of an ordinary stream nothing is deleted: a load only adds and changes."""
        if self._run.takes(message_dict["stream"]):
            with self._stop:
                self._run.version(message_dict["stream"], message_dict["version"])

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        raise RunFailed(
            f"Stream {message_dict['stream']!r} comes in BATCH files, which this target does not read. "
            "Remove batch_config from the tap's settings."
        )

    def _write_state_message(self, state: dict[str, Any]) -> None:
        write_out(f"{json.dumps(state)}\n".encode())

    def _count(self, stream: str, records: int) -> None:
        """Tell the stream's metric how many more records came."""
        counter = self._counters.get(stream)
        if counter is None:
            counter = self._counters[stream] = metrics.record_counter(stream, log_interval=COUNTED_EVERY)
            counter.__enter__()
        counter.increment(records)

    def process_endofpipe(self) -> None:
        """Bring everything to its end."""
        with self._stop:
            self._run.end()
            super().process_endofpipe()
            self._close("done")

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop at the end of the message at hand; what was not handed on is read again by the next run."""
        del frame
        self.logger.info("Told to stop (%s); stopping after what is being written", signal.Signals(signum).name)
        self._stop.request(signum)
