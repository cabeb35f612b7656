"""Processes in a pipe: how long they took together, and how much memory each of them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

KILOBYTES_IN_MB = 1024 if sys.platform != "darwin" else 1024 * 1024
WORDS = 2000
"""Characters of a failed process's last words that are shown."""


class Failed(Exception):  # noqa: N818 - named as what is told
    """A process ended badly, or took longer than it may."""


@dataclass(frozen=True)
class Command:
    """A program in a pipe; `name` is what it is called in the tables."""

    name: str
    arguments: Sequence[object]
    """As `str` has them: texts, paths, numbers."""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ran:
    """What a pipe took."""

    seconds: float
    processor: float
    """Seconds of processors' time of all of them together: the same on a machine that has other things to do."""
    peak_mb: dict[str, float]
    """Largest resident memory of each process, by the command's name; at least the bench's own, which starts it."""


def run(*commands: Command, folder: Path, output: Path | None = None, timeout: float = 600) -> Ran:
    """Run commands, each reading what the one before it writes, and wait for all of them.

    What the last one writes goes to `output`, else nowhere. Each logs to `<name>.log` in the folder. Raises `Failed`
    where one does not end with code 0, or not in time; no process is left behind.
    """
    started: list[tuple[Command, subprocess.Popen[bytes]]] = []
    peaks: dict[str, float] = {}
    late = threading.Event()

    def stop() -> None:
        late.set()
        _kill(started)

    began = time.perf_counter()
    timer = threading.Timer(timeout, stop)
    timer.start()
    try:
        with (output or Path(os.devnull)).open("wb") as sink:
            _start(commands, started, folder, sink)
        codes, processor = {}, 0.0
        for command, process in started:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = codes[command.name] = os.waitstatus_to_exitcode(status)
            processor += usage.ru_utime + usage.ru_stime
            peaks[command.name] = usage.ru_maxrss / KILOBYTES_IN_MB
        seconds = time.perf_counter() - began
    finally:
        timer.cancel()
        _kill(started)
    # The last one that failed is the cause: those before it lose their reader.
    for name, code in reversed(codes.items()):
        if code or late.is_set():
            words = (folder / f"{name}.log").read_text(errors="replace")[-WORDS:]
            raise Failed(f"{name}: {f'not done in {timeout:.0f} s' if late.is_set() else f'exit code {code}'}\n{words}")
    return Ran(seconds, processor, peaks)


def _start(
    commands: Sequence[Command], started: list[tuple[Command, subprocess.Popen[bytes]]], folder: Path, sink: IO[bytes]
) -> None:
    above: IO[bytes] | None = None
    for place, command in enumerate(commands):
        is_last = place == len(commands) - 1
        with (folder / f"{command.name}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - the bench's own commands
                [str(argument) for argument in command.arguments],
                stdin=subprocess.DEVNULL if above is None else above,
                stdout=sink if is_last else subprocess.PIPE,
                stderr=log,
                env={**os.environ, **command.environment},
                cwd=folder,
            )
        if above is not None:
            above.close()
        started.append((command, process))
        above = process.stdout


def _kill(started: Sequence[tuple[Command, subprocess.Popen[bytes]]]) -> None:
    for _, process in started:
        if process.returncode is None:
            process.kill()


def count_lines(path: Path, having: bytes) -> int:
    """Lines of a file that hold some bytes."""
    with path.open("rb") as lines:
        return sum(having in line for line in lines)
