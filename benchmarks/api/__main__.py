# ruff: noqa: T201 - its output is for whoever started it
"""Serve both APIs until the standard input ends.

The first line written is the address. Below it are `/v2` (Tripletex), `/api/v1` (Customcrm), and for the bench, not
counted: `GET /-/counts` (requests by method and path), `POST /-/reset`, `POST /-/latency?ms=50`,
`POST /-/edit?system=customcrm&count=1000`, `POST /-/enter?count=6` (new customers in the CRM).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import socket
import sys
import threading
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import uvicorn

from benchmarks.api.customcrm import Customcrm
from benchmarks.api.request import JSON, NOT_FOUND, Reply, Request
from benchmarks.api.tripletex import SEARCHES, Tripletex

RECORD_ID = re.compile(r"/(?=[^/]*\d)[^/]+$")


class Api:
    """The ASGI application: latency, counting, and which system a path belongs to."""

    def __init__(self, address: str, customers: int, crm_customers: int, contacts: int) -> None:
        self.latency = 0.0
        self.counts: Counter[str] = Counter()
        self.crm = Customcrm(crm_customers)
        self.systems: dict[str, Tripletex | Customcrm] = {
            "/v2": Tripletex(customers, contacts),
            "/api/v1": self.crm,
        }
        self.address = address

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        body, more = b"", True
        while more:
            event = await receive()
            body += event.get("body", b"")
            more = event.get("more_body", False)
        path, query = scope["path"], dict(parse_qsl(scope["query_string"].decode()))
        if path.startswith("/-/"):
            reply = self._for_the_bench(path, query)
        else:
            began = asyncio.get_running_loop().time()
            reply = self._answer(scope, path, query, body)
            # What the bench costs itself is part of the latency, not on top of it.
            await asyncio.sleep(max(0.0, began + self.latency - asyncio.get_running_loop().time()))
        headers = [(b"content-length", str(len(reply.body)).encode()), (b"content-type", JSON), *reply.headers]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    def _answer(self, scope: Any, path: str, query: dict[str, str], body: bytes) -> Reply:
        for prefix, system in self.systems.items():
            if path.startswith(prefix + "/"):
                below = path[len(prefix) :]
                search = " (search)" if query.keys() & SEARCHES.keys() else ""
                self.counts[f"{scope['method']} {prefix}{RECORD_ID.sub('/{id}', below)}{search}"] += 1
                request = Request(
                    scope["method"], below[1:].split("/"), query, dict(scope["headers"]), body, self.address + prefix
                )
                return system.answer(request)
        return NOT_FOUND

    def _for_the_bench(self, path: str, query: dict[str, str]) -> Reply:
        if path == "/-/reset":
            self.counts.clear()
        elif path == "/-/latency":
            self.latency = float(query["ms"]) / 1000
        elif path == "/-/edit":
            self.systems["/v2" if query["system"] == "tripletex" else "/api/v1"].touch(int(query["count"]))
        elif path == "/-/enter":
            self.crm.enter(int(query["count"]))
        return Reply(200, msgspec.json.encode(self.counts))


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=0, help="in Tripletex")
    parser.add_argument("--crm-customers", type=int, default=0, help="in the CRM")
    parser.add_argument("--contacts", type=int, default=0, help="in Tripletex")
    arguments = parser.parse_args()
    # With the protocol named, asyncio turns off Nagle's algorithm; without, each answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    api = Api(address, arguments.customers, arguments.crm_customers, arguments.contacts)
    print(address, flush=True)

    def stop_with_the_bench() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=stop_with_the_bench, daemon=True).start()
    options = {"loop": "asyncio", "http": "h11", "ws": "none", "lifespan": "off", "log_config": None}
    config = uvicorn.Config(api, access_log=False, server_header=False, timeout_keep_alive=600, **options)  # type: ignore[arg-type]
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
