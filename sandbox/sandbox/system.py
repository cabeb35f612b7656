"""What both systems have in common, seen from outside: an address, a log, hooks, a clock, users."""

import threading
from contextlib import AbstractContextManager
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp

from sandbox.clock import Clock
from sandbox.control import control_app
from sandbox.faults import Hook
from sandbox.gateway import Gateway
from sandbox.traffic import RequestLog, SeenRequest

Record = dict[str, Any]


class System:
    """One of the two systems.

    `lock` makes requests atomic; `before` and `after` are the fault hooks (see `sandbox.faults`). The user-like
    operations `create`, `edit`, `remove`, `get` and `all` do what a person at the system's own screens would do: they
    obey its rules, but are no requests and appear in no log.
    """

    name: str
    path_prefix: str

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.clock = Clock()
        self.log = RequestLog()
        self.before: Hook | None = None
        self.after: Hook | None = None
        self.stopping = False
        self.tolerated: list[str] = []
        """What was passed over of all requests so far although no client should send it."""
        self.address = ""
        self.app: Starlette
        self.control = control_app(self)
        self.asgi: ASGIApp = Gateway(self)

    @property
    def api_url(self) -> str:
        """The address clients are configured with."""
        return self.address + self.path_prefix

    @property
    def requests(self) -> list[SeenRequest]:
        """The request log, oldest first."""
        return self.log.all()

    def clear_requests(self) -> None:
        """Empty the request log."""
        self.log.clear()

    def masked(self, path: str, query: str) -> tuple[str, str]:
        """A request's path and query as the log may keep them."""
        return path, query

    def masked_body(self, path: str, body: bytes) -> bytes:  # noqa: ARG002  for those with secrets in bodies
        """A request's body as the log may keep it."""
        return body

    def masked_answer(self, seen: SeenRequest, body: bytes) -> bytes:  # noqa: ARG002  for those with secrets in answers
        """An answer's body as the log may keep it."""
        return body

    def transaction(self) -> AbstractContextManager[None]:
        """User-like operations inside are kept together or not at all; the lock is held."""
        raise NotImplementedError

    def create(self, resource: str, /, **values: Any) -> Record:
        """Make a record as a user would."""
        raise NotImplementedError

    def edit(self, resource: str, record_id: Any, /, **values: Any) -> Record:
        """Change a record as a user would."""
        raise NotImplementedError

    def remove(self, resource: str, record_id: Any, /) -> None:
        """Delete a record as a user would."""
        raise NotImplementedError

    def get(self, resource: str, record_id: Any, /) -> Record | None:
        """One record with everything known of it, or None."""
        raise NotImplementedError

    def all(self, resource: str, /) -> list[Record]:
        """All records of a resource with everything known of them."""
        raise NotImplementedError

    def count(self, resource: str, /) -> int:
        """How many records of a resource there are, tombstones included."""
        raise NotImplementedError

    def clear(self) -> None:
        """Empty the system: no records, no requests, no hooks, a running clock."""
        self.clear_requests()
        self.tolerated.clear()
        self.before = self.after = None
        self.clock = Clock()

    def close(self) -> None:
        """Let go of whatever is held open."""
        self.stopping = True
