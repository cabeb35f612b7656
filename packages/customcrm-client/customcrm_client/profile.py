"""The profile: how one kind of CRM is spoken to, said without a line of code.

These structs are the format; `loading` makes them of YAML, `checking` refuses what contradicts itself, and
docs/profiles.md is written from the descriptions here. A *path* is a JSONPath, the leading `$.` may be left out.
A *template* may hold `{name}` for what is known where it stands.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from customcrm_client.described import Described as _Said
from customcrm_client.described import described as _said
from customcrm_client.profile_auth import Auth, Bearer
from customcrm_client.profile_rate import Rate

Scalar: TypeAlias = str | int | float | bool
Params: TypeAlias = dict[str, Scalar | tuple[Scalar, ...] | None]
"""Query parameters; a list repeats its name, null takes away one that `defaults` or `extends` gave."""
Paths: TypeAlias = tuple[str, ...]
"""One path or a list of them."""
Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class Headed(_Said, frozen=True):
    """What every request may say of its headers."""

    headers: Annotated[dict[str, str], _said("Templates of further headers of this request")] = msgspec.field(
        default_factory=dict
    )


class Question(Headed, frozen=True):
    """A request that reads."""

    method: Annotated[Method | None, _said("The method, if it is not `GET`, and with a body `POST`")] = None
    path: Annotated[
        str | None,
        _said("Template of a path of its own: then nothing of `read` goes with it. Else it is laid over `read`"),
    ] = None
    body: Annotated[
        Any,
        _said(
            "A body. `{page}` is where the next page begins and `{size}` how many records it is to have: then they are "
            "no parameters"
        ),
    ] = None


class Query(Question, frozen=True):
    """A request that reads, with one set of parameters."""

    params: Annotated[Params, _said("Parameters")] = msgspec.field(default_factory=dict)


# -- paging


class End(_Said, frozen=True):
    """How the last page is known. An empty page ends numbered ones, a missing cursor or link the others."""

    short_page: Annotated[
        bool, _said("A page with fewer records than were asked for is the last. Only where the CRM never cuts pages")
    ] = False
    empty_page: Annotated[bool, _said("An empty page is the last even where a cursor or link stands in it")] = False
    total: Annotated[str | None, _said("Path to the number of all records")] = None
    pages: Annotated[str | None, _said("Path to the number of pages")] = None
    more: Annotated[str | None, _said("Path to a flag; where it is not true, there are no more")] = None
    statuses: Annotated[
        tuple[int, ...],
        _said(
            "Statuses that mean: past the last page, for example `404`. Of the first page only those below 400 do: "
            "`read.empty` has the others"
        ),
    ] = ()


class _Paged(_Said, frozen=True):
    size_param: Annotated[str | None, _said("The parameter for the page size, for example `pagination[pageSize]`")] = (
        None
    )
    size_at_most: Annotated[
        int | None, Meta(ge=1, description="The largest page the CRM gives, whatever is asked for")
    ] = None
    end: Annotated[End, _said("How the last page is known")] = End()


class NoPaging(_Said, frozen=True, tag_field="kind", tag="none"):
    """The whole list comes in one answer."""


class PagePaging(_Paged, frozen=True, tag_field="kind", tag="page"):
    """Numbered pages."""

    param: Annotated[str, _said("The parameter for the page's number")] = "page"
    first: Annotated[int, _said("The first page's number")] = 1


class OffsetPaging(_Paged, frozen=True, tag_field="kind", tag="offset"):
    """Records from an offset on."""

    param: Annotated[str, _said("The parameter for the offset")] = "offset"
    step: Annotated[
        Literal["records", "size"],
        _said(
            "How far the offset goes on: by the records that came, or by the page size asked for, where one offset "
            "holds for several lists (`records` with several paths)"
        ),
    ] = "records"
    overlap: Annotated[
        bool, _said("Begin each page with the last record of the one before, so that a list that moves is noticed")
    ] = True


class CursorPaging(_Paged, frozen=True, kw_only=True, tag_field="kind", tag="cursor"):
    """A cursor in the body that asks for the next page."""

    param: Annotated[str, _said("The parameter for the cursor")] = "cursor"
    cursor: Annotated[str, _said("Path to the next page's cursor; null, empty or missing after the last one")]


class NextUrlPaging(_Paged, frozen=True, kw_only=True, tag_field="kind", tag="next_url"):
    """The next page's address in the body; it is followed on the same host only."""

    url: Annotated[str, _said("Path to the address; null, empty or missing after the last page")]


class LinkHeaderPaging(_Paged, frozen=True, tag_field="kind", tag="link_header"):
    """`Link: <…>; rel="next"`; it is followed on the same host only."""


class NextHeaderPaging(_Paged, frozen=True, kw_only=True, tag_field="kind", tag="next_header"):
    """The next page's address in a header; it is followed on the same host only."""

    name: Annotated[str, _said("The header, for example `X-Next-Page`")]


Paging: TypeAlias = (
    NoPaging | PagePaging | OffsetPaging | CursorPaging | NextUrlPaging | LinkHeaderPaging | NextHeaderPaging
)


# -- reading


class Increments(Question, frozen=True):
    """How the changes since a moment are asked for. Without it every run reads everything."""

    params: Annotated[
        tuple[Params, ...],
        _said(
            'Parameters with `{since}`, for example `{"filter[updated][_gte]": "{since}"}`; several mappings are '
            "asked one after the other (say, by `updated` and, for what was never edited, by `created`). "
            "Where neither these nor a body, path or header has `{since}`, the CRM has no filter: then the whole list "
            "is read, and what is older is left out here"
        ),
    ] = ()
    format: Annotated[
        str,
        _said(
            "How `{since}` is written: `rfc3339` (UTC, milliseconds, Z), `rfc3339_seconds`, `date`, `http_date`, "
            "`epoch`, `epoch_ms`, or a strftime pattern such as `%Y-%m-%d %H:%M:%S`"
        ),
    ] = "rfc3339"
    inclusive: Annotated[
        bool, _said("Whether the CRM gives records of just that moment too; if not, it is asked a step earlier")
    ] = True
    sort: Annotated[
        Params, _said("Parameters for the order of changes, oldest first, for example `{sort: updated}`")
    ] = msgspec.field(default_factory=dict)
    in_order: Annotated[bool, _said("Changes come oldest first: a long read that breaks off goes on where it was")] = (
        False
    )
    at_most: Annotated[
        int | None,
        Meta(
            ge=1,
            description="Records that the CRM gives of one such list, however many there are: it is asked again from "
            "the newest on. Needs `in_order`",
        ),
    ] = None
    look_back: Annotated[
        float,
        Meta(
            ge=0,
            description="Seconds before the newest change at which a read begins, where the tap's 300 are too few",
        ),
    ] = 0
    records: Annotated[Paths, _said("Paths to the records in the answer, if not those of `read`")] = ()


class Deletions(Query, frozen=True):
    """A list of deleted records, which the tap reads beside the changes. It may be asked by `{since}`."""

    records: Annotated[Paths, _said("Paths to its entries, if not those of `read.records`")] = ()
    id: Annotated[str, _said("Path to the deleted record's id in an entry")] = "id"
    deleted_at: Annotated[str | None, _said("Path to when it was deleted")] = None
    empty: Annotated[tuple[int, ...], _said("Statuses that mean: nothing was deleted, for example `304`")] = ()
    paging: Annotated[Paging | None, _said("How its next page is asked for, if not as `read.paging` says")] = None


class Mark(_Said, frozen=True):
    """What marks a record as deleted, or an answer as a refusal."""

    path: Annotated[str, _said("Path in the record, or in the answer")]
    values: Annotated[
        tuple[Scalar, ...],
        _said("Values that mean it; without them any but null, false, 0, an empty text, and texts that say no"),
    ] = ()


class Read(Query, frozen=True):
    """How the list of a stream is read."""

    path: Annotated[
        str | None, _said("Template of the list's path, if not the stream's `path`; a trailing slash is kept")
    ] = None
    params: Annotated[Params, _said("Parameters of every request for the list")] = msgspec.field(default_factory=dict)
    with_deleted: Annotated[
        Params, _said("Further parameters where deleted records are wanted too (the tap wants them)")
    ] = msgspec.field(default_factory=dict)
    records: Annotated[
        Paths, _said("Paths to the records in an answer; `$` is a bare array. Several lists are joined")
    ] = ("$",)
    ids: Annotated[
        str | None,
        _said("Path to the ids in an answer, where it does not hold whole records: these are then read, by their ids"),
    ] = None
    empty: Annotated[tuple[int, ...], _said("Statuses that mean: the list is empty, for example `204`")] = ()
    paging: Annotated[Paging, _said("How the next page is asked for")] = NoPaging()
    increments: Annotated[Increments | None, _said("How changes are asked for; needs `updated_at`")] = None
    deletions: Annotated[
        Deletions | None, _said("A list of deleted records, where they are in no other. It is asked for with changes")
    ] = None


class Get(Query, frozen=True):
    """How one record is read."""

    path: Annotated[str | None, _said("Template with `{id}`, if it is not the stream's `path`, a slash and the id")] = (
        None
    )
    body: Annotated[Any, _said("A body, with `{id}`")] = None
    record: Annotated[str, _said("Path to the record in the answer")] = "$"
    missing: Annotated[tuple[int, ...], _said("Statuses that mean: there is no such record")] = (404, 410)


class GetMany(Query, frozen=True):
    """How several records are read at once, by a list of ids."""

    params: Annotated[Params, _said('Parameters with `{ids}`, for example `{"filter[id][_in]": "{ids}"}`')] = (
        msgspec.field(default_factory=dict)
    )
    body: Annotated[Any, _said("A body; `{ids}` is a list there")] = None
    each: Annotated[Any, _said('What each id is in the list of a body, for example `{id: "{id}"}`')] = "{id}"
    separator: Annotated[
        str | None,
        _said("What stands between ids; an id that holds it is read by itself. Null: the parameter is repeated"),
    ] = ","
    at_most: Annotated[int, Meta(ge=1, description="Ids in one request at most")] = 100
    records: Annotated[Paths, _said("Paths to the records in the answer, if not those of `read`")] = ()
    ok: Annotated[tuple[int, ...], _said("Statuses that mean: done")] = (200,)
    paging: Annotated[Paging | None, _said("How the next page is asked for, if not as `read.paging` says")] = None


class Search(Query, frozen=True):
    """How records with given values are looked for."""

    params: Annotated[
        Params,
        _said("Parameters for one property, with `{field}` (its name in the CRM) and `{value}`; several are joined"),
    ] = msgspec.field(default_factory=dict)
    body: Annotated[Any, _said("A body, with `{field}` and `{value}`, or `{values}`: a list of several values")] = None
    properties: Annotated[
        tuple[str, ...] | dict[str, str],
        _said(
            "The stream's properties that can be asked by, or each with what `{field}` is for it; none named: all of "
            "them"
        ),
    ] = ()
    separator: Annotated[
        str | None,
        _said("What stands between several values, where the CRM takes several; such a value is not asked by"),
    ] = None
    between: Annotated[
        str | None,
        _said(
            "What stands between the conditions on several properties in one parameter, for example ` and `. Without "
            "it, such a parameter asks by the first alone"
        ),
    ] = None
    records: Annotated[Paths, _said("Paths to the records in the answer, if not those of `read`")] = ()
    ids: Annotated[
        str | None, _said("Path to the ids in the answer, where it does not hold whole records: these are then read")
    ] = None
    paging: Annotated[Paging | None, _said("How the next page is asked for, if not as `read.paging` says")] = None


# -- writing


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
            'The body, with the text `{record}` where the record stands, for example `{data: "{record}"}`; a property\'s '
            "name, such as `{CustomerId}`, is where that stands beside the record, left out where it has no value"
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
    after_create: Annotated[
        bool, _said("A new record does not take it either: it is set just after. Else it is written at `write`")
    ] = False


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
    streams: Annotated[dict[str, Stream], _said("The streams: contact, customer, product, and any others")] = (
        msgspec.field(default_factory=dict)
    )
