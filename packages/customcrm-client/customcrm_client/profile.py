"""The profile: how one kind of CRM is spoken to, said without a line of code.

These structs are the format; `loading` makes them of YAML, `checking` refuses what contradicts itself, and
docs/profiles.md is written from the descriptions here. A *path* is a JSONPath, the leading `$.` may be left out.
A *template* may hold `{name}` for what is known where it stands.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from customcrm_client.described import Described as _Said
from customcrm_client.described import described as _said
from customcrm_client.profile_auth import Auth, Bearer
from customcrm_client.profile_rate import Rate
from customcrm_client.profile_reading import Get, GetMany, Paths, Read, Scalar, Search
from customcrm_client.profile_writing import Relation, Write


class Mark(_Said, frozen=True):
    """What marks a record as deleted, or an answer as a refusal."""

    path: Annotated[str, _said("Path in the record, or in the answer")]
    values: Annotated[
        tuple[Scalar, ...],
        _said("Values that mean it; without them any but null, false, 0, an empty text, and texts that say no"),
    ] = ()


# -- errors


class Errors(_Said, frozen=True):
    """What the CRM's answers say where it refuses."""

    message: Annotated[Paths, _said("Paths to the message; the first that holds a text")] = ()
    details: Annotated[
        str | None,
        _said("Path to the points: a list of objects or texts, or an object of fields, each with its messages"),
    ] = None
    field: Annotated[str, _said("Path to the field's name in a point of the list")] = "field"
    text: Annotated[str, _said("Path to the words in a point of the list")] = "message"
    code: Annotated[str | None, _said("Path to the CRM's code for the error")] = None
    flag: Annotated[
        Mark | str | None,
        _said(
            "Path that is true in an answer that refuses in spite of a status that means: done; or `{path, values}`, "
            "without values for one that is there only then"
        ),
    ] = None
    permanent: Annotated[
        tuple[int, ...], _said("Statuses of 500 and above that say no to the one record, and will again")
    ] = ()


# -- streams


class Property(_Said, frozen=True):
    """A property of a stream, and what the CRM calls it."""

    path: Annotated[str | None, _said("Path in the CRM's record; the property's own name if left out")] = None
    write: Annotated[str | None, _said("Path it is written at, where that is another one")] = None
    write_as: Annotated[
        Any,
        _said("What is written for a value, with `{value}`, for example `/accounts({value})`; no value stays null"),
    ] = None
    relation: Annotated[Relation | None, _said("Requests of its own that write it")] = None
    type: Annotated[Literal["string", "number", "integer", "boolean", "any"], _said("Its type in the stream")] = (
        "string"
    )
    crm_type: Annotated[
        Literal["string", "number", "integer", "boolean"] | None,
        _said("Its type in the CRM, where that is another one: values are converted both ways"),
    ] = None
    absent: Annotated[
        Literal["unknown", "empty"] | None,
        _said("What it means where a record lacks it, if not as `absent` of the stream says"),
    ] = None
    read_only: Annotated[bool, _said("The CRM's own: never written, and `transforms/` must not either")] = False
    nulls: Annotated[
        Literal["send", "omit", "empty", "parent"] | None,
        _said(
            "How no value of it is written, if not as `write.nulls` says. `parent`: what it stands in is null, as in "
            "`company: null` for `company: {id: 7}`. In a list `omit` takes its entry away"
        ),
    ] = None
    description: Annotated[str, _said("For people")] = ""


class Stream(_Said, frozen=True):
    """A stream: what the tap reads under this name, and the target writes."""

    path: Annotated[str, _said("Template of the list's path below `api_url`; a trailing slash is kept")]
    id: Annotated[str, _said("Path to the record's id, which becomes `Id`")] = "id"
    id_type: Annotated[
        Literal["string", "integer"], _said("Its type where it stands in a body; in the stream it is a text")
    ] = "string"
    updated_at: Annotated[
        Paths,
        _said(
            "Paths to when the record was last changed, the first that holds something, which becomes `UpdatedAt`. "
            "A second one is for CRMs that leave it null until the first edit. Empty: the CRM does not tell"
        ),
    ] = ()
    created_at: Annotated[str | None, _said("Path to when it was made, which becomes `CreatedAt`")] = None
    times: Annotated[
        str, _said("How the CRM writes these times: `rfc3339`, `date`, `epoch`, `epoch_ms`, or a strptime pattern")
    ] = "rfc3339"
    timezone: Annotated[str, _said("Zone of times that tell none")] = "UTC"
    deleted: Annotated[
        Mark | str | None, _said("What marks a deleted record: a path, or `{path, values}`; becomes `Deleted`")
    ] = None
    unwrap: Annotated[
        str | None, _said("Path to an object in each record whose properties are the record's, such as `attributes`")
    ] = None
    properties: Annotated[
        dict[str, Property | str | Literal[False] | None],
        _said(
            "The stream's properties, each with the CRM's name for it (nothing: the same name; false: it has none, and "
            "rows of a table for it are left out). Left out: the CRM's own names are kept, and `schema` says which "
            "there are"
        ),
    ] = msgspec.field(default_factory=dict)
    absent: Annotated[
        Literal["unknown", "empty"],
        _said(
            "What it means where a record lacks a property: nothing (`unknown`), or that it has no value (`empty`), "
            "for CRMs that leave out what is empty"
        ),
    ] = "unknown"
    no_value: Annotated[
        tuple[Scalar, ...],
        _said("What the CRM says beside null where a property has no value, for example `false`; flags are left alone"),
    ] = ()
    schema: Annotated[
        dict[str, Any] | None, _said("JSON schema of the records where `properties` does not tell; else from `schemas`")
    ] = None
    read: Annotated[Read, _said("How the list is read")] = Read()
    get: Annotated[Get | None, _said("How one record is read; null: only by lists")] = Get()
    get_many: Annotated[GetMany | None, _said("How several are read by their ids")] = None
    search: Annotated[
        Search | None, _said("How records with given values are looked for; without it, by going through the list")
    ] = None
    write: Annotated[Write | None, _said("How records are written; without it the stream is read only")] = None
    errors: Annotated[
        Errors | None,
        _said("What answers say where a request for it is refused; laid over the profile's `errors`"),
    ] = None


class Profile(_Said, frozen=True):
    """How one kind of CRM is spoken to."""

    auth: Annotated[Auth, _said("How the CRM knows who asks")] = Bearer()
    headers: Annotated[dict[str, str], _said("Templates of further headers of every request")] = msgspec.field(
        default_factory=dict
    )
    variables: Annotated[
        dict[str, Scalar | None],
        _said(
            "Values for `{name}` in any template; the setting `profile_variables` gives others. A property whose path "
            "holds one that is null is left out"
        ),
    ] = msgspec.field(default_factory=dict)
    schemas: Annotated[
        str | None,
        _said("File with the streams' JSON schemas, beside the profile: what the option `--infer` of the tap wrote"),
    ] = None
    errors: Annotated[Errors, _said("What the CRM's answers say where it refuses")] = Errors()
    rate: Annotated[Rate, _said("How the CRM tells how many requests it allows")] = Rate()
    without: Annotated[
        tuple[str, ...],
        _said("Streams that this CRM does not have, like null under `streams`: tables for them are left out"),
    ] = ()
    streams: Annotated[dict[str, Stream], _said("The streams: contact, customer, product, and any others")] = (
        msgspec.field(default_factory=dict)
    )
