"""What the imitations of vendors' CRMs share: records, a clock, users, and a strict server.

An imitation answers requests as the vendor's documentation says, and refuses what the vendor would refuse: an unknown
parameter, a wrong quote, a wrong body, a missing header. Nothing here knows the profiles that are on trial.
"""

import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar

from api_transport.testing import Asked, Said, Server, serving

Row = dict[str, Any]
STREAMS = ("contact", "customer", "product")
START = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
TICK = timedelta(seconds=1)
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "contact": {
        "FirstName": "First name",
        "LastName": "Last name",
        "Email": "Email",
        "Phone": "Phone",
        "MobilePhone": "Mobile phone",
    },
    "customer": {
        "Name": "Name",
        "OrganizationNumber": "Organization number",
        "Email": "Email",
        "Phone": "Phone",
        "Website": "Website",
        "Description": "Description",
        "StreetAddress1": "Street",
        "StreetAddress2": "Street 2",
        "ZipCode": "Zip code",
        "City": "City",
        "Country": "Country",
    },
    "product": {"Name": "Name", "Number": "Number", "Description": "Description", "Price": "Price"},
}
"""The columns that somebody makes in a table of people, of companies and of products."""


class RefusedError(Exception):
    """An answer that refuses."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.status)
        self.said = said


class Vendor(ABC):
    """One vendor's CRM: its users on one side, its interface on the other.

    Each record is kept as the vendor has it. `fields` says where each property of a stream stands in it, by dotted
    path; a vendor with lists in its records overrides `value` and `put`.
    """

    name: ClassVar[str]
    """Also its profile's."""
    key: ClassVar[str] = "a-key-of-the-imitation"
    settings: ClassVar[Mapping[str, Any]] = {}
    """Settings of tap and target besides the address and the key."""
    base: ClassVar[str] = ""
    """What `api_url` ends with."""
    fields: ClassVar[Mapping[str, Mapping[str, str]]]
    largest_page: ClassVar[int] = 3
    """Small, so that each list has several pages."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Row]] = {stream: {} for stream in STREAMS}
        self.gone: dict[str, dict[str, Row]] = {stream: {} for stream in STREAMS}
        self.requests: list[Asked] = []
        self.refusals: list[tuple[str, str, Any]] = []
        """What was refused, and why: a run of ours should have none."""
        self.limited = 0
        """Requests that are still to be answered as beyond the limit."""
        self.server: Server | None = None
        self._numbers = itertools.count(1)
        self._now = START

    @property
    def has_products(self) -> bool:
        """Whether it has products at all."""
        return "product" in self.fields

    # -- what its users do and see

    def create(self, stream: str, **values: Any) -> str:
        """A user makes a record; its id."""
        return self.insert(stream, self.theirs(stream, values))

    def edit(self, stream: str, record_id: str, **values: Any) -> None:
        """A user changes a record."""
        row = self.rows[stream][record_id]
        for name, value in values.items():
            self.put(stream, row, name, value)
        self.touch(stream, row)

    def delete(self, stream: str, record_id: str) -> None:
        """A user deletes a record; references to it are emptied, as the vendor does."""
        row = self.rows[stream].pop(record_id)
        self.touch(stream, row)
        self.gone[stream][record_id] = row
        if stream == "customer":
            for contact in self.rows["contact"].values():
                if self.value("contact", contact, "CustomerId") == record_id:
                    self.put("contact", contact, "CustomerId", None)

    def all(self, stream: str) -> dict[str, Row]:
        """What a user sees: every record that is there, by id."""
        return {
            record_id: {name: self.value(stream, row, name) for name in self.properties(stream)}
            for record_id, row in self.rows[stream].items()
        }

    def get(self, stream: str, record_id: str) -> Row:
        """One record as a user sees it."""
        return self.all(stream)[record_id]

    def properties(self, stream: str) -> list[str]:
        """The properties that users see."""
        return list(self.fields[stream])

    def theirs(self, stream: str, values: Mapping[str, Any]) -> Row:
        """A new record of the vendor's that says this."""
        row = self.blank(stream)
        for name, value in values.items():
            self.put(stream, row, name, value)
        return row

    def value(self, stream: str, row: Row, name: str) -> Any:
        """What a record says of a property; nothing, and an empty text, are None."""
        here: Any = row
        for step in self.fields[stream][name].split("."):
            here = here.get(step) if isinstance(here, dict) else None
        return None if here == "" else here

    def put(self, stream: str, row: Row, name: str, value: Any) -> None:
        """Write a property into a record."""
        *outer, last = self.fields[stream][name].split(".")
        here = row
        for step in outer:
            here = here.setdefault(step, {})
        here[last] = value

    # -- how it keeps records

    def number(self) -> int:
        """The next id."""
        return next(self._numbers)

    def now(self) -> datetime:
        """The time; each asking takes a second."""
        self._now += TICK
        return self._now

    def stamp(self) -> str:
        """The time as the vendor writes it: milliseconds, UTC, where it is not overridden."""
        return self.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def blank(self, stream: str) -> Row:
        """A record of which nothing is said yet."""
        del stream
        return {}

    def insert(self, stream: str, row: Row) -> str:
        """Keep a new record; its id."""
        record_id = self.new_id(stream, row)
        self.rows[stream][record_id] = row
        self.touch(stream, row)
        return record_id

    @abstractmethod
    def new_id(self, stream: str, row: Row) -> str:
        """Give a new record its id, in the record too."""

    @abstractmethod
    def touch(self, stream: str, row: Row) -> None:
        """Make a record look edited now."""

    # -- its interface

    def respond(self, asked: Asked) -> Said:
        """Answer a request, and keep it."""
        self.requests.append(asked)
        try:
            self.authorise(asked)
            if self.limited > 0 and "token" not in asked.path:
                self.limited -= 1
                return self.beyond_the_limit()
            return self.answer(asked)
        except RefusedError as error:
            said = error.said
            self.refusals.append((asked.method, asked.target, said.body))
            return said

    @abstractmethod
    def authorise(self, asked: Asked) -> None:
        """Refuse whoever has no right to ask."""

    @abstractmethod
    def answer(self, asked: Asked) -> Said:
        """Answer a request of somebody who may ask."""

    @abstractmethod
    def is_write(self, asked: Asked) -> bool:
        """Whether a request changes anything; a search by POST does not."""

    def beyond_the_limit(self) -> Said:
        """What the vendor says to more requests than it allows."""
        return Said({"message": "too many requests"}, 429, {"Retry-After": "1"})

    @property
    def api_url(self) -> str:
        """As the setting has it."""
        assert self.server is not None
        return f"{self.server.url}{self.base}"


def refuse(status: int, body: Any, headers: Mapping[str, str] | None = None) -> RefusedError:
    """A refusal to raise."""
    return RefusedError(Said(body, status, headers or {}))


def body_of(asked: Asked) -> Any:
    """The JSON of a request; refused where it is none, or is not said to be."""
    if not asked.headers.get("Content-Type", "").startswith(("application/json", "application/vnd.api+json")):
        raise refuse(415, {"message": "Unsupported Media Type"})
    try:
        return json.loads(asked.body)
    except ValueError:
        raise refuse(400, {"message": "the body is no JSON"}) from None


@contextmanager
def serve(vendor: Vendor) -> Iterator[Vendor]:
    """The vendor's CRM on loopback until the block ends."""
    with serving(vendor.respond) as server:
        vendor.server = server
        yield vendor
