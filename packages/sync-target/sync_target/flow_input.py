"""What comes in on one stream of the mapper: handed on in batches, looked into only where it says anything new.

Most records of a complete read are to the letter what they were the last time. Those are recognised by a fingerprint of
their bytes, a batch at a time, and never decoded; the others are checked and made into ``SourceRecord``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from record_sync.flow_sync import FlowSync
from record_sync.record import RawRecord, SourceRecord
from record_sync.record_id import fault_of, storable, version_of
from record_sync.rules import FlowRules
from record_sync.values import pick
from singer_edge.errors import RunFailed
from singer_edge.times import in_utc

from sync_target.record_message import RecordMessage, content_of
from sync_target.record_schema import RecordSchema

RECOGNISED_AT_ONCE = 1000
"""Records that are looked up together by what they were."""
TAKEN_AT_ONCE = 400
"""Records that are looked into together; those being created meanwhile are as many again: eight lists of a hundred."""


class _Source(msgspec.Struct):
    id: str
    version: str | None = None


class _Head(msgspec.Struct):
    """Which record it is: all that is read of one at first."""

    source: _Source = msgspec.field(name="_source")


_head = msgspec.json.Decoder(_Head).decode


class _Unread(RawRecord):
    message: RecordMessage


class FlowInput:
    """Collects one flow's records.

    Args:
        flow: takes the batches.
        stream: what the mapper calls it.
        schema: the SCHEMA message's; a record that does not fit it is parked.
        count: is told how many more records came.

    """

    def __init__(
        self,
        flow: FlowSync,
        stream: str,
        schema: Mapping[str, Any],
        count: Callable[[int], None] = lambda _records: None,
    ) -> None:
        self.flow = flow
        self._count = count
        self.rules: FlowRules = flow.rules
        self.stream = stream
        self.schema = schema
        self.start_checked = False
        self._records = RecordSchema(stream, schema)
        self._fingerprint = flow.prints.of_record_bytes(msgspec.json.encode(schema))
        self._paths = tuple(one.path for one in flow.rules.properties)
        self._unread: list[_Unread] = []
        self._fresh: list[_Unread] = []
        """Those that are not what they were: they are looked into when they are worth a batch."""
        self._fresh_ids: set[str] = set()

    @property
    def has_batch(self) -> bool:
        """Whether so many came in that they should be recognised."""
        return len(self._unread) >= RECOGNISED_AT_ONCE

    @property
    def is_full(self) -> bool:
        """Whether so many are not what they were that they should be handed on."""
        return len(self._fresh) >= TAKEN_AT_ONCE

    def add(self, message: RecordMessage) -> None:
        """Take a RECORD message.

        Raises:
            RunFailed: it comes from no mapper of this project.

        """
        try:
            source = _head(message.record).source
        except (msgspec.MsgspecError, UnicodeError):
            source = self._source_of(message)
        self._unread.append(_Unread(source.id, source.version, self._fingerprint(message.record), message))

    def _source_of(self, message: RecordMessage) -> _Source:
        record = content_of(message.record, self.stream)
        source = record.get("_source") if isinstance(record, dict) else None
        if not isinstance(source, dict) or not isinstance(source.get("id"), str):
            raise RunFailed(
                f"A RECORD of stream {self.stream!r} has no _source.id. "
                "Put the dataflow mapper before this target, or leave x-sync out of the SCHEMA."
            )
        return _Source(source["id"], version_of(source.get("version")))

    def hand_on(self, *, more: bool = False) -> None:
        """Bring all that came in to its outcome; an invalid record is parked.

        Where more is to come, what is not worth a batch waits for it, and creations may still be under way.
        """
        self.recognise()
        while self._fresh and (self.is_full or not more):
            fresh, self._fresh = self._fresh[:TAKEN_AT_ONCE], self._fresh[TAKEN_AT_ONCE:]
            self._fresh_ids = {one.id for one in self._fresh}
            for some in _one_of_each(fresh):
                self._take(some.values())
        if not more:
            self.await_writes()

    def await_writes(self) -> None:
        """Wait for the answers to what is being written, and store them."""
        self.flow.await_writes()

    def _take(self, some: Iterable[_Unread]) -> None:
        taken, invalid = [], []
        for one in some:
            incoming, fault = self._incoming(one)
            if fault is None:
                taken.append(incoming)
            else:
                invalid.append((incoming, f"not a valid record: {fault[:200]}"))
        if invalid:
            self.flow.park_all_invalid(invalid)
        if taken:
            self.flow.take(taken, more=True)

    def recognise(self) -> None:
        """Be done with what is to the letter what it was. What comes behind a newer state of itself is not."""
        unread, self._unread = self._unread, []
        self._count(len(unread))
        for some in _one_of_each(unread):
            first = {record_id: one for record_id, one in some.items() if record_id not in self._fresh_ids}
            known = self.flow.recognise_unchanged(first)
            fresh = [one for record_id, one in some.items() if record_id not in known]
            self._fresh += fresh
            self._fresh_ids.update([one.id for one in fresh])

    def _incoming(self, arrived: _Unread) -> tuple[SourceRecord, str | None]:
        """The record, and what is wrong with it, if anything."""
        record, fault = self._records.read(arrived.message.record)
        source = record["_source"]
        values = source.get("values") or {}
        incoming = SourceRecord(
            id=arrived.id,
            version=arrived.version,
            modified_at=None,
            values=pick(record, self._paths),
            source=values if isinstance(values, dict) else {},
            deleted=source.get("deleted") is True,
            filtered=source.get("filtered") is True,
            record_fingerprint=arrived.record_fingerprint,
        )
        try:
            incoming.modified_at = _moment(source.get("modified_at"))
            incoming.read_at = _moment(arrived.message.time_extracted)
        except (msgspec.ValidationError, OverflowError) as error:
            fault = str(error)
        unusable = fault_of(incoming.id)
        if unusable is not None:
            incoming.id = storable(incoming.id)
            return incoming, unusable
        if incoming.filtered or incoming.deleted:
            return incoming, None  # What is deleted or kept out is so whatever else it says.
        if incoming.version is None and source.get("version") is not None:
            fault = fault or "its version is neither a text nor a number"
        elif incoming.source is not values and values:
            fault = fault or "its values are not an object"
        return incoming, fault


def _one_of_each(records: list[_Unread]) -> Iterator[dict[str, _Unread]]:
    """The records in their order, parted where one comes again."""
    some: dict[str, _Unread] = {}
    for one in records:
        if one.id in some:
            yield some
            some = {}
        some[one.id] = one
    if some:
        yield some


def _moment(told: object) -> datetime | None:
    """A time in UTC. Raises ValidationError or OverflowError where it is not one."""
    return None if told is None else in_utc(msgspec.convert(told, datetime))
