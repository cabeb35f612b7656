"""What ends a run with one clear line instead of a traceback.

RunFailed           the run cannot go on; its text is the line that the operator reads
└── UnusableFile    a --config, --state or --catalog file that cannot be read or makes no sense

Beside these a plug-in expects the errors of :mod:`api_transport.errors` and of the SDK (wrong configuration, a wrong
stream map). Anything else is a bug and keeps its traceback.
"""

from __future__ import annotations


class RunFailed(Exception):  # noqa: N818 - reads as what happened; it is no programming error
    """The run cannot go on. The text says what is wrong, where, and what to do, in one line."""


class UnusableFile(RunFailed):
    """A file named on the command line cannot be read, or what is in it makes no sense."""


def one_line(text: object) -> str:
    """The text without line breaks: a failure is told in one line."""
    return " ".join(str(text).split())
