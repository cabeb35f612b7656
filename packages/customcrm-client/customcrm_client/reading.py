"""Reading a CRM: lists by pages, records by their ids or by what they say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timezone
from functools import partial
from typing import Any
from urllib.parse import urljoin

from api_transport.address import query
from api_transport.answer import Answer
from api_transport.concurrency import in_order
from api_transport.errors import AccessDenied, ApiError, Refused, UnexpectedAnswer
from api_transport.transport import UNSET

from customcrm_client.compiled import CompiledStream, Found
from customcrm_client.connection import Connection
from customcrm_client.errors import is_own
from customcrm_client.increments import asked_at, changes, newer
from customcrm_client.list_request import Asked, ListRequest, laid_over, of_record
from customcrm_client.lists import Page, walk
from customcrm_client.paging import Turn, pager, size_of
from customcrm_client.paths import ABSENT, first
from customcrm_client.profile_paging import NoPaging
from customcrm_client.profile_reading import Get, GetMany
from customcrm_client.records import Raw, Record, typed_id
from customcrm_client.schema import ID, UPDATED_AT
from customcrm_client.templates import Several, filled, names_in
from customcrm_client.times import moment_of

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
        self._streams = {name: CompiledStream(name, one, self.profile) for name, one in self.profile.streams.items()}

    def pages(
        self,
        stream: str,
        *,
        updated_since: datetime | str | None = None,
        include_deleted: bool = False,
        page_size: int | None = None,
        ahead: bool = True,
    ) -> Iterator[Page]:
        """The pages of a list.

        `updated_since` is inclusive; what the CRM cannot be asked for is left out here. Tombstones come with
        `include_deleted` only. With `ahead` further pages are asked for while one is worked on.
        """
        one = self._compiled(stream)
        since = moment_of(updated_since) if isinstance(updated_since, str) else updated_since
        base = one.list.with_params(one.stream.read.with_deleted) if include_deleted else one.list
        size = page_size or self.page_size
        pages = self._changes(one, base, since, size, ahead=ahead)
        return self._with_tombstones(one, pages, since, size) if include_deleted else pages

    def _with_tombstones(
        self, one: CompiledStream, pages: Iterator[Page], since: datetime | None, size: int
    ) -> Iterator[Page]:
        """The pages, then the list of deleted records, without those that were put back."""
        deleted = self._deleted(one, since, size)
        for page in pages:
            for record in page.values if deleted else ():
                deleted.pop(record[ID], None)
            yield page
        if deleted:
            yield Page(list(deleted.values()), datetime.now(timezone.utc))

    def _changes(
        self, one: CompiledStream, base: ListRequest, since: datetime | None, size: int, *, ahead: bool
    ) -> Iterator[Page]:
        """All pages of all lists that hold changes. A list that the CRM cuts is asked again from its newest on."""
        increments = one.stream.read.increments
        read = one.reader(increments.records if increments and since else ())
        if increments and increments.at_most and since:
            yield from self._in_windows(one, base, since, size, increments.at_most, read)
            return
        kept = newer(one.stream, since)
        for request in changes(one.stream, base, since):
            for page in self._pages_of(one, request, size, ahead=ahead, read=read):
                yield page if kept is None else Page([record for record in page.values if kept(record)], page.sent_at)

    def _pages_of(
        self,
        one: CompiledStream,
        request: ListRequest,
        size: int,
        *,
        ahead: bool = False,
        read: Callable[[Answer], list[Record]],
    ) -> Iterator[Page]:
        """The pages of the stream's list, or of its changes."""
        ids = one.stream.read.ids
        if ids is not None:
            return self._by_ids(one, request, size, ids)
        return self._walk(one, request, size, ahead=ahead, read=read)

    def _by_ids(self, one: CompiledStream, request: ListRequest, size: int, path: str) -> Iterator[Page]:
        """The pages of a list that tells ids alone: each record is read."""
        for page in self._walk(one, request, size, read=one.ids_in(path)):
            found = self.get_many(one.name, [record[ID] for record in page.values])
            yield Page([each.record for each in found.values()], page.sent_at)

    def _in_windows(
        self,
        one: CompiledStream,
        base: ListRequest,
        since: datetime,
        size: int,
        at_most: int,
        read: Callable[[Answer], list[Record]],
    ) -> Iterator[Page]:
        known: set[tuple[str, str]] = set()
        newest: datetime | None = since
        while newest is not None:
            (request,) = changes(one.stream, base, newest, goes_on=bool(known))
            size = min(size_of(request.paging, size) or size, at_most)
            start, newest, seen = newest, None, 0
            for page in self._pages_of(one, request, size, read=read):
                told = [(record[ID], str(record.get(UPDATED_AT))) for record in page.values]
                yield Page([r for r, state in zip(page.values, told, strict=True) if state not in known], page.sent_at)
                known.update(told)
                seen += len(page.values)
                # A page that reaches beyond the last one is refused, whatever it would hold.
                if seen >= at_most // size * size:
                    newest = max((at for one in page.values if (at := moment_of(one.get(UPDATED_AT)))), default=start)
                    break
            if newest is not None and newest <= start:
                raise UnexpectedAnswer(
                    f"more than {at_most} records changed at the same moment, and the CRM gives no more of them",
                    method=request.method,
                    path=request.path,
                    todo="leave out increments for this read (--full-refresh)",
                )

    def _deleted(self, one: CompiledStream, since: datetime | None, size: int) -> dict[str, Record]:
        """Tombstones of the list of deleted records, by their ids."""
        how, increments = one.stream.read.deletions, one.stream.read.increments
        if how is None or since is None:
            return {}
        request = laid_over(how, one.list, how.params)
        if increments is not None:
            request = request.filled({"since": asked_at(one.stream, increments, since)})
        paths = how.records or one.stream.read.records
        found: dict[str, Record] = {}
        for page in self._walk(one, request, size, read=one.tombstones(paths, how), empty=how.empty):
            found |= {record[ID]: record for record in page.values}
        return found

    def _walk(
        self,
        one: CompiledStream,
        request: ListRequest,
        size: int,
        *,
        ahead: bool = False,
        read: Callable[[Answer], list[Record]] | None = None,
        ok: tuple[int, ...] = (200,),
        empty: Collection[int] = (),
    ) -> Iterator[Page]:
        paging = request.paging

        def ask(turn: Turn) -> Answer:
            asked = request.page(turn, size)
            if turn.link is None:
                return self._ask(one, asked, ok)
            # A link is usually absolute; one that is not is meant from the list's own address.
            link = urljoin(self.transport.address.url(asked.path), turn.link)
            return self._send(one, "GET", link, headers=asked.headers, ok=ok, link=True)

        ends = () if isinstance(paging, NoPaging) else paging.end.statuses
        walked = pager(paging, size, says_size=request.says_size)
        in_flight = self._in_flight if ahead else 1
        return walk(walked, ask, read or one.records, in_flight, ends, {*one.empty, *empty})

    def _ask(self, one: CompiledStream, asked: Asked, ok: tuple[int, ...]) -> Answer:
        """Send a request that reads, whatever its method."""
        body = UNSET if asked.body is None else asked.body
        return self._send(
            one,
            asked.method,
            asked.path,
            params=asked.params,
            headers=asked.headers,
            json=body,
            idempotent=True,
            ok=ok,
        )

    def sample(self, stream: str, count: int) -> list[Raw]:
        """The first records as the CRM has them, unwrapped."""
        one = self._compiled(stream)
        raws: dict[str, Raw] = {}
        path = one.stream.read.ids
        read = partial(one.records, raws=raws) if path is None else one.ids_in(path)
        for page in self._walk(one, one.list, min(count, self.page_size), read=read):
            if path is not None:
                found = self.get_many(stream, [record[ID] for record in page.values])
                raws |= {record_id: each.raw for record_id, each in found.items() if each.raw is not None}
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
        request = of_record(how, one.writer.get_path(record_id), one.list)
        known = {"id": record_id}, {"id": typed_id(one.stream, record_id)}
        try:
            answer = self._ask(one, request.filled(*known).page(Turn(), 1), (200,))
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
        request = laid_over(many, one.list, many.params)
        read = partial(one.reader(many.records), raws=raws)
        for some in self._id_lists(many, request, ids):
            asked = request.filled(*_ids(one, many, some))
            for _ in self._walk(one, asked, len(some), read=read, ok=many.ok):
                if raws.keys() >= set(some):
                    break
        return {record_id: raws[record_id] for record_id in ids if record_id in raws}

    def _id_lists(self, many: GetMany, request: ListRequest, ids: list[str]) -> Iterator[list[str]]:
        """The ids in lists that an address can hold, with all that stands in it beside them."""
        turn = pager(request.paging, many.at_most, says_size=request.says_size).begin()

        def length_with(*some: str) -> int:
            asked = request.filled({"ids": Several(many.separator, some)}).page(turn, many.at_most)
            return len(asked.path) - len(request.path) + len(query({**asked.params, **self._credentials.params()}))

        in_address = "ids" in names_in([request.path, request.params])
        length = without = length_with("")
        between = length_with("", "") - without
        some: list[str] = []
        for record_id in ids:
            more = between + len(query({"": record_id})) - 1 if in_address else 0
            if some and (len(some) == many.at_most or length + more > QUERY_AT_MOST):
                yield some
                some, length = [], without
            some.append(record_id)
            length += more
        if some:
            yield some

    def size(self, stream: str) -> int | None:
        """How many records there are, where the CRM tells; else None."""
        one = self._compiled(stream)
        paging = one.stream.read.paging
        if isinstance(paging, NoPaging) or paging.end.total is None:
            return None
        try:
            answer = self._ask(one, one.list.page(pager(paging, 1, says_size=True).begin(), 1), (200,))
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


def _is_empty_list(body: Any, path: str) -> bool:
    """Whether a path like `data[0]` finds nothing because the list is empty, and not because it is another one."""
    return path.endswith("[0]") and first(path.removesuffix("[0]") or "$")(body) == []


def _ids(one: CompiledStream, many: GetMany, ids: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `{ids}` is in parameters, and in a body."""
    in_body = [filled(many.each, {"id": typed_id(one.stream, record_id)}) for record_id in ids]
    return {"ids": Several(many.separator, ids)}, {"ids": in_body}
