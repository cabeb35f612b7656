"""Reading Singer messages fast."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import IO, Any

import msgspec
from singer_edge.errors import RunFailed
from singer_edge.lines import lines_of, message_of, too_deep
from singer_sdk.contrib.msgspec import MsgSpecReader

from sync_target.record_message import Content, RecordMessage

_decode = msgspec.json.Decoder(RecordMessage).decode


class MessageReader(MsgSpecReader):
    """One JSON object a line."""

    def process_lines(self, file_input: IO[str] | None, callbacks: Mapping[str, Callable[[Any], None]]) -> Counter[str]:
        """Hand every message to the callback of its type, a RECORD as :class:`RecordMessage`; gives their counts.

        Raises:
            RunFailed: a line is no Singer message.

        """
        counts: Counter[str] = Counter()
        take_record, decode, records = callbacks["RECORD"], _decode, 0
        for number, line in enumerate(lines_of(file_input), start=1):
            try:
                try:
                    record = decode(line)
                except (msgspec.MsgspecError, UnicodeError):
                    if line.isspace():
                        continue
                    message = message_of(line, number)
                    if message["type"] != "RECORD":
                        callbacks[message["type"]](message)
                        counts[message["type"]] += 1
                        continue
                    record = _record_of(message, number)
                take_record(record)
            except RecursionError:
                raise too_deep(number) from None
            records += 1
        counts["RECORD"] = records
        return counts


def _record_of(message: Content, number: int) -> RecordMessage:
    """A RECORD that is not in good order."""
    try:
        return RecordMessage.of(message)
    except msgspec.ValidationError as error:
        raise RunFailed(f"Line {number} of the input is not a valid RECORD: {error}.") from None
