"""Imitations of the three real CRMs' interfaces: what the shipped profiles are tried on in every run of the suite.

Envelopes, statuses and oddities as the real ones were seen to have them (docs/backends.md), no more. The same tests run
against the real ones in `make test-backends`, which is what keeps these honest.
"""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl

from sandbox.serving import Serving, listen
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.backends.crm import Crm, Record

KEY = "a-key-of-the-imitation"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Register:
    """The records of one CRM, by stream and id, and its clock, which never stands still."""

    def __init__(self) -> None:
        self.streams: dict[str, dict[str, Record]] = {"customer": {}, "contact": {}, "product": {}}
        self._numbers = itertools.count(1)
        self._now = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)

    def number(self) -> int:
        return next(self._numbers)

    def now(self) -> str:
        self._now += timedelta(milliseconds=7)
        return self._now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def params_of(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.url.query, keep_blank_values=True))


def page_of(records: list[Record], start: int, size: int) -> list[Record]:
    return records[start : start + size]


class Imitation:
    """One CRM's interface. `answer` is given requests with the right key only."""

    stranger: tuple[int, Any]
    """The answer to a wrong key."""

    def __init__(self) -> None:
        self.register = Register()

    async def endpoint(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            status, body = self.stranger
            return JSONResponse(body, status)
        body = await request.body()
        return self.answer(request, json.loads(body) if body else None)

    def answer(self, request: Request, body: Any) -> Response:
        raise NotImplementedError


@contextmanager
def served(imitation: Imitation, users: type[Crm]) -> Iterator[Crm]:
    """An imitation, served on loopback until the block ends."""
    serving = Serving(Starlette(routes=[Route("/{path:path}", imitation.endpoint, methods=METHODS)]), listen(0))
    serving.start()
    try:
        yield users(serving.address, KEY)
    finally:
        serving.stop()
