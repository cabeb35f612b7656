"""Reading Singer messages fast, and without putting anybody's record into an error."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any, TypeAlias

import msgspec
from api_transport.json_text import NotJson, read_patiently
from singer_edge.errors import RunFailed
from singer_sdk.contrib.msgspec import MsgSpecReader

Content: TypeAlias = dict[str, Any]


class RecordMessage(msgspec.Struct, tag_field="type", tag="RECORD"):
    """A RECORD whose record nobody has looked into yet."""

    stream: str
    record: msgspec.Raw
    version: int | None = None
    time_extracted: Any = None

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> RecordMessage:
        """A message that was decoded already. Raises msgspec.ValidationError where it is no RECORD."""
        return msgspec.convert({**message, "record": msgspec.Raw(msgspec.json.encode(message.get("record")))}, cls)

    def content(self) -> Content:
        """The message whole.

        Raises:
            RunFailed: what is in it is not JSON.

        """
        passed = {"version": self.version, "time_extracted": self.time_extracted}
        return {
            "type": "RECORD",
            "stream": self.stream,
            "record": content_of(self.record, self.stream),
            **{name: value for name, value in passed.items() if value is not None},
        }


_record_decoder = msgspec.json.Decoder(RecordMessage)
_decoder = msgspec.json.Decoder()


class MessageReader(MsgSpecReader):
    """One JSON object a line."""

    def process_lines(self, file_input: IO[str] | None, callbacks: Mapping[str, Callable[[Any], None]]) -> Counter[str]:
        """Hand every message to the callback of its type, a RECORD as :class:`RecordMessage`; gives their counts.

        Raises:
            RunFailed: a line is no Singer message.

        """
        counts: Counter[str] = Counter()
        lines: Iterable[bytes | str] = sys.stdin.buffer if file_input is None else file_input
        take_record = callbacks["RECORD"]
        decode, records = _record_decoder.decode, 0
        for number, line in enumerate(lines, start=1):
            try:
                record = decode(line)
            except (msgspec.MsgspecError, UnicodeError):
                message = message_of(line, number)
                if isinstance(message, RecordMessage):
                    record = message
                else:
                    kind = message["type"]
                    if kind not in callbacks:
                        self._process_unknown_message(message)
                    callbacks[kind](message)
                    counts[kind] += 1
                    continue
            take_record(record)
            records += 1
        counts["RECORD"] = records
        return counts


def message_of(line: bytes | str, number: int) -> RecordMessage | Content:
    """The message in a line that is no RECORD in good order.

    Raises:
        RunFailed: it is no Singer message.

    """
    try:
        message = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeError) as error:
        message = _patiently(line, number, error)
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise RunFailed(f"Line {number} of the input is no Singer message: it has no type.")
    if message["type"] != "RECORD":
        return message
    try:
        return RecordMessage.of(message)
    except msgspec.ValidationError as error:
        raise RunFailed(f"Line {number} of the input is a RECORD that is none: {error}.") from None


def content_of(record: msgspec.Raw, stream: str) -> Any:
    """What is in a RECORD's record.

    Raises:
        RunFailed: it is not JSON.

    """
    try:
        return _decoder.decode(record)
    except (msgspec.DecodeError, UnicodeError) as error:
        try:
            return read_patiently(bytes(record))
        except NotJson:
            raise RunFailed(f"A RECORD of stream {stream!r} is not JSON ({error}).") from None


def _patiently(line: bytes | str, number: int, error: Exception) -> Any:
    try:
        return read_patiently(line)
    except NotJson:
        raise RunFailed(
            f"Line {number} of the input is no Singer message ({error}). "
            "Check what runs before this target: its log lines belong on standard error."
        ) from None
