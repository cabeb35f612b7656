"""JSONPaths, compiled once. Plain ones (names and indexes) become getters that cost next to nothing a record."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.parser import parse

Get: TypeAlias = Callable[[Any], Any]
ABSENT: Any = object()
"""What is not there; null is a value."""

_WORD = r"[^\s.\[\]*?()@'\"$,:]+"
_NAME = rf"{_WORD}(?: +{_WORD})*"
_IN_BRACKETS = r"""\[\d+\]|\['[^']+'\]|\["[^"]+"\]"""
_PLAIN = re.compile(rf"\$|(?:(?:\$\.)?{_NAME}|\$?(?:{_IN_BRACKETS}))(?:\.{_NAME}|{_IN_BRACKETS})*")
_STEP = re.compile(r"""\[(\d+)\]|\['([^']+)'\]|\["([^"]+)"\]|([^.\[\]]+)""")
_OPERATORS = frozenset({"where", "wherenot", "|", "&"})


class WrongPath(ValueError):  # noqa: N818 - it says what it is
    """A text that is no JSONPath."""


@lru_cache(maxsize=512)
def first(path: str) -> Get:
    """The function that finds the first value at a path, else `ABSENT`. Raises WrongPath."""
    steps = plain_steps(path)
    if steps is None:
        parsed = _parsed(path)

        def find(value: Any) -> Any:
            found = parsed.find(value)
            return found[0].value if found else ABSENT

        return find
    return at(steps)


def at(steps: Sequence[str | int]) -> Get:
    """The function that finds the value at these names and indexes, else `ABSENT`."""
    if not steps:
        return lambda value: value
    if len(steps) == 1 and isinstance(steps[0], str):
        name = steps[0]
        return lambda value: value.get(name, ABSENT) if isinstance(value, dict) else ABSENT

    def walk(value: Any) -> Any:
        for step in steps:
            if isinstance(step, str):
                value = value.get(step, ABSENT) if isinstance(value, dict) else ABSENT
            else:
                value = value[step] if isinstance(value, list) and step < len(value) else ABSENT
        return value

    return walk


@lru_cache(maxsize=512)
def every(path: str) -> Callable[[Any], list[Any]]:
    """The function that finds all values at a path. Raises WrongPath."""
    if plain_steps(path) is not None:
        get = first(path)
        return lambda value: [] if (found := get(value)) is ABSENT else [found]
    parsed = _parsed(path)
    return lambda value: [one.value for one in parsed.find(value)]


@lru_cache(maxsize=512)
def plain_steps(path: str) -> list[str | int] | None:
    """The names and indexes of a plain path, None for one that is more than that."""
    if not _PLAIN.fullmatch(path):
        return None
    steps: list[str | int] = []
    for index, *spellings in _STEP.findall(path.removeprefix("$")):
        steps.append(int(index) if index else next(filter(None, spellings)))
        if " " in spellings[-1] and not _OPERATORS.isdisjoint(spellings[-1].split()):
            return None
    return steps


def names(path: str) -> list[str] | None:
    """The names of a plain path through objects, as it can be written to; None for any other."""
    steps = plain_steps(path)
    return None if not steps or not all(isinstance(one, str) for one in steps) else [str(one) for one in steps]


def put(record: dict[str, Any], steps: Sequence[str], value: Any) -> bool:
    """Write a value below the objects on the way to it, which are made where they are not.

    False, and nothing is written, where something else stands in the place of one.
    """
    *parents, leaf = steps
    here = record
    for parent in parents:
        inner = here.get(parent)
        if inner is None:
            inner = here[parent] = {}
        if not isinstance(inner, dict):
            return False
        here = inner
    here[leaf] = value
    return True


def take_away(record: dict[str, Any], steps: Sequence[str]) -> None:
    """Remove what stands there, if anything does."""
    *parents, leaf = steps
    holder = at(parents)(record)
    if isinstance(holder, dict):
        holder.pop(leaf, None)


def _parsed(path: str) -> Any:
    try:
        return parse(path)
    except (JSONPathError, ValueError, KeyError, TypeError) as error:
        raise WrongPath(" ".join(str(error).split())[:200]) from None
