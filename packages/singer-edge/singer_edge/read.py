"""One read of a stream: what it starts from, what it brings, how far its bookmark may move."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from singer_edge.bookmark import Bookmark
from singer_edge.shape import Shape

LOOK_BACK = dt.timedelta(minutes=5)
"""A read begins so long before the newest change that was read: changes may be committed late."""

Record = dict[str, Any]


class Page(msgspec.Struct, frozen=True):
    """Records that one request brought, as the stream's schema has them, and when it was sent (UTC)."""

    records: list[Any]
    """Dictionaries, or where the read has a shape, records of it."""
    sent_at: dt.datetime


class Read(msgspec.Struct):
    """One read of a stream: where it starts, and what is learnt on the way."""

    started_at: dt.datetime
    bookmark: Bookmark
    full: bool
    """Everything is read, whatever the bookmark says; nothing bounds it."""
    since: dt.datetime | None = None
    """Oldest change to ask for; None: all."""
    limit: int | None = None
    """Records to read at most, where only the connection is tried."""
    newest: dt.datetime | None = None
    """The newest change among the records so far."""
    in_order: bool = True
    """Whether every record was at least as new as the one before it."""
    ceiling: dt.datetime | None = None
    """The system's own clock as the read began: later changes belong to the next read."""
    digests: list[str | None] | None = None
    """A checksum a page, for streams that ask for their pages conditionally."""
    page_size: int | None = None
    shape: Shape | None = None
    """The type of the records, where whole pages are decoded and written; None: the SDK takes them one by one."""

    @property
    def record(self) -> type | None:
        """The type to decode records as; None: dictionaries."""
        return None if self.shape is None else self.shape.record

    def note(self, moments: list[dt.datetime]) -> None:
        """Take in when the next records last changed."""
        if not moments:
            return
        follows = self.newest is None or moments[0] >= self.newest
        self.in_order = self.in_order and follows and sorted(moments) == moments
        self.newest = latest(self.newest, max(moments))

    def reached(self) -> dt.datetime | None:
        """How far the bookmark may move. Never back, and never past the moment the read began at the system.

        A record that changed while its list was being read may have moved behind our back to a page that was read
        before: it comes with the next read.
        """
        newest = self.newest
        if newest is not None and self.ceiling is not None:
            newest = min(newest, self.ceiling)
        return latest(self.bookmark.replication_key_value, newest)


def latest(one: dt.datetime | None, other: dt.datetime | None) -> dt.datetime | None:
    """The later of two moments, either of which may be missing."""
    if one is None or other is None:
        return one or other
    return max(one, other)
