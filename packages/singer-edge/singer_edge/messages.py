"""Writing Singer messages so that a signal never leaves half a message behind."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib.encoding.simple import Message

AT_A_TIME = 100
"""Records written together: a signal waits for so many, and the reader gets them soon."""

_encoder = msgspec.json.Encoder()


class _Record(msgspec.Struct, tag="RECORD", gc=False):
    """A RECORD message, as the SDK's has it."""

    stream: str
    record: Any
    version: int | UnsetType
    time_extracted: datetime


class MessageWriter(MsgSpecWriter):
    """Writes whole messages: who asks to stop while one is on its way is served after it."""

    def __init__(self) -> None:
        super().__init__()
        self._writing = False
        self._exit_code: int | None = None

    def write_message(self, message: Message) -> None:
        """Write a message to standard output. Raises SystemExit after it where a stop was asked for meanwhile."""
        self._write_whole(self.format_message(message))

    def write_records(self, stream: str, records: Sequence[Any], version: int | None, sent_at: datetime) -> None:
        """Write a page's records, some at a time; raises SystemExit as `write_message` does."""
        told = UNSET if version is None else version
        for start in range(0, len(records), AT_A_TIME):
            some = [_Record(stream, record, told, sent_at) for record in records[start : start + AT_A_TIME]]
            self._write_whole(_encoder.encode_lines(some))

    def _write_whole(self, lines: bytes | bytearray) -> None:
        self._writing = True
        try:
            self._write(lines)
        finally:
            self._writing = False
        if self._exit_code is not None:
            sys.exit(self._exit_code)

    def stop(self, exit_code: int) -> None:
        """Leave with this exit code: now, or once the message being written is out. At the second call, now."""
        if not self._writing or self._exit_code is not None:
            sys.exit(exit_code)
        self._exit_code = exit_code

    def _write(self, line: bytes | bytearray) -> None:
        written = sys.stdout.buffer.write(line)
        # Under PYTHONUNBUFFERED this is the bare file, which a signal may stop in the middle.
        while written < len(line):
            written += sys.stdout.buffer.write(line[written:])
        sys.stdout.flush()
