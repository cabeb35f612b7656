"""A request, as the two systems see it, and what they answer."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

JSON = b"application/json; charset=utf-8"


class Request(NamedTuple):
    """A request below a system's address."""

    method: str
    path: list[str]
    """Segments of the path: `["customer", "10000001"]`."""
    query: dict[str, str]
    headers: dict[bytes, bytes]
    body: bytes
    base: str
    """The system's address, for links in answers."""

    def json(self) -> Any:
        """The body's value."""
        return msgspec.json.decode(self.body)


class Reply(NamedTuple):
    """An answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()


NOT_FOUND = Reply(404, b'{"status":404,"code":6000,"message":"Not found","title":"Not found","errors":[]}')
