"""A process that loads each program once, and forks one for each start.

Python needs a second or more to load a plug-in, and a test of every moment at which a run may die starts hundreds.
What is started is a process of its own all the same: it runs the console script's function with its own standard
streams, environment and process group, and dies of signals.

Run by :class:`sandbox.lines.starter.Starter`. Each request is one packet on the control socket: a JSON object with
command, arguments, environment and folder, and with it the three standard streams and a socket on which the process id
and later the exit code are told.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import TypeAlias

from sandbox.lines import dying

LARGEST_REQUEST = 1 << 17
STREAMS = 3
TOLD = 64
"""Bytes that a process id or an exit code takes at most."""


Program: TypeAlias = Callable[[], object]


class Programs(dict[str, Program]):
    """Console scripts by their names, each imported when first asked for, with what it reads in its first moments."""

    def __missing__(self, name: str) -> Program:
        (script,) = (one for one in entry_points(group="console_scripts") if one.name == name)
        program: Program = script.load()
        # A plug-in's script imports the plug-in when it runs, or before.
        getattr(program, "load", lambda: None)()
        if name.startswith("target-"):
            for module in ("sync_target.run", "sqlalchemy.dialects.sqlite", "sqlalchemy.pool"):
                import_module(module)
        version("singer-sdk")
        profiles = import_module("customcrm_client.loading")
        for path in (profiles.SHIPPED / f"{profiles.REFERENCE}.yml", *Path("transforms").glob("*.yml")):
            profiles.parse(path.read_text(encoding="utf-8"), path.name)
        gc.freeze()
        self[name] = program
        return program


class Forking:
    """Serves requests until the control socket is closed; in each child `serve` returns what it is to run."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._programs = Programs()
        self._children: dict[int, socket.socket] = {}
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)

    def serve(self) -> Program | None:
        """Fork for each request. None once there will be no more."""
        signal.set_wakeup_fd(self._wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            ready, _, _ = select.select([self._control.fileno(), self._woken], [], [])
            if self._woken in ready:
                os.read(self._woken, 4096)
                self._bury()
            if self._control.fileno() in ready:
                packet, streams, _, _ = socket.recv_fds(self._control, LARGEST_REQUEST, STREAMS + 1)
                if not packet:
                    self._end()
                    return None
                program = self._fork(json.loads(packet), streams)
                if program is not None:
                    return program

    def _fork(self, request: dict[str, object], streams: list[int]) -> Program | None:
        teller = socket.socket(fileno=streams[STREAMS])
        program = self._programs[str(request["command"])]
        pid = os.fork()
        if pid == 0:
            self._become(request, streams, teller)
            return program
        for one in streams[:STREAMS]:
            os.close(one)
        self._children[pid] = teller
        teller.send(str(pid).encode())
        return None

    def _become(self, request: dict[str, object], streams: list[int], teller: socket.socket) -> None:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for inherited in (teller, self._control, *self._children.values()):
            inherited.close()
        for pipe_end in (self._woken, self._wake):
            os.close(pipe_end)
        for number, stream in enumerate(streams[:STREAMS]):
            os.dup2(stream, number)
            os.close(stream)
        os.environ.clear()
        os.environ.update(dict(request["environment"]))  # type: ignore[call-overload]
        os.chdir(str(request["folder"]))
        sys.argv = [str(request["command"]), *request["arguments"]]  # type: ignore[misc]
        dying.prepare(os.environ)

    def _bury(self) -> None:
        """Tell of the children that have ended."""
        for pid in list(self._children):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                with self._children.pop(pid) as teller:
                    _tell(teller, os.waitstatus_to_exitcode(status))

    def _end(self) -> None:
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _tell(teller: socket.socket, code: int) -> None:
    try:
        teller.send(str(code).encode())
    except OSError:
        return  # whoever started it does not care any more


def main() -> None:
    """Serve on the socket whose number is the first argument."""
    program = Forking(socket.socket(fileno=int(sys.argv[1]))).serve()
    if program is not None:
        _run(program)


def _run(program: Program) -> None:
    """Run a program to its end, and end as Python does, but for freeing its objects: that copies what is shared."""
    code: object = None
    try:
        program()
    except SystemExit as stop:
        code = stop.code
    if code is not None and not isinstance(code, int):
        sys.stderr.write(f"{code}\n")
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001
    atexit._run_exitfuncs()  # noqa: SLF001
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        code = code or 120  # as Python itself says
    os._exit(code or 0)
