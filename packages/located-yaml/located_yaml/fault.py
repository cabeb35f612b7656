"""What is wrong in a file that a person wrote, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import msgspec

MOST_NAMES_SHOWN = 12


class Place(msgspec.Struct, frozen=True):
    """Where in which file something was said."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


class Fault(Exception):  # noqa: N818 - it says what it is
    """Something in a file that a person has to put right; its text is one line: where, what, what to do."""

    def __init__(self, place: Place | str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.where = str(place)
        self.problem = problem


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
