"""The request log: what was asked of a system and what it answered."""

import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec


def decoded(raw: bytes) -> Any:
    """A body as JSON, as text where it is none, None where it is empty."""
    if not raw:
        return None
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return raw.decode("utf-8", "replace")


@dataclass
class SeenRequest:
    """One request and its answer; secrets (credentials, tokens) are masked.

    `status` is None as long as nothing has been answered, and stays so where the connection was dropped.
    """

    number: int
    system: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    raw_body: bytes
    started_at: datetime
    status: int | None = None
    response_headers: dict[str, str] = field(default_factory=dict)
    raw_response: bytes = b""
    carried_out: bool = False
    fault: str | None = None
    tolerated: list[str] = field(default_factory=list)
    """What the system passed over although no client should send it."""

    @property
    def body(self) -> Any:
        """The request's body, decoded."""
        return decoded(self.raw_body)

    @property
    def response_body(self) -> Any:
        """The answer's body, decoded."""
        return decoded(self.raw_response)

    @property
    def params(self) -> dict[str, list[str]]:
        """The query's parameters, each with all its values."""
        return parse_qs(self.query, keep_blank_values=True)

    @property
    def is_write(self) -> bool:
        """Whether it would change a record; making and ending sessions does not."""
        return self.method not in ("GET", "HEAD", "OPTIONS") and "/token/session/" not in self.path

    def as_json(self) -> dict[str, Any]:
        """What `GET /_sandbox/requests` tells of it."""
        return {
            "number": self.number,
            "system": self.system,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": self.headers,
            "body": self.body,
            "started_at": self.started_at.isoformat(),
            "status": self.status,
            "response_headers": self.response_headers,
            "response_body": self.response_body,
            "carried_out": self.carried_out,
            "fault": self.fault,
            "tolerated": self.tolerated,
            "is_write": self.is_write,
        }


class RequestLog:
    """The newest requests of one system, in the order in which they arrived."""

    def __init__(self, limit: int = 200_000) -> None:
        self._seen: deque[SeenRequest] = deque(maxlen=limit)
        self._lock = threading.Lock()
        self._number = 0

    def add(self, **seen: Any) -> SeenRequest:
        """Note a request that has just arrived."""
        with self._lock:
            self._number += 1
            request = SeenRequest(number=self._number, **seen)
            self._seen.append(request)
        return request

    def all(self) -> list[SeenRequest]:
        """All of them, oldest first."""
        with self._lock:
            return list(self._seen)

    def clear(self) -> None:
        """Forget them; the numbers go on."""
        with self._lock:
            self._seen.clear()
