"""Customcrm as the system that records are written to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from api_transport import Conflict, NotFound, OutcomeUnknown
from api_transport import Refused as ApiRefused
from customcrm_client.client import CustomcrmClient
from record_sync.outcome import Waits
from record_sync.record import Current
from record_sync.system import (
    CreateRequest,
    Moved,
    Refused,
    RemoveRequest,
    Result,
    Unknown,
    UpdateRequest,
    Written,
)
from record_sync.values import Value, nest, pick

RESOURCES = {"contact": "contacts", "customer": "customers", "product": "products"}
"""The streams' names and those of the API's resources."""

LOOK_BACK = timedelta(minutes=1)
"""How far apart two sights of one server's clock may be."""


class CustomcrmSystem:
    """Reads and writes over a :class:`CustomcrmClient`, each write over the ETag it was read at."""

    side = "customcrm"
    resources = tuple(RESOURCES)

    def __init__(self, client: CustomcrmClient) -> None:
        self._client = client

    @property
    def requests(self) -> int:
        """Requests made so far."""
        return self._client.transport.requests

    @property
    def waits(self) -> Waits:
        """How often and how long it had to be waited for so far."""
        return Waits(self._client.transport.waits, self._client.transport.waited)

    @property
    def address(self) -> str:
        """Where it is, as the stamp ends."""
        return f" at {self._client.identity()}"

    def stamp(self) -> str:
        """Which CRM this is. Its ids mean nothing elsewhere."""
        return f"Customcrm{self.address}"

    def server_clock(self) -> datetime | None:
        """The newest time the CRM told."""
        return self._client.transport.server_clock

    def created_before(self, current: Current, sight: datetime) -> bool:
        """Whether a record was surely there already at that time."""
        return current.created_at is not None and current.created_at < sight - LOOK_BACK

    # -- reading

    def read(self, resource: str, ids: Collection[str], paths: frozenset[str]) -> dict[str, Current]:
        """Read records singly: only so does the API tell their ETags."""
        found = {}
        for record_id in ids:
            read = self._client.get(RESOURCES[resource], record_id)
            if read is not None:
                found[record_id] = _current(read[0], read[1], paths)
        return found

    def listing(self, resource: str, paths: frozenset[str]) -> Iterator[Current]:
        """All records but deleted ones."""
        for page in self._client.pages(RESOURCES[resource], page_size=500):
            for record in page.values:
                yield _current(record, None, paths)

    def listing_cost(self, resource: str) -> int:
        """The API does not tell how many records there are; a page of 500 costs as much as a query."""
        size = self._client.size(RESOURCES[resource])
        return 10 if size is None else size // 500 + 1

    def search(self, resource: str, criterion: Mapping[str, Value], paths: frozenset[str]) -> list[Current]:
        """The records with these values, however an organisation number is spaced."""
        wanted = {path: value for path, value in criterion.items() if value is not None}
        number = wanted.get("OrganizationNumber")
        if isinstance(number, str) and len(wanted) == 1 and "," not in number:
            spellings = list(dict.fromkeys((number, *_spellings(number))))
            pages = self._client.pages(RESOURCES[resource], filters={"OrganizationNumber": spellings})
            found = [record for page in pages for record in page.values]
        else:
            found = self._client.search(RESOURCES[resource], wanted)
        return [_current(record, None, paths) for record in found]

    # -- writing

    def create(
        self, resource: str, requests: Sequence[CreateRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Create records one by one; the API has no list write."""
        for request in requests:
            yield [self._create(resource, request, paths)]

    def _create(self, resource: str, request: CreateRequest, paths: frozenset[str]) -> Result:
        try:
            record, etag = self._client.create(RESOURCES[resource], nest(request.values))
        except OutcomeUnknown as error:
            return Unknown(str(error))
        except ApiRefused as error:
            return _refused(error)
        return Written(_current(record, etag, paths))

    def update(
        self, resource: str, requests: Sequence[UpdateRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Change records one by one, each only if it still is what was read."""
        for request in requests:
            yield [self._update(resource, request, paths)]

    def _update(self, resource: str, request: UpdateRequest, paths: frozenset[str]) -> Result:
        etag = request.current.handle
        if etag is None:
            return Moved("its version is not known")
        try:
            record, new_etag = self._client.update(RESOURCES[resource], request.current.id, nest(request.values), etag)
        except (Conflict, NotFound) as error:
            return Moved(str(error))
        except OutcomeUnknown as error:
            return Unknown(str(error))
        except ApiRefused as error:
            return _refused(error)
        return Written(_current(record, new_etag, paths))

    def restore(self, resource: str, current: Current, paths: frozenset[str]) -> Result:
        """Nothing to do: what was deleted here cannot come back, and what is there is active."""
        del resource, paths
        return Written(current)

    def remove(self, resource: str, request: RemoveRequest, paths: frozenset[str]) -> Result:
        """Delete a record; it stays behind as a tombstone. The CRM knows no inactive records."""
        del paths
        try:
            self._client.delete(RESOURCES[resource], request.current.id)
        except OutcomeUnknown as error:
            return Unknown(str(error))
        except ApiRefused as error:
            return _refused(error)
        return Written(msgspec.structs.replace(request.current, version=None))


def _spellings(number: str) -> list[str]:
    digits = "".join(number.split())
    return [digits, f"{digits[:3]} {digits[3:6]} {digits[6:]}"] if len(digits) == 9 else [digits]


def _current(record: Mapping[str, Any], etag: str | None, paths: frozenset[str]) -> Current:
    return Current(
        id=str(record["Id"]),
        version=record.get("UpdatedAt"),
        modified_at=_moment(record.get("UpdatedAt")),
        created_at=_moment(record.get("CreatedAt")),
        values=pick(record, paths),
        handle=etag,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else msgspec.convert(text, datetime)


def _refused(error: ApiRefused) -> Refused:
    details = tuple(f"{one.field}: {one.message}" if one.field else one.message for one in error.details)
    return Refused(str(error), details)
