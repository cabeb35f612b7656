"""Records as flat values: a nested record is a mapping from dotted property paths to plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

Value: TypeAlias = Any
Values: TypeAlias = dict[str, Value]
"""Property path to value. A path that is not there is unknown; ``None`` says that there is no value."""


def empty(value: Value) -> bool:
    """Whether a value says nothing: none at all, or a text of spaces."""
    return value is None or (isinstance(value, str) and not value.strip())


def stated(values: Values) -> Values:
    """The values that say something."""
    return {
        path: value
        for path, value in values.items()
        if value is not None and (type(value) is not str or (value and not value.isspace()))
    }


def pick(record: Mapping[str, Any], paths: Iterable[str]) -> Values:
    """Read the paths out of a nested record; paths the record does not mention stay away."""
    values: Values = {}
    _picker(paths if isinstance(paths, frozenset) else tuple(paths)).read(record, values)
    return values


class _Picker:
    """Paths that begin the same are gone down together."""

    def __init__(self, paths: Iterable[str], prefix: str = "") -> None:
        inner: dict[str, list[str]] = {}
        self._leaves: list[tuple[str, str]] = []
        for path in paths:
            name, _, rest = path.partition(".")
            if rest:
                inner.setdefault(name, []).append(rest)
            else:
                self._leaves.append((name, prefix + name))
        self._inner = [(name, _Picker(rest, f"{prefix}{name}.")) for name, rest in inner.items()]

    def read(self, record: Mapping[str, Any], values: Values) -> None:
        for name, path in self._leaves:
            if name in record:
                values[path] = record[name]
        for name, picker in self._inner:
            if name not in record:
                continue
            inside = record[name]
            if isinstance(inside, dict):
                picker.read(inside, values)
            elif inside is None:
                picker.clear(values)

    def clear(self, values: Values) -> None:
        for _, path in self._leaves:
            values[path] = None
        for _, picker in self._inner:
            picker.clear(values)


@lru_cache(maxsize=256)
def _picker(paths: Iterable[str]) -> _Picker:
    return _Picker(paths)


def nest(values: Mapping[str, Value]) -> dict[str, Any]:
    """Build the nested record that flat values describe."""
    record: dict[str, Any] = {}
    for path, value in values.items():
        *parents, leaf = path.split(".")
        here = record
        for key in parents:
            here = here.setdefault(key, {})
        here[leaf] = value
    return record
