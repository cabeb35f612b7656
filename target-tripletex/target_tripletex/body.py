"""Request bodies and ``fields`` expressions made of flat values (reference: Tripletex API, Reading and Writing)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Protocol

from record_sync.values import Values

ADDRESSES = ("postalAddress", "physicalAddress", "deliveryAddress")
ADDRESS_PARTS = ("addressLine1", "addressLine2", "postalCode", "city", "country")
COUNTRY_CODE = "isoAlpha2Code"


class InvalidValueError(ValueError):
    """A value that Tripletex has no place for; the text is for the operator."""


class CountryIds(Protocol):
    """Tripletex's ids of countries."""

    def id_of(self, code: str) -> int | None:
        """The id of a country, by its ISO 3166 alpha-2 code."""


@lru_cache(maxsize=64)
def fields_for(paths: frozenset[str]) -> str:
    """The ``fields`` expression that reads these paths, and what a write over the record needs besides.

    Addresses are read whole: one sent without some part may lose it.
    """
    tree: dict[str, Any] = {"id": {}, "version": {}, "changes": {}}
    for path in sorted(paths):
        here = tree
        for name in path.split("."):
            here = here.setdefault(name, {})
    for name in ADDRESSES:
        if name in tree:
            parts: dict[str, Any] = {"id": {}, "version": {}}
            parts.update({part: {} for part in ADDRESS_PARTS})
            parts["country"] = {"id": {}, COUNTRY_CODE: {}}
            tree[name] = parts
    return _expression(tree)


def _expression(tree: Mapping[str, Any]) -> str:
    told = []
    for name, inner in tree.items():
        if inner:
            told.append(f"{name}({_expression({'id': {}, **inner})})")
        else:
            told.append(name)
    return ",".join(told)


def body_of(values: Values, countries: CountryIds, over: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The body that writes flat values.

    Args:
        values: property path to value.
        countries: turns country codes into references.
        over: the record as read, so that an address is sent with its id and with all its parts; without the id
            Tripletex would put a new address in its place.

    Raises:
        InvalidValueError: a country code that Tripletex does not know, or a reference that is no id.

    """
    body: dict[str, Any] = {}
    for name, inner in _grouped(values.items()).items():
        if not isinstance(inner, dict):
            body[name] = inner
        elif name in ADDRESSES:
            body[name] = _address(name, inner, countries, (over or {}).get(name))
        else:
            body[name] = _reference(name, inner, countries)
    return body


def _grouped(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    grouped: dict[str, Any] = {}
    for path, value in items:
        name, _, rest = path.partition(".")
        if rest:
            grouped.setdefault(name, {})[rest] = value
        else:
            grouped[name] = value
    return grouped


def _address(
    name: str, values: Mapping[str, Any], countries: CountryIds, before: Mapping[str, Any] | None
) -> dict[str, Any]:
    address: dict[str, Any] = {}
    if before and "id" in before:
        address["id"] = before["id"]
        for part in ADDRESS_PARTS:
            if part in before:
                kept = before[part]
                address[part] = {"id": kept["id"]} if isinstance(kept, Mapping) else kept
    for part, value in _grouped(values.items()).items():
        address[part] = _reference(f"{name}.{part}", value, countries) if isinstance(value, dict) else value
    return address


def _reference(name: str, values: Mapping[str, Any], countries: CountryIds) -> dict[str, int] | None:
    """A reference is an object with an id, never a bare number."""
    if set(values) == {COUNTRY_CODE}:
        code = values[COUNTRY_CODE]
        if code is None or not str(code).strip():
            return None
        country = countries.id_of(str(code).strip().upper())
        if country is None:
            raise InvalidValueError(
                f"{name}: Tripletex knows no country {str(code)[:20]!r}; give an ISO 3166 alpha-2 code"
            )
        return {"id": country}
    if set(values) == {"id"}:
        if values["id"] is None:
            return None
        if not str(values["id"]).isdecimal():
            raise InvalidValueError(f"{name}.id: {str(values['id'])[:20]!r} is no id of Tripletex")
        return {"id": int(values["id"])}
    raise InvalidValueError(f"{name}: only its id can be written, not {', '.join(sorted(values))}")
