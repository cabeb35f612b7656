"""What can be wrong, each said in one line: where, what, and what to do.

DataflowError
├── TableError    a property table is wrong; nothing has run yet
├── ConfigError   the mapper's settings are wrong
├── StreamError   the tap's SCHEMA does not fit the tables
└── InputError    a line of the input is not the Singer message it should be
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST_NAMES_SHOWN = 12


class DataflowError(Exception):
    """Something that a person has to put right; its text is one line without any record's values."""


class TableError(DataflowError):
    """A property table is wrong."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.where = where


class ConfigError(DataflowError):
    """The mapper's settings are wrong."""


class StreamError(DataflowError):
    """What the tap says it sends does not fit the tables."""


class InputError(DataflowError):
    """A line of the input is not the Singer message it should be."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to do about an unknown name: the closest known one, or else those there are."""
    names = list(known)
    for one in names:
        if one.casefold() == name.casefold():
            return f"Did you mean {one}?"
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]}?"
    if not names:
        return "There are none."
    shown = ", ".join(names[:MOST_NAMES_SHOWN])
    more = len(names) - MOST_NAMES_SHOWN
    return f"There are: {shown} and {more} more." if more > 0 else f"There are: {shown}."
