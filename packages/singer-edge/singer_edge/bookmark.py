"""The bookmark of a stream: what has been read of it, and how the next read goes on from there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from singer_edge.errors import UnusableFile
from singer_edge.times import in_utc, text_of


class Bookmark(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a stream's state says. An empty one: nothing has been read yet.

    ``as_of``: when the last successful read began; it only grows.
    ``replication_key``, ``replication_key_value``: the newest change an incremental stream has read.
    ``digests``, ``page_size``: one checksum a page of so many records, where a list is asked for conditionally.
    ``full_read_at``: when the last complete read of everything began.
    """

    as_of: dt.datetime | None = None
    replication_key: str | None = None
    replication_key_value: dt.datetime | None = None
    digests: list[str | None] | None = None
    page_size: int | None = None
    full_read_at: dt.datetime | None = None

    def to_state(self) -> dict[str, Any]:
        """The bookmark as a STATE message carries it."""
        state = {field: getattr(self, field) for field in self.__struct_fields__}
        return {
            field: text_of(value) if isinstance(value, dt.datetime) else value
            for field, value in state.items()
            if value is not None
        }


def bookmark_of(stream: str, state: Mapping[str, Any]) -> Bookmark:
    """The bookmark in a stream's state; keys that other programs left there are passed over.

    Raises UnusableFile where the state was damaged: reading from a wrong place would lose changes.
    """
    try:
        bookmark = msgspec.convert(dict(state), Bookmark)
    except msgspec.ValidationError as error:
        raise UnusableFile(
            f"--state: the bookmark of stream '{stream}' is damaged: {error}; "
            "give the state of the last good run, or run with --full-refresh"
        ) from None
    moments = {
        field: in_utc(value)
        for field in ("as_of", "replication_key_value", "full_read_at")
        if (value := getattr(bookmark, field)) is not None
    }
    return msgspec.structs.replace(bookmark, **moments)
