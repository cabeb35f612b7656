"""Streams that tell a target what their read covers.

After SCHEMA comes a STATE with the bookmark that the read starts from, so that a target knows what it should have
seen before. Records carry the time at which their page was *asked for*: nothing the target did later is in them. A
complete, unbounded read ends in ACTIVATE_VERSION after its last page, and only then the bookmark moves.

The SDK serves everything else: catalog, selection, stream maps, metrics, command line.
"""

from __future__ import annotations

import datetime as dt
import logging
import sys
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping
from fnmatch import fnmatch
from typing import Any, ClassVar

import msgspec
from singer_sdk import Stream
from singer_sdk.helpers import types
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.singerlib import ActivateVersionMessage, RecordMessage, StateMessage
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL

from singer_edge.bookmark import Bookmark, bookmark_of
from singer_edge.console import is_expected
from singer_edge.errors import RunFailed
from singer_edge.messages import MessageWriter
from singer_edge.progress import COUNTED_EVERY, progress
from singer_edge.read import LOOK_BACK, Page, Read, Record, latest
from singer_edge.shape import Shape, Untypable, property_paths
from singer_edge.tap import EdgeTap
from singer_edge.times import MILLISECOND, SECOND, epoch_ms, in_utc, now, parse_moment, text_of


class BookmarkedStream(Stream):
    """A stream with a bookmark of what has been read, and for incremental ones a replication key that is a time."""

    change_key: str | None = None
    """The property that tells when a record last changed; None: the API cannot list changes."""

    ascending: bool = False
    """Whether records come in the order of the replication key: then a read that breaks off is continued."""

    beyond: ClassVar[Mapping[str, Any]] = {}
    """Types of properties that the API sends and the schema does not have, by name; `pages` takes them out."""

    def __init__(self, tap: Any, **kwargs: Any) -> None:
        super().__init__(tap, **kwargs)
        self.replication_key = self.change_key
        self._sent_at = dt.datetime.now(dt.timezone.utc)
        self._versions: dict[str, int] = {}

    STATE_MSG_FREQUENCY = 1000
    """Records between two STATEs of an incremental read in order."""

    _tap: EdgeTap

    # What a stream says of itself

    @abstractmethod
    def pages(self, read: Read) -> Iterator[Page]:
        """Ask the system for the pages of a read, and note in ``read`` what the bookmark needs."""

    def continues(self, bookmark: Bookmark) -> bool:
        """Whether the bookmark lets the read be anything less than full."""
        return bookmark.replication_key == self.change_key and bookmark.replication_key_value is not None

    def server_clock(self) -> dt.datetime | None:
        """The system's own clock as its latest answer told it."""
        return None

    def requests_left(self) -> int | None:
        """How many requests the API still allows in its period, None where it does not say."""
        return None

    # The SDK's hooks

    @property
    def emit_activate_version_messages(self) -> bool:
        """Never by the SDK: it would send them before the records are read."""
        return False

    def get_replication_key_signpost(self, context: types.Context | None = None) -> None:
        """None: the bookmark is bounded by the system's clock, not by ours."""
        del context

    def get_records(self, context: types.Context | None) -> Iterator[Record]:
        """Every record of a read that starts from the bookmark."""
        del context
        for page in self.pages(self.start()):
            yield from page.records

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log a message. An error that is told in one line at the end is no matter of alarm on its way there."""
        if level >= logging.ERROR and is_expected(sys.exc_info()[1], self._tap.expected_failures):
            level = logging.DEBUG
        super().log(message, *args, level=level, **kwargs)

    def _sync_records(
        self,
        context: types.Context | None = None,
        *,
        write_messages: bool = True,
    ) -> Generator[Record, Any, Any]:
        """Read the stream: opening STATE, records, ACTIVATE_VERSION where it is due, bookmark, STATE."""
        del context
        read = self.start()
        if read.limit is None:
            self._tap.tell_systems()
        self._tap.write_message(StateMessage(value=self.tap_state))
        self._versions = self._versions_of(read) if write_messages else {}
        read.shape = self._shape() if write_messages and read.limit is None else None
        counting = self.get_record_counter(log_interval=COUNTED_EVERY)
        with progress(self.name) as tell, counting as counter, self.get_sync_timer():

            def came(records: int) -> None:
                counter.increment(records)
                tell(records, self.requests_left())

            yield from self._records(read, came, write_messages=write_messages)
        if read.limit is not None:
            return
        # What turned out on the way to be no full read says nothing of what did not come.
        for alias, version in self._versions.items() if read.full else ():
            self._tap.write_message(ActivateVersionMessage(stream=alias, version=version))
        self._move_bookmark(self._earned(read))
        if write_messages:
            self._write_state_message()

    # A read

    def start(self) -> Read:
        """Where this run's read of the stream starts, by the bookmark and the settings."""
        bookmark = bookmark_of(self.name, self.stream_state)
        read = Read(started_at=now(), bookmark=bookmark, full=True, limit=self.ABORT_AT_RECORD_COUNT)
        if self.replication_method != REPLICATION_FULL_TABLE:
            self._start_incremental(read)
        elif self.change_key is None:
            # What the API lists conditionally is read conditionally, unless everything is due.
            read.full = not self.continues(bookmark) or self._full_read_due(read)
        return read

    def _start_incremental(self, read: Read) -> None:
        if self.replication_method != REPLICATION_INCREMENTAL or self.change_key != self.replication_key:
            can = f"INCREMENTAL by '{self.change_key}' or FULL_TABLE" if self.change_key else "FULL_TABLE"
            raise RunFailed(
                f"--catalog: stream '{self.name}' cannot be read {self.replication_method} "
                f"by '{self.replication_key}'; choose {can}"
            )
        start_date = self.config.get("start_date")
        oldest = parse_moment(start_date) if start_date else None
        known = read.bookmark.replication_key_value if self.continues(read.bookmark) else None
        read.full = oldest is None and (known is None or self._full_read_due(read))
        if not read.full:
            read.since = latest(oldest, known - LOOK_BACK if known else None)
        self.log(
            "Reading %s of '%s'",
            f"changes since {text_of(read.since)}" if read.since else "everything",
            self.name,
        )

    def _full_read_due(self, read: Read) -> bool:
        last = read.bookmark.full_read_at
        every = dt.timedelta(hours=float(self.config.get("full_read_every", 24)))
        # A last one in the future: our clock was wrong then, or is now.
        return last is None or not last <= read.started_at < last + every

    def _records(self, read: Read, came: Callable[[int], None], *, write_messages: bool) -> Iterator[Record]:
        """Write records, and yield those that were not written as whole pages."""
        told = count = 0
        for page in self.pages(read):
            if read.ceiling is None and (clock := self.server_clock()):
                read.ceiling = clock + SECOND - MILLISECOND  # told in whole seconds
            self._sent_at = page.sent_at
            records = page.records[: None if read.limit is None else read.limit - count]
            count += len(records)
            if not self._written_whole(read, records):
                for record in records:
                    self._note(read, record)
                    if write_messages:
                        self._write_record_message(record)
                        yield record
                    else:
                        yield from (message.record for message in self._generate_record_messages(record))
            came(len(records))
            if count == read.limit:
                return
            if write_messages and count - told >= self.STATE_MSG_FREQUENCY and self._tell_progress(read):
                told = count

    def _written_whole(self, read: Read, records: list[Any]) -> bool:
        """Write a page in one go, if its records have the read's shape."""
        writer = self._tap.message_writer
        if read.shape is None or not isinstance(writer, MessageWriter):
            return False
        try:
            shaped = read.shape.made_of(records)
        except msgspec.ValidationError as error:
            self.log("A page is written record by record: %s", error, level=logging.DEBUG)
            return False
        if self.change_key:
            changed = read.shape.values_of(self.change_key, shaped)
            try:
                read.note([in_utc(moment) for moment in msgspec.convert(changed, list[dt.datetime])])
            except (msgspec.ValidationError, OverflowError):
                for one in changed:
                    self._note(read, {self.change_key: one})
        writer.write_records(self.name, shaped, self._versions.get(self.name), self._sent_at)
        if records:
            self.state_manager.is_flushed = False
        return True

    def _shape(self) -> Shape | None:
        """The type of the records, unless something that was asked for is the SDK's to do, record by record."""
        (stream_map, *more) = self.stream_maps
        is_unchanged = not more and type(stream_map) is SameRecordTransform and stream_map.stream_alias == self.name
        if (
            not is_unchanged
            or stream_map.flattening_enabled
            or self.TYPE_CONFORMANCE_LEVEL is not TypeConformanceLevel.RECURSIVE
            or not all(self.mask[path] for path in property_paths(self.effective_schema))
        ):
            return None
        try:
            shape = Shape(self.name, self.effective_schema, self.primary_keys or (), self.beyond)
        except Untypable:
            return None
        return shape if self.change_key in (None, *shape.names) else None

    def _note(self, read: Read, record: Record) -> None:
        changed = record.get(self.change_key) if self.change_key else None
        if changed is None:
            return
        try:
            moment = parse_moment(changed)
        except (ValueError, AttributeError):
            # The record passes, the bookmark does not count it: it will be read again.
            if read.in_order:
                self.log("A record's %s is not a time: %r", self.change_key, changed, level=logging.WARNING)
            read.in_order = False
            return
        read.in_order = read.in_order and (read.newest is None or moment >= read.newest)
        read.newest = latest(read.newest, moment)

    def _tell_progress(self, read: Read) -> bool:
        """Move the bookmark in the middle of an incremental read in order, so that a long one is not begun again."""
        if not self.ascending or not read.in_order or read.full or read.bookmark.as_of is None:
            return False
        reached = {"replication_key": self.change_key, "replication_key_value": read.reached()}
        self._move_bookmark(msgspec.structs.replace(read.bookmark, **reached))
        self._write_state_message()
        return True

    def _earned(self, read: Read) -> Bookmark:
        reached = read.reached() if self.change_key else None
        return Bookmark(
            as_of=latest(read.bookmark.as_of, read.started_at),
            replication_key=self.change_key if reached else None,
            replication_key_value=reached,
            digests=read.digests,
            page_size=read.page_size if read.digests is not None else None,
            full_read_at=read.started_at if read.full else read.bookmark.full_read_at,
        )

    def _move_bookmark(self, bookmark: Bookmark) -> None:
        state = self.stream_state
        state.clear()
        state.update(bookmark.to_state())
        self.state_manager.is_flushed = False

    # Messages

    def _versions_of(self, read: Read) -> dict[str, int]:
        """The version of each stream, as stream maps name them, whose records are complete after this read."""
        if not read.full or read.limit is not None or self._is_filtered():
            return {}
        version = epoch_ms(read.started_at)
        return {
            stream_map.stream_alias: version
            for stream_map in self.stream_maps
            if not isinstance(stream_map, RemoveRecordTransform)
        }

    def _is_filtered(self) -> bool:
        """Whether a stream map keeps records out: those must not look deleted."""
        return any(
            definition.get("__filter__") is not None and fnmatch(self.name, definition.get("__source__", name))
            for name, definition in (self.config.get("stream_maps") or {}).items()
            if isinstance(definition, dict)
        )

    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        for message in super()._generate_record_messages(record):
            message.time_extracted = self._sent_at
            message.version = self._versions.get(message.stream)
            yield message
