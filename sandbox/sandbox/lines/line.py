"""A line: tap | mapper | target, with settings and state in files, as Meltano runs it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from sandbox.lines.ran import Ran
from sandbox.lines.starter import Started, Starter
from sandbox.systems import Systems

MAPPER = "dataflow-mapper"
TABLES = ("contact", "customer", "product")
OURS = ("TAP_", "TARGET_", "DATAFLOW_", "MELTANO_", "SINGER_", "LOGLEVEL")
"""Environment variables that plug-ins read; those of whoever runs the tests stay outside."""


@dataclass(frozen=True)
class Direction:
    """From which system to which."""

    tap: str
    target: str

    @property
    def name(self) -> str:
        """As the mapper calls it."""
        return f"{self.tap.removeprefix('tap-')}-to-{self.target.removeprefix('target-')}"


TO_TRIPLETEX = Direction("tap-customcrm", "target-tripletex")
TO_CUSTOMCRM = Direction("tap-tripletex", "target-customcrm")


class Line:
    """Processes joined by pipes; standard error goes to files. Killed where the block is left before their end."""

    def __init__(self, processes: Mapping[str, Started], logs: Mapping[str, Path], output: Path) -> None:
        self.processes = processes
        self._logs = logs
        self._output = output

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes.values():
            process.stop()

    def finish(self) -> Ran:
        """Wait for the end of all."""
        codes = {name: process.wait() for name, process in self.processes.items()}
        logs = {name: path.read_text(encoding="utf-8") for name, path in self._logs.items()}
        return Ran(codes, logs, self._output.read_text(encoding="utf-8"))


class Lines:
    """Both lines between two systems, over one link store.

    `settings` holds each plug-in's, `environment` what is added to the environment; both may be changed between runs.
    """

    def __init__(self, systems: Systems, folder: Path, starter: Starter, project: Path) -> None:
        self.systems = systems
        self.folder = folder
        self.links = folder / "links.db"
        self.project = project
        self.environment: dict[str, str] = {}
        self._starter = starter
        self._runs = 0
        crm = {"api_url": systems.customcrm.api_url, "api_key": systems.customcrm.api_key}
        tripletex = {
            "api_url": systems.tripletex.api_url,
            "consumer_token": systems.tripletex.consumer_token,
            "employee_token": systems.tripletex.employee_token,
        }
        store = {"links_url": f"sqlite:///{self.links}"}
        tables = [f"transforms/{name}.yml" for name in TABLES]
        self.settings: dict[str, dict[str, Any]] = {
            "tap-customcrm": crm,
            "tap-tripletex": tripletex,
            "target-customcrm": {**crm, **store},
            "target-tripletex": {**tripletex, **store},
            MAPPER: {"tables": tables},
        }

    # -- running

    def cycle(self) -> tuple[Ran, Ran]:
        """Both lines, one after the other; both must end well."""
        return self.well(TO_TRIPLETEX), self.well(TO_CUSTOMCRM)

    def well(self, direction: Direction, *, full_refresh: bool = False) -> Ran:
        """One line, which must end well."""
        ran = self.run(direction, full_refresh=full_refresh)
        if not ran.ok:
            raise AssertionError(f"{direction.name}: {dict(ran.codes)}\n{ran.log}")
        return ran

    def run(self, direction: Direction, *, full_refresh: bool = False) -> Ran:
        """One line, to its end; the state is kept for the next run, as Meltano does."""
        with self.start(direction, full_refresh=full_refresh) as line:
            ran = line.finish()
        self.keep_state(direction, ran)
        return ran

    def start(self, direction: Direction, *, full_refresh: bool = False) -> Line:
        """One line, running."""
        return self._start(
            [
                (direction.tap, self._state_arguments(direction, full_refresh=full_refresh)),
                (MAPPER, ()),
                (direction.target, ()),
            ],
            direction,
        )

    def messages(self, direction: Direction, *, full_refresh: bool = False) -> Path:
        """What the mapper says to the target, in a file."""
        with self._start(
            [(direction.tap, self._state_arguments(direction, full_refresh=full_refresh)), (MAPPER, ())], direction
        ) as line:
            ran = line.finish()
        if not ran.ok:
            raise AssertionError(ran.log)
        path = self.folder / f"{direction.name}.jsonl"
        path.write_text(ran.output, encoding="utf-8")
        return path

    def load(self, direction: Direction, messages: Path | bytes) -> Ran:
        """The target alone, with messages from a file."""
        with self.start_target(direction, messages) as line:
            ran = line.finish()
        self.keep_state(direction, ran)
        return ran

    def start_target(self, direction: Direction, messages: Path | bytes | int) -> Line:
        """The target alone, running; a number is the file descriptor it reads from."""
        if isinstance(messages, bytes):
            path = self.folder / "input.jsonl"
            path.write_bytes(messages)
            messages = path
        return self._start([(direction.target, ())], direction, messages)

    def start_one(self, plugin: str, arguments: Sequence[str] = (), *, messages: bytes = b"") -> Line:
        """Any plug-in alone, running."""
        direction = TO_TRIPLETEX if plugin in (TO_TRIPLETEX.tap, TO_TRIPLETEX.target, MAPPER) else TO_CUSTOMCRM
        path = self.folder / "input.jsonl"
        path.write_bytes(messages)
        return self._start([(plugin, arguments)], direction, path)

    def _start(
        self, plugins: Sequence[tuple[str, Sequence[str]]], direction: Direction, messages: Path | int | None = None
    ) -> Line:
        self._runs += 1
        environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        processes, logs = {}, {}
        output = self.folder / f"{self._runs}.out"
        source = os.dup(messages) if isinstance(messages, int) else os.open(messages or os.devnull, os.O_RDONLY)
        for place, (plugin, arguments) in enumerate(plugins):
            is_last = place == len(plugins) - 1
            logs[plugin] = self.folder / f"{self._runs}-{plugin}.log"
            next_source, sink = (-1, _made(output)) if is_last else os.pipe()
            log = _made(logs[plugin])
            processes[plugin] = self._starter.start(
                plugin,
                ["--config", str(self._config(plugin, direction)), *arguments],
                streams=(source, sink, log),
                environment={**environment, **self.environment},
                folder=self.project,
            )
            for descriptor in (source, sink, log):
                os.close(descriptor)
            source = next_source
        return Line(processes, logs, output)

    def _config(self, plugin: str, direction: Direction) -> Path:
        settings = self.settings[plugin]
        if plugin == MAPPER:
            settings = {"direction": direction.name, **settings}
        path = self.folder / f"{plugin}.json"
        path.write_text(json.dumps(settings), encoding="utf-8")
        return path

    # -- state

    def state_file(self, direction: Direction) -> Path:
        """Where a line's state is kept."""
        return self.folder / f"{direction.name}.state.json"

    def _state_arguments(self, direction: Direction, *, full_refresh: bool) -> list[str]:
        path = self.state_file(direction)
        return ["--state", str(path)] if path.exists() and not full_refresh else []

    def keep_state(self, direction: Direction, ran: Ran) -> None:
        """Keep what the target emitted last; of a run that failed, over what was there."""
        if not ran.states:
            return
        path, state = self.state_file(direction), ran.states[-1]
        if not ran.ok and path.exists():
            state = _merged(json.loads(path.read_text(encoding="utf-8")), state)
        path.write_text(json.dumps(state), encoding="utf-8")


def _made(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)


def _merged(old: Any, new: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return {**old, **{name: _merged(old.get(name), value) for name, value in new.items()}}
