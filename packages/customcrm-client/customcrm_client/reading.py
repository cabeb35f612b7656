"""Reading a CRM: lists by pages, records by their ids or by what they say."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urljoin

from api_transport.address import query
from api_transport.answer import Answer
from api_transport.concurrency import in_order
from api_transport.errors import AccessDenied, ApiError, Refused

from customcrm_client.compiled import CompiledStream, Found
from customcrm_client.connection import Connection
from customcrm_client.errors import is_own
from customcrm_client.increments import moment_of, newer, queries
from customcrm_client.lists import Page, walk
from customcrm_client.paging import Turn, pager, size_of
from customcrm_client.paths import ABSENT, first
from customcrm_client.profile import Get, GetMany, NoPaging
from customcrm_client.records import Raw, Record
from customcrm_client.schema import ID
from customcrm_client.templates import filled, names_in

QUERY_AT_MOST = 1500
"""Characters of a query that web servers and proxies surely take."""

LARGEST = 500
"""Records asked for in a page where somebody waits for the whole list."""


class CustomcrmReader(Connection):
    """What is read of a CRM. Where a stream is named that the profile does not have, it is a ValueError.

    `page_size` is the number of records a list request asks for, `in_flight` how many requests of a list are under way
    at once.
    """

    def __init__(self, api_url: str, api_key: str, *, page_size: int = 100, in_flight: int = 1, **options: Any) -> None:
        super().__init__(api_url, api_key, **options)
        self.page_size = page_size
        self._in_flight = in_flight
        self._streams = {name: CompiledStream(one, self.profile) for name, one in self.profile.streams.items()}

    def pages(
        self,
        stream: str,
        *,
        updated_since: datetime | str | None = None,
        include_deleted: bool = False,
        filters: Mapping[str, str | Sequence[str]] | None = None,
        page_size: int | None = None,
        ahead: bool = True,
    ) -> Iterator[Page]:
        """The pages of a list.

        `updated_since` is inclusive; what the CRM cannot be asked for is left out here. Tombstones come with
        `include_deleted` only. `filters` are equalities, each with one value or several; ValueError for what the list
        cannot be asked by. With `ahead` further pages are asked for while one is worked on.
        """
        one = self._compiled(stream)
        params: dict[str, Any] = {**one.stream.read.params}
        if include_deleted:
            params |= one.stream.read.with_deleted
        wanted = {name: [said] if isinstance(said, str) else said for name, said in (filters or {}).items()}
        params |= self._filters(one, wanted)
        since = moment_of(updated_since) if isinstance(updated_since, str) else updated_since
        lists = [{**params, **asked} for asked in queries(one.stream, since)]
        return self._pages(one, lists, newer(one.stream, since), page_size or self.page_size, ahead=ahead)

    def _pages(
        self,
        one: CompiledStream,
        lists: list[dict[str, Any]],
        kept: Callable[[Record], bool] | None,
        size: int,
        *,
        ahead: bool,
    ) -> Iterator[Page]:
        for params in lists:
            for page in self._walk(one, params, size, ahead=ahead):
                yield page if kept is None else Page([record for record in page.values if kept(record)], page.sent_at)

    def _walk(
        self,
        one: CompiledStream,
        params: Mapping[str, Any],
        size: int,
        *,
        ahead: bool = False,
        read: Callable[[Answer], list[Record]] | None = None,
    ) -> Iterator[Page]:
        paging = one.stream.read.paging
        path = one.list_path
        base = self.transport.address.url(path)

        def ask(turn: Turn) -> Answer:
            if turn.link is None:
                return self._send(one, "GET", path, params={**params, **turn.params}, ok=(200,))
            # A link is usually absolute; one that is not is meant from the list's own address.
            return self._send(one, "GET", urljoin(base, turn.link), ok=(200,), link=True)

        ends = () if isinstance(paging, NoPaging) else paging.end.statuses
        in_flight = self._in_flight if ahead else 1
        return walk(pager(paging, size), ask, read or one.records, in_flight, ends, one.empty)

    def sample(self, stream: str, count: int) -> list[Raw]:
        """The first records as the CRM has them, unwrapped."""
        one = self._compiled(stream)
        raws: dict[str, Raw] = {}
        params = one.stream.read.params
        for _ in self._walk(one, params, min(count, self.page_size), read=one.keeping(raws)):
            if len(raws) >= count:
                break
        return [one.shape.read_raw(raw) for raw in list(raws.values())[:count]]

    def get(self, stream: str, record_id: str) -> Found | None:
        """A record and what it is written over; None where the CRM says that there is none (a deleted one is none)."""
        one = self._compiled(stream)
        read = self._read(one, record_id)
        if read is None:
            return None
        found = one.found_of(*read)
        return None if one.is_gone(found.record) else found

    def _read(self, one: CompiledStream, record_id: str) -> tuple[Raw, Answer | None] | None:
        """The CRM's own record, with the answer that was for it alone."""
        if one.stream.get is not None:
            return self._get(one, one.stream.get, record_id)
        raws = self._listed(one, [record_id])
        return (raws[record_id], None) if record_id in raws else None

    def _get(self, one: CompiledStream, how: Get, record_id: str) -> tuple[Raw, Answer] | None:
        params = filled(how.params, {"id": record_id})
        try:
            answer = self._send(one, "GET", one.writer.get_path(record_id), params=params, ok=(200,))
        except (Refused, AccessDenied) as error:
            if error.status in how.missing:
                return None
            raise
        found = first(how.record)(answer.body)
        if found is ABSENT and _is_empty_list(answer.body, how.record):
            return None
        # A list that heeds no filter answers with another record too, whoever is asked for.
        by_path = how.path is None or "id" in names_in(how.path)
        if found is None or found == [] or one.is_another(answer, found, how.record, record_id, may_be=by_path):
            return None
        return found, answer

    def get_many(self, stream: str, ids: Iterable[str], *, to_write: bool = False) -> dict[str, Found]:
        """The records of these ids that are there, by id.

        They are read in lists where the CRM can be asked so, else one by one, several at a time; one by one also those
        that are wanted `to_write` over ETags, which no list tells.
        """
        one = self._compiled(stream)
        singly, listed = self._ways(one, list(dict.fromkeys(one for one in ids if one)), to_write=to_write)
        reads = in_order([partial(self.get, stream, record_id) for record_id in singly], self._in_flight)
        found = {record_id: read for record_id, read in zip(singly, reads, strict=True) if read is not None}
        for record_id, raw in self._listed(one, listed).items():
            listed_one = one.found_of(raw, None)
            if not one.is_gone(listed_one.record):
                found[record_id] = listed_one
        return found

    def _ways(self, one: CompiledStream, ids: list[str], *, to_write: bool) -> tuple[list[str], list[str]]:
        """Which ids are read one by one, and which in lists."""
        many = one.stream.get_many
        if many is None or (to_write and one.tells_etags):
            return ids, []
        if many.separator is None or one.stream.get is None:
            return [], ids
        singly = [record_id for record_id in ids if many.separator in record_id]
        return singly, [record_id for record_id in ids if many.separator not in record_id]

    def _listed(self, one: CompiledStream, ids: list[str]) -> dict[str, Raw]:
        """The CRM's own records of these ids, read by lists."""
        many = one.stream.get_many
        raws: dict[str, Raw] = {}
        if many is None:
            return raws
        params = one.stream.read.params
        for some in self._id_lists(one, many, ids):
            asked = _asked_by(many, some)
            for _ in self._walk(one, {**params, **asked}, len(some), read=one.keeping(raws)):
                if raws.keys() >= set(some):
                    break
        return {record_id: raws[record_id] for record_id in ids if record_id in raws}

    def _id_lists(self, one: CompiledStream, many: GetMany, ids: list[str]) -> Iterator[list[str]]:
        """The ids in lists that an address can hold, with all that stands in it beside them."""
        sized = pager(one.stream.read.paging, many.at_most).begin().params
        around = {**one.stream.read.params, **sized, **self._credentials.params()}
        without = len(query({**around, **_asked_by(many, [""])}))
        some: list[str] = []
        length = without
        for record_id in ids:
            more = len(query({**around, **_asked_by(many, ["", record_id])})) - without
            if some and (len(some) == many.at_most or length + more > QUERY_AT_MOST):
                yield some
                some, length = [], without
            some.append(record_id)
            length += more
        if some:
            yield some

    def search(self, stream: str, properties: Mapping[str, Any]) -> list[Record]:
        """The records that have all these values, deleted ones left out; a list of values stands for any of them.

        The CRM is asked by what it can filter by; what that leaves over, at worst the whole list, is compared here.
        Texts are compared by their letters and digits, without regard to case: it finds too many rather than too few.
        ValueError for a search for nothing.
        """
        wanted = {name: value for name, value in properties.items() if value is not None and value not in ("", [])}
        if not wanted:
            raise ValueError("a search for no value would find everything")
        one = self._compiled(stream)
        asked = {name: some for name, value in wanted.items() if (some := self._askable(one, name, value))}
        if self._joined(one, asked) is None:
            asked = dict(list(asked.items())[:1])
        found: dict[str, Record] = {}
        for filters in _single_queries(asked, several=one.takes_several):
            for page in self.pages(stream, filters=filters, page_size=LARGEST):
                for record in page.values:
                    if not one.is_gone(record) and all(
                        _same(record.get(name), value) for name, value in wanted.items()
                    ):
                        found[record[ID]] = record
        return list(found.values())

    def can_ask(self, stream: str, name: str, value: Any) -> bool:
        """Whether the list can be filtered by this value."""
        return self._can_ask(self._compiled(stream), name, value)

    def can_search(self, stream: str) -> bool:
        """Whether the CRM can be asked for records by their values."""
        return self._compiled(stream).stream.search is not None

    def takes_several(self, stream: str) -> bool:
        """Whether one request can ask for several values of a property."""
        return self._compiled(stream).takes_several

    def size(self, stream: str) -> int | None:
        """How many records there are, where the CRM tells; else None."""
        one = self._compiled(stream)
        paging = one.stream.read.paging
        if isinstance(paging, NoPaging) or paging.end.total is None:
            return None
        params = {**one.stream.read.params, **pager(paging, 1).begin().params}
        try:
            answer = self._send(one, "GET", one.list_path, params=params, ok=(200,))
        except ApiError as error:
            if is_own(error, one.empty):
                return 0
            raise
        total = first(paging.end.total)(answer.body)
        return int(total) if isinstance(total, (int, float)) or (isinstance(total, str) and total.isdecimal()) else None

    def page_at_most(self, stream: str) -> int:
        """How many records one answer of the list holds at most."""
        return size_of(self._compiled(stream).stream.read.paging, LARGEST) or LARGEST

    def _compiled(self, stream: str) -> CompiledStream:
        try:
            return self._streams[stream]
        except KeyError:
            raise ValueError(f"there is no stream {stream!r}, only {', '.join(self._streams)}") from None

    def _askable(self, one: CompiledStream, name: str, value: Any) -> list[Any]:
        """The values that the list can be filtered by, where it can be by some of them."""
        return [each for each in (value if isinstance(value, list) else [value]) if self._can_ask(one, name, each)]

    def _can_ask(self, one: CompiledStream, name: str, value: Any) -> bool:
        search = one.stream.search
        if search is None or not isinstance(value, str) or len(query({"": value})) > QUERY_AT_MOST // 3:
            return False
        return name in (search.properties or one.names) and (search.separator is None or search.separator not in value)

    def _filters(self, one: CompiledStream, wanted: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """The parameters that ask by these values. ValueError for what the list cannot be asked by."""
        for name, values in wanted.items():
            if not all(self._can_ask(one, name, value) for value in values):
                raise ValueError(f"the list cannot be filtered by {name}, not by this value")
            if len(values) > 1 and not one.takes_several:
                raise ValueError(f"the list takes one value of {name} at a time")
        made = self._joined(one, wanted)
        if made is None:
            raise ValueError(f"the list cannot be filtered by {' and '.join(wanted)} at once")
        return made

    def _joined(self, one: CompiledStream, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
        """The parameters that ask by all of this; None where two want the same one, and nothing joins them."""
        made: dict[str, Any] = {}
        search = one.stream.search
        if search is None:
            return made
        for name, values in wanted.items():
            texts = [value.translate(one.escapes) for value in ([values] if isinstance(values, str) else values)]
            value = (search.separator or "").join(texts if one.takes_several else texts[:1])
            for parameter, said in filled(search.params, {"field": one.shape.field(name), "value": value}).items():
                before = made.get(parameter, said)
                if before != said and search.between is None:
                    return None
                made[parameter] = said if before == said else f"{before}{search.between}{said}"
        return made


def _is_empty_list(body: Any, path: str) -> bool:
    """Whether a path like `data[0]` finds nothing because the list is empty, and not because it is another one."""
    return path.endswith("[0]") and first(path.removesuffix("[0]") or "$")(body) == []


def _single_queries(asked: Mapping[str, Any], *, several: bool) -> Iterator[dict[str, Any]]:
    """The filters of each request; several values are asked for together only where the CRM takes several."""
    name = next((name for name, value in asked.items() if isinstance(value, list) and not several), None)
    if name is None:
        yield dict(asked)
        return
    for value in asked[name]:
        yield from _single_queries({**asked, name: value}, several=several)


def _asked_by(many: GetMany, ids: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = filled(many.params, {"ids": ids if many.separator is None else many.separator.join(ids)})
    return made


def _same(one: Any, other: Any) -> bool:
    if isinstance(other, list):
        return any(_same(one, single) for single in other)
    if isinstance(one, str) and isinstance(other, str):
        return one == other or _spoken(one) == _spoken(other)
    return bool(one == other)


def _spoken(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text))).casefold()
