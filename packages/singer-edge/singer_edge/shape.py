"""A stream's schema as a type: records are decoded, checked against the schema and written in one go.

What such a type takes are the records that the SDK's conformance would pass as they are, save that it leaves out what
the schema does not have. Whatever it does not take goes the SDK's way.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

SIMPLE: Mapping[str, Any] = {"string": str, "integer": int, "number": float | int, "boolean": bool, "null": None}
NOT_TOLD = frozenset({"anyOf", "oneOf", "allOf", "not", "$ref", "patternProperties", "prefixItems", "const"})
"""Words of a schema whose meaning a type does not have."""


class Untypable(Exception):  # noqa: N818 - said of a schema
    """A schema says more than a type can."""


class Shape:
    """The type of a stream's records.

    `also` are properties that the API sends and the stream does not have; whoever reads them takes them out.
    Raises `Untypable`.
    """

    def __init__(self, name: str, schema: Mapping[str, Any], keys: Iterable[str], also: Mapping[str, Any]) -> None:
        self.record: type[msgspec.Struct] = _struct(name, schema, required=frozenset(keys), also=also)
        self.names = frozenset(schema["properties"])
        self._attributes = dict(zip(self.record.__struct_encode_fields__, self.record.__struct_fields__, strict=True))

    def values_of(self, name: str, records: Sequence[Any]) -> list[Any]:
        """A property's values in records of the type, where it has one."""
        get = attrgetter(self._attributes[name])
        return [value for value in map(get, records) if value is not None and value is not UNSET]

    def made_of(self, records: list[Any]) -> list[Any]:
        """Records of the type. Raises msgspec.ValidationError where one does not match the schema."""
        if records and isinstance(records[0], self.record):
            return records
        made: list[Any] = msgspec.convert(records, list[self.record])  # type: ignore[name-defined]
        return made


def property_paths(schema: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The breadcrumb of each property of a schema, those within objects too."""
    for name, inner in (schema.get("properties") or {}).items():
        path = (*above, "properties", name)
        yield path
        yield from property_paths(inner, path)


def _struct(
    name: str,
    schema: Mapping[str, Any],
    *,
    required: frozenset[str] = frozenset(),
    also: Mapping[str, Any] | None = None,
) -> type[msgspec.Struct]:
    properties = schema["properties"]
    if schema.get("additionalProperties") or NOT_TOLD & schema.keys():
        raise Untypable(name)
    kinds = {one: _kind(f"{name}_{number}", inner) for number, (one, inner) in enumerate(properties.items())}
    kinds |= also or {}
    names = {one: one if _is_usable(one) else f"property_{number}_" for number, one in enumerate(kinds)}
    fields = [
        (names[one], kind) if one in required else (names[one], kind | UnsetType, UNSET) for one, kind in kinds.items()
    ]
    renamed = {attribute: one for one, attribute in names.items()}
    return msgspec.defstruct(name.title(), fields, rename=renamed, kw_only=True, gc=False)


def _kind(name: str, schema: Mapping[str, Any]) -> Any:
    said = schema.get("type")
    kinds = [said] if isinstance(said, str) else said
    if not kinds or not isinstance(kinds, list) or NOT_TOLD & schema.keys():
        raise Untypable(name)
    whole: Any = UNSET
    for kind in kinds:
        one = _one_kind(name, kind, schema)
        whole = one if whole is UNSET else whole | one
    return whole


def _one_kind(name: str, kind: str, schema: Mapping[str, Any]) -> Any:
    if kind == "object":
        if "properties" in schema:
            return _struct(name, schema)
        return dict[str, Any]
    if kind == "array":
        items = schema.get("items")
        return list[_kind(name, items)] if isinstance(items, dict) and items else list[Any]  # type: ignore[misc]
    if kind not in SIMPLE:
        raise Untypable(name)
    return SIMPLE[kind]


def _is_usable(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith(("_", "property_"))
