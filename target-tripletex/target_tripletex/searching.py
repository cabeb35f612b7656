"""Looking for customers and contacts by what they say (reference: Tripletex API, Reading).

Lists leave inactive customers out unless they are asked for alone, so each is looked for twice, the active ones first:
one that is deactivated meanwhile is then among the inactive ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any, TypeAlias

from api_transport.concurrency import InFlight
from api_transport.errors import UnexpectedAnswer
from record_sync.canonical import alternatives, each_spelling
from record_sync.errors import ListingRefusedError
from record_sync.values import Value
from tripletex_client import TripletexClient
from tripletex_client.errors import ListTooLong
from tripletex_client.resources import halves
from value_spelling.organisation_number import is_norwegian

SEARCHABLE: Mapping[str, Mapping[str, str]] = {
    "customer": {"organizationNumber": "organizationNumber", "email": "email", "name": "customerName"},
    "contact": {"email": "email", "firstName": "firstName", "lastName": "lastName"},
}
"""Properties a list can be asked by, and the parameters for them (Tripletex API description)."""

PAGE = 1000
"""Records in one page of a listing (reference: Tripletex API, Reading)."""

PAGE_WORTH = 5
"""Searches that take about as long as one such page: they are made side by side, and bring next to nothing."""

LONGEST_ASKED = 255
"""Characters of a value that a list is asked by: servers take addresses of a few thousand bytes."""

Record: TypeAlias = dict[str, Any]
Criterion: TypeAlias = Mapping[str, Value]
Half: TypeAlias = Mapping[str, bool]
"""Parameters of a list that holds active ones, or inactive ones."""

BOTH: Half = MappingProxyType({})
_NUMBER = re.compile(r"[0-9][0-9 -]*")


class Searches:
    """The records that may have some values. Lists are "containing": they find too many rather than too few."""

    def __init__(self, client: TripletexClient, in_flight: InFlight) -> None:
        self._client = client
        self._in_flight = in_flight

    def listing(self, resource: str, fields: str) -> Iterator[Record]:
        """All records. Raises ListingRefusedError where there are more than Tripletex lists."""
        try:
            for half in halves(resource):
                for page in self._client.pages(resource, fields=fields, params=half):
                    yield from page.values
        except ListTooLong as error:
            raise ListingRefusedError(str(error)) from None

    def one(self, resource: str, criterion: Criterion, fields: str, half: Half = BOTH) -> list[Record]:
        """Ask for the records of one criterion; what no list can be asked by is looked for among all of them."""
        found: dict[int, Record] = {}
        for params in asked(resource, criterion):
            if not params:
                return list(self.listing(resource, fields))
            found |= {one["id"]: one for one in self._client.search(resource, {**half, **params}, fields)}
        check_shown(resource, criterion, found.values())
        return list(found.values())

    def each(self, resource: str, criteria: Sequence[Criterion], fields: str) -> Iterator[list[Record]]:
        """Ask for several side by side. For many, inactive ones are read once, where they are few."""
        if len(halves(resource)) == 1 or len(criteria) <= PAGE_WORTH:
            return self._side_by_side(resource, criteria, fields, BOTH)
        active, inactive = halves(resource)
        found = list(self._side_by_side(resource, criteria, fields, active))
        few = self._few(resource, fields, inactive)
        check_shown(resource, {path for one in criteria for path in one}, few or ())
        others = (
            self._side_by_side(resource, criteria, fields, inactive)
            if few is None
            else ([record for record in few if _may_be_found(resource, record, one)] for one in criteria)
        )
        return (_each_once(some, more) for some, more in zip(found, others, strict=True))

    def _side_by_side(
        self, resource: str, criteria: Sequence[Criterion], fields: str, half: Half
    ) -> Iterator[list[Record]]:
        def search(some: Sequence[Criterion]) -> list[list[Record]]:
            return [self.one(resource, one, fields, half) for one in some]

        return chain.from_iterable(self._in_flight.begin_portions(search, criteria, 1))

    def _few(self, resource: str, fields: str, half: Half) -> list[Record] | None:
        """The list if it has one page, else None."""
        try:
            page = self._client.page(resource, fields=fields, params=half, page_size=PAGE)
        except ListTooLong:
            return None
        return page.values if page is not None and len(page.values) < PAGE else None


def check_shown(resource: str, matched: Iterable[str], records: Iterable[Record]) -> None:
    """Raise UnexpectedAnswer for records without what they are to be matched by: each would be made a second time.

    What rights or modules do not cover is simply absent from an answer (reference: Tripletex API, As it really is).
    """
    names = {path.partition(".")[0] for path in matched}
    hidden = sorted({name for record in records for name in names - record.keys()})
    if hidden:
        raise UnexpectedAnswer(
            f"answered without {', '.join(hidden)}, by which records are matched",
            method="GET",
            path=f"/{resource}",
            todo="give the token the right to see it, or take it out of match_on",
        )


def asked(resource: str, criterion: Criterion) -> Iterator[dict[str, str]]:
    """The parameters of each search for a criterion: one for each spelling that Tripletex may keep a value in."""
    wanted = {
        parameter: texts
        for path, parameter in SEARCHABLE[resource].items()
        if criterion.get(path) is not None and (texts := _spellings(path, criterion[path]))
    }
    return each_spelling(wanted)


def _spellings(path: str, wanted: Value) -> list[str]:
    """The texts that a list can be asked by; an organisation number is kept without letters where it can be."""
    texts = [text for one in alternatives(wanted) if len(text := str(one).strip()) <= LONGEST_ASKED]
    numbers = [text for text in texts if _NUMBER.fullmatch(text)] if path == "organizationNumber" else []
    # Tripletex takes Norwegian ones in one spelling alone; other nine digits may be a foreign number, with blanks.
    return [text for text in numbers if is_norwegian(text)] or numbers or texts


def _may_be_found(resource: str, record: Record, criterion: Criterion) -> bool:
    """Whether one of a criterion's searches may find a record; who asked compares exactly."""
    kept = {parameter: str(record.get(path) or "").casefold() for path, parameter in SEARCHABLE[resource].items()}
    return any(
        all(text.casefold() in kept[parameter] for parameter, text in params.items())
        for params in asked(resource, criterion)
    )


def _each_once(some: Sequence[Record], more: Sequence[Record]) -> list[Record]:
    return list({one["id"]: one for one in (*some, *more)}.values())
