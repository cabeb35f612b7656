"""The lines that messages travel in: read and written whole, and never shown to anybody when they are wrong.

A line holds people's data, so an error tells its number and what is wrong with it, not what is in it.
"""

from __future__ import annotations

import sys
import typing as t
from collections import Counter
from decimal import Decimal

import msgspec
from api_transport.json_text import NotJson, read_patiently
from singer_sdk.contrib.msgspec import MsgSpecReader, MsgSpecWriter, decoder
from singer_sdk.singerlib.encoding.base import SingerMessageType
from singer_sdk.singerlib.encoding.simple import Message

from dataflow.errors import InputError

BUFFERED = 64 * 1024
"""Bytes of messages that are written together; a RECORD may wait for that, everything else goes at once."""

NEEDED: dict[str, dict[str, type]] = {
    SingerMessageType.SCHEMA.value: {"stream": str, "schema": dict},
    SingerMessageType.RECORD.value: {"stream": str, "record": dict},
    SingerMessageType.STATE.value: {"value": dict},
    SingerMessageType.ACTIVATE_VERSION.value: {"stream": str, "version": int},
    SingerMessageType.BATCH.value: {"stream": str},
}

_encoder = msgspec.json.Encoder(decimal_format="number")


class LineReader(MsgSpecReader):
    """Reads messages, numbers kept exactly; a signal stops it between two of them."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = False
        self._stopped_by: int | None = None

    def process_lines(
        self, file_input: t.IO[str] | None, callbacks: t.Mapping[str, t.Callable[[dict[str, t.Any]], None]]
    ) -> t.Counter[str]:
        """Hand every message to the callback of its type; gives their counts.

        Raises InputError where a line is no Singer message, and SystemExit where a signal asked to stop.
        """
        lines: t.Iterator[bytes | str] = iter(sys.stdin.buffer if file_input is None else file_input)
        counts: Counter[str] = Counter()
        number = 0
        while (line := self._next(lines)) is not None:
            number += 1
            if not line.isspace():
                message = message_of(line, number)
                callbacks[message["type"]](message)
                counts[message["type"]] += 1
        return counts

    def stop(self, signum: int) -> None:
        """Leave as a process that this signal ended: at once while waiting for a line, else after the message."""
        if self._waiting:
            raise SystemExit(128 + signum)
        self._stopped_by = signum

    def _next(self, lines: t.Iterator[bytes | str]) -> bytes | str | None:
        self._waiting = True  # before the look at the signal: one that comes in between must not be waited through
        try:
            if self._stopped_by is not None:
                raise SystemExit(128 + self._stopped_by)
            return next(lines, None)
        finally:
            self._waiting = False


class LineWriter(MsgSpecWriter):
    """Writes messages, records in larger pieces."""

    def __init__(self) -> None:
        super().__init__()
        self._buffer = bytearray()

    def write_message(self, message: Message) -> None:
        """Write a message, at once unless it is a record."""
        self.write(message.to_dict())

    def write(self, content: dict[str, t.Any]) -> None:
        """Write a message's content, at once unless it is a record."""
        _encoder.encode_into(content, self._buffer, -1)
        self._buffer += b"\n"
        if len(self._buffer) >= BUFFERED or content["type"] != "RECORD":
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        waiting, self._buffer = self._buffer, bytearray()
        sys.stdout.buffer.write(waiting)
        sys.stdout.buffer.flush()


def message_of(line: bytes | str, number: int) -> dict[str, t.Any]:
    """The message in a line.

    Raises InputError: it is not JSON, or not a Singer message.
    """
    try:
        message = decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = _patiently(line, number, error)
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(kind, str) or kind not in NEEDED:
        raise InputError(
            f"Line {number} of the input is not a Singer message: its type is none of {', '.join(NEEDED)}."
        )
    for key, expected in NEEDED[kind].items():
        if type(message.get(key)) is not expected:
            raise InputError(f"Line {number} of the input is a {kind} whose {key} is missing or of the wrong type.")
    return message  # type: ignore[no-any-return]


def _patiently(line: bytes | str, number: int, error: Exception) -> t.Any:
    try:
        return read_patiently(line, Decimal)
    except NotJson:
        reason = str(error) if isinstance(error, msgspec.DecodeError) else "it is not UTF-8"
        raise InputError(
            f"Line {number} of the input is cut off or not JSON ({reason}). "
            "Whatever writes it, usually the tap, has stopped in the middle or prints something else; see its log."
        ) from None
