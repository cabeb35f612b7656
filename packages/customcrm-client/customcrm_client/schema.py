"""JSON schemas of the streams, as a profile makes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from customcrm_client.loading import reference
from customcrm_client.profile import Profile, Property, Stream

Schema = dict[str, Any]

ID, CREATED_AT, UPDATED_AT, DELETED = "Id", "CreatedAt", "UpdatedAt", "Deleted"
"""What every record has, whatever the CRM calls it; the server's own."""

OWN: Mapping[str, Schema] = {
    ID: {"type": "string", "description": "Given by the server, never used again"},
    CREATED_AT: {"type": ["string", "null"], "format": "date-time"},
    UPDATED_AT: {"type": ["string", "null"], "format": "date-time"},
    DELETED: {"type": ["boolean", "null"], "description": "True: a tombstone"},
}


def schemas(profile: Profile) -> dict[str, Schema]:
    """The schema of each stream's records."""
    return {name: schema_of(stream) for name, stream in profile.streams.items()}


def schema_of(stream: Stream) -> Schema:
    """The schema of a stream's records: the four that every record has, then its properties."""
    given = dict((stream.schema or {}).get("properties", {}))
    own = {name: described for name, described in OWN.items() if name in told(stream)}
    properties = {name: _described(one) for name, one in properties_of(stream).items()}
    return {"type": "object", "properties": {**own, **{k: v for k, v in given.items() if k not in own}, **properties}}


def told(stream: Stream) -> tuple[str, ...]:
    """Which of the four the CRM tells."""
    return tuple(
        name
        for name, said in (
            (ID, stream.id),
            (CREATED_AT, stream.created_at),
            (UPDATED_AT, stream.updated_at),
            (DELETED, stream.deleted or stream.read.deletions),
        )
        if said
    )


def properties_of(stream: Stream) -> dict[str, Property]:
    """The properties that the profile names, in their long form."""
    found = {}
    for name, said in stream.properties.items():
        if said is not False:
            found[name] = said if isinstance(said, Property) else Property(path=said or None)
    return found


def writable(stream: Stream) -> frozenset[str]:
    """The properties that can be written: those that are not the server's own."""
    properties = schema_of(stream)["properties"]
    return frozenset(name for name, one in properties.items() if name not in OWN and not one.get("readOnly"))


def _described(one: Property) -> Schema:
    described: Schema = {} if one.type == "any" else {"type": [one.type, "null"]}
    if one.description:
        described["description"] = one.description
    if one.read_only:
        described["readOnly"] = True
    return described


SCHEMAS: dict[str, Schema] = schemas(reference())
"""The reference contract's, by stream."""
