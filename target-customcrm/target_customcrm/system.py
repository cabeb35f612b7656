"""Customcrm as the system that records are written to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any, TypeVar

import msgspec
from api_transport import Conflict, NotFound, OutcomeUnknown
from api_transport import Refused as ApiRefused
from api_transport.concurrency import InFlight
from customcrm_client.client import Change, CustomcrmClient, Found
from customcrm_client.times import moment_of
from record_sync.canonical import alternatives
from record_sync.outcome import Waits
from record_sync.pairing import order_of
from record_sync.record import TargetRecord
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
from record_sync.system import Found as Searched
from record_sync.values import Value, Values, pick

LOOK_BACK = timedelta(minutes=1)
"""How far apart two sights of one server's clock may be."""

UNKNOWN_COST = 10
"""Requests that a listing is taken to cost where the CRM does not tell how many records there are."""

NOT_ALLOWED = Refused("the profile does not say how this is written in the CRM")

ONE_BY_ONE = 4
"""Spellings of a value that a CRM is asked for by a request each."""

IN_NO_ORDER = Unknown("the CRM's answer to a batch does not tell which record is which")

NOT_THAT_VERSION = 412
NOT_ITS_OWN = (
    "the CRM refuses a change over the version that it tells itself (412), though nobody has changed the record: let "
    "no proxy alter its ETags, or choose another write.locking in the profile"
)

Request = TypeVar("Request")


class CustomcrmSystem:
    """Reads and writes over a :class:`CustomcrmClient`, each write over the state it was read at."""

    side = "customcrm"
    deactivates = False

    def __init__(self, client: CustomcrmClient, *, in_flight: int = 1) -> None:
        self._client = client
        self._in_flight = InFlight(in_flight)

    @property
    def resources(self) -> tuple[str, ...]:
        """The streams that the profile says how to write."""
        return tuple(name for name, stream in self._client.profile.streams.items() if stream.write is not None)

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
        return self._client.identity().removeprefix("Customcrm")

    def stamp(self) -> str:
        """Which CRM this is. Its ids mean nothing elsewhere."""
        return self._client.identity()

    def server_clock(self) -> datetime | None:
        """The newest time the CRM told."""
        return self._client.transport.server_clock

    def created_before(self, current: TargetRecord, sight: datetime) -> bool:
        """Whether a record was surely there already at that time."""
        return current.created_at is not None and current.created_at < sight - LOOK_BACK

    # -- reading

    def read(self, resource: str, ids: Collection[str], paths: frozenset[str]) -> dict[str, TargetRecord]:
        """Read records by lists of ids where the profile has these and an ETag is not needed, else singly."""
        found = self._client.get_many(resource, ids, to_write=True)
        return {record_id: _current(one, paths) for record_id, one in found.items()}

    def listing(self, resource: str, paths: frozenset[str]) -> Iterator[TargetRecord]:
        """All records but deleted ones."""
        for page in self._client.pages(resource, page_size=self._client.page_at_most(resource)):
            for record in page.values:
                if record.get("Deleted") is not True:
                    yield _current(Found(record), paths)

    def listing_cost(self, resource: str, linked: int = 0) -> int:
        """Pages of the list; none where the CRM cannot be asked for records by what they say."""
        if not self._client.can_search(resource):
            return 0
        size = linked or self._client.size(resource)
        return UNKNOWN_COST if size is None else size // self._client.page_at_most(resource) + 1

    def search(self, resource: str, criterion: Mapping[str, Value], paths: frozenset[str]) -> Searched:
        """The records with these values; a CRM that takes one value at a time is asked for the likeliest spellings."""
        at_most = None if self._client.takes_several(resource) else ONE_BY_ONE
        wanted = {path: list(alternatives(value)[:at_most]) for path, value in criterion.items() if value is not None}
        try:
            return [_current(Found(record), paths) for record in self._client.search(resource, wanted)]
        except ApiRefused as error:
            return _refused(error)

    def search_each(
        self, resource: str, criteria: Sequence[Mapping[str, Value]], paths: frozenset[str]
    ) -> Iterator[Searched]:
        """Ask for several side by side."""

        def search(some: Sequence[Mapping[str, Value]]) -> list[Searched]:
            return [self.search(resource, one, paths) for one in some]

        return chain.from_iterable(self._in_flight.begin_portions(search, criteria, 1))

    # -- writing

    def refusal(self, resource: str, values: Values) -> str | None:
        """Nothing is refused without asking."""
        del resource, values
        return None

    def create(
        self, resource: str, requests: Sequence[CreateRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Create records, several in a request where the profile has batches."""

        def write(some: Sequence[CreateRequest]) -> list[Result]:
            if len(some) > 1:
                return self._batch(partial(self._create_many, resource, some, paths), some, write)
            return [self._create(resource, some[0], paths)]

        if not self._client.allows(resource, "create"):
            return iter([[NOT_ALLOWED] * len(requests)])
        return self._in_flight.begin_portions(write, requests, self._client.writes_many(resource, "create"))

    def _create(self, resource: str, request: CreateRequest, paths: frozenset[str]) -> Result:
        try:
            return Written(_current(self._client.create(resource, request.values), paths))
        except OutcomeUnknown as error:
            return Unknown(str(error))
        except ApiRefused as error:
            return _refused(error)

    def _create_many(self, resource: str, requests: Sequence[CreateRequest], paths: frozenset[str]) -> list[Result]:
        sent = [one.values for one in requests]
        answers = [_current(one, paths) for one in self._client.create_many(resource, sent)]
        is_one_each = len({one.id for one in answers}) == len(answers)
        order = order_of(sent, [one.values for one in answers]) if is_one_each else None
        return [IN_NO_ORDER for _ in sent] if order is None else [Written(answers[place]) for place in order]

    def update(
        self, resource: str, requests: Sequence[UpdateRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Change records, each only if it still is what was read."""

        def write(some: Sequence[UpdateRequest]) -> list[Result]:
            if len(some) > 1:
                return self._update_many(resource, some, write, paths)
            return [self._update(resource, some[0], paths)]

        if not self._client.allows(resource, "update"):
            return iter([[NOT_ALLOWED] * len(requests)])
        return self._in_flight.begin_portions(write, requests, self._client.writes_many(resource, "update"))

    def _update(self, resource: str, request: UpdateRequest, paths: frozenset[str]) -> Result:
        current = request.current
        if _lock(current) is None and self._client.needs_lock(resource):
            return Moved("its version is not known")
        try:
            found = self._client.update(
                resource, current.id, request.values, _lock(current), current.values, _raw(current)
            )
        except Conflict as error:
            return self._in_conflict(resource, current, error, paths)
        except NotFound as error:
            return Moved(str(error))
        except OutcomeUnknown as error:
            return Unknown(str(error))
        except ApiRefused as error:
            return _refused(error)
        return Written(_current(found, paths))

    def _in_conflict(
        self, resource: str, current: TargetRecord, error: Conflict, paths: frozenset[str]
    ) -> Moved | Refused:
        """What a conflict is: somebody's edit, or a refusal of a record that still is what was read.

        A CRM says 409 too where a value is taken, or where it does not delete what others refer to.
        """
        now = self.read(resource, [current.id], paths).get(current.id)
        if error.status is None or now is None or (now.values, _lock(now)) != (current.values, _lock(current)):
            return Moved(str(error))
        return Refused(NOT_ITS_OWN) if error.status == NOT_THAT_VERSION else _refused(error)

    def _update_many(
        self,
        resource: str,
        requests: Sequence[UpdateRequest],
        write: Callable[[Sequence[UpdateRequest]], list[Result]],
        paths: frozenset[str],
    ) -> list[Result]:
        """Change records by one request; those that were changed meanwhile are left out of it."""
        if self._client.needs_lock(resource):
            fit = [one for one in requests if _lock(one.current) is not None]
            raws = {one.current.id: _raw(one.current) for one in fit}
        else:
            same = self._client.unchanged(resource, {one.current.id: one.current.values for one in requests})
            fit = [one for one in requests if one.current.id in same]
            raws = {record_id: found.raw for record_id, found in same.items()}
        changes = [
            Change(one.current.id, one.values, _lock(one.current), one.current.values, raws[one.current.id])
            for one in fit
        ]
        if len(fit) == len(requests):
            return self._batch(partial(self._change_many, resource, changes, paths), requests, write)
        results = iter(write(fit)) if fit else iter(())
        moved = Moved("it has changed since it was read")
        return [next(results) if one in fit else moved for one in requests]

    def _change_many(self, resource: str, changes: Sequence[Change], paths: frozenset[str]) -> list[Result]:
        changed = self._client.update_many(resource, changes)
        return [_refused(one) if isinstance(one, ApiRefused) else Written(_current(one, paths)) for one in changed]

    def _batch(
        self,
        send: Callable[[], list[Result]],
        requests: Sequence[Request],
        write: Callable[[Sequence[Request]], list[Result]],
    ) -> list[Result]:
        """One request for several records; one that is refused is halved until only the refused record is left."""
        try:
            return send()
        except ApiRefused:
            middle = len(requests) // 2
            return [*write(requests[:middle]), *write(requests[middle:])]
        except OutcomeUnknown as error:
            return [Unknown(str(error)) for _ in requests]

    def restore(self, resource: str, current: TargetRecord, paths: frozenset[str]) -> Result:
        """Nothing to do: what was deleted here cannot come back, and what is there is active."""
        del resource, paths
        return Written(current)

    def remove(
        self, resource: str, requests: Sequence[RemoveRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Delete records, each only if it still is what was read. The CRM knows no inactive records."""

        def remove(some: Sequence[RemoveRequest]) -> list[Result]:
            return [self._remove(resource, one, paths) for one in some]

        return self._in_flight.begin_portions(remove, requests, 1)

    def _remove(self, resource: str, request: RemoveRequest, paths: frozenset[str]) -> Result:
        current = request.current
        if not self._client.allows(resource, "delete"):
            return NOT_ALLOWED
        if _lock(current) is None and self._client.needs_lock(resource):
            return Moved("its version is not known")
        try:
            self._client.delete(resource, current.id, _lock(current), current.values)
        except Conflict as error:
            return self._in_conflict(resource, current, error, paths)
        except OutcomeUnknown as error:
            return Unknown(str(error))
        except ApiRefused as error:
            return _refused(error)
        return Written(msgspec.structs.replace(current, version=None))


def _current(found: Found, paths: frozenset[str]) -> TargetRecord:
    record: Mapping[str, Any] = found.record
    return TargetRecord(
        id=record["Id"],
        version=record.get("UpdatedAt"),
        modified_at=moment_of(record.get("UpdatedAt")),
        created_at=moment_of(record.get("CreatedAt")),
        values=pick(record, paths),
        handle=found,
    )


def _lock(current: TargetRecord) -> Any:
    return None if current.handle is None else current.handle.lock


def _raw(current: TargetRecord) -> Any:
    return None if current.handle is None else current.handle.raw


def _refused(error: ApiRefused) -> Refused:
    details = tuple(f"{one.field}: {one.message}" if one.field else one.message for one in error.details)
    return Refused(str(error), details)
