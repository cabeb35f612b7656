"""Request bodies and ``fields`` expressions made of flat values (reference: Tripletex API, Reading and Writing)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Protocol

from record_sync.values import Values
from tripletex_client.lengths import LENGTHS
from tripletex_client.schema import SCHEMAS

ADDRESSES = ("postalAddress", "physicalAddress", "deliveryAddress")
ABROAD = "physicalAddress"
ADDRESS_PARTS = ("addressLine1", "addressLine2", "postalCode", "city", "country")
COUNTRY_CODE = "isoAlpha2Code"
NUMBER = "organizationNumber"
NORWEGIAN_NUMBER = re.compile(r"[0-9]{9}")
CHOICES = ("language", "invoiceSendMethod", "emailAttachmentType", "invoicesDueInType", "weightUnit", "volumeUnit")
"""Texts of which only some are allowed: none of them is empty."""


class InvalidValueError(ValueError):
    """A value that Tripletex has no place for; the text is for the operator."""


def _texts(properties: Mapping[str, Any]) -> Iterator[str]:
    for name, prop in properties.items():
        if "string" in prop["type"] and name not in CHOICES:
            yield name
        elif "properties" in prop:
            yield from _texts(prop["properties"])


TEXTS = frozenset(name for schema in SCHEMAS.values() for name in _texts(schema["properties"]))
"""Properties that are cleared by an empty text: null is refused for some of them (Tripletex API, As it really is)."""


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
        if name in tree or (name == ABROAD and NUMBER in tree and "postalAddress" in tree):
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
            body[name] = _plain(name, inner)
        elif name in ADDRESSES:
            body[name] = _address(name, inner, countries, (over or {}).get(name))
        else:
            body[name] = _reference(name, inner, countries)
    if values.get(NUMBER) and not NORWEGIAN_NUMBER.fullmatch(str(values[NUMBER])):
        _say_country(body, countries, over or {})
    return body


def check_lengths(resource: str, values: Values) -> None:
    """Raise InvalidValueError for a text that is longer than Tripletex takes it."""
    lengths = LENGTHS.get(resource, {})
    told = [
        f"{path} has {len(value)} characters, Tripletex takes {lengths[path]}"
        for path, value in values.items()
        if path in lengths and isinstance(value, str) and len(value) > lengths[path]
    ]
    if told:
        raise InvalidValueError(f"{'; '.join(told)}. Shorten it, or say cut: true in its line of the table")


def _say_country(body: dict[str, Any], countries: CountryIds, over: Mapping[str, Any]) -> None:
    """Beside a foreign organisation number its country, by which alone it is judged: the physical address's."""
    address = body.get(ABROAD) or {}
    before = over.get(ABROAD) or {}
    said = [address, body.get("postalAddress") or {}, before, over.get("postalAddress") or {}]
    country = next((one["country"] for one in said if one.get("country")), None)
    if country is not None and not address.get("country"):
        kept = address or _address(ABROAD, {}, countries, before)
        body[ABROAD] = {**kept, "country": {"id": country["id"]}}


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
                address[part] = {"id": kept["id"]} if isinstance(kept, Mapping) else _plain(part, kept)
    for part, value in _grouped(values.items()).items():
        address[part] = (
            _reference(f"{name}.{part}", value, countries) if isinstance(value, dict) else _plain(part, value)
        )
    return address


def _plain(name: str, value: Any) -> Any:
    return "" if value is None and name in TEXTS else value


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
