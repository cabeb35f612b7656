"""JSONPaths, compiled once. Plain ones (names and indexes) become getters that cost next to nothing a record."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.parser import parse

Get: TypeAlias = Callable[[Any], Any]
ABSENT: Any = object()
"""What is not there; null is a value."""

_NAME = r"[^\s.\[\]*?()@'\"$,:]+"
_PLAIN = re.compile(rf"\$|(?:(?:\$\.)?{_NAME}|\$\[\d+\])(?:\.{_NAME}|\[\d+\])*")
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


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
    if not steps:
        return lambda value: value
    if len(steps) == 1 and isinstance(steps[0], str):
        (name,) = steps
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


def plain_steps(path: str) -> list[str | int] | None:
    """The names and indexes of a plain path, None for one that is more than that."""
    if not _PLAIN.fullmatch(path):
        return None
    return [int(index) if index else name for index, name in _STEP.findall(path.removeprefix("$"))]


def names(path: str) -> list[str] | None:
    """The names of a plain path through objects, as it can be written to; None for any other."""
    steps = plain_steps(path)
    return None if not steps or not all(isinstance(one, str) for one in steps) else [str(one) for one in steps]


def put(record: dict[str, Any], steps: list[str], value: Any) -> None:
    """Write a value below the objects on the way to it, which are made where they are not."""
    *parents, leaf = steps
    here = record
    for parent in parents:
        inner = here.get(parent)
        if not isinstance(inner, dict):
            inner = here[parent] = {}
        here = inner
    here[leaf] = value


def _parsed(path: str) -> Any:
    try:
        return parse(path)
    except (JSONPathError, ValueError, KeyError, TypeError) as error:
        raise WrongPath(" ".join(str(error).split())[:200]) from None
