"""What every request passes on its way into a system: the request log, the fault hooks, the `Date` header."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.faults import Fault, Hook
from sandbox.serving import abort_connection
from sandbox.traffic import SeenRequest

if TYPE_CHECKING:
    from sandbox.system import System

CONTROL_PREFIX = "/_sandbox/"


@dataclass
class Answer:
    """A response as it is about to be sent."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


async def read_body(receive: Receive) -> bytes:
    """The whole body of a request."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def carry_out(app: ASGIApp, scope: Scope, body: bytes) -> Answer:
    """Run the application for one request whose body has been read, and keep its answer back."""
    answer = Answer(500)

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    await app(scope, receive, send)
    return answer


class Gateway:
    """The outermost ASGI application of a system."""

    def __init__(self, system: "System") -> None:
        self.system = system

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        body = await read_body(receive)
        if scope["path"].startswith(CONTROL_PREFIX):
            await self._send(await carry_out(self.system.control, scope, body), scope, send)
            return
        seen = self._note(scope, body)
        answer = await self._answer(seen, scope, body)
        if answer is None:
            await self._drop(receive)
        else:
            self._complete(seen, answer)
            await self._send(answer, scope, send)

    def _note(self, scope: Scope, body: bytes) -> SeenRequest:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if "authorization" in headers:
            headers["authorization"] = headers["authorization"].partition(" ")[0] + " ***"
        path, query = self.system.masked(scope["path"], scope["query_string"].decode("latin-1"))
        return self.system.log.add(
            system=self.system.name,
            method=scope["method"],
            path=path,
            query=query,
            headers=headers,
            raw_body=self.system.masked_body(path, body),
            started_at=self.system.clock.now(),
        )

    async def _answer(self, seen: SeenRequest, scope: Scope, body: bytes) -> Answer | None:
        """The answer to send, or None where the connection is to be dropped."""
        fault = await self._consult(self.system.before, seen)
        if fault is not None and fault.kind == "drop":
            return None
        if fault is not None and fault.kind == "answer":
            return Answer(fault.status, dict(fault.headers), fault.body)
        answer = await carry_out(self.system.app, {**scope, "tolerated": seen.tolerated}, body)
        seen.carried_out = True
        self.system.tolerated += seen.tolerated
        self._complete(seen, answer)
        after = fault or await self._consult(self.system.after, seen)
        if after is None:
            return answer
        if after.kind == "answer":
            return Answer(after.status, dict(after.headers), after.body)
        seen.status, seen.response_headers, seen.raw_response = None, {}, b""
        return None

    async def _consult(self, hook: Hook | None, seen: SeenRequest) -> Fault | None:
        """Ask a hook, outside the event loop: it may block, and may use the system itself."""
        if hook is None:
            return None
        fault = await asyncio.to_thread(hook, seen)
        while fault is not None and fault.kind == "delay":
            seen.fault = "delay"
            while fault.event is not None and not fault.event.is_set() and not self.system.stopping:  # noqa: ASYNC110  set by other threads
                await asyncio.sleep(0.005)
            fault = fault.then
        if fault is not None:
            seen.fault = fault.kind
        return fault

    def _complete(self, seen: SeenRequest, answer: Answer) -> None:
        headers: Mapping[str, str] = answer.headers
        date = format_datetime(self.system.clock.now().astimezone(timezone.utc), usegmt=True)
        answer.headers = {"date": date, **headers}
        seen.response_headers = dict(answer.headers)
        seen.raw_response = self.system.masked_answer(seen, answer.body)
        seen.status = answer.status

    @staticmethod
    async def _send(answer: Answer, scope: Scope, send: Send) -> None:
        bodiless = answer.status in (204, 304) or scope["method"] == "HEAD"
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
        if not bodiless:
            headers["content-length"] = str(len(answer.body))
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
        await send({"type": "http.response.body", "body": b"" if bodiless else answer.body})

    @staticmethod
    async def _drop(receive: Receive) -> None:
        abort_connection()
        while (await receive())["type"] != "http.disconnect":
            pass
