"""How Tripletex answers: JSON, envelopes, and the headers on every response."""

import uuid
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sandbox.tripletex.listing import Page
from sandbox.tripletex.refusal import TripletexRefusal

if TYPE_CHECKING:
    from sandbox.tripletex.system import Tripletex

NO_DIGEST = "Send the header If-None-Match to have a checksum of this list."
"""In place of a checksum where nobody asked for one."""

Endpoint = Callable[[Request], Awaitable[Response]]


def json_answer(value: Any, status: int = 200) -> Response:
    """An answer with a body."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def single(value: dict[str, Any], status: int = 200) -> Response:
    """The envelope of one object."""
    return json_answer({"value": value}, status)


def list_answer(
    values: list[dict[str, Any]], page: Page | None = None, digest: str | None = None, status: int = 200
) -> Response:
    """The envelope of a list."""
    envelope = {
        "fullResultSize": len(values) if page is None else page.full_size,
        "from": 0 if page is None else page.start,
        "count": len(values),
        "versionDigest": digest or NO_DIGEST,
        "values": values,
    }
    return json_answer(envelope, status)


async def body_of(request: Request) -> Any:
    """The request's JSON. Raises TripletexRefusal 422, code 22000."""
    try:
        return msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, RecursionError):
        raise TripletexRefusal(22000, "The body is not JSON") from None


def only(request: Request, *allowed: str) -> dict[str, str]:
    """The query's parameters, without those that there are not: they are told in the log."""
    for name in request.query_params:
        if name not in allowed:
            tolerate(request, f"query parameter {name!r} is unknown")
    return {name: value for name, value in request.query_params.items() if name in allowed}


def tolerate(request: Request, what: str) -> None:
    """Pass over something that no client should send, as the API does, and tell it in the log."""
    request.scope["tolerated"].append(what)


def object_id(request: Request) -> int:
    """The id in the path. Raises TripletexRefusal 400, code 12000."""
    text: str = request.path_params["id"]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise TripletexRefusal(12000, "The id is not a number")
    return int(text)


def answering(system: "Tripletex", endpoint: Endpoint, *, guarded: bool = True) -> Endpoint:
    """An endpoint with what all have: a request id, credentials, the request allowance, the error envelope."""

    async def answer(request: Request) -> Response:
        headers = {"x-tlx-request-id": str(uuid.uuid4())}
        try:
            if guarded:
                authorization = request.headers.get("authorization", "")
                session = system.sessions.authenticate(authorization, {system.company_id})
                spent, allowed = system.allowance.spend(session.employee)
                if allowed or system.variant["rate-headers"] == "told":
                    headers.update(spent)
                if not allowed:
                    raise TripletexRefusal(429, "The period's requests are used up")  # noqa: TRY301  one envelope
            response = await endpoint(request)
        except TripletexRefusal as refusal:
            response = json_answer(refusal.envelope(headers["x-tlx-request-id"]), refusal.status)
        response.headers.update(headers)
        return response

    return answer


async def no_route(_: Request, error: Exception) -> Response:
    """An address or method that the API does not have."""
    request_id = str(uuid.uuid4())
    refusal = TripletexRefusal(6000 if getattr(error, "status_code", 404) == 404 else 4000, "No such operation")
    status = error.status_code if isinstance(error, HTTPException) else refusal.status
    response = json_answer({**refusal.envelope(request_id), "status": status}, status)
    response.headers["x-tlx-request-id"] = request_id
    return response
