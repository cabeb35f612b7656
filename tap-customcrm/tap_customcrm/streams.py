"""The streams of a Customcrm: a name and a path each."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from customcrm_client.contract import REFERENCE
from customcrm_client.schema import SCHEMAS
from singer_edge.read import Page, Read
from singer_edge.reading import BookmarkedStream

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from tap_customcrm.tap import TapCustomcrm


class CustomcrmStream(BookmarkedStream):
    """A list read by UpdatedAt, tombstones included, oldest change first."""

    path: ClassVar[str]
    primary_keys = (REFERENCE.id,)
    change_key = REFERENCE.updated_at
    ascending = True

    _tap: TapCustomcrm

    def __init__(self, tap: TapCustomcrm) -> None:
        super().__init__(tap, schema=SCHEMAS[self.name])

    def pages(self, read: Read) -> Iterator[Page]:
        """Ask for the changes since the read's start."""
        for page in self._tap.client.pages(
            self.path, updated_since=read.since, include_deleted=True, page_size=read.limit
        ):
            yield Page(page.values, page.sent_at)

    def server_clock(self) -> dt.datetime | None:
        """Give the CRM's clock."""
        return self._tap.client.transport.server_clock


class Contact(CustomcrmStream):
    """People."""

    name = "contact"
    path = "contacts"


class Customer(CustomcrmStream):
    """Companies and private customers."""

    name = "customer"
    path = "customers"


class Product(CustomcrmStream):
    """What is sold."""

    name = "product"
    path = "products"


STREAMS: tuple[type[CustomcrmStream], ...] = (Contact, Customer, Product)
