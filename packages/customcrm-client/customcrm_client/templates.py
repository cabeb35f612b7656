"""Templates: texts with `{name}` in them, and bodies in which a text stands for a record."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from customcrm_client.encoders import ENCODERS, encoded
from customcrm_client.paths import ABSENT

NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?::([a-z]+))?\}")
"""A name, and the encoder of its value. JSON in a template keeps its braces: `{"id": 1}` is no name."""


class Several(NamedTuple):
    """Several values for one name: joined by what stands between them, or a list where that is None."""

    separator: str | None
    values: Sequence[Any]


def names_in(template: Any) -> Iterator[str]:
    """The names in a text, or anywhere in what holds texts."""
    return (name for name, _ in _found_in(template))


def unknown_encoders(template: Any) -> list[str]:
    """The encoders that a template names, and that do not exist."""
    return [encoder for _, encoder in _found_in(template) if encoder and encoder not in ENCODERS]


def _found_in(template: Any) -> Iterator[tuple[str, str]]:
    if isinstance(template, str):
        yield from NAME.findall(template)
    elif isinstance(template, Mapping):
        for key, value in template.items():
            yield from _found_in(key)
            yield from _found_in(value)
    elif isinstance(template, (list, tuple)):
        for value in template:
            yield from _found_in(value)


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """The template with its names replaced; names without a value here stay.

    A text that is nothing but one name becomes the value itself; where that is `ABSENT`, its key is left out. Inside a
    longer text no value is no letters.
    """
    if isinstance(template, str):
        whole = NAME.fullmatch(template)
        if whole and whole.group(1) in values:
            return _value(values, whole)
        return NAME.sub(lambda found: _text(_value(values, found)), template)
    if isinstance(template, Mapping):
        made = {filled(key, values): filled(value, values) for key, value in template.items()}
        return {key: value for key, value in made.items() if value is not ABSENT}
    if isinstance(template, (list, tuple)):
        return [filled(value, values) for value in template]
    return template


def _value(values: Mapping[str, Any], found: re.Match[str]) -> Any:
    name, encoder = found.groups()
    value = values.get(name, found.group())
    if value is ABSENT:
        return value
    if isinstance(value, Several):
        each = [encoded(one, encoder) if encoder else one for one in value.values]
        return each if value.separator is None else value.separator.join(map(_text, each))
    return encoded(value, encoder) if encoder and name in values else value


_TYPED = frozenset({"params", "with_deleted", "sort", "body", "constants", "write_as"})
"""Where a text that is nothing but a variable becomes the variable's value, whatever its type."""
_AS_WRITTEN = frozenset({"variables", "schema", "description"})


def with_variables(said: Any, variables: Mapping[str, Any], *, typed: bool = False) -> Any:
    """A profile, or a part of it, with its variables filled in; names that are no variable's stay.

    So do those of a variable that is null, but where a value of any type may stand.
    """
    if isinstance(said, str):
        if typed and NAME.fullmatch(said):
            return filled(said, variables)
        return filled(said, {name: _text(value) for name, value in variables.items() if value is not None})
    if isinstance(said, msgspec.Struct):
        changed = {
            name: with_variables(getattr(said, name), variables, typed=name in _TYPED)
            for name in said.__struct_fields__
            if name not in _AS_WRITTEN
        }
        return msgspec.structs.replace(said, **changed)
    if isinstance(said, dict):
        return {
            with_variables(key, variables): with_variables(one, variables, typed=typed) for key, one in said.items()
        }
    if isinstance(said, (list, tuple)):
        return type(said)(with_variables(one, variables, typed=typed) for one in said)
    return said


def _text(value: Any) -> str:
    if value is None or value is ABSENT:
        return ""
    if isinstance(value, (list, tuple)):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
