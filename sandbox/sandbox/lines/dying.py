"""A process that dies of SIGKILL at a commit to its database of its own choosing, as a test asks for.

Nothing outside a process can tell when it commits. So the forked process counts the commits that change anything, and
kills itself before or after the one that was asked for: to the database, and to whoever waits for the process, it is
the same as being killed from outside.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from importlib import import_module
from typing import Any

AT_COMMIT = "SANDBOX_DIES_AT_COMMIT"
"""The number of a commit, from zero, and `before` or `after`: `7:after`."""
COMMITS = "SANDBOX_COMMITS"
"""A file that gets a byte for each commit."""


class Commits:
    """Counts what a process commits to an SQLite database, and ends it where it is to end."""

    def __init__(self, told: str | None, at: str | None) -> None:
        self._told = told
        number, _, when = (at or "").partition(":")
        self._last = int(number) if number else None
        self._is_before = when == "before"
        self._count = 0
        self._changes = 0

    def count(self, connection: Any) -> None:
        """Commit as the dialect does."""
        changes = connection.total_changes
        if changes == self._changes:
            connection.commit()
            return
        self._changes = changes
        is_last = self._count == self._last
        self._count += 1
        if is_last and self._is_before:
            os.kill(os.getpid(), signal.SIGKILL)
        connection.commit()
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._told:
            with open(self._told, "ab") as told:  # noqa: PTH123  once a commit, in the process that is measured
                told.write(b".")


def prepare(environment: Mapping[str, str]) -> None:
    """Let this process count its commits, if its environment says so."""
    told, at = environment.get(COMMITS), environment.get(AT_COMMIT)
    if told or at:
        commits = Commits(told, at)
        dialect = import_module("sqlalchemy.engine.default").DefaultDialect
        dialect.do_commit = lambda _dialect, connection: commits.count(connection)
