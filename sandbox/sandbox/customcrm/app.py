"""Customcrm's HTTP surface."""

import hmac
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.customcrm.listing import listing_of, next_link, page_of
from sandbox.customcrm.refusal import TITLES, CustomcrmRefusal
from sandbox.customcrm.resources import RESOURCES, Held, Resource

if TYPE_CHECKING:
    from sandbox.customcrm.system import Customcrm

Endpoint = Callable[[Request], Awaitable[Response]]


def _json(value: Any, status: int = 200, etag: str | None = None) -> Response:
    headers = {"ETag": etag} if etag else None
    return Response(msgspec.json.encode(value), status, headers, "application/json")


async def _values(request: Request) -> dict[str, Any]:
    try:
        values = msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, RecursionError):
        raise CustomcrmRefusal(400, ("", "The body is not JSON")) from None
    if not isinstance(values, dict):
        raise CustomcrmRefusal(422, ("", "The body must be an object"))
    return values


def _resource(request: Request) -> Resource:
    resource = RESOURCES.get(request.path_params["resource"])
    if resource is None:
        raise CustomcrmRefusal(404)
    return resource


def _check_match(request: Request, held: Held) -> None:
    """Optimistic locking: with If-Match, a record changed meanwhile is 412."""
    wanted = request.headers.get("if-match")
    if wanted is not None and wanted != "*" and held.etag not in [tag.strip() for tag in wanted.split(",")]:
        raise CustomcrmRefusal(412, ("Id", "The record has been changed meanwhile"))


def _refused(_: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        error = CustomcrmRefusal(error.status_code if error.status_code in TITLES else 400)
    if not isinstance(error, CustomcrmRefusal):
        raise error
    return _json(error.envelope(), error.status)


class Endpoints:
    """The operations of the contract."""

    def __init__(self, system: "Customcrm") -> None:
        self.system = system

    async def listed(self, request: Request) -> Response:
        """GET /{resource}."""
        resource, params = _resource(request), request.query_params.multi_items()
        with self.system.lock:
            listing = listing_of(resource, params)
            records, position = page_of(self.system.register.tables[resource.name], listing)
        base = f"{self.system.api_url}/{resource.name}"
        return _json({"data": records, "links": {"next": position and next_link(base, params, position)}})

    async def post(self, request: Request) -> Response:
        """POST /{resource}."""
        resource, values = _resource(request), await _values(request)
        with self.system.lock:
            held = self.system.register.create(resource, values)
        return _json(held.record, 201, held.etag)

    async def get(self, request: Request) -> Response:
        """GET /{resource}/{Id}."""
        with self.system.lock:
            held = self.system.register.live(_resource(request), request.path_params["id"])
        return _json(held.record, 200, held.etag)

    async def patch(self, request: Request) -> Response:
        """PATCH /{resource}/{Id}."""
        resource, values = _resource(request), await _values(request)
        with self.system.lock:
            held = self.system.register.live(resource, request.path_params["id"])
            _check_match(request, held)
            held = self.system.register.update(resource, held, values)
        return _json(held.record, 200, held.etag)

    async def delete(self, request: Request) -> Response:
        """DELETE /{resource}/{Id}."""
        resource = _resource(request)
        with self.system.lock:
            held = self.system.register.live(resource, request.path_params["id"])
            _check_match(request, held)
            self.system.register.delete(resource, held)
        return Response(status_code=204)


def _guarded(system: "Customcrm", endpoint: Endpoint) -> Endpoint:
    async def answer(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {system.api_key}".encode()):
            raise CustomcrmRefusal(401, ("Authorization", "The API key is missing or wrong"))
        return await endpoint(request)

    return answer


def customcrm_app(system: "Customcrm") -> Starlette:
    """The application that serves the contract under /api/v1."""
    endpoints = Endpoints(system)
    # An Id may hold a slash: it arrives quoted, and the path is unquoted before it is routed.
    listing, record = "/api/v1/{resource}", "/api/v1/{resource}/{id:path}"
    served = (
        (listing, "GET", endpoints.listed),
        (listing, "POST", endpoints.post),
        (record, "GET", endpoints.get),
        (record, "PATCH", endpoints.patch),
        (record, "DELETE", endpoints.delete),
    )
    return Starlette(
        routes=[Route(path, _guarded(system, endpoint), methods=[method]) for path, method, endpoint in served],
        exception_handlers={CustomcrmRefusal: _refused, HTTPException: _refused},
    )
