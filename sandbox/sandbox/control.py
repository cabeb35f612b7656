"""`/_sandbox/…`: the request log and user-like operations over HTTP, outside the API and its log."""

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.refusal import Refusal

if TYPE_CHECKING:
    from sandbox.system import System


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def control_app(system: "System") -> Starlette:
    """The application under `/_sandbox/` for one system.

    `GET requests`, `POST requests/clear`; `GET records/{resource}`, `POST records/{resource}` (create),
    `PATCH records/{resource}/{id}` (edit) and `DELETE records/{resource}/{id}`, all without credentials.
    """

    async def requests(_: Request) -> Response:
        return _json([seen.as_json() for seen in system.requests])

    async def clear(_: Request) -> Response:
        system.clear_requests()
        return Response(status_code=204)

    async def records(request: Request) -> Response:
        resource = request.path_params["resource"]
        if request.method == "GET":
            return _json(system.all(resource))
        return _json(system.create(resource, **await request.json()), 201)

    async def record(request: Request) -> Response:
        resource, record_id = request.path_params["resource"], request.path_params["id"]
        if request.method == "DELETE":
            system.remove(resource, record_id)
            return Response(status_code=204)
        return _json(system.edit(resource, record_id, **await request.json()))

    def refused(_: Request, error: Exception) -> Response:
        return _json({"message": str(error)}, getattr(error, "status", 400))

    return Starlette(
        routes=[
            Route("/_sandbox/requests", requests, methods=["GET"]),
            Route("/_sandbox/requests/clear", clear, methods=["POST"]),
            Route("/_sandbox/records/{resource}", records, methods=["GET", "POST"]),
            Route("/_sandbox/records/{resource}/{id:path}", record, methods=["PATCH", "DELETE"]),
        ],
        exception_handlers={Refusal: refused, LookupError: refused, ValueError: refused},
    )
