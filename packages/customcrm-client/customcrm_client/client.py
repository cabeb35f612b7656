"""A client for a Customcrm (reference REST contract): reads, searches, writes with optimistic locking."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from api_transport import redaction
from api_transport.address import query
from api_transport.errors import NotFound
from api_transport.transport import Transport, user_agent
from api_transport.verdict import Hints

from customcrm_client.contract import ID_LISTS_AT_MOST, REFERENCE, RESOURCES, Contract
from customcrm_client.paging import Page, checked, pages
from customcrm_client.schema import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from api_transport.answer import Answer

Record = dict[str, Any]

QUERY_AT_MOST = 1500
"""Characters of a query that web servers and proxies surely take."""

HINTS = Hints(
    address="check api_url and that the CRM is up",
    credentials="check api_key",
    rights="check which rights api_key gives",
)


class CustomcrmClient:
    """One CRM. Raises the errors of `api_transport.errors`; safe to use from several threads.

    `page_size` is the number of records a list request asks for. `transport_options` go to the `Transport`.
    """

    def __init__(
        self,
        api_url: str,
        api_key: str,
        *,
        page_size: int = 100,
        contract: Contract = REFERENCE,
        agent: str = "customcrm-client",
        **transport_options: Any,
    ) -> None:
        redaction.hide(api_key)
        self.contract = contract
        self.page_size = page_size
        self.transport = Transport(
            api_url,
            user_agent=user_agent(agent),
            auth=lambda: {"Authorization": f"Bearer {api_key}"},
            hints=HINTS,
            **transport_options,
        )

    def __enter__(self) -> CustomcrmClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections kept open."""
        self.transport.close()

    def identity(self) -> str:
        """Which CRM this is: its address in one spelling. Its ids mean the same for as long as this is the same."""
        scheme, host, port = self.transport.address.origin
        host = f"[{host}]" if ":" in host else host
        named = "" if port == {"http": 80, "https": 443}[scheme] else f":{port}"
        return f"{scheme}://{host}{named}{urlsplit(str(self.transport.address)).path}"

    # Reading

    def pages(
        self,
        resource: str,
        *,
        updated_since: datetime | str | None = None,
        include_deleted: bool = False,
        filters: Mapping[str, str | Sequence[str]] | None = None,
        page_size: int | None = None,
    ) -> Iterator[Page]:
        """The pages of a list, in the order of UpdatedAt, then Id.

        `updated_since` is inclusive; tombstones come with `include_deleted` only. `filters` are equalities, each with
        one value or several; ValueError for a property that the list cannot be filtered by, and for a value with a
        comma, which the contract has no way to ask for.
        """
        contract = self.contract
        params: dict[str, Any] = {contract.per_page: min(page_size or self.page_size, contract.per_page_at_most)}
        if updated_since is not None:
            params[contract.updated_since] = _moment(updated_since)
        if include_deleted:
            params[contract.include_deleted] = True
        for name, wanted in (filters or {}).items():
            params[name] = self._filter(resource, name, [wanted] if isinstance(wanted, str) else wanted)
        return pages(self.transport, contract, contract.list_path(resource), params)

    def get(self, resource: str, record_id: str) -> tuple[Record, str | None] | None:
        """A record and its ETag; None where the CRM says that there is none (a deleted one is none)."""
        try:
            answer = self.transport.send("GET", self.contract.record_path(resource, record_id), ok=(200,))
        except NotFound:
            return None
        return self._record(answer)

    def get_many(self, resource: str, ids: Iterable[str]) -> dict[str, Record]:
        """The records of these ids that are there, by id. Read in lists, an id with a comma by itself."""
        contract = self.contract
        wanted = list(dict.fromkeys(record_id for record_id in ids if record_id))
        found: dict[str, Record] = {}
        for record_id in wanted:
            if contract.separator in record_id and (read := self.get(resource, record_id)):
                found[record_id] = read[0]
        for some in self._id_lists([record_id for record_id in wanted if contract.separator not in record_id]):
            for page in self.pages(resource, filters={contract.id: some}, page_size=len(some)):
                found |= {record[contract.id]: record for record in page.values if record[contract.id] in some}
        return found

    def search(self, resource: str, properties: Mapping[str, Any]) -> list[Record]:
        """The records that have all these values, deleted ones left out.

        The CRM is asked by the properties it can filter by. By others, and by values with a comma (the contract
        separates the values of a filter by commas), it cannot be asked: what the other properties leave over, at
        worst the whole list, is compared here. Texts are compared without regard to case and to blanks around them.
        ValueError for a search for nothing.
        """
        wanted = {name: value for name, value in properties.items() if value is not None and value != ""}
        if not wanted:
            raise ValueError("a search for no value would find everything")
        filters = {
            name: value
            for name, value in wanted.items()
            if isinstance(value, str) and self._can_ask(resource, name, value)
        }
        return [
            record
            for page in self.pages(resource, filters=filters, page_size=self.contract.per_page_at_most)
            for record in page.values
            if all(_same(record.get(name), value) for name, value in wanted.items())
        ]

    def size(self, resource: str) -> int | None:
        """How many records there are; None: the contract has no way to ask."""
        self.contract.list_path(resource)
        return None

    # Writing

    def create(self, resource: str, body: Mapping[str, Any]) -> tuple[Record, str | None]:
        """Make a record; the CRM's record of it and its ETag.

        OutcomeUnknown where no answer came: it may be there.
        """
        answer = self.transport.send("POST", self.contract.list_path(resource), json=dict(body), ok=(200, 201))
        return self._record(answer)

    def update(
        self, resource: str, record_id: str, body: Mapping[str, Any], etag: str | None
    ) -> tuple[Record, str | None]:
        """Change the properties in `body`; the whole record after it and its ETag.

        With an ETag it is Conflict where the record has changed since, and a lost answer is asked for again; without
        one the last write wins. NotFound where the record is gone.
        """
        answer = self.transport.send(
            "PATCH",
            self.contract.record_path(resource, record_id),
            json=dict(body),
            headers={"If-Match": etag} if etag else None,
            idempotent=etag is not None,
            ok=(200,),
        )
        return self._record(answer)

    def delete(self, resource: str, record_id: str) -> bool:
        """Delete a record; False where it is gone already."""
        try:
            self.transport.send("DELETE", self.contract.record_path(resource, record_id), ok=(200, 204))
        except NotFound:
            return False
        return True

    def _record(self, answer: Answer) -> tuple[Record, str | None]:
        return checked(answer, answer.body, self.contract), answer.headers.get("ETag")

    def _can_ask(self, resource: str, name: str, value: str) -> bool:
        return (
            name in self.contract.filters
            and name in _properties(resource)
            and self.contract.separator not in value
            and len(value) <= QUERY_AT_MOST // 3
        )

    def _filter(self, resource: str, name: str, values: Sequence[str]) -> str:
        for value in values:
            if not self._can_ask(resource, name, value):
                raise ValueError(f"the list of {resource} cannot be filtered by {name} = {value!r}")
        return self.contract.separator.join(values)

    def _id_lists(self, ids: list[str]) -> Iterator[list[str]]:
        """The ids in lists that an address can hold."""
        some: list[str] = []
        length = 0
        for record_id in ids:
            more = len(query({"": record_id}))
            if some and (len(some) == ID_LISTS_AT_MOST or length + more > QUERY_AT_MOST):
                yield some
                some, length = [], 0
            some.append(record_id)
            length += more
        if some:
            yield some


def _properties(resource: str) -> Mapping[str, Any]:
    streams = {plural: stream for stream, plural in RESOURCES.items()}
    properties: Mapping[str, Any] = SCHEMAS[streams[resource]]["properties"]
    return properties


def _moment(moment: datetime | str) -> str:
    """RFC 3339, UTC, milliseconds: cut, not rounded, so that nothing is passed over."""
    if isinstance(moment, str):
        return moment
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.strip().casefold() == other.strip().casefold()
    return bool(one == other)
