"""An audit that is made in the background, and the last one's report.

It is the command ``dataflow audit`` in a process of its own: it reads both systems for minutes, and ends with the page.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

import msgspec

from dataflow_operator.audit.report import Audit
from dataflow_operator.timestamps import now

AUDIT = (sys.executable, "-c", "from dataflow_operator.cli import main; main(prog_name='dataflow')", "audit", "--json")
MADE = (0, 1)
"""Exit codes of an audit that was made, whatever it found."""


class Told(msgspec.Struct, frozen=True):
    """What is known of audits by now."""

    began_at: datetime | None
    """Since when one is being made."""
    report: Audit | None
    """The last one that was made."""
    problem: str | None
    """Why the last one asked for could not be made."""


class Auditing:
    """Makes one audit at a time.

    Args:
        links_url: the link store.
        sync_name: whose rows.
        command: what makes the audit.
    """

    def __init__(self, links_url: str, sync_name: str, command: Sequence[str] = AUDIT) -> None:
        self._command = [*command, "--sync-name", sync_name]
        self._environment: Mapping[str, str] = {**os.environ, "LINKS_URL": links_url}
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._waiter: threading.Thread | None = None
        self._began_at: datetime | None = None
        self._report: Audit | None = None
        self._problem: str | None = None

    def start(self) -> bool:
        """Begin an audit, unless one is being made."""
        with self._lock:
            if self._process is not None:
                return False
            self._process = subprocess.Popen(  # noqa: S603  the project's own command
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            self._began_at, self._problem = now(), None
            self._waiter = threading.Thread(target=self._take, args=(self._process,), daemon=True)
            self._waiter.start()
            return True

    def told(self) -> Told:
        """What is known by now."""
        with self._lock:
            return Told(self._began_at, self._report, self._problem)

    def close(self) -> None:
        """End the audit that is being made."""
        with self._lock:
            process = self._process
        if process is not None:
            process.terminate()
        self.wait()

    def wait(self) -> None:
        """Until the audit that is being made, if there is one, has ended."""
        waiter = self._waiter
        if waiter is not None:
            waiter.join()

    def _take(self, process: subprocess.Popen[bytes]) -> None:
        out, error = process.communicate()
        report, problem = None, None
        with suppress(msgspec.DecodeError):
            report = msgspec.json.decode(out, type=Audit) if process.returncode in MADE else None
        if report is None:
            lines = error.decode(errors="replace").strip().splitlines()
            problem = lines[-1].removeprefix("dataflow: ") if lines else f"It ended with code {process.returncode}."
        with self._lock:
            self._report, self._problem = report or self._report, problem
            self._process, self._began_at = None, None
