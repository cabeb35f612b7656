"""What both systems say, without what differs between two runs that mean the same: ids, versions, stamps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sandbox.systems import Systems

OWN = frozenset(
    {"Id", "CreatedAt", "UpdatedAt", "id", "version", "url", "changes", "customerNumber", "displayName", "currency"}
)
RESOURCES = ("customer", "contact", "product")

Said = dict[str, list[dict[str, Any]]]
"""`customcrm customer` and so on: the records, in an order of their own."""


def said(systems: Systems) -> Said:
    """Every record of both systems; a person's customer is told by its name."""
    told: Said = {}
    for system, reference, name in ((systems.customcrm, "CustomerId", "Name"), (systems.tripletex, "customer", "name")):
        names = {one.get("Id", one.get("id")): one[name] for one in system.all("customer")}
        for resource in RESOURCES:
            records = [_bare(record) for record in system.all(resource)]
            for bare, record in zip(records, system.all(resource), strict=True):
                target = record.get(reference)
                if target is not None:
                    bare[reference] = names.get(target["id"] if isinstance(target, Mapping) else target)
            told[f"{system.name} {resource}"] = sorted(records, key=msgspec.json.encode)
    return told


def without(told: Said, *properties: str) -> Said:
    """The same with some properties left out."""
    bare = {
        kind: [{name: value for name, value in record.items() if name not in properties} for record in records]
        for kind, records in told.items()
    }
    return {kind: sorted(records, key=msgspec.json.encode) for kind, records in bare.items()}


def _bare(value: Any) -> Any:
    if isinstance(value, Mapping):
        if "isoAlpha2Code" in value:
            return value["isoAlpha2Code"]
        return {name: _bare(inner) for name, inner in value.items() if name not in OWN}
    return value
