"""What a reply means: an answer to go on with, or which error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api_transport.answer import Answer, decoded, in_utf8
from api_transport.errors import (
    AccessDenied,
    ApiError,
    OutcomeUnknown,
    RateLimited,
    Refused,
    ServerFailed,
    UnexpectedAnswer,
    Unreachable,
    refusal,
)
from api_transport.json_text import NotJson
from api_transport.retry import TOO_MANY, UNCERTAIN, Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from api_transport.error_text import ApiWords, ReadError
    from api_transport.exchange import Reply, Request


_ERRORS = 400
_TODO = {
    Failure.NO_PROXY: "check HTTP_PROXY and HTTPS_PROXY in the environment, or name the host in NO_PROXY",
    Failure.NOT_HTTP: "begin api_url with https://",
    Failure.GARBLED: "tell whoever runs the system, or a proxy before it",
}


@dataclass(frozen=True)
class Hints:
    """What the reader of an error can do, in the words of the settings of whoever uses the transport."""

    address: str = "check the address in api_url and that the system is up"
    credentials: str = "check the credentials"
    rights: str = "check which rights the credentials give"


class Judge:
    """Tells answers from errors, with the API's way of wording errors and the user's settings in mind.

    `permanent` are statuses of 500 and above by which the API says no to the one request, and will again. `is_too_many`
    tells a reply that says "not now" to more requests than are allowed, which was not carried out: 429.
    """

    def __init__(
        self,
        read_error: ReadError,
        hints: Hints,
        permanent: frozenset[int] = frozenset(),
        is_too_many: Callable[[Reply], bool] = lambda reply: reply.status == TOO_MANY,
    ) -> None:
        self._read_error = read_error
        self._hints = hints
        self.permanent = permanent
        self.is_too_many = is_too_many

    def answer(self, request: Request, reply: Reply) -> Answer:
        """Return the answer, if its status was asked for and its body is JSON or empty; raise otherwise."""
        if reply.status not in request.ok:
            raise self._error(request, reply)
        try:
            body = _value_of(reply, request.read)
        except NotJson:
            # Accepted, but by whom? A write that must not be repeated may have been carried out.
            kind = UnexpectedAnswer if request.idempotent else OutcomeUnknown
            raise self._made(kind, "the answer is not JSON", request, reply, todo=self._hints.address) from None
        return Answer(
            status=reply.status,
            body=body,
            headers=reply.headers,
            sent_at=reply.sent_at,
            method=request.method,
            path=request.path,
            idempotent=request.idempotent,
            request_id=self._read_error(reply.status, None, reply.headers).request_id,
        )

    def given_up(self, request: Request, reply: Reply, asked: float | None) -> ApiError:
        """Make the error for a status that was retried until the time allowed was over."""
        if not self.is_too_many(reply):
            return self._error(request, reply)
        wait = f", the API asks to wait {asked:.0f} s" if asked else ""
        return self._made(RateLimited, f"too many requests{wait}", request, reply)

    def unanswered(self, request: Request, failure: Failure) -> ApiError:
        """Make the error for a request that failed on the way for the last time."""
        problem = failure.at(request.host, request.proxy)
        if failure in UNCERTAIN and not request.idempotent:
            return OutcomeUnknown(problem, method=request.method, path=request.path)
        todo = _TODO.get(failure, self._hints.address)
        return Unreachable(problem, method=request.method, path=request.path, todo=todo)

    def unsendable(self, request: Request, header: str) -> ApiError:
        """Make the error for a header value that HTTP cannot carry."""
        problem = f"not sent, the value for the header {header} has a character in it that HTTP cannot carry"
        return AccessDenied(problem, method=request.method, path=request.path, todo=self._hints.credentials)

    def _error(self, request: Request, reply: Reply) -> ApiError:
        status = reply.status
        if self.is_too_many(reply):
            return self.given_up(request, reply, None)
        if status in self.permanent:
            return self._made(Refused, "refused", request, reply)
        if status >= 500:
            kind: type[ApiError] = ServerFailed if request.idempotent else OutcomeUnknown
            return self._made(kind, "the server failed", request, reply)
        if status in (401, 403):
            todo = self._hints.credentials if status == 401 else self._hints.rights
            return self._made(AccessDenied, "access denied", request, reply, todo=todo)
        if status == 404 and not _is_json(reply):
            problem = "not found, said by a web page and not by the API"
            return self._made(UnexpectedAnswer, problem, request, reply, todo=self._hints.address)
        if status >= 400:
            return self._made(refusal(status), "refused", request, reply)
        return self._not_asked_for(request, reply)

    def _not_asked_for(self, request: Request, reply: Reply) -> ApiError:
        """Make the error for a redirect, or for a success other than those asked for."""
        location = reply.headers.get("Location", "").partition("?")[0]
        # 303 See Other is what a server says after having done it.
        may_be_done = not request.idempotent and (reply.status < 300 or reply.status == 303)
        kind = OutcomeUnknown if may_be_done else UnexpectedAnswer
        redirect = f"redirected to {location}" if location else "redirected"
        problem = redirect if 300 < reply.status < 400 else "unexpected status"
        return self._made(kind, problem, request, reply, todo=self._hints.address)

    def _made(
        self, kind: type[ApiError], problem: str, request: Request, reply: Reply, *, todo: str | None = None
    ) -> ApiError:
        words = self._words(reply)
        by_proxy = f" (by way of the proxy {request.proxy})" if request.proxy and not _is_json(reply) else ""
        return kind(
            problem + by_proxy,
            method=request.method,
            path=request.path,
            status=reply.status,
            code=words.code,
            message=words.message,
            details=words.details,
            request_id=words.request_id,
            todo=todo,
        )

    def _words(self, reply: Reply) -> ApiWords:
        try:
            body = _value_of(reply, decoded)
            if reply.status < _ERRORS:
                # It says nothing about itself: it is somebody's record.
                body = None
        except NotJson:
            body = reply.raw.decode("utf-8", "replace")
        return self._read_error(reply.status, body, reply.headers)


def _is_json(reply: Reply) -> bool:
    """Whether the body could be the API's own: JSON, or nothing."""
    try:
        _value_of(reply, decoded)
    except NotJson:
        return False
    return True


def _value_of(reply: Reply, read: Callable[[bytes], Any]) -> Any:
    """The value of a reply's body. Raises NotJson."""
    try:
        return read(reply.raw)
    except NotJson:
        raw = in_utf8(reply.raw, reply.headers)
        if raw is None:
            raise
    return read(raw)
