"""A msgspec struct out of a piece of YAML: every field checked to the letter, and the place of each one kept.

Understood are structs, unions of tagged structs (told apart by their tag), texts, numbers, booleans, choices
(`Literal`), tuples of one type, mappings of texts, and `Any`; each may be optional.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from located_yaml.fault import Place
from located_yaml.node import Node, named

Read = TypeVar("Read")
Places: TypeAlias = dict[str, Place]
"""Where each key stands, by its dotted path from the top."""

_PLAIN = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def read_struct(node: Node, kind: type[Read], places: Places | None = None) -> Read:
    """The struct that a mapping describes; `places` is filled with where each key stands. Raises Fault."""
    return cast("Read", _read(node, kind, "", {} if places is None else places))


def _read(node: Node, kind: Any, path: str, places: Places) -> Any:
    places[path] = node.place
    kind, checks = _bare(kind)
    if kind is Any:
        return plain(node.value)
    choices = _options(kind)
    if node.value is None and type(None) in choices:
        return None
    given = [one for one in choices if one is not type(None)]
    structs = [one for one in given if _is_struct(one)]
    if structs and (isinstance(node.value, Mapping) or len(structs) == len(given)):
        return _struct(node, structs, path, places)
    chosen = next((one for one in given if not _is_struct(one) and _fits(node.value, one)), None)
    if chosen is None:
        return node.refuse(f"{_key(path)} must be {_wanted(given)}, not {named(node.value)}.")
    value = _value(node, chosen, path, places)
    for check in checks:
        if (check.ge is not None and value < check.ge) or (check.le is not None and value > check.le):
            bound = f"at least {check.ge}" if check.ge is not None and value < check.ge else f"at most {check.le}"
            node.refuse(f"{_key(path)} must be {bound}, not {value}.")
    return value


def _value(node: Node, kind: Any, path: str, places: Places) -> Any:
    origin = get_origin(kind)
    if origin is Literal:
        return str(node.value) if isinstance(node.value, str) else node.value
    if origin is tuple:
        (one, _) = get_args(kind)
        return tuple(_read(item, one, f"{path}[{index}]", places) for index, item in enumerate(node.one_or_more()))
    if origin is dict:
        (_, one) = get_args(kind)
        entries = node.mapping(None, (), f"of {_key(path)}")
        return {key: _read(entry, one, f"{path}.{key}".lstrip("."), places) for key, entry in entries.items()}
    if kind is float:
        return float(node.value)
    return kind(node.value)


def _struct(node: Node, structs: list[Any], path: str, places: Places) -> Any:
    what = f"of {_key(path)}" if path else "here"
    kind = structs[0]
    tag_field = kind.__struct_config__.tag_field
    if tag_field is not None:
        tags = {one.__struct_config__.tag: one for one in structs}
        entries = node.mapping(None, (tag_field,), what)
        kind = tags[entries[tag_field].choice(tuple(tags), tag_field)]
        what = f"{what} where {tag_field} is {kind.__struct_config__.tag}"
    known = _fields(kind)
    hints = _hints(kind)
    needed = [name for name, one in known.items() if one.required]
    entries = node.mapping((*known, tag_field) if tag_field else tuple(known), needed, what)
    read = {
        one.name: _read(entries[name], hints[one.name], f"{path}.{name}".lstrip("."), places)
        for name, one in known.items()
        if name in entries
    }
    return kind(**read)


def plain(value: Any) -> Any:
    """A YAML value as ordinary Python has it."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, bool) or value is None:
        return value
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def bare(kind: Any) -> tuple[Any, str]:
    """A type without its annotations, and the description among them."""
    inner, checks = _bare(kind)
    return inner, next((one.description for one in checks if one.description), "")


@cache
def _fields(kind: Any) -> dict[str, msgspec.structs.FieldInfo]:
    return {one.encode_name: one for one in msgspec.structs.fields(kind)}


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _bare(kind: Any) -> tuple[Any, list[msgspec.Meta]]:
    if get_origin(kind) is not Annotated:
        return kind, []
    inner, *said = get_args(kind)
    return inner, [one for one in said if isinstance(one, msgspec.Meta)]


def _options(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _fits(value: Any, kind: Any) -> bool:
    origin = get_origin(kind)
    if origin is Literal:
        return any(value == one and isinstance(one, bool) == isinstance(value, bool) for one in get_args(kind))
    if origin is tuple:
        return isinstance(value, list) or _fits_one(value, get_args(kind)[0])
    if origin is dict:
        return isinstance(value, Mapping)
    if kind is Any:
        return True
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def _fits_one(value: Any, kind: Any) -> bool:
    """Whether a single value may stand in place of a list of one."""
    return any(isinstance(value, Mapping) if _is_struct(one) else _fits(value, one) for one in _options(_bare(kind)[0]))


def _wanted(kinds: list[Any]) -> str:
    return " or ".join(dict.fromkeys(_in_words(kind) for kind in kinds))


def _in_words(kind: Any) -> str:
    origin = get_origin(kind)
    if origin is Literal:
        return f"one of {', '.join(_said(one) for one in get_args(kind))}"
    if origin is tuple:
        return "a list"
    if origin is dict or _is_struct(kind):
        return "`key: value` entries"
    return _PLAIN.get(kind, "a value")


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _key(path: str) -> str:
    return path.rpartition(".")[2] or "the file"


__all__ = ["Places", "bare", "plain", "read_struct"]
