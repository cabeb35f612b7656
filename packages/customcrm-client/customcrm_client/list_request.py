"""What is asked of a list: method, path, parameters, headers and body, as templates until it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from customcrm_client.paging import Turn, size_of
from customcrm_client.paths import ABSENT, places
from customcrm_client.profile import Mark, Stream
from customcrm_client.profile_paging import CursorPaging, NoPaging, OffsetPaging, PagePaging, Paging
from customcrm_client.profile_reading import Deletions, Get, GetMany, Increments, Params, Question, Search
from customcrm_client.schema import properties_of
from customcrm_client.templates import Several, filled, names_in

PAGE, SIZE, FIELDS, COLUMNS = "page", "size", "fields", "columns"
"""What stands in a request for where a page begins, for how many records it is to have, and for what of each: `COLUMNS`
names objects whole."""


class ListRequest(msgspec.Struct, frozen=True):
    """A request for a list, page by page; the same question is asked of each page.

    What it is filled with is kept beside it and put in once, since a value may hold braces itself.
    """

    method: str
    path: str
    params: Mapping[str, Any]
    headers: Mapping[str, str]
    body: Any
    paging: Paging
    values: Mapping[str, Any] = {}
    in_body: Mapping[str, Any] = {}
    """Values that are others in the body: lists, and ids of the CRM's type."""
    ready: Mapping[str, Any] = {}
    """Parameters that are no templates."""

    def filled(self, values: Mapping[str, Any], in_body: Mapping[str, Any] | None = None) -> ListRequest:
        """The request with values for these names."""
        inside = {**self.in_body, **(in_body or {})}
        return msgspec.structs.replace(self, values={**self.values, **values}, in_body=inside)

    def with_params(self, params: Mapping[str, Any]) -> ListRequest:
        """The request with further parameters."""
        return msgspec.structs.replace(self, ready={**self.ready, **params})

    @property
    def names(self) -> frozenset[str]:
        """The names that are to be replaced."""
        return frozenset(names_in([self.path, self.params, self.headers, self.body]))

    @property
    def says_size(self) -> bool:
        """Whether the CRM is told how many records a page is to have."""
        paging = self.paging
        return not isinstance(paging, NoPaging) and (paging.size_param is not None or SIZE in self.names)

    def page(self, turn: Turn, size: int) -> Asked:
        """The request for one page."""
        at_most = size_of(self.paging, size)
        paged = {PAGE: turn.at, SIZE: ABSENT if at_most is None else at_most}
        known = self.names
        added = {
            name: paged[what]
            for name, what in _paging_params(self.paging).items()
            if what not in known and paged[what] is not ABSENT
        }
        values = {**self.values, **paged}
        in_path = {name: _in_path(value) for name, value in values.items()}
        return Asked(
            self.method,
            str(filled(self.path, in_path)),
            {**filled(self.params, values), **self.ready, **added},
            {name: str(said) for name, said in filled(self.headers, values).items()},
            filled(self.body, {**values, **self.in_body}),
        )


class Asked(NamedTuple):
    """One request as it is sent."""

    method: str
    path: str
    params: Mapping[str, Any]
    headers: Mapping[str, str]
    body: Any


def _paging_params(paging: Paging) -> dict[str, str]:
    """The parameters of a page, and what each stands for."""
    named = {}
    if not isinstance(paging, NoPaging) and paging.size_param is not None:
        named[paging.size_param] = SIZE
    if isinstance(paging, (PagePaging, OffsetPaging, CursorPaging)):
        named[paging.param] = PAGE
    return named


def _in_path(value: Any) -> Any:
    if isinstance(value, Several):
        return Several(value.separator, [_in_path(one) for one in value.values])
    return quote(value, safe="") if isinstance(value, str) else value


def of_list(stream: Stream) -> ListRequest:
    """The request for the whole list."""
    read = stream.read
    fields = fields_of(stream)
    path = read.path or stream.path
    request = ListRequest(_method(read), path, read.params, read.headers, read.body, read.paging)
    columns = columns_of(fields)
    return request.filled({FIELDS: ",".join(fields), COLUMNS: ",".join(columns)}, {FIELDS: fields, COLUMNS: columns})


def of_record(get: Get, path: str, base: ListRequest) -> ListRequest:
    """The request for one record, at its path."""
    headers = get.headers
    return ListRequest(_method(get), path, get.params, headers, get.body, NoPaging(), base.values, base.in_body)


def _method(asked: Question) -> str:
    return asked.method or ("GET" if asked.body is None else "POST")


def laid_over(own: Search | GetMany | Deletions | Increments, base: ListRequest, params: Params) -> ListRequest:
    """A request of its own where it has a path of its own, else the list's with what it says besides."""
    paging = base.paging if isinstance(own, Increments) or own.paging is None else own.paging
    if own.path is not None:
        return ListRequest(
            _method(own), own.path, params, own.headers, own.body, paging, base.values, base.in_body, base.ready
        )
    body = _merged(base.body, own.body)
    method: str = own.method or (base.method if base.body is not None or body is None else "POST")
    together = {**base.params, **params}
    headers = {**base.headers, **own.headers}
    return ListRequest(method, base.path, together, headers, body, paging, base.values, base.in_body, base.ready)


def _merged(base: Any, own: Any) -> Any:
    """A body laid over another one, object by object."""
    if isinstance(base, Mapping) and isinstance(own, Mapping):
        return {**base, **{name: _merged(base.get(name), value) for name, value in own.items()}}
    return base if own is None else own


def fields_of(stream: Stream) -> list[str]:
    """What of a record the CRM is asked for by name: each path as far as it leads through objects."""
    deleted = stream.deleted.path if isinstance(stream.deleted, Mark) else stream.deleted
    own = [] if stream.unwrap else [stream.id, *stream.updated_at, stream.created_at, deleted]
    properties = [one.path or name for name, one in properties_of(stream).items()]
    return list(dict.fromkeys(_field(path) for path in [*own, *properties] if path))


def columns_of(fields: list[str]) -> list[str]:
    """The same, objects by their own names."""
    return list(dict.fromkeys(one.partition(".")[0] for one in fields))


def _field(path: str) -> str:
    steps = places(path) or [path]
    return ".".join(str(step) for step in takewhile(lambda step: isinstance(step, str), steps))
