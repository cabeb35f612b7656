"""The `fields` expressions that ask for exactly what the schemas hold (reference: Tripletex API, Reading)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tripletex_client.schema import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Mapping

DERIVED = frozenset({"modifiedAt"})
"""Properties that our records have and the API does not: `modifiedAt` is made of `changes`."""


def expression(schema: Mapping[str, Any]) -> str:
    """The expression for a schema's properties, sub-objects expanded: `id,postalAddress(id,city)`."""
    return ",".join(
        f"{name}({expression(inner)})" if "properties" in inner else name
        for name, inner in schema["properties"].items()
        if name not in DERIVED
    )


FIELDS: dict[str, str] = {resource: f"{expression(schema)},changes" for resource, schema in SCHEMAS.items()}
"""By resource, everything that its stream emits, and the changes that tell when."""
