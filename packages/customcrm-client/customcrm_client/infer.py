"""The JSON schema that a sample of records has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

GUESSED = {"type": ["string", "null"], "description": "No record of the sample had a value: the type is a guess"}
"""What has no value in any record of a sample."""

_ORDER = ("boolean", "integer", "number", "string", "array", "object")


def inferred(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The schema of all these records: every property that any of them has, with all the types it has there.

    Everything may be null, since a sample proves nothing about that.
    """
    return {"type": "object", "properties": _properties(list(records))}


def _properties(records: list[Mapping[str, Any]]) -> dict[str, Any]:
    names = dict.fromkeys(name for record in records for name in record)
    return {name: _described([record[name] for record in records if name in record]) or dict(GUESSED) for name in names}


def _described(values: list[Any]) -> dict[str, Any]:
    given = [value for value in values if value is not None]
    types = {_type_of(value) for value in given}
    if "number" in types:
        types.discard("integer")
    if not types:
        return {}
    described: dict[str, Any] = {"type": [*sorted(types, key=_ORDER.index), "null"]}
    if "object" in types:
        described["properties"] = _properties([value for value in given if isinstance(value, Mapping)])
    if "array" in types:
        items = [item for value in given if isinstance(value, list) for item in value]
        described["items"] = _described(items)
    if types == {"string"} and all(_is_time(value) for value in given):
        described["format"] = "date-time"
    return described


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _is_time(text: str) -> bool:
    try:
        msgspec.convert(text, dt.datetime)
    except (msgspec.ValidationError, OverflowError):
        return False
    return "T" in text


def together(kept: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The schema that was kept, with the properties that it did not have yet: what a person changed in it stays."""
    properties = dict(kept.get("properties", {}))
    for name, described in new.get("properties", {}).items():
        properties.setdefault(name, described)
    return {**kept, "properties": properties}


def guessed(schema: Mapping[str, Any]) -> list[str]:
    """The properties of a schema of which the sample told no type."""
    return [name for name, described in schema.get("properties", {}).items() if described == GUESSED]
