"""The streams of a Customcrm, as its profile describes them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from customcrm_client.schema import ID, UPDATED_AT, schema_of
from singer_edge.read import Page, Read
from singer_edge.reading import BookmarkedStream
from singer_edge.tap import EdgeTap

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from customcrm_client.client import CustomcrmClient
    from customcrm_client.profile import Stream


class ConnectedTap(EdgeTap):
    """What the streams need of their tap."""

    @property
    @abstractmethod
    def client(self) -> CustomcrmClient:
        """The client of the CRM that the settings name."""


class CustomcrmStream(BookmarkedStream):
    """A list read by its changes where the profile says how, tombstones included; else as a whole, each time."""

    primary_keys = (ID,)

    _tap: ConnectedTap

    def __init__(self, tap: ConnectedTap, name: str, described: Stream) -> None:
        increments, deletions = described.read.increments, described.read.deletions
        self.change_key = None if increments is None else UPDATED_AT
        in_one_list = increments is not None and increments.in_order and len(increments.params) <= 1
        self.ascending = in_one_list and deletions is None
        super().__init__(tap, schema=schema_of(described), name=name)

    def pages(self, read: Read) -> Iterator[Page]:
        """Ask for the changes since the read's start."""
        for page in self._tap.client.pages(
            self.name,
            updated_since=read.since,
            include_deleted=True,
            page_size=read.limit,
            ahead=read.limit is None,
        ):
            yield Page(page.values, page.sent_at)

    def server_clock(self) -> dt.datetime | None:
        """Give the CRM's clock."""
        return self._tap.client.transport.server_clock
