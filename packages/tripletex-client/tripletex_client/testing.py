"""A Tripletex on this machine that gives and checks sessions; a test says what else it answers.

with running(lambda asked: Said({"values": []})) as tripletex:
    client = tripletex.client()
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from api_transport.testing import Asked, Said, Server, serving

from tripletex_client.client import TripletexClient

CONSUMER, EMPLOYEE, REFRESH = "consumer-token-1", "employee-token-1", "refresh-token-1"
SESSIONS = "/v2/token/session/"


def envelope(status: int, code: int, message: str = "Feil", validation: list[Any] | None = None, **more: Any) -> Said:
    """Tripletex's error envelope (Tripletex API description)."""
    body = {"status": status, "code": code, "message": message, "validationMessages": validation, "requestId": "r-9"}
    return Said({**body, **more}, status, {"x-tlx-request-id": "r-9"})


GONE = envelope(404, 6000, "Ikke funnet")
DEAD_TOKEN = envelope(401, 3000, "Ugyldig token")


class Sessions:
    """Gives session tokens, `tokens` so far, and answers to the `live` ones as `respond` says.

    What `before` gives for a request goes before the answer; `user` is the user name of the last request.
    """

    def __init__(self, respond: Callable[[Asked], Any]) -> None:
        self.respond = respond
        self.before: Callable[[Asked], Any] = lambda _: None
        self.tokens: list[str] = []
        self.live: set[str] = set()
        self.user = ""
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Any:
        """Answer a request."""
        first = self.before(asked)
        if first is not None:
            return first
        if asked.path.startswith(f"{SESSIONS}:"):
            return self._new(asked)
        basic = asked.headers["Authorization"].removeprefix("Basic ")
        self.user, _, token = base64.b64decode(basic).decode().partition(":")
        if token not in self.live:
            return DEAD_TOKEN
        if asked.method == "DELETE" and asked.path == SESSIONS + token:
            self.live.discard(token)
            return Said(None, 204)
        return self.respond(asked)

    def _new(self, asked: Asked) -> Said:
        if "Authorization" in asked.headers:
            return envelope(400, 4000, "a session is made without a session")
        said = asked.query if asked.method == "PUT" else asked.json
        known = {"consumerToken": CONSUMER, "employeeToken": EMPLOYEE}
        if asked.path.endswith(":createFromRefreshToken"):
            known = {"refreshToken": REFRESH}
        if any(said.get(name) != token for name, token in known.items()):
            return envelope(422, 15000, "Ugyldig", [{"field": "employeeToken", "message": "Ugyldig token"}])
        with self._lock:
            self.tokens.append(f"session-token-{len(self.tokens)}")
            self.live.add(self.tokens[-1])
        return Said({"value": {"token": self.tokens[-1]}}, 200 if asked.method == "PUT" else 201)


class RunningTripletex:
    """The server while it runs."""

    def __init__(self, server: Server, api: Sessions) -> None:
        self.server = server
        self.api = api
        self.url = f"{server.url}/v2"
        self._clients: list[TripletexClient] = []

    def client(self, *tokens: str, **options: Any) -> TripletexClient:
        """A client that waits for nothing, with the right tokens unless others are given; closed with the server."""
        if not tokens and "refresh_token" not in options:
            tokens = (CONSUMER, EMPLOYEE)
        client = TripletexClient(self.url, *tokens, **{"sleep": lambda _: None, **options})
        self._clients.append(client)
        return client

    @property
    def asked(self) -> list[Asked]:
        """All requests."""
        return self.server.asked

    @property
    def asked_otherwise(self) -> list[Asked]:
        """The requests but those that make and end sessions."""
        return [one for one in self.asked if not (one.path.startswith(f"{SESSIONS}:") or one.method == "DELETE")]

    def close_clients(self) -> None:
        """End the clients' sessions."""
        for client in self._clients:
            client.close()


@contextmanager
def running(respond: Callable[[Asked], Any]) -> Iterator[RunningTripletex]:
    """Run a Tripletex until the block ends."""
    api = Sessions(respond)
    with serving(api) as server:
        tripletex = RunningTripletex(server, api)
        try:
            yield tripletex
        finally:
            tripletex.close_clients()
