"""The part of a profile that says how records are asked for: lists, changes, deletions, single ones, searches."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from customcrm_client.described import Described as _Said
from customcrm_client.described import described as _said
from customcrm_client.profile_paging import NoPaging, Paging

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
