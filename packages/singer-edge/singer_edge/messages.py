"""Writing Singer messages so that a signal never leaves half a message behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib.encoding.simple import Message

from singer_edge.errors import RunFailed
from singer_edge.stop import Stop

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
        self.stop = Stop()

    def write_message(self, message: Message) -> None:
        """Write a message to standard output. Raises SystemExit after it where a stop was asked for meanwhile."""
        self._write(self.format_message(message))

    def write_records(self, stream: str, records: Sequence[Any], version: int | None, sent_at: datetime) -> None:
        """Write a page's records, some at a time; raises SystemExit as `write_message` does."""
        told = UNSET if version is None else version
        for start in range(0, len(records), AT_A_TIME):
            some = [_Record(stream, record, told, sent_at) for record in records[start : start + AT_A_TIME]]
            self._write(_encoder.encode_lines(some))

    def _write(self, lines: bytes | bytearray) -> None:
        with self.stop:
            write_out(lines)


def write_out(lines: bytes | bytearray) -> None:
    """Write whole lines to standard output, at once.

    Raises:
        RunFailed: it cannot be written to.
        BrokenPipeError: whoever read it is gone.

    """
    try:
        written = sys.stdout.buffer.write(lines)
        # Under PYTHONUNBUFFERED this is the bare file, which a signal may stop in the middle.
        while written < len(lines):
            written += sys.stdout.buffer.write(lines[written:])
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritable(error) from None


def unwritable(error: OSError) -> RunFailed:
    """What ends a run whose output cannot be written. What is left of the output is dropped: Python would try again."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    return RunFailed(f"Standard output cannot be written: {error.strerror}.")
