"""The lines that messages travel in: read one by one, numbers kept exactly, and written in larger pieces."""

from __future__ import annotations

import typing as t
from collections import Counter
from decimal import Decimal

import msgspec
from singer_edge.lines import lines_of, message_of, too_deep
from singer_edge.messages import write_out
from singer_edge.stop import Stop
from singer_sdk.contrib.msgspec import MsgSpecReader, MsgSpecWriter, decoder
from singer_sdk.singerlib.encoding.simple import Message

BUFFERED = 64 * 1024
"""Bytes of messages that are written together; a RECORD may wait for that, everything else goes at once."""

_encoder = msgspec.json.Encoder(decimal_format="number")


class LineReader(MsgSpecReader):
    """Reads messages; a signal stops it between two of them."""

    def __init__(self) -> None:
        super().__init__()
        self.stop = Stop()

    def process_lines(
        self, file_input: t.IO[str] | None, callbacks: t.Mapping[str, t.Callable[[dict[str, t.Any]], None]]
    ) -> t.Counter[str]:
        """Hand every message to the callback of its type; gives their counts.

        Raises RunFailed where a line is no Singer message, and SystemExit where a signal asked to stop.
        """
        counts: Counter[str] = Counter()
        for number, line in enumerate(lines_of(file_input), start=1):
            if line.isspace():
                continue
            with self.stop:
                message = message_of(line, number, decoder.decode, Decimal)
                try:
                    callbacks[message["type"]](message)
                except RecursionError:
                    raise too_deep(number) from None
                counts[message["type"]] += 1
        return counts


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
        write_out(waiting)
