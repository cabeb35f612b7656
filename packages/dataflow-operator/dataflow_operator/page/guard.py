"""What every request passes before a page is made, and every answer before it leaves.

A page of another site that the operator's browser has open must neither read this one (the Host of a name that was
bent to this machine is refused) nor act here (forms carry a token that only this page knows, and come from this
origin). What names contain is shown, never run: nothing but the page's own style sheet is allowed by the policy.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dataflow_operator.page.browser_sessions import Visits

LARGEST_FORM = 64 * 1024
OPEN_PATHS = ("/enter", "/style.css", "/icon.svg")
"""What can be seen without the token: nothing that tells anything."""
STATIC_PATHS = ("/style.css", "/icon.svg")
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no referrer at all browsers would not say where a form comes from either.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}

Form = Mapping[str, list[str]]


class Guard:
    """The application behind its checks.

    Args:
        app: makes the pages; finds ``visit`` and ``form`` in ``request.state``.
        visits: who may see them.
        cookie: its name.
    """

    def __init__(self, app: ASGIApp, visits: Visits, cookie: str) -> None:
        self._app = app
        self._visits = visits
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        known = _cookie(request.headers, self._cookie)
        visit = known or self._visits.new()
        request.state.visit = visit
        request.state.form = {}
        refusal = self._refusal(request) or await self._refusal_of_form(request, known)
        answer = _guarded(send, request.url.path)
        if refusal is None and not self._visits.may_see(visit) and request.url.path not in OPEN_PATHS:
            refusal = RedirectResponse("/enter", status_code=303)
        app: ASGIApp = refusal or self._app
        if known is None and refusal is None and request.url.path not in STATIC_PATHS:
            answer = self._with_cookie(answer, request, visit)
        await app(scope, receive, answer)

    def _refusal(self, request: Request) -> Response | None:
        if not self._visits.asks and not is_loopback(_name(request.headers.get("host", ""))):
            return _refused(421, "This page is asked for by a name that is not this machine's. Open it as it was told.")
        return None

    async def _refusal_of_form(self, request: Request, known: str | None) -> Response | None:
        if request.method in ("GET", "HEAD"):
            return None
        if request.method != "POST":
            return _refused(405, "Only reading and forms are understood here.")
        origin = urlsplit(request.headers.get("origin", ""))
        if not origin.netloc or origin.netloc.lower() != request.headers.get("host", "").lower():
            return _refused(403, "This form was not sent from this page, so nothing was done.")
        form = await _form(request)
        if form is None:
            return _refused(413, "That is no form of this page.")
        if known is None or not self._visits.is_ours(known, form.get("form", [""])[0]):
            return _refused(
                403, "This form is too old, so nothing was done. Go back, load the page again, and repeat it."
            )
        request.state.form = form
        return None

    def _with_cookie(self, send: Send, request: Request, visit: str) -> Send:
        """Also an answer that sets another cookie itself goes through: the last one stands."""
        cookie = Response()
        remember(cookie, request, self._cookie, visit)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "set-cookie" not in headers:
                    headers.append("Set-Cookie", cookie.headers["set-cookie"])
            await send(message)

        return sending


def remember(response: Response, request: Request, cookie: str, visit: str) -> None:
    """Let a browser remember its visit; not even the page's own scripts could read it, if there were any."""
    # A proxy before this server may speak TLS to the browser, which only the browser can tell.
    secure = request.headers.get("origin", "").startswith("https:")
    response.set_cookie(cookie, visit, httponly=True, samesite="strict", path="/", secure=secure)


def is_loopback(name: str) -> bool:
    """Whether a host's name, or address, is this machine and no other."""
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def local_path(path: str) -> str:
    """A path of this page; the overview's for anything that could lead elsewhere."""
    parts = urlsplit(path)
    safe = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and path.isascii()
    return path if safe and not parts.netloc and not parts.scheme else "/"


def _guarded(send: Send, path: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            if path in STATIC_PATHS:
                headers["Cache-Control"] = "no-cache"
        await send(message)

    return sending


def _name(host: str) -> str:
    """A Host header's name without its port and brackets."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _cookie(headers: Headers, name: str) -> str | None:
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(headers.get("cookie", ""))
    except CookieError:
        return None
    found = cookies.get(name)
    return found.value if found and found.value else None


async def _form(request: Request) -> Form | None:
    """A form's fields; None where it is too large, or none."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return None
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            return None
    try:
        return parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=1000, errors="strict")
    except ValueError:
        return None


def _refused(status: int, text: str) -> Response:
    return PlainTextResponse(f"{text}\n", status)
