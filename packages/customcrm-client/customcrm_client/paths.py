"""JSONPaths, compiled once. Plain ones (names, indexes, selections) become getters that cost next to nothing a record.

A selection is this project's own: `emails[?primary].value` is the value of the first entry whose `primary` says yes,
`custom[?fieldId=7].value` of the first whose `fieldId` is 7.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.parser import parse

from customcrm_client.flags import is_said, is_set

Get: TypeAlias = Callable[[Any], Any]
ABSENT: Any = object()
"""What is not there; null is a value."""

_WORD = r"[^\s.\[\]*?()@'\"$,:]+"
_NAME = rf"{_WORD}(?: +{_WORD})*"
_SELECTION = r"\[\?[^\]=\s]+(?:=[^\]]+)?\]"
_IN_BRACKETS = rf"""\[\d+\]|{_SELECTION}|\['[^']+'\]|\["[^"]+"\]"""
_PLAIN = re.compile(rf"\$|(?:(?:\$\.)?{_NAME}|\$?(?:{_IN_BRACKETS}))(?:\.{_NAME}|{_IN_BRACKETS})*")
_STEP = re.compile(r"""\[(\d+)\]|\[\?([^\]=]+)(=[^\]]+)?\]|\['([^']+)'\]|\["([^"]+)"\]|([^.\[\]]+)""")
_OPERATORS = frozenset({"where", "wherenot", "|", "&"})


class Select(NamedTuple):
    """The first entry of a list that has a name set, or has a value in it."""

    name: str
    value: Any = True
    is_flag: bool = True

    def find(self, entries: Any) -> Any:
        """The entry; None where there is none in the list, `ABSENT` where there is no list."""
        if not isinstance(entries, list):
            return ABSENT
        return next((one for one in entries if isinstance(one, dict) and self._is_meant(one.get(self.name))), None)

    def _is_meant(self, value: Any) -> bool:
        return is_set(value) if self.is_flag else is_said(value, (self.value,))


Step: TypeAlias = str | int | Select


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


def at(steps: Sequence[Step]) -> Get:
    """The function that finds the value at these steps, else `ABSENT`."""
    if not steps:
        return lambda value: value
    if len(steps) == 1 and isinstance(steps[0], str):
        name = steps[0]
        return lambda value: value.get(name, ABSENT) if isinstance(value, dict) else ABSENT

    def walk(value: Any) -> Any:
        for step in steps:
            if isinstance(step, str):
                value = value.get(step, ABSENT) if isinstance(value, dict) else ABSENT
            elif isinstance(step, Select):
                value = step.find(value)
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
def plain_steps(path: str) -> list[Step] | None:
    """The steps of a plain path, None for one that is more than that."""
    if not _PLAIN.fullmatch(path):
        return None
    steps: list[Step] = []
    for index, selected, value, *spellings in _STEP.findall(path.removeprefix("$")):
        if selected:
            steps.append(Select(selected, _literal(value[1:]), is_flag=False) if value else Select(selected))
        else:
            steps.append(int(index) if index else next(filter(None, spellings)))
        if " " in spellings[-1] and not _OPERATORS.isdisjoint(spellings[-1].split()):
            return None
    return steps


def _literal(text: str) -> Any:
    """What a selection compares with, as it is written into an entry that is added."""
    if text[0] in "'\"" and text[-1] == text[0]:
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isdecimal() else text


def places(path: str) -> list[Step] | None:
    """The steps of a path that can be written to; None for any other.

    It begins with a name, and ends in a name or an index.
    """
    steps = plain_steps(path)
    if not steps or not isinstance(steps[0], str) or isinstance(steps[-1], Select):
        return None
    return steps


def is_in_list(steps: Sequence[Step]) -> bool:
    """Whether a path leads into a list."""
    return not all(isinstance(one, str) for one in steps)


def put(holder: Any, steps: Sequence[Step], value: Any) -> bool:
    """Write a value below the objects and lists on the way to it, which are made where they are not.

    An entry that a selection does not find is added, with what selects it. False, and nothing is written, where
    something else stands in the place of an object or a list.
    """
    step, *rest = steps
    if isinstance(step, str):
        if not isinstance(holder, dict):
            return False
        if not rest:
            holder[step] = value
            return True
        if holder.get(step) is None:
            holder[step] = {} if isinstance(rest[0], str) else []
        return put(holder[step], rest, value)
    if not isinstance(holder, list):
        return False
    if isinstance(step, Select):
        entry = step.find(holder)
        if entry is None:
            entry = {step.name: step.value}
            holder.append(entry)
        return put(entry, rest, value)
    if step < len(holder):
        if not rest:
            holder[step] = value
            return True
        return put(holder[step], rest, value)
    entry = value if not rest else {} if isinstance(rest[0], str) else []
    holder.append(entry)
    return not rest or put(entry, rest, value)


def take_away(record: dict[str, Any], steps: Sequence[Step]) -> None:
    """Remove what stands there, if anything does: a value of an object, or an entry of a list."""
    *parents, leaf = steps
    holder = at(parents)(record)
    if isinstance(leaf, str) and isinstance(holder, dict):
        holder.pop(leaf, None)
    elif isinstance(holder, list):
        entry = leaf.find(holder) if isinstance(leaf, Select) else None
        if entry is not None:
            holder.remove(entry)
        elif isinstance(leaf, int) and leaf < len(holder):
            del holder[leaf]


def entry_of(steps: Sequence[Step]) -> Sequence[Step]:
    """The steps to the entry of the innermost list on the way; all of them where there is no list."""
    inner = [number for number, one in enumerate(steps) if not isinstance(one, str)]
    return steps[: inner[-1] + 1] if inner else steps


def _parsed(path: str) -> Any:
    try:
        return parse(path)
    except (JSONPathError, ValueError, KeyError, TypeError) as error:
        raise WrongPath(" ".join(str(error).split())[:200]) from None
