"""What can go wrong on the way of one request, and is made to by a test.

A hook (`system.before`, `system.after`) is called with each request seen and answers with a `Fault`, or None to let it
pass. `before` is asked when the request has arrived and nothing has been done, `after` when it has been carried out and
nothing has been answered yet.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from sandbox.traffic import SeenRequest


@dataclass(frozen=True)
class Fault:
    """One fault; made by the class methods, whose names say what happens."""

    kind: Literal["answer", "drop", "drop_answer", "delay"]
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    event: threading.Event | None = None
    then: "Fault | None" = None

    @classmethod
    def answer(cls, status: int, body: Any = b"", headers: Mapping[str, str] | None = None) -> "Fault":
        """This answer is given instead. From `before`, the request is not carried out; from `after`, it was.

        `body` may be bytes, text (sent as HTML) or anything that JSON can hold.
        """
        if isinstance(body, bytes):
            raw, content_type = body, "application/octet-stream"
        elif isinstance(body, str):
            raw, content_type = body.encode(), "text/html; charset=utf-8"
        else:
            raw, content_type = msgspec.json.encode(body), "application/json"
        return cls("answer", status, {"content-type": content_type, **(headers or {})}, raw)

    @classmethod
    def drop(cls) -> "Fault":
        """The connection breaks; from `before`, the request is not carried out."""
        return cls("drop")

    @classmethod
    def drop_answer(cls) -> "Fault":
        """The request is carried out, then the connection breaks without an answer."""
        return cls("drop_answer")

    @classmethod
    def delay(cls, event: threading.Event, then: "Fault | None" = None) -> "Fault":
        """Nothing goes on until `event` is set; then `then` happens, or what would have happened anyway."""
        return cls("delay", event=event, then=then)


Hook = Callable[[SeenRequest], Fault | None]
