"""The streams' schemas: what each system's records are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import tripletex_client.schema
from customcrm_client.loading import reference
from customcrm_client.profile import Profile
from customcrm_client.schema import OWN as CUSTOMCRM_OWN
from customcrm_client.schema import schemas
from tripletex_client.lengths import LENGTHS

from dataflow.side import CUSTOMCRM, TRIPLETEX, Side

Schema: TypeAlias = Mapping[str, Any]
Schemas: TypeAlias = Mapping[str, Mapping[str, Schema]]
"""Side name, then stream, to the JSON schema of its records."""

Absent: TypeAlias = Mapping[str, frozenset[str] | None]
"""Stream name to those of its properties that this CRM does not have; None where it has no such stream."""

OWN = {
    CUSTOMCRM.name: frozenset(CUSTOMCRM_OWN),
    TRIPLETEX.name: frozenset({"url", "displayName", "changes", "version", "modifiedAt"}),
}
"""What a system alone writes, beside what its schema marks as ``readOnly``."""


def stream_schemas(profile: Profile | None = None) -> Schemas:
    """The schemas of the streams as both taps emit them; the CRM's as its profile has them (the reference, if none)."""
    return {CUSTOMCRM.name: schemas(profile or reference()), TRIPLETEX.name: tripletex_client.schema.SCHEMAS}


def absent(profile: Profile) -> Absent:
    """The streams and properties of the CRM of which its profile says that there are none."""
    found: dict[str, frozenset[str] | None] = dict.fromkeys(profile.without)
    for name, stream in profile.streams.items():
        found[name] = frozenset(path for path, said in stream.properties.items() if said is False)
    return found


def leaf_of(schema: Schema, path: str) -> Schema | None:
    """The schema of the property at a dotted path; ``None`` where there is none."""
    here: Schema = schema
    for name in path.split("."):
        found = here.get("properties", {}).get(name)
        if found is None:
            return None
        here = found
    return here


def paths_of(schema: Schema, prefix: str = "") -> Iterator[str]:
    """Every property that can be mapped, nested ones dotted."""
    for name, one in schema.get("properties", {}).items():
        if "properties" in one:
            yield from paths_of(one, f"{prefix}{name}.")
        else:
            yield prefix + name


def json_type(leaf: Schema) -> str:
    """The JSON type of a property, null aside; "any" where the schema leaves it open."""
    types = leaf.get("type", ())
    named = [types] if isinstance(types, str) else [one for one in types if one != "null"]
    return named[0] if len(named) == 1 else "any"


def longest(side: Side, stream: str, path: str) -> int | None:
    """How many characters a system takes in a property; None where it is not known."""
    return LENGTHS.get(stream, {}).get(path) if side is TRIPLETEX else None


def writable(side: Side, schema: Schema, path: str) -> bool:
    """Whether a property can be written.

    A reference to another record is written by that record's id (customer.id), a country also by its code; the id of
    the record itself, or of a part of it such as an address, is not.
    """
    *parents, name = path.split(".")
    holder = leaf_of(schema, ".".join(parents)) if parents else schema
    leaf = leaf_of(schema, path)
    if holder is None or leaf is None or name in OWN[side.name] or leaf.get("readOnly"):
        return False
    return not (side is TRIPLETEX and name == "id") or _is_reference(holder, parents)


def _is_reference(holder: Schema, parents: list[str]) -> bool:
    return bool(parents) and "version" not in holder["properties"]
