"""Tripletex as the system that records are written to."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

import msgspec
from api_transport import Conflict, NotFound, OutcomeUnknown
from api_transport import Refused as ApiRefused
from api_transport.concurrency import InFlight
from record_sync.outcome import Waits
from record_sync.pairing import stand_in_order
from record_sync.record import TargetRecord
from record_sync.system import (
    CLOCK_DOUBT,
    CreateRequest,
    Moved,
    Refused,
    RemoveRequest,
    Result,
    Unknown,
    UpdateRequest,
    Written,
)
from record_sync.values import Value, Values, pick, stated
from tripletex_client import TripletexClient, created_at, modified_at
from tripletex_client.unstated import unstated

from target_tripletex.body import CountryIds, InvalidValueError, body_of, check_lengths, fields_for
from target_tripletex.creation import NewCustomers
from target_tripletex.searching import PAGE, PAGE_WORTH, SEARCHABLE, Searches, check_shown
from target_tripletex.suppliers import Suppliers, is_supplier_only

LIST_WRITE = 100
"""Elements in one list write (reference: Tripletex API, Writing)."""

LISTED_UPDATES = ("customer",)
"""The resources with a PUT list; contacts have none (reference: Tripletex API, Writing)."""

Request = TypeVar("Request")
Bodies: TypeAlias = Sequence[tuple[int, dict[str, Any]]]
"""Bodies of a write, each with its request's position."""
Results: TypeAlias = dict[int, Result]
"""What became of requests, by their positions."""

NEW_CUSTOMERS = NewCustomers()

NOT_ANSWERED = Unknown("Tripletex's answer to a list write does not hold this record")
IN_NO_ORDER = Unknown("Tripletex's answer to a list write does not tell which record is which")

_IN_LIST = re.compile(r"^\[\d+\]\.?")


class TripletexSystem:
    """Reads and writes over a :class:`TripletexClient`, each write over the version it was read at."""

    side = "tripletex"
    resources = ("contact", "customer")
    deactivates = True

    def __init__(
        self,
        client: TripletexClient,
        timezone: str,
        *,
        in_flight: int = 1,
        new_customers: NewCustomers = NEW_CUSTOMERS,
    ) -> None:
        self._client = client
        self._new_customers = new_customers
        self._countries = _Countries(client)
        self._in_flight = InFlight(in_flight)
        self._searches = Searches(client, self._in_flight)
        self._suppliers = Suppliers(client)
        self._timezone = timezone

    @property
    def client(self) -> TripletexClient:
        """What it asks by."""
        return self._client

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
        return f" at {self._client.transport.address.place}"

    def stamp(self) -> str:
        """Which company this is, and where. Its ids mean nothing elsewhere."""
        return self._client.identity()

    def server_clock(self) -> datetime | None:
        """The newest time Tripletex told."""
        return self._client.transport.server_clock

    def created_before(self, current: TargetRecord, sight: datetime) -> bool:
        """Whether a record was surely there already at that time."""
        return current.created_at is not None and current.created_at < sight - CLOCK_DOUBT

    # -- reading

    def read(self, resource: str, ids: Collection[str], paths: frozenset[str]) -> dict[str, TargetRecord]:
        """Read records by lists of ids, inactive ones too."""
        numbers = [int(one) for one in ids if one.isdecimal()]
        found = self._client.get_many(resource, numbers, fields_for(paths))
        missing = [one for one in dict.fromkeys(numbers) if one not in found]
        if resource == "customer" and missing:
            found |= self._suppliers.among(missing, paths)
        return {str(number): self._current(record, paths) for number, record in found.items()}

    def listing(self, resource: str, paths: frozenset[str]) -> Iterator[TargetRecord]:
        """All records, active ones and inactive ones."""
        to_match = paths if paths <= SEARCHABLE.get(resource, {}).keys() else ()
        for record in self._searches.listing(resource, fields_for(paths)):
            check_shown(resource, to_match, [record])
            yield self._current(record, paths)

    def listing_cost(self, resource: str, linked: int = 0) -> int:
        """How many searches a listing is worth; so many records, which the caller knows of, are there at least."""
        records = linked or self._client.size(resource)
        return PAGE_WORTH * (records // PAGE + (2 if resource == "customer" else 1))

    def search(self, resource: str, criterion: Mapping[str, Value], paths: frozenset[str]) -> list[TargetRecord]:
        """Ask by what a list can be asked by."""
        found = self._searches.one(resource, criterion, fields_for(paths))
        return [self._current(record, paths) for record in found]

    def search_each(
        self, resource: str, criteria: Sequence[Mapping[str, Value]], paths: frozenset[str]
    ) -> Iterator[list[TargetRecord]]:
        """Ask for several side by side."""
        for found in self._searches.each(resource, criteria, fields_for(paths)):
            yield [self._current(record, paths) for record in found]

    def _current(self, record: Mapping[str, Any], paths: frozenset[str], *, to_write: bool = True) -> TargetRecord:
        """What a record says; kept whole besides where it is to be written over."""
        values = pick(record, paths)
        for country in unstated(record):
            values.update({path: None for path in values if path.startswith(country)})
        return TargetRecord(
            id=str(record["id"]),
            version=None if record.get("version") is None else str(record["version"]),
            modified_at=modified_at(record, self._timezone),
            # An answer need not say when its record was made: that was now.
            created_at=created_at(record, self._timezone) if to_write else None,
            values=values,
            handle=record if to_write else None,
        )

    # -- writing

    def refusal(self, resource: str, values: Values) -> str | None:
        """Why no body can be made of these values."""
        try:
            check_lengths(resource, values)
            body_of(values, self._countries)
        except InvalidValueError as error:
            return str(error)
        return None

    def create(
        self, resource: str, requests: Sequence[CreateRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Create records by list writes; a list refused for some of its records is split until only those are left."""

        def write(some: Sequence[CreateRequest]) -> list[Result]:
            def post(bodies: Bodies) -> Results:
                made = self._client.create_many(resource, [body for _, body in bodies])
                answers = [self._current(one, paths, to_write=False) for one in made]
                return _paired([(position, some[position].values) for position, _ in bodies], answers)

            bodies, results = _bodies(some, lambda request: self._new_body(resource, stated(request.values)))
            claims = {position: self._suppliers.claim(resource, some[position].values) for position, _ in bodies}
            results |= {position: claim for position, claim in claims.items() if claim is not None}
            results |= _in_lists([one for one in bodies if claims[one[0]] is None], post, _refused)
            return [results[position] for position in range(len(some))]

        return self._in_flight.begin_portions(write, requests, LIST_WRITE)

    def _new_body(self, resource: str, values: Values) -> dict[str, Any]:
        check_lengths(resource, values)
        return body_of(self._new_customers.completed(resource, values), self._countries)

    def update(
        self, resource: str, requests: Sequence[UpdateRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Change records, customers by list writes."""

        def write(some: Sequence[UpdateRequest]) -> list[Result]:
            bodies, results = _bodies(some, lambda request: self._update_body(resource, request))
            held = {place: self._suppliers.make_customer_again(body, some[place].current) for place, body in bodies}
            results |= {place: why for place, why in held.items() if why is not None}
            results |= self._put(resource, [one for one in bodies if held[one[0]] is None], paths)
            for position, request in enumerate(some):
                if isinstance(results[position], Written):
                    results[position] = self._deliver(request, results[position])
            return [results[position] for position in range(len(some))]

        return self._in_flight.begin_portions(write, requests, LIST_WRITE if resource in LISTED_UPDATES else 1)

    def _update_body(self, resource: str, request: UpdateRequest) -> dict[str, Any]:
        check_lengths(resource, request.values)
        values = {path: v for path, v in request.values.items() if not path.startswith("deliveryAddress.")}
        body = body_of(values, self._countries, over=request.current.handle)
        return {**body, "id": int(request.current.id), "version": _number(request.current.version)}

    def _put(self, resource: str, bodies: Bodies, paths: frozenset[str]) -> Results:
        def put(some: Bodies) -> Results:
            if len(some) == 1:
                ((_, body),) = some
                answers = [self._client.update(resource, body["id"], body)]
            else:
                answers = self._client.update_many(resource, [body for _, body in some])
            by_id = {answer["id"]: answer for answer in answers}
            return {
                position: Written(self._current(by_id[body["id"]], paths)) if body["id"] in by_id else NOT_ANSWERED
                for position, body in some
            }

        def failed(error: ApiRefused) -> Result:
            return Moved(str(error)) if isinstance(error, Conflict | NotFound) else _refused(error)

        return _in_lists(bodies, put, failed)

    def _deliver(self, request: UpdateRequest, written: Result) -> Result:
        """Write a changed delivery address, which after creation has a resource of its own."""
        prefix = "deliveryAddress."
        values = {path[len(prefix) :]: v for path, v in request.values.items() if path.startswith(prefix)}
        address = (request.current.handle or {}).get("deliveryAddress")
        if not values:
            return written
        if not address:
            return Refused("this customer has no delivery address that could be changed")
        body = {
            **body_of(values, self._countries),
            "id": address["id"],
            **({"version": address["version"]} if "version" in address else {}),
        }
        try:
            self._client.update("deliveryAddress", address["id"], body)
        except (OutcomeUnknown, ApiRefused) as error:
            return _not_written(error)
        return written

    def restore(self, resource: str, current: TargetRecord, paths: frozenset[str]) -> Result:
        """Make an inactive record active again."""
        body = {"id": int(current.id), "version": _number(current.version), "isInactive": False}
        return self._suppliers.make_customer_again(body, current) or self._put(resource, [(0, body)], paths)[0]

    def remove(
        self, resource: str, requests: Sequence[RemoveRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Deactivate records, or delete them, each only if it still is what was read."""

        def remove(some: Sequence[RemoveRequest]) -> list[Result]:
            return [self._remove(resource, one, paths) for one in some]

        return self._in_flight.begin_portions(remove, requests, 1)

    def _remove(self, resource: str, request: RemoveRequest, paths: frozenset[str]) -> Result:
        current = request.current
        if is_supplier_only(current):
            return Written(current)
        if request.policy == "delete":
            return self._delete(resource, current, paths)
        try:
            body = {"id": int(current.id), "version": _number(current.version), "isInactive": True}
            answer = self._client.update(resource, int(current.id), body)
        except (OutcomeUnknown, ApiRefused) as error:
            return _not_written(error)
        return Written(self._current(answer, paths))

    def _delete(self, resource: str, current: TargetRecord, paths: frozenset[str]) -> Result:
        """Delete a record. Tripletex takes no version with a DELETE, so what it says is read just before."""
        now = self.read(resource, [current.id], paths).get(current.id)
        if now is None or now.version != current.version:
            return Moved("it has changed since it was read")
        try:
            self._client.delete(resource, int(current.id))
        except (OutcomeUnknown, ApiRefused) as error:
            return _not_written(error)
        return Written(msgspec.structs.replace(current, version=None))


class _Countries(CountryIds):
    """Tripletex's countries, read when the first one is needed."""

    def __init__(self, client: TripletexClient) -> None:
        self._client = client
        self._known: dict[str, int | None] = {}

    def id_of(self, code: str) -> int | None:
        if code not in self._known:
            self._known[code] = self._client.countries().id_of(code)
        return self._known[code]


def _bodies(requests: Sequence[Request], make: Callable[[Request], dict[str, Any]]) -> tuple[Bodies, Results]:
    """The bodies that can be made, and the refusals of those that hold what Tripletex has no place for."""
    bodies, results = [], Results()
    for position, request in enumerate(requests):
        try:
            bodies.append((position, make(request)))
        except InvalidValueError as error:
            results[position] = Refused(str(error))
    return bodies, results


def _in_lists(bodies: Bodies, send: Callable[[Bodies], Results], failed: Callable[[ApiRefused], Result]) -> Results:
    """Send bodies together; a list that is refused for some of them is halved until only those are left."""
    if not bodies:
        return {}
    try:
        return send(bodies)
    except OutcomeUnknown as error:
        return {position: Unknown(str(error)) for position, _ in bodies}
    except ApiRefused as error:
        if len(bodies) == 1:
            return {bodies[0][0]: failed(error)}
    middle = len(bodies) // 2
    return _in_lists(bodies[:middle], send, failed) | _in_lists(bodies[middle:], send, failed)


def _paired(sent: Sequence[tuple[int, Values]], answers: Sequence[TargetRecord]) -> Results:
    """Give each request the answer in its place, if surely all of them are in theirs."""
    is_one_each = len({one.id for one in answers}) == len(answers)
    if is_one_each and stand_in_order([values for _, values in sent], [one.values for one in answers]):
        return {position: Written(one) for (position, _), one in zip(sent, answers, strict=True)}
    return {position: IN_NO_ORDER for position, _ in sent}


def _number(version: str | None) -> int | None:
    return None if version is None else int(version)


def _not_written(error: OutcomeUnknown | ApiRefused) -> Result:
    if isinstance(error, OutcomeUnknown):
        return Unknown(str(error))
    return Moved(str(error)) if isinstance(error, Conflict) else _refused(error)


def _refused(error: ApiRefused) -> Refused:
    details = []
    for one in error.details:
        # Its place in a list that was split tells nobody anything.
        where = _IN_LIST.sub("", one.path or one.field or "")
        details.append(f"{where}: {one.message}" if where else one.message)
    return Refused(str(error), tuple(details))
