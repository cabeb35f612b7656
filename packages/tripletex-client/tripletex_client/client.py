"""A client for one company in Tripletex: reads, searches, writes (reference: Tripletex API)."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from api_transport.address import query, segment
from api_transport.answer import decoded
from api_transport.concurrency import in_order
from api_transport.errors import NotFound, Refused
from api_transport.transport import Transport, user_agent
from api_transport.verdict import Hints

from tripletex_client.clock import OSLO, zone_of
from tripletex_client.connection import Connection
from tripletex_client.countries import Countries
from tripletex_client.credentials import credentials_of
from tripletex_client.errors import NOT_FOUND, ListTooLong, not_as_a_whole, not_its_own, read_error
from tripletex_client.paging import LARGEST, Page, Typed, by_id, page_of, read_on, value_of, values_of, walk
from tripletex_client.resources import DELETED_BY_LIST, HAVE_PUT_LIST, LIST_WRITE, halves, id_lists, id_parameter
from tripletex_client.session import Share

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

    from api_transport.answer import Answer
    from api_transport.rate_limit import RateLimit

Record = dict[str, Any]

_SIZES = tuple(LARGEST << step for step in range(0, 12, 2))
"""How many records a list is asked about, up to a million."""

ASK = "0"
"""In place of a checksum: matches nothing, and asks for one."""


def _hints(credentials: str) -> Hints:
    return Hints(
        address="check api_url and that Tripletex is up",
        credentials=credentials,
        rights="check company_id, and the entitlements of the token",
    )


@dataclass(frozen=True)
class WhoAmI:
    """Whose tokens these are: the company that is read and written, and the employee."""

    company_id: int
    employee_id: int


class TripletexClient:
    """One company. Raises the errors of `api_transport.errors`; safe to use from several threads.

    A `refresh_token` (an API token) takes the place of the other two. `company_id` 0 is the company of the token,
    anything else a client company of an accountant. `timezone` is
    the zone of the API's zone-less times; ValueError where it is not known. `agent` names the plugin to the server,
    `in_flight` pages of a list, or lists of ids, are asked for at a time (pages: `pages_ahead`, where memory is dearer
    than time), `transport_options` go to the `Transport`.
    """

    def __init__(
        self,
        api_url: str,
        consumer_token: str = "",
        employee_token: str = "",
        company_id: int | str = 0,
        *,
        refresh_token: str = "",
        timezone: str = OSLO,
        agent: str = "tripletex-client",
        in_flight: int = 1,
        pages_ahead: int | None = None,
        **transport_options: Any,
    ) -> None:
        credentials = credentials_of(consumer_token, employee_token, refresh_token)
        options = {"hints": _hints(credentials.todo), **transport_options}
        self.transport = Transport(api_url, user_agent=user_agent(agent), read_error=read_error, **options)
        self.timezone = zone_of(timezone).key
        self._share = Share(self, str(self.transport.address), credentials, timezone)
        self._connection = Connection(self.transport, self._share.session, company_id)
        self._in_flight = in_flight
        self._pages_ahead = in_flight if pages_ahead is None else pages_ahead
        self._countries: Countries | None = None
        self._reading_countries = threading.Lock()

    @classmethod
    def of(cls, settings: Mapping[str, Any], **options: Any) -> TripletexClient:
        """The client that a plugin's settings describe."""
        return cls(
            settings["api_url"],
            settings.get("consumer_token", ""),
            settings.get("employee_token", ""),
            settings["company_id"],
            refresh_token=settings.get("refresh_token", ""),
            timezone=settings["timezone"],
            in_flight=settings["max_concurrent_requests"],
            **options,
        )

    def __enter__(self) -> TripletexClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the session, if no other client of this process shares it, and the connections kept open."""
        self._share.close()
        self.transport.close()

    @property
    def rate_limit(self) -> RateLimit | None:
        """What the API still allows, as its newest answer said; None before the first. 429 is waited for anyway."""
        return self.transport.rate_limit

    def send(self, method: str, path: str, **said: Any) -> Answer:
        """Send one request as `Connection.send` does: for who looks at the API itself, its envelopes and headers."""
        return self._connection.send(method, path, **said)

    def who_am_i(self) -> WhoAmI:
        """The company and the employee that the tokens stand for. Wrong tokens show here: AccessDenied."""
        answer = self._connection.send("GET", "/token/session/>whoAmI")
        value = value_of(answer)
        company, employee = value.get("companyId"), value.get("employeeId")
        if not isinstance(company, int) or not isinstance(employee, int):
            raise answer.unexpected("the answer holds no companyId and employeeId")
        return WhoAmI(company, employee)

    def identity(self) -> str:
        """Which company this is, and where: its ids mean nothing elsewhere. Takes a request."""
        return f"Tripletex company {self.who_am_i().company_id} at {self.transport.address.place}"

    # Reading

    def pages(
        self,
        resource: str,
        *,
        fields: str,
        params: Mapping[str, Any] | None = None,
        page_size: int = LARGEST,
        record: type | None = None,
    ) -> Iterator[Page]:
        """The pages of a list in the order of ids. An empty list is one empty page. `fields` must contain `id`.

        With a type of `record` (msgspec's, with an `id`) the pages that match it hold records of it. Customers that are
        inactive are listed with `params={"isInactive": True}` only, and then alone. Raises `ListTooLong` where there
        are more than Tripletex lists.
        """
        try:
            yield from self._pages(resource, fields, params or {}, page_size, record)
        except Refused as error:
            raise not_as_a_whole(error) from None

    def _pages(
        self, resource: str, fields: str, params: Mapping[str, Any], page_size: int, record: type | None
    ) -> Iterator[Page]:
        reader = decoded if record is None else Typed.of(record)

        def read(offset: int) -> Page:
            answer = self._connection.list(
                resource, fields=fields, offset=offset, params=params, page_size=page_size, read=reader
            )
            return page_of(answer, offset)

        return walk(read, page_size, self._pages_ahead)

    def page(
        self,
        resource: str,
        *,
        fields: str,
        offset: int = 0,
        params: Mapping[str, Any] | None = None,
        page_size: int = LARGEST,
        checksum: str | None = None,
        read: Callable[[bytes], Any] = decoded,
    ) -> Page | None:
        """One page; None where it still has this checksum (304). With `ASK` for a checksum the page brings its own."""
        try:
            answer = self._connection.list(
                resource, fields=fields, offset=offset, params=params, page_size=page_size, checksum=checksum, read=read
            )
        except Refused as error:
            raise not_as_a_whole(error) from None
        return None if answer.status == 304 else page_of(answer, offset)

    def pages_unless(
        self,
        resource: str,
        *,
        fields: str,
        checksums: Sequence[str | None],
        page_size: int = LARGEST,
        record: type | None = None,
    ) -> Generator[Page | None, None, None]:
        """Page after page, without end; None for those that still have the checksum that is known of them (304)."""
        reader = decoded if record is None else Typed.of(record)

        def read(offset: int) -> Page | None:
            index = offset // page_size
            known = checksums[index] if index < len(checksums) else None
            return self.page(
                resource, fields=fields, offset=offset, page_size=page_size, checksum=known or ASK, read=reader
            )

        return read_on(read, 0, page_size, self._pages_ahead, expected=len(checksums) * page_size)

    def contact_pages_by_customer(self, *, fields: str, record: type | None = None) -> Iterator[Page]:
        """The contacts of all customers, active or not, some customers' at a time: for more than a list may have.

        Those that belong to no customer are in none of these lists.
        """
        for which in halves("customer"):
            for customers in self.pages("customer", fields="id", params=which):
                ids = list(by_id(customers))
                for some in id_lists(ids, query({"customerId": "", "from": 0, "count": LARGEST, "fields": fields})):
                    yield from self._contacts_of(some, fields, record)

    def _contacts_of(self, customers: Sequence[int], fields: str, record: type | None) -> Iterator[Page]:
        try:
            params = {"customerId": ",".join(map(str, customers))}
            yield from self.pages("contact", fields=fields, params=params, record=record)
        except ListTooLong:
            if len(customers) == 1:
                raise
            middle = len(customers) // 2
            yield from self._contacts_of(customers[:middle], fields, record)
            yield from self._contacts_of(customers[middle:], fields, record)

    def get(self, resource: str, record_id: int, fields: str) -> Record | None:
        """A record, None only where Tripletex itself says that there is none (404, code 6000)."""
        path = f"/{resource}/{segment(record_id)}"
        try:
            answer = self._connection.send("GET", path, params={"fields": fields})
        except NotFound as error:
            if error.code == NOT_FOUND:
                return None
            raise not_its_own(error) from None
        return _same_record(answer, record_id)

    def get_many(self, resource: str, ids: Iterable[int], fields: str) -> dict[int, Record]:
        """The records of these ids that exist, active or not. `fields` must contain `id`.

        Read in lists; whichever a list does not hold is asked for by itself, so what is missing from the answer is
        surely not there.
        """
        missing = list(dict.fromkeys(ids))
        found: dict[int, Record] = {}
        for which in halves(resource):
            rest = query({"id": "", "from": 0, "count": 100, "sorting": "id", "fields": fields, **which})
            calls = [partial(self._listed, resource, some, fields, which) for some in id_lists(missing, rest)]
            for listed in in_order(calls, self._in_flight):
                found |= listed
            missing = [record_id for record_id in missing if record_id not in found]
        for record_id in missing:
            record = self.get(resource, record_id, fields)
            if record is not None:
                found[record_id] = record
        return found

    def search(self, resource: str, params: Mapping[str, Any], fields: str) -> list[Record]:
        """All records that a list finds, customers active or not. Many filters are "containing": compare afterwards.

        `fields` must contain `id`. ValueError for a search without a value: the API would list everything.
        """
        if not params or any(value is None or value in ("", []) for value in params.values()):
            raise ValueError(f"a search for nothing would list every {resource}")
        found: dict[int, Record] = {}
        for which in halves(resource):
            for page in self._pages(resource, fields, {**which, **params}, LARGEST, None):
                # One that was deactivated between the two lists is in both, or was seen just before.
                found |= by_id(page)
            if "isInactive" in params:
                break
        return list(found.values())

    def size(self, resource: str) -> int:
        """About how many records there are, active or not, between half and twice as many; thousands at least.

        No list tells its length (reference: Tripletex API, As it really is), but one can be asked for its thousandth
        record, the four thousandth, and so on. Good for choosing a way of looking up, nothing else.
        """
        return sum(self._size_of(resource, which) for which in halves(resource))

    def _size_of(self, resource: str, which: Mapping[str, Any]) -> int:
        for size in _SIZES:
            try:
                page = self.page(resource, fields="id", offset=size, params=which, page_size=1)
            except ListTooLong:
                return _SIZES[-1]
            if page is None or not page.values:
                break
        return size // 2

    def countries(self) -> Countries:
        """Tripletex's countries, read once."""
        with self._reading_countries:
            if self._countries is None:
                read = self.pages("country", fields="id,isoAlpha2Code")
                self._countries = Countries(record for page in read for record in page.values)
            return self._countries

    # Writing

    def create(self, resource: str, body: Mapping[str, Any]) -> Record:
        """Make a record. OutcomeUnknown where no usable answer came: it may be there."""
        answer = self._connection.send("POST", f"/{resource}", json=body, ok=(200, 201))
        value = value_of(answer)
        if not isinstance(value.get("id"), int):
            raise answer.unexpected("the answer holds no id")
        return value

    def create_many(self, resource: str, bodies: Sequence[Mapping[str, Any]]) -> list[Record]:
        """Make up to 100 records in one transaction: Refused is for all of them, none was made.

        The answer's values as Tripletex gives them: their number is checked, their order is nowhere promised, so the
        caller pairs them with the bodies by what they say. OutcomeUnknown where no usable answer came.
        """
        return self._write_list("POST", resource, bodies)

    def update(self, resource: str, record_id: int, body: Mapping[str, Any]) -> Record:
        """Change the properties in `body`. With `version` in it, Conflict where the record has changed since."""
        answer = self._connection.send("PUT", f"/{resource}/{segment(record_id)}", json=body, ok=(200,))
        return _same_record(answer, record_id)

    def update_many(self, resource: str, bodies: Sequence[Mapping[str, Any]]) -> list[Record]:
        """Change up to 100 records (`id` and `version` in each) in one transaction; see `create_many`.

        ValueError for a resource without `PUT /resource/list`, such as contact.
        """
        if resource not in HAVE_PUT_LIST:
            raise ValueError(f"Tripletex has no list update of {resource}: use update")
        return self._write_list("PUT", resource, bodies)

    def delete(self, resource: str, record_id: int) -> bool:
        """Delete a record; False where it is gone already."""
        by_list = resource in DELETED_BY_LIST
        path = f"/{resource}/list" if by_list else f"/{resource}/{segment(record_id)}"
        try:
            self._connection.send("DELETE", path, params={"ids": record_id} if by_list else None, ok=(200, 204))
        except NotFound as error:
            if error.code == NOT_FOUND:
                return False
            raise not_its_own(error) from None
        return True

    def _write_list(self, method: str, resource: str, bodies: Sequence[Mapping[str, Any]]) -> list[Record]:
        if not bodies:
            return []
        if len(bodies) > LIST_WRITE:
            raise ValueError(f"{len(bodies)} records in one list write, at most {LIST_WRITE} are allowed")
        answer = self._connection.send(method, f"/{resource}/list", json=list(bodies), ok=(200, 201))
        values = values_of(answer)
        if len(values) != len(bodies) or not all(isinstance(value.get("id"), int) for value in values):
            raise answer.unexpected(
                f"{len(bodies)} records were sent, the answer holds {len(values)}, or not their ids"
            )
        return values

    def _listed(self, resource: str, ids: Sequence[int], fields: str, which: Mapping[str, Any]) -> dict[int, Record]:
        """Those of the ids that a list holds."""
        wanted = set(ids)
        params = {id_parameter(resource): ",".join(map(str, ids)), **which}
        found: dict[int, Record] = {}
        # One more than there are: a full page would be followed by a request for the next.
        for page in self.pages(resource, fields=fields, params=params, page_size=len(ids) + 1):
            found |= {record_id: record for record_id, record in by_id(page).items() if record_id in wanted}
        return found


def _same_record(answer: Answer, record_id: int) -> Record:
    """The answer's value. A record with another id is none of ours, whatever became of the one asked for."""
    value = value_of(answer)
    if value.get("id", record_id) != record_id:
        raise answer.unexpected(f"asked for record {record_id}, answered with {value['id']}")
    return value
