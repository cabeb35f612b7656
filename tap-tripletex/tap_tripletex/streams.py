"""The streams of Tripletex: a name and a resource each, read by their changes or page by page by checksum."""

from __future__ import annotations

import datetime as dt
import logging
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from api_transport.errors import UnexpectedAnswer, told_again
from msgspec import UNSET
from singer_edge.read import Page, Read
from singer_edge.reading import BookmarkedStream
from singer_edge.shape import Shape
from singer_edge.tap import EdgeTap
from tripletex_client.changes import REPORT, Change, modified_at, newest
from tripletex_client.clock import to_local_for_changed_since
from tripletex_client.errors import ListTooLong
from tripletex_client.fields import DERIVED, FIELDS
from tripletex_client.schema import SCHEMAS
from tripletex_client.unstated import forget_unstated

if TYPE_CHECKING:
    from singer_edge.bookmark import Bookmark
    from tripletex_client.client import TripletexClient
    from tripletex_client.paging import Page as ListPage

PAGE_SIZE = 1000
"""Records in one request: the API's default and sensible maximum."""

AN_HOUR_AND_MORE = dt.timedelta(minutes=65)

UNHEEDED = (
    "%d of %d records came although they tell of no change since %s: this Tripletex does not heed changedSince, "
    "or tells of none of their changes. Nothing is lost, every run reads them again"
)

BY_CUSTOMER = (
    "%s; read customer by customer: contacts that belong to none are not read, and that one was deleted is not noticed"
)
ONLY_BY_CUSTOMER = (
    "ask Tripletex to lift the limit for this company. Where contacts that belong to no customer may be left out, set "
    "only_contacts_of_customers"
)

HIDDEN = "Tripletex does not show %s: modules or the token's rights do not cover it, so it is not synchronised"

Record = dict[str, Any]


class ConnectedTap(EdgeTap):
    """What the streams need of their tap."""

    @property
    @abstractmethod
    def client(self) -> TripletexClient:
        """The client of the company that the settings name."""

    @abstractmethod
    def would_be_written(self, resource: str) -> bool:
        """Whether a rehearsal's first line would write to a resource."""


class TripletexStream(BookmarkedStream):
    """A resource of Tripletex."""

    primary_keys = ("id",)
    beyond: ClassVar[dict[str, Any]] = {"changes": list[Change] | None}

    _tap: ConnectedTap
    _has_told_hidden = False

    def __init__(self, tap: ConnectedTap) -> None:
        super().__init__(tap, schema=SCHEMAS[self.name])

    def server_clock(self) -> dt.datetime | None:
        """Give Tripletex's clock."""
        return self._tap.client.transport.server_clock

    def requests_left(self) -> int | None:
        """Give what Tripletex's latest answer told."""
        limit = self._tap.client.rate_limit
        return None if limit is None else limit.remaining

    def _shape(self) -> Shape | None:
        shape = super()._shape()
        # A catalog may leave out of the schema what `told` needs.
        return shape if shape is not None and shape.names >= {"id", "modifiedAt"} else None

    def told(self, page: ListPage) -> Page:
        """Give a page as the stream has it: the time of a record's last change in place of the list of all.

        A country that Tripletex says of an address or number that is not there is left out.
        """
        timezone = self.config["timezone"]
        self._tell_hidden(page.values[:1])
        for record in page.values:
            forget_unstated(record)
            if isinstance(record, dict):
                self._tell(record)
                continue
            try:
                record.modifiedAt = newest(record.changes or (), timezone)
            except ValueError as error:
                raise UnexpectedAnswer(f"a change of record {record.id}: {error}", todo=REPORT) from None
            record.changes = UNSET
        return Page(page.values, page.sent_at)

    def _tell_hidden(self, records: list[Any]) -> None:
        """Log once what records do not have at all: they are not taken to have lost it."""
        if self._has_told_hidden or not records:
            return
        self._has_told_hidden = True
        record = records[0] if isinstance(records[0], dict) else msgspec.to_builtins(records[0])
        hidden = SCHEMAS[self.name]["properties"].keys() & self.schema["properties"].keys() - DERIVED - record.keys()
        if hidden:
            self.log(HIDDEN, ", ".join(sorted(hidden)), level=logging.WARNING)

    def _tell(self, record: Record) -> None:
        if not isinstance(record.get("id"), int):
            raise UnexpectedAnswer("a record without 'id'", method="GET", path=f"/{self.name}")
        modified = modified_at(record, self.config["timezone"])
        record.pop("changes", None)
        record["modifiedAt"] = f"{modified:%Y-%m-%dT%H:%M:%SZ}" if modified else None


class ChangedStream(TripletexStream):
    """A resource whose changes the API lists (`changedSince`)."""

    change_key = "modifiedAt"
    halves: ClassVar[tuple[dict[str, Any], ...]] = ({},)
    """Parameters of the lists that together hold every record."""

    def pages(self, read: Read) -> Iterator[Page]:
        """Ask for the changes since the read's start, list after list."""
        bound = {}
        if read.since is not None:
            bound["changedSince"] = to_local_for_changed_since(read.since, self.config["timezone"])
        size = read.limit or PAGE_SIZE
        came = older = 0
        for half in self.halves:
            for listed in self._tap.client.pages(
                self.name, fields=FIELDS[self.name], params={**half, **bound}, page_size=size, record=read.record
            ):
                page = self.told(listed)
                came += len(page.records)
                older += 0 if read.since is None else _unchanged_since(read.since, page.records)
                yield page
        if older:
            self.log(UNHEEDED, older, came, f"{read.since:%Y-%m-%d}", level=logging.WARNING)


def _unchanged_since(since: dt.datetime, records: list[Any]) -> int:
    """How many records tell of no change that late. In autumn an hour more is asked for than is needed."""
    bound = f"{since - AN_HOUR_AND_MORE:%Y-%m-%dT%H:%M:%SZ}"
    told = (one["modifiedAt"] if isinstance(one, dict) else one.modifiedAt for one in records)
    return sum(isinstance(changed, str) and changed < bound for changed in told)


class DigestStream(TripletexStream):
    """A resource of which the API tells only whether a page of its list has changed (`versionDigest`, 304)."""

    def continues(self, bookmark: Bookmark) -> bool:
        """Take up the digests of pages of the same size."""
        return bool(bookmark.digests) and bookmark.page_size == PAGE_SIZE

    def pages(self, read: Read) -> Iterator[Page]:
        """Ask for each page unless it is as it was; past the known ones, and in a full read, in any case."""
        size = read.limit or PAGE_SIZE
        known = [] if read.full or self._tap.would_be_written(self.name) else list(read.bookmark.digests or [])
        read.page_size = size
        pages = self._tap.client.pages_unless(
            self.name,
            fields=FIELDS[self.name],
            checksums=known,
            page_size=size,
            record=read.record,
        )
        with closing(pages):
            yield from self._changed(read, pages, known, size)

    def _changed(
        self, read: Read, pages: Iterator[ListPage | None], known: list[str | None], size: int
    ) -> Iterator[Page]:
        digests = read.digests = []
        for index, page in enumerate(pages):
            digest = known[index] if index < len(known) else None
            if page is None:
                if digest is None:
                    raise UnexpectedAnswer(
                        "not modified, although it was never read", method="GET", path=f"/{self.name}"
                    )
                digests.append(digest)
                # An unchanged page is as full as it was: only the last one was not.
                if index >= len(known) - 1:
                    return
                continue
            digests.append(page.digest)
            yield self.told(page)
            if len(page.values) < size:
                return


class Contact(DigestStream):
    """People, and what the CRM calls products."""

    name = "contact"

    def pages(self, read: Read) -> Iterator[Page]:
        """Ask for all of them, or where that is more than Tripletex lists, for those of some customers at a time.

        No filter finds the contacts that belong to no customer, so that these may be left out has to be said.
        """
        try:
            yield from super().pages(read)
        except ListTooLong as error:
            if not self.config["only_contacts_of_customers"]:
                raise told_again(error, ListTooLong, error.problem, todo=ONLY_BY_CUSTOMER) from None
            self.log(BY_CUSTOMER, error, level=logging.WARNING)
            read.digests, read.full = None, False
            for page in self._tap.client.contact_pages_by_customer(fields=FIELDS[self.name], record=read.record):
                yield self.told(page)


class Customer(ChangedStream):
    """Companies and private customers, active or not."""

    name = "customer"
    # Inactive ones are left out of the list unless asked for (Tripletex API description: isInactive, default false).
    halves = ({"isInactive": False}, {"isInactive": True})


class Product(DigestStream):
    """What is sold, active or not: the list's `isInactive` has no default, so leaving it out brings both."""

    name = "product"


class Country(DigestStream):
    """Countries, for their ids."""

    name = "country"


STREAMS: tuple[type[TripletexStream], ...] = (Contact, Customer, Product, Country)
