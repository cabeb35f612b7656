"""Templates: texts with `{name}` in them, and bodies in which a text stands for a record."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""JSON in a template keeps its braces: `{"id": 1}` is no name."""


def names_in(template: Any) -> Iterator[str]:
    """The names in a text, or anywhere in what holds texts."""
    if isinstance(template, str):
        yield from NAME.findall(template)
    elif isinstance(template, Mapping):
        for key, value in template.items():
            yield from names_in(key)
            yield from names_in(value)
    elif isinstance(template, (list, tuple)):
        for value in template:
            yield from names_in(value)


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """The template with its names replaced. A text that is nothing but one name becomes the value itself."""
    if isinstance(template, str):
        whole = NAME.fullmatch(template)
        if whole and whole.group(1) in values:
            return values[whole.group(1)]
        return NAME.sub(lambda found: _text(values.get(found.group(1), found.group())), template)
    if isinstance(template, Mapping):
        return {filled(key, values): filled(value, values) for key, value in template.items()}
    if isinstance(template, (list, tuple)):
        return [filled(value, values) for value in template]
    return template


_TYPED = frozenset({"params", "with_deleted", "sort", "body", "constants"})
"""Where a text that is nothing but a variable becomes the variable's value, whatever its type."""
_AS_WRITTEN = frozenset({"variables", "schema", "description"})


def with_variables(said: Any, variables: Mapping[str, Any], *, typed: bool = False) -> Any:
    """A profile, or a part of it, with its variables filled in; names that are no variable's stay."""
    if isinstance(said, str):
        found = filled(said, variables)
        return found if typed else _text(found)
    if isinstance(said, msgspec.Struct):
        changed = {
            name: with_variables(getattr(said, name), variables, typed=name in _TYPED)
            for name in said.__struct_fields__
            if name not in _AS_WRITTEN
        }
        return msgspec.structs.replace(said, **changed)
    if isinstance(said, dict):
        return {_text(filled(key, variables)): with_variables(one, variables, typed=typed) for key, one in said.items()}
    if isinstance(said, (list, tuple)):
        return type(said)(with_variables(one, variables, typed=typed) for one in said)
    return said


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
