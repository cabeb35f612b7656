"""Lists: filtering, sorting, paging, the envelope and its checksum (reference: Tripletex API, Reading)."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from sandbox.store import Table
from sandbox.tripletex.filters import Filter, flag, refused_parameter
from sandbox.tripletex.refusal import TripletexRefusal
from sandbox.tripletex.rows import Row
from sandbox.tripletex.types import object_type
from sandbox.tripletex.variants import Variant

PAGING = ("from", "count", "sorting", "fields")
DEFAULT_COUNT = 1000
REMEMBERED = 32
LIMIT = 10_000
LIMITED = ("customer", "contact", "product")
ROLES = {"customer": "isCustomer", "supplier": "isSupplier"}


class Page(msgspec.Struct, frozen=True):
    """The rows of a page, and where it stands in the whole."""

    rows: list[Row]
    start: int
    more: bool
    digest: str

    @property
    def full_size(self) -> int:
        """No total since 2026-03-16: what has been seen by the end of this page, and one more if more follow."""
        return self.start + len(self.rows) + self.more


class Lists:
    """Answers list requests of one system, remembering what matched as long as nothing changed."""

    def __init__(self, variant: Variant) -> None:
        self.epoch = 0
        self.limit = LIMIT
        """So many records a list may have, where there is a limit."""
        self._variant = variant
        self._remembered: dict[Any, list[int]] = {}

    @property
    def variant(self) -> Variant:
        """Which lists there are."""
        return self._variant

    @variant.setter
    def variant(self, variant: Variant) -> None:
        self._variant = variant
        self._remembered.clear()

    def page(
        self, resource: str, table: Table[Row], filters: Mapping[str, Filter], params: Iterable[tuple[str, str]]
    ) -> Page:
        """The page that the query asks for; parameters that there are not are passed over. Raises TripletexRefusal."""
        asked = _known(params, filters)
        start = _whole(asked.pop("from", ["0"]), "from")
        count = _whole(asked.pop("count", [str(DEFAULT_COUNT)]), "count")
        fields = asked.pop("fields", [""])[-1]
        by_ids = "id" in asked and self.variant["id-filter"] == "all"
        if resource == "customer" and not by_ids:
            # Inactive customers are left out of every list that does not ask for them.
            asked.setdefault("isInactive", ["false"])
        if resource in ROLES:
            role = ROLES[resource]
            filters, asked = {**filters, role: flag(role)}, {**asked, role: ["true"]}
        if resource == "contact" and not by_ids and self.variant["inactive-contacts"] == "hidden":
            filters, asked = {**filters, "isInactive": flag("isInactive")}, {**asked, "isInactive": ["false"]}
        query = (resource, tuple(sorted((name, tuple(values)) for name, values in asked.items())))
        matching = self._matching(query, resource, table, filters, asked)
        if resource in LIMITED and len(matching) > self.limit and self.variant["list-limit"] == "on":
            raise TripletexRefusal(23000, f"Result set too large. Limit of {self.limit} reached")
        rows = [table.rows[key] for key in matching[start : start + count]]
        return Page(rows, start, start + count < len(matching), self._digest(rows, (query, start, count, fields)))

    def _matching(
        self,
        query: Any,
        resource: str,
        table: Table[Row],
        filters: Mapping[str, Filter],
        asked: Mapping[str, list[str]],
    ) -> list[int]:
        memory = (query, table.revision)
        if memory not in self._remembered:
            while len(self._remembered) >= REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[memory] = _matching(resource, table, filters, asked)
        return self._remembered[memory]

    def _digest(self, rows: list[Row], query: Any) -> str:
        """A checksum of the page: of what was asked, and of the ids and versions found."""
        text = f"{self.epoch}|{query}|" + ";".join([f"{row.id}:{row.version}" for row in rows])
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _known(params: Iterable[tuple[str, str]], filters: Mapping[str, Filter]) -> dict[str, list[str]]:
    asked: dict[str, list[str]] = {}
    for name, value in params:
        if name in filters or name in PAGING:
            asked.setdefault(name, []).append(value)
    return asked


def _whole(values: list[str], name: str) -> int:
    if not re.fullmatch(r"\d{1,9}", values[-1], flags=re.ASCII):
        raise refused_parameter(name, "Må være et heltall som ikke er negativt.")
    return int(values[-1])


def _matching(
    resource: str, table: Table[Row], filters: Mapping[str, Filter], asked: Mapping[str, list[str]]
) -> list[int]:
    """The keys that pass every filter, in order."""
    narrowings = [filters[name](name, values, table) for name, values in asked.items() if name in filters]
    keys: Iterable[int] = table.rows
    found = [narrowing.keys for narrowing in narrowings if narrowing.keys is not None]
    if found:
        keys = set.intersection(*sorted(found, key=len))
    for narrowing in narrowings:
        if narrowing.passes is not None:
            passes = narrowing.passes
            keys = [key for key in keys if passes(table.rows[key])]
    ordered = sorted(keys)
    for pattern in reversed(asked.get("sorting", [""])[-1].split(",")):
        if pattern.strip():
            ordered = _sorted(resource, table, ordered, pattern.strip())
    return ordered


def _sorted(resource: str, table: Table[Row], keys: list[int], pattern: str) -> list[int]:
    name, descending = pattern.lstrip("-"), pattern.startswith("-")
    if name == "id":
        return sorted(keys, reverse=descending)
    prop = object_type(resource).properties.get(name)
    if prop is None or prop.is_reference or prop.many or name in ("url", "version"):
        raise TripletexRefusal(17000, f"Cannot sort by {name}")

    def place(key: int) -> tuple[bool, Any]:
        value = table.rows[key].values[name]
        return value is not None, value if value is not None else 0

    return sorted(keys, key=place, reverse=descending)
