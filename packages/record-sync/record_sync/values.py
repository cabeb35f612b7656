"""Records as flat values: a nested record is a mapping from dotted property paths to plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

Value: TypeAlias = Any
Values: TypeAlias = dict[str, Value]
"""Property path to value. A path that is not there is unknown; ``None`` says that there is no value."""


def empty(value: Value) -> bool:
    """Whether a value says nothing: none at all, or a text of spaces."""
    return value is None or (isinstance(value, str) and not value.strip())


def pick(record: Mapping[str, Any], paths: Iterable[str]) -> Values:
    """Read the paths out of a nested record; paths the record does not mention stay away."""
    values: Values = {}
    for path in paths:
        here: Any = record
        for key in path.split("."):
            if here is None:
                break
            if not isinstance(here, Mapping) or key not in here:
                break
            here = here[key]
        else:
            values[path] = here
            continue
        if here is None:
            values[path] = None
    return values


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
