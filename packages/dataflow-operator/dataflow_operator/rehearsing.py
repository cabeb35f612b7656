"""The cycle, run by Meltano as always, but for its writes: they are noted (``singer_edge.rehearsal``).

Nothing of it can reach what the real runs work with: the plug-ins are told to rehearse, by a variable that no setting
can lose; the link store is a copy; and Meltano has a folder, a database and a state of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import msgspec
from singer_edge.rehearsal import REHEARSAL, Rehearsal

from dataflow_operator.errors import OperatorError
from dataflow_operator.settings import TARGETS

ENVIRONMENT = "production"
"""The Meltano environment that is meant where none is named, as for the store."""
_OWN = ("run", "logs", "meltano.db", "meltano.db-wal", "meltano.db-shm")
"""What Meltano keeps of its runs; the rest of its folder is what it installed."""
_KINDS = {(True, False): "extractors", (True, True): "mappers", (False, True): "loaders", (False, False): ""}
"""What Meltano calls a plug-in that gives messages, takes them, or both."""
_PLANNED_ENDS = ("BreakerOpenError", "TooManyFailuresError", "BehindTheTapError")
"""Ends of a run that are part of what it would do."""


class Line(msgspec.Struct, frozen=True):
    """How one line of the cycle would end."""

    to: str
    run: int
    """The number of its row in the copy of the link store."""
    outcome: str
    error: str | None


class Project:
    """A Meltano project, in one environment.

    Args:
        folder: with the project's meltano.yml.
        environment: the variables as they are.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        if not (folder / "meltano.yml").is_file():
            raise OperatorError(
                f"{folder} is no Meltano project: it has no meltano.yml. Run this in the project's folder."
            )
        beside = Path(sys.executable).parent / "meltano"
        command = str(beside) if beside.is_file() else shutil.which("meltano")
        if command is None:
            raise OperatorError("The command meltano is not found. Install it beside dataflow, or put it on PATH.")
        self._command = command
        self._folder = folder
        self._environment = {
            **environment,
            "MELTANO_ENVIRONMENT": environment.get("MELTANO_ENVIRONMENT") or ENVIRONMENT,
        }
        self._system = Path(environment.get("MELTANO_SYS_DIR_ROOT") or folder / ".meltano")

    def rehearse(self, rehearsal: Rehearsal, blocks: Sequence[str], *, full_refresh: bool = False) -> list[Line]:
        """Run lines or jobs as a rehearsal; tells how each line would end.

        Raises:
            OperatorError: the rehearsal itself failed.
        """
        own = self._own(rehearsal.folder)
        states = self._meltano(["state", "export"], self._environment)
        if json.loads(states.stdout or "{}"):
            self._meltano(["state", "import"], own, stdin=states.stdout)
        arguments = ["--log-format=json", "run", *(["--full-refresh"] if full_refresh else []), *blocks]
        ran = self._meltano(arguments, own, must=False)
        lines, fault = _read_log(ran.stdout + ran.stderr)
        if ran.returncode and not (lines and lines[-1].error in _PLANNED_ENDS):
            raise OperatorError(f"The rehearsal failed: {fault or _last(ran)}")
        return lines

    def _own(self, folder: Path) -> dict[str, str]:
        system = folder / "meltano"
        system.mkdir(mode=0o700)
        if self._system.is_dir():
            for one in self._system.iterdir():
                if one.name not in _OWN:
                    (system / one.name).symlink_to(one.absolute())
        return {
            **self._environment,
            "MELTANO_SYS_DIR_ROOT": str(system),
            "MELTANO_DATABASE_URI": f"sqlite:///{folder}/meltano.db",
            "MELTANO_STATE_BACKEND_URI": "systemdb",
            REHEARSAL: str(folder),
            # A target of a release that does not know rehearsals refuses this one, instead of writing.
            **{f"{target}_LINKS_URL": f"rehearsal:///{folder}/links.db" for target in TARGETS},
        }

    def _meltano(
        self, arguments: Sequence[str], environment: Mapping[str, str], *, stdin: str = "", must: bool = True
    ) -> subprocess.CompletedProcess[str]:
        process = subprocess.Popen(  # noqa: S603 - the project's own command
            [self._command, *arguments],
            cwd=self._folder,
            env={**environment, "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            out, err = process.communicate(stdin)
        finally:
            _end(process)
        ran = subprocess.CompletedProcess(arguments, process.returncode, out, err)
        if must and ran.returncode:
            raise OperatorError(f"meltano {' '.join(arguments)} failed: {_last(ran)}")
        return ran


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder for people's data that is gone afterwards, however this process is told to end."""

    def stop(signum: int, frame: FrameType | None) -> NoReturn:
        del frame
        raise SystemExit(128 + signum)

    before = signal.signal(signal.SIGTERM, stop)
    folder = Path(tempfile.mkdtemp(prefix="dataflow-plan-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        signal.signal(signal.SIGTERM, before)


def _read_log(log: str) -> tuple[list[Line], str | None]:
    """What the targets told of their runs, and the last words of the plug-in that failed, where one did."""
    lines: list[Line] = []
    said: dict[str, str] = {}
    for entry in log.splitlines():
        told = _decoded(entry)
        event = str(told.get("event", ""))
        account = _decoded(event)
        if "sync_run" in account:
            lines.append(Line(account["to"], account["sync_run"], account["outcome"], account["error"]))
        elif told.get("stdio") == "stderr":
            # A plug-in tells what ended it in its last line; Meltano keeps no level of it.
            said[_KINDS[bool(told.get("producer")), bool(told.get("consumer"))]] = f"{told.get('name')}: {event}"
        failed = [kind for kind in _KINDS.values() if (told.get("exit_codes") or {}).get(kind)]
        if failed:
            return lines, said.get(failed[0])
    return lines, None


def _decoded(text: str) -> dict[str, Any]:
    if not text.startswith("{"):
        return {}
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _last(ran: subprocess.CompletedProcess[str]) -> str:
    said = [line for line in (ran.stdout + ran.stderr).splitlines() if line.strip()]
    told = _decoded(said[-1]).get("event") if said else None
    return str(told or (said[-1] if said else f"exit code {ran.returncode}"))


def _end(process: subprocess.Popen[str]) -> None:
    """Let nothing that it started outlive this command."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()
