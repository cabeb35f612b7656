"""What a stream's records look like: its JSON schema, read once, so that reading a record checks it, too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeAlias, Union

import fastjsonschema
import msgspec
from singer_edge.errors import RunFailed
from typing_extensions import NotRequired, TypedDict

from sync_target.record_message import content_of

Record: TypeAlias = dict[str, Any]

_TYPES: Mapping[str, Any] = {"string": str, "boolean": bool, "integer": int, "number": int | float, "null": None}
_KNOWN = {"type", "properties", "required"}
_SOURCE = {"id", "version", "modified_at", "deleted", "filtered", "values"}
"""What is read of where a record comes from, whether or not its schema has it."""


class RecordSchema:
    """Reads a stream's records.

    Args:
        stream: as the mapper calls it.
        schema: the SCHEMA message's.

    Raises:
        RunFailed: the schema is none.

    """

    def __init__(self, stream: str, schema: Mapping[str, Any]) -> None:
        self._stream = stream
        self._schema = schema
        self._decode = _decoder(schema)
        if self._decode is None:
            _ = self._check

    def read(self, record: msgspec.Raw) -> tuple[Record, str | None]:
        """A record, and what of it does not fit the schema, if anything. What the schema does not name may be missing.

        Raises:
            RunFailed: it is not JSON.

        """
        if self._decode is not None:
            try:
                return self._decode(record), None
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                pass  # The schema itself has the better words for what is wrong.
        content = content_of(record, self._stream)
        try:
            self._check(content)
        except fastjsonschema.JsonSchemaValueException as error:
            return content, str(error)
        return content, None

    @cached_property
    def _check(self) -> Callable[[Any], Any]:
        """The schema itself, made when it is needed: most runs see no record that does not fit."""
        try:
            compiled: Callable[[Any], Any] = fastjsonschema.compile(dict(self._schema), use_default=False)
        except fastjsonschema.JsonSchemaDefinitionException as error:
            raise RunFailed(f"The stream's JSON schema is none: {error}.") from None
        return compiled


def _decoder(schema: Mapping[str, Any]) -> Callable[[Any], Record] | None:
    """Decodes what fits a schema, and nothing else; None where types cannot say what fits."""
    try:
        shape = _shape(schema)
    except _MoreThanTypes:
        return None
    source = schema.get("properties", {}).get("_source", {})
    return msgspec.json.Decoder(shape).decode if source.get("properties", {}).keys() >= _SOURCE else None


class _MoreThanTypes(Exception):  # noqa: N818  what a schema asks for, and no failure
    """A schema asks for more than types."""


def _shape(schema: Any) -> Any:
    """The type whose values are just those that fit a schema. Raises _MoreThanTypes."""
    told = schema.get("type") if isinstance(schema, dict) else None
    kinds = [told] if isinstance(told, str) else told
    if not isinstance(kinds, list) or not kinds or any(key not in _KNOWN and key[:2] != "x-" for key in schema):
        raise _MoreThanTypes
    return Union[tuple(_object(schema) if kind == "object" else _plain(kind) for kind in dict.fromkeys(kinds))]  # noqa: UP007


def _plain(kind: str) -> Any:
    if kind not in _TYPES:
        raise _MoreThanTypes
    return _TYPES[kind]


def _object(schema: Mapping[str, Any]) -> Any:
    required = schema.get("required", [])
    if "properties" not in schema:
        if required:
            raise _MoreThanTypes
        return Record
    shapes = {name: _shape(one) for name, one in schema["properties"].items()}
    fields = {name: one if name in required else NotRequired[one] for name, one in shapes.items()}
    return TypedDict("Fields", fields)  # type: ignore[operator]
