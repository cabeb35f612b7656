"""Reading Singer messages fast, and without putting anybody's record into an error."""

from __future__ import annotations

from typing import Any

import msgspec
from api_transport.json_text import NotJson, read_patiently
from singer_edge.errors import RunFailed
from singer_sdk.contrib.msgspec import MsgSpecReader

_decoder = msgspec.json.Decoder()


class MessageReader(MsgSpecReader):
    """One JSON object a line."""

    _line_number = 0

    def deserialize_json(self, line: str) -> dict[str, Any]:
        """Decode one message.

        Raises:
            RunFailed: the line is no JSON object.

        """
        self._line_number += 1
        try:
            message = _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeError) as error:
            message = self._patiently(line, error)
        if not isinstance(message, dict) or "type" not in message:
            raise RunFailed(f"Line {self._line_number} of the input is no Singer message: it has no type.")
        return message

    def _patiently(self, line: str, error: Exception) -> Any:
        try:
            return read_patiently(line)
        except NotJson:
            raise RunFailed(
                f"Line {self._line_number} of the input is no Singer message ({error}). "
                "Check what runs before this target: its log lines belong on standard error."
            ) from None
