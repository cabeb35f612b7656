"""Servers of other projects as processes of their own: started on a free port of loopback, and surely ended."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import requests

LOOPBACK = "127.0.0.1"
STARTS_WITHIN = 300.0
STOPS_WITHIN = 10.0
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")


class DidNotStartError(Exception):
    """The server ended, or did not answer in time; with the end of what it said."""


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        port: int = taken.getsockname()[1]
        return port


def environment(**values: str) -> dict[str, str]:
    """These variables, and of our own only what any program needs."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | values


def run(command: Sequence[str | Path], folder: Path, variables: Mapping[str, str], log: Path) -> None:
    """Run a command to its end. Raises DidNotStartError where it fails."""
    with log.open("ab") as told:
        ended = subprocess.run(
            list(command),
            cwd=folder,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            check=False,
            timeout=6 * STARTS_WITHIN,
        )
    if ended.returncode:
        raise DidNotStartError(_said(log))


class Server:
    """A running server, until `stop`. It answers the address `ready` when it is up."""

    def __init__(
        self, command: Sequence[str | Path], folder: Path, variables: Mapping[str, str], log: Path, ready: str
    ) -> None:
        with log.open("ab") as told:
            self._process = subprocess.Popen(
                list(command),
                cwd=folder,
                env=dict(variables),
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                start_new_session=True,
            )
        try:
            self._wait_until(ready, log)
        except BaseException:
            self.stop()
            raise

    def _wait_until(self, ready: str, log: Path) -> None:
        until = time.monotonic() + STARTS_WITHIN
        while True:
            if self._process.poll() is not None or time.monotonic() > until:
                raise DidNotStartError(_said(log))
            try:
                if requests.get(ready, timeout=5).status_code < 500:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.2)

    def stop(self) -> None:
        """End it and whatever it started."""
        for one in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, one)
            except ProcessLookupError:
                break
            try:
                self._process.wait(STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                continue
        self._process.wait()


def _said(log: Path) -> str:
    return f"its log ends\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}"
