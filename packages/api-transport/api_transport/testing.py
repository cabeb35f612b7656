"""A real HTTP server on this machine whose answers a function gives: for the tests of API clients.

with serving(lambda asked: Said({"value": 1})) as server:
    Transport(server.url, user_agent="test").send("GET", "/thing")
assert server.asked[0].path == "/thing"
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, cast
from urllib.parse import parse_qs, unquote, urlsplit

from requests.structures import CaseInsensitiveDict


@dataclass(frozen=True)
class Asked:
    """A request as it arrived. `path` is percent-decoded, `target` is as it was on the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path without the query."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters, the last of those with equal names."""
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query, True).items()}  # noqa: FBT003 - keep_blank_values

    @property
    def json(self) -> Any:
        """The body's JSON value."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Said:
    """An answer: bytes and texts as they are, None as no body, anything else as JSON."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def raw(self) -> bytes:
        """The body as it is sent."""
        if self.body is None:
            return b""
        if isinstance(self.body, str):
            return self.body.encode()
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


DROP: Literal["drop"] = "drop"
"""In place of an answer: the connection is closed without a word."""

HANG: Literal["hang"] = "hang"
"""In place of an answer: nothing, until the server ends."""

Respond = Callable[[Asked], "Said | Literal['drop', 'hang']"]


class Server:
    """The server while it runs: its address and what it was asked so far."""

    def __init__(self, respond: Respond, port: int = 0) -> None:
        self.respond = respond
        self.asked: list[Asked] = []
        self.ending = threading.Event()
        self._http = _HttpServer(self, port)

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def run(self) -> None:
        """Serve until `end`."""
        self._http.serve_forever(poll_interval=0.01)

    def end(self) -> None:
        """Stop serving and let go of requests left hanging."""
        self.ending.set()
        self._http.shutdown()
        self._http.server_close()


@contextmanager
def serving(respond: Respond, port: int = 0) -> Iterator[Server]:
    """Run a server whose answers `respond` gives, on a free port of 127.0.0.1 or on the one named."""
    server = Server(respond, port)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.end()
        thread.join()


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, owner: Server, port: int) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away; that is what it is tested for."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        owner = cast("_HttpServer", self.server).owner
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(self.command, self.path, CaseInsensitiveDict(self.headers.items()), body)
        owner.asked.append(asked)
        said = owner.respond(asked)
        if said == HANG:
            owner.ending.wait()
        if isinstance(said, Said):
            if "Date" in said.headers:
                self.send_response_only(said.status)
            else:
                self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            if not {"content-length", "transfer-encoding"} & {name.lower() for name in said.headers}:
                self.send_header("Content-Length", str(len(said.raw)))
            self.end_headers()
            self.wfile.write(said.raw)
        else:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the standard library's names

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        """Give the moment, in seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let seconds pass."""
        self.slept.append(seconds)
        self.now += seconds
