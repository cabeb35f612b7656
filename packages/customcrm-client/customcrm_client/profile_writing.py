"""The part of a profile that says how records are written."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from customcrm_client.described import Described as _Said
from customcrm_client.described import described as _said
from customcrm_client.profile_reading import Headed, Method, Params


class Batch(_Said, frozen=True):
    """Several records in one request. A batch that is refused is split until only the refused record is left."""

    size: Annotated[int, Meta(ge=2, description="Records in one request at most")]
    path: Annotated[str | None, _said("Template of the path, if it is another one")] = None
    method: Annotated[Literal["POST", "PUT", "PATCH"] | None, _said("The method, if it is another one")] = None
    body: Annotated[Any, _said("The body, with the text `{records}` where the list of records stands")] = "{records}"
    each: Annotated[
        Any, _said('What each record is in it, for example `{id: "{id}", fields: "{record}"}`; `{id}` at updates only')
    ] = "{record}"
    records: Annotated[str, _said("Path to the records in the answer, in any order")] = "$"


class Create(Headed, frozen=True):
    """How a record is made."""

    method: Annotated[Literal["POST", "PUT", "PATCH"], _said("The method")] = "POST"
    path: Annotated[str | None, _said("Template of the path, if not the stream's `path`")] = None
    params: Annotated[Params, _said("Parameters")] = msgspec.field(default_factory=dict)
    body: Annotated[
        Any,
        _said(
            'The body, with the text `{record}` where the record stands, for example `{data: "{record}"}`; the name '
            "of a property, such as `{CustomerId}`, is where that stands beside the record: left out without a value"
        ),
    ] = "{record}"
    constants: Annotated[
        dict[str, Any], _said("Values of the CRM's that every new record gets, by their paths there")
    ] = msgspec.field(default_factory=dict)
    ok: Annotated[tuple[int, ...], _said("Statuses that mean: done")] = (200, 201)
    record: Annotated[
        str | None, _said("Path to the record in the answer; null: it is not there, and is read back")
    ] = "$"
    id: Annotated[str | None, _said("Path to the new id in the answer, where the record is not there")] = None
    batch: Annotated[Batch | None, _said("Several records in one request")] = None


class Update(Headed, frozen=True):
    """How a record is changed."""

    method: Annotated[Literal["POST", "PUT", "PATCH"], _said("The method")] = "PATCH"
    path: Annotated[
        str | None, _said("Template, if not that of `get`; without `{id}` where the id stands in the body")
    ] = None
    params: Annotated[Params, _said("Parameters")] = msgspec.field(default_factory=dict)
    body: Annotated[Any, _said("The body, with `{record}`, and `{id}` where the id stands in it")] = "{record}"
    with_id: Annotated[bool, _said("The record that is sent holds its id, as those of a batch do")] = False
    whole: Annotated[bool, _said("The CRM takes whole records only: what was read is sent back with the changes")] = (
        False
    )
    merges: Annotated[
        bool,
        _said(
            "The CRM merges objects: of `address: {city: …}` it changes the city alone. Without it an object is sent "
            "as it was read, with the change in it, since many CRMs replace it whole"
        ),
    ] = False
    ok: Annotated[tuple[int, ...], _said("Statuses that mean: done")] = (200, 201, 202, 204)
    missing: Annotated[tuple[int, ...], _said("Statuses that mean: there is no such record")] = (404, 410)
    record: Annotated[
        str | None, _said("Path to the record in the answer; null: it is not there, and is read back")
    ] = "$"
    batch: Annotated[Batch | None, _said("Several records in one request, each with its id")] = None


class Delete(Headed, frozen=True):
    """How a record is deleted."""

    method: Annotated[Literal["DELETE", "POST", "PUT", "PATCH"], _said("The method")] = "DELETE"
    path: Annotated[str | None, _said("Template, if not that of `get`")] = None
    params: Annotated[Params, _said("Parameters")] = msgspec.field(default_factory=dict)
    body: Annotated[Any, _said("The body, if one is sent: `{id}` is the id, so `{archived: true}` archives")] = None
    ok: Annotated[tuple[int, ...], _said("Statuses that mean: done")] = (200, 202, 204)
    missing: Annotated[tuple[int, ...], _said("Statuses that mean: it was gone already")] = (404, 410)


class ETag(_Said, frozen=True, tag_field="kind", tag="etag"):
    """Each record is read with its ETag, and written with `If-Match`."""

    path: Annotated[
        str | None,
        _said("Path in the record, where each holds its ETag, in lists too, for example `['@odata.etag']`"),
    ] = None


class VersionField(_Said, frozen=True, tag_field="kind", tag="version"):
    """The record holds a version that is sent back with each change; the CRM refuses an old one with 409 or 412."""

    path: Annotated[str, _said("Path in the record, and where it stands in the record that is sent")]
    header: Annotated[str | None, _said("The header that it is sent in instead, for example `X-Version-Number`")] = None
    format: Annotated[
        Literal["as_read", "http_date"],
        _said("How that header has it; a time as `http_date` in `If-Unmodified-Since`"),
    ] = "as_read"


class Compared(_Said, frozen=True, tag_field="kind", tag="none"):
    """The CRM has no locking: a record is read just before it is written, and left alone if it has changed."""


Locking: TypeAlias = ETag | VersionField | Compared


class Write(_Said, frozen=True):
    """How the records of a stream are written. Without it the stream is read only."""

    locking: Annotated[Locking, _said("How an edit of somebody else is noticed before it is overwritten")] = Compared()
    nulls: Annotated[
        Literal["send", "omit", "empty"],
        _said("How no value is written: sent as null, left out, or sent as an empty text"),
    ] = "send"
    create: Annotated[Create | None, _said("How a record is made; null: the CRM's users alone do")] = Create()
    update: Annotated[Update | None, _said("How a record is changed; null: it is not")] = Update()
    delete: Annotated[Delete | None, _said("How a record is deleted; null: it is not")] = Delete()


class Call(Headed, frozen=True, kw_only=True):
    """A request that writes one property of one record."""

    method: Annotated[Method, _said("The method")] = "PUT"
    path: Annotated[str, _said("Template with `{id}`, and `{value}` or `{before}`")]
    params: Annotated[Params, _said("Parameters")] = msgspec.field(default_factory=dict)
    body: Annotated[Any, _said("The body, if one is sent: `{id}`, `{value}` and `{before}` stand for themselves")] = (
        None
    )
    ok: Annotated[tuple[int, ...], _said("Statuses that mean: done")] = (200, 201, 202, 204)


class Relation(_Said, frozen=True):
    """Requests of its own that write a property, where the record itself does not take it."""

    set: Annotated[Call, _said("Writes a value")]
    clear: Annotated[
        Call | None, _said("Takes the value that was there (`{before}`) away, also before another one is set")
    ] = None
    replaces: Annotated[
        bool, _said("Setting a value takes the one before away: `clear` is asked for no value alone")
    ] = False
    after_create: Annotated[
        bool, _said("A new record does not take it either: it is set just after. Else it is written at `write`")
    ] = False
