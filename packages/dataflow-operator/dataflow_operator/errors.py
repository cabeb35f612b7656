"""What ends a command with one clear line."""

from __future__ import annotations


class OperatorError(Exception):
    """The command cannot do what it was asked. The text says what is wrong, where, and what to do, in one line."""

    exit_code = 1
    """What the process leaves with."""
