"""A RECORD message, looked into only where somebody needs to know what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec
from api_transport.json_text import NotJson, read_patiently
from singer_edge.errors import RunFailed

Content: TypeAlias = dict[str, Any]

_decode = msgspec.json.Decoder().decode


class RecordMessage(msgspec.Struct, tag_field="type", tag="RECORD"):
    """A RECORD whose record is still as it came."""

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
            RunFailed: its record is not a JSON object.

        """
        record = content_of(self.record, self.stream)
        if not isinstance(record, dict):
            raise RunFailed(f"A RECORD of stream {self.stream!r} has no object for a record.")
        return {"type": "RECORD", **msgspec.structs.asdict(self), "record": record}


def content_of(record: msgspec.Raw, stream: str) -> Any:
    """What is in a RECORD's record.

    Raises:
        RunFailed: it is not JSON, or is nested too deeply.

    """
    try:
        return _decode(record)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        try:
            return read_patiently(bytes(record))
        except NotJson:
            raise RunFailed(f"A RECORD of stream {stream!r} is not JSON, or is nested too deeply.") from None
