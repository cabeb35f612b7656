"""Writing Singer messages so that a signal never leaves half a message behind."""

from __future__ import annotations

import sys

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib.encoding.simple import Message


class MessageWriter(MsgSpecWriter):
    """Writes whole messages: who asks to stop while one is on its way is served after it."""

    def __init__(self) -> None:
        super().__init__()
        self._writing = False
        self._exit_code: int | None = None

    def write_message(self, message: Message) -> None:
        """Write a message to standard output. Raises SystemExit after it where a stop was asked for meanwhile."""
        self._writing = True
        try:
            self._write(self.format_message(message))
        finally:
            self._writing = False
        if self._exit_code is not None:
            sys.exit(self._exit_code)

    def stop(self, exit_code: int) -> None:
        """Leave with this exit code: now, or once the message being written is out. At the second call, now."""
        if not self._writing or self._exit_code is not None:
            sys.exit(exit_code)
        self._exit_code = exit_code

    def _write(self, line: bytearray) -> None:
        written = sys.stdout.buffer.write(line)
        # Under PYTHONUNBUFFERED this is the bare file, which a signal may stop in the middle.
        while written < len(line):
            written += sys.stdout.buffer.write(line[written:])
        sys.stdout.flush()
