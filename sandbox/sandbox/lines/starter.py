"""Starting plug-ins."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO

from sandbox.lines.forking import TOLD

SERVER = "from sandbox.lines.forking import main; main()"
SLOW = 120.0
"""Seconds after which a process hangs."""


class Hangs(AssertionError):  # noqa: N818  reads as what happened
    """A process did not end in time."""


class Started:
    """A process: its id, and its exit code once it has ended (negative: the signal that killed it)."""

    def __init__(self, told: socket.socket) -> None:
        self._told = told
        self._code: int | None = None
        self._waiting = threading.Lock()
        told.settimeout(SLOW)
        self.pid = int(told.recv(TOLD))

    def wait(self, timeout: float = SLOW) -> int:
        """Its exit code, when it has ended. Raises Hangs."""
        with self._waiting:
            if self._code is None:
                self._told.settimeout(timeout)
                try:
                    self._code = int(self._told.recv(TOLD))
                except TimeoutError:
                    raise Hangs(f"Process {self.pid} did not end within {timeout:.0f} s.") from None
                self._told.close()
            return self._code

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""
        try:
            self.wait(0.001)
        except Hangs:
            return False
        return True

    def send(self, signum: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, signum)

    def stop(self) -> None:
        """Kill it, if it is still there, and what it may have started."""
        if not self.has_ended:
            os.killpg(self.pid, signal.SIGKILL)
            self.wait()


class Starter:
    """Starts any console script quickly (see `sandbox.lines.forking`); leaves no process behind."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._server = subprocess.Popen(  # noqa: S603  our own module
                [sys.executable, "-c", SERVER, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._control.settimeout(SLOW)

    def __enter__(self) -> Starter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all that still runs."""
        self._control.close()
        self._server.wait(SLOW)

    def start(
        self,
        command: str,
        arguments: Sequence[str],
        *,
        streams: tuple[int, int, int],
        environment: Mapping[str, str],
        folder: Path,
    ) -> Started:
        """Start a command with these file descriptors as standard input, output and error."""
        request = {
            "command": command,
            "arguments": list(arguments),
            "environment": dict(environment),
            "folder": str(folder),
        }
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            socket.send_fds(self._control, [json.dumps(request).encode()], [*streams, theirs.fileno()])
        return Started(ours)

    def run(
        self,
        command: str,
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        given: bytes = b"",
    ) -> CompletedProcess[str]:
        """Run a command to its end, as :func:`subprocess.run` does; `given` is its standard input."""
        with TemporaryFile() as source, TemporaryFile() as output, TemporaryFile() as errors:
            source.write(given)
            source.seek(0)
            started = self.start(
                command,
                [str(one) for one in arguments],
                streams=(source.fileno(), output.fileno(), errors.fileno()),
                environment=os.environ if environment is None else environment,
                folder=folder or Path.cwd(),
            )
            code = started.wait()
            said = [_all_of(one) for one in (output, errors)]
        return CompletedProcess([command, *arguments], code, *said)


def _all_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()
