"""Which address is which page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from importlib.resources import files

from dataflow.errors import DataflowError
from record_sync.errors import SyncError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from dataflow_operator.errors import OperatorError
from dataflow_operator.page import acting, reading
from dataflow_operator.page.guard import Guard
from dataflow_operator.page.site import Site, one

Handler = Callable[[Site, Request], Response]

PAGES: dict[str, Handler] = {
    "/": reading.overview,
    "/links": reading.link_list,
    "/links/{number:int}": reading.link,
    "/failures": reading.failure_list,
    "/failures/{number:int}": reading.failure,
    "/conflicts": reading.conflict_list,
    "/conflicts/{number:int}": reading.conflict,
    "/runs": reading.run_list,
    "/audit": reading.audit,
    "/document": reading.document,
    "/enter": acting.ask_in,
}
ACTIONS: dict[str, Handler] = {
    "/failures/retry": acting.retry,
    "/failures/drop": acting.drop,
    "/conflicts/{number:int}/take": acting.take,
    "/let-through": acting.allow,
    "/audit": acting.audit,
    "/enter": acting.enter,
    "/leave": acting.leave,
}
FILES = {"style.css": "text/css", "icon.svg": "image/svg+xml"}


def application(site: Site) -> ASGIApp:
    """The page of a store, behind its checks."""
    routes = [
        *(Route(path, partial(handler, site), methods=["GET"]) for path, handler in PAGES.items()),
        *(Route(path, partial(handler, site), methods=["POST"]) for path, handler in ACTIONS.items()),
        *(Route(f"/{name}", partial(_file, name), methods=["GET"]) for name in FILES),
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={
            OperatorError: partial(_cannot, site),
            SyncError: partial(_cannot, site),
            DataflowError: partial(_cannot, site),
            HTTPException: partial(_no_page, site),
            Exception: partial(_broken, site),
        },
    )
    return Guard(app, site.visits, site.cookie)


def _file(name: str, _request: Request) -> Response:
    return Response((files("dataflow_operator.page") / "static" / name).read_bytes(), media_type=FILES[name])


def _cannot(site: Site, request: Request, error: Exception) -> Response:
    """What cannot be done is one line, on the page that the action was asked for on, or on one of its own."""
    if request.method == "POST":
        return site.done(request, [str(error)], one(request.state.form, "back") or "/", done=False)
    status = HTTPStatus.NOT_FOUND if isinstance(error, OperatorError) else HTTPStatus.SERVICE_UNAVAILABLE
    return _told(site, request, status, str(error))


def _no_page(site: Site, request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
    known = {404: "There is no such page.", 405: "This address takes no such request."}
    return _told(site, request, status, known.get(status, HTTPStatus(status).phrase))


def _broken(site: Site, request: Request, _error: Exception) -> Response:
    text = "This page has a fault. The terminal in which it was started says more."
    return _told(site, request, HTTPStatus.INTERNAL_SERVER_ERROR, text)


def _told(site: Site, request: Request, status: int, text: str) -> Response:
    return site.show(request, "cannot.html", site.frame(), status, text=text)
