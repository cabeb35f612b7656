"""Tripletex's HTTP surface: the operations of the API description that the taps and targets use."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.tripletex.answers import (
    Endpoint,
    answering,
    body_of,
    list_answer,
    no_route,
    object_id,
    only,
    single,
    tolerate,
)
from sandbox.tripletex.fields import Renderer, selection
from sandbox.tripletex.filters import resource_filters
from sandbox.tripletex.listing import PAGING
from sandbox.tripletex.mapping import check, check_list
from sandbox.tripletex.refusal import Message, TripletexRefusal
from sandbox.tripletex.rows import Row
from sandbox.tripletex.sessions_app import session_routes
from sandbox.tripletex.types import ObjectType, object_type

if TYPE_CHECKING:
    from sandbox.tripletex.system import Tripletex

NO_CONTENT = 204


def tolerating(request: Request) -> Callable[[str], None]:
    """What tells the log that a read-only property was sent, and passed over."""
    return lambda name: tolerate(request, f"{name} is read-only")


class Resource:
    """The endpoints of one resource."""

    def __init__(self, system: "Tripletex", name: str) -> None:
        self.system = system
        self.name = name
        self.owner: ObjectType = object_type("Supplier" if name == "supplier" else name)
        self.filters = resource_filters(system.register.zone, lambda: system.variant["changed-since"])[name]

    @property
    def renderer(self) -> Renderer:
        """Shows objects as this system does."""
        return self.system.renderer()

    async def listed(self, request: Request) -> Response:
        """GET /resource."""
        system, params = self.system, request.query_params.multi_items()
        chosen = selection(self.owner, request.query_params.get("fields", ""))
        only(request, *self.filters, *PAGING)
        with system.lock:
            page = system.lists.page(self.name, system.register.tables[self.owner.table], self.filters, params)
            known = request.headers.get("if-none-match")
            if known is not None and known.removeprefix("W/").strip('"') == page.digest:
                return Response(status_code=304)
            renderer = self.renderer
            values = [renderer.show(row, chosen) for row in page.rows]
        return list_answer(values, page, None if known is None else page.digest)

    async def get(self, request: Request) -> Response:
        """GET /resource/{id}."""
        chosen = selection(self.owner, only(request, "fields").get("fields", ""))
        with self.system.lock:
            row = self.system.register.row(self.owner, object_id(request))
            return single(self.renderer.show(row, chosen))

    async def post(self, request: Request) -> Response:
        """POST /resource."""
        only(request)
        body = check(self.owner, await body_of(request))
        with self.system.lock:
            return single(self._shown(self.system.register.create(self.owner, body)), 201)

    async def put(self, request: Request) -> Response:
        """PUT /resource/{id}."""
        only(request)
        register, row_id, body = self.system.register, object_id(request), await body_of(request)
        with self.system.lock:
            row = register.row(self.owner, row_id)
            return single(self._shown(register.update(self.owner, row, check(self.owner, body, tolerating(request)))))

    async def delete(self, request: Request) -> Response:
        """DELETE /resource/{id}."""
        only(request)
        register = self.system.register
        with self.system.lock:
            register.delete(self.owner, register.row(self.owner, object_id(request)))
        return Response(status_code=NO_CONTENT)

    async def post_list(self, request: Request) -> Response:
        """POST /resource/list: all or none."""
        only(request)
        bodies = check_list(self.owner, await body_of(request))
        with self.system.lock:
            return list_answer(self._all_or_none(bodies, self.system.register.create_from), status=201)

    async def put_list(self, request: Request) -> Response:
        """PUT /resource/list: all or none."""
        only(request)
        bodies = check_list(self.owner, await body_of(request), tolerating(request))
        with self.system.lock:
            return list_answer(self._all_or_none(bodies, self.system.register.update_from))

    async def delete_list(self, request: Request) -> Response:
        """DELETE /resource/list?ids=1,2: all or none."""
        register, ids = self.system.register, only(request, "ids").get("ids", "")
        texts = [text.strip() for text in ids.split(",")]
        if not all(text.isascii() and text.isdigit() for text in texts):
            raise TripletexRefusal(21000, "ids", (Message("ids", "Må være en liste av heltall.", "ids"),))
        with self.system.lock, register.store.transaction():
            for text in texts:
                register.delete(self.owner, register.row(self.owner, int(text)))
        return Response(status_code=NO_CONTENT)

    def _all_or_none(self, bodies: list[dict[str, Any]], write: Any) -> list[dict[str, Any]]:
        """One transaction; values refused are gathered from all elements, anything else ends it at once."""
        rows: list[Row] = []
        messages: list[Message] = []
        with self.system.register.store.transaction():
            for index, body in enumerate(bodies):
                try:
                    rows.append(write(self.owner, body))
                except TripletexRefusal as refusal:
                    if refusal.code != 18000:
                        raise
                    messages += [each.of_element(index) for each in refusal.messages]
            if messages:
                raise TripletexRefusal(18000, "VALIDATION_ERROR", tuple(messages))
        return [self._shown(row) for row in rows]

    def _shown(self, row: Row) -> dict[str, Any]:
        """What writes are answered with: stubs and no changes."""
        return self.renderer.show(row, selection(self.owner, ""))


class Suppliers(Resource):
    """The firms that are suppliers, customers or not: the objects that customers are."""

    async def put(self, request: Request) -> Response:
        """PUT /supplier/{id}: the body may make it a customer."""
        only(request)
        register, row_id, body = self.system.register, object_id(request), await body_of(request)
        with self.system.lock:
            row = register.row(self.owner, row_id)
            said = check(self.owner, body, tolerating(request))
            return single(self._shown(register.update(object_type("Customer"), row, said)))


OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "customer": ("listed", "post", "post_list", "put_list", "get", "put", "delete"),
    "supplier": ("listed", "get", "put"),
    "contact": ("listed", "post", "post_list", "delete_list", "get", "put"),
    "product": ("listed", "post", "post_list", "put_list", "get", "put", "delete"),
    "country": ("listed", "get"),
    "deliveryAddress": ("listed", "get", "put"),
}
ADDRESSES = {"listed": "", "post": "", "post_list": "/list", "put_list": "/list", "delete_list": "/list"}


def tripletex_app(system: "Tripletex") -> Starlette:
    """The application that serves the API under /v2."""
    routes = []
    for name, operations in OPERATIONS.items():
        resource = Suppliers(system, name) if name == "supplier" else Resource(system, name)
        for operation in operations:
            endpoint: Endpoint = getattr(resource, operation)
            path = f"/v2/{name}{ADDRESSES.get(operation, '/{id}')}"
            method = operation.removesuffix("_list").upper() if operation != "listed" else "GET"
            routes.append(Route(path, answering(system, endpoint), methods=[method]))
    return Starlette(routes=[*session_routes(system), *routes], exception_handlers={HTTPException: no_route})
