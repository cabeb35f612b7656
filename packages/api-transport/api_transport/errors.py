# ruff: noqa: N818 - the names say what happened; "Error" behind each would say nothing more
"""What can go wrong when an API is asked, one tree.

    ApiError
    ├── Unreachable       never answered and surely not carried out, or idempotent and kept failing on the way
    ├── OutcomeUnknown    a non-idempotent write without an answer: may or may not have been carried out
    ├── UnexpectedAnswer  not JSON (an HTML page), a redirect, or an expected key is missing
    ├── AccessDenied      401 or 403: the credentials, or the rights that go with them
    ├── RateLimited       429 past the time allowed
    ├── ServerFailed      5xx on an idempotent request, after retries
    └── Refused           the API's no to this request: 400, 422 and every other 4xx
        ├── NotFound      404
        └── Conflict      409, 412: changed meanwhile, or there already

Only `Refused` says something about the record that was sent; all others are about the system or the way there.
Every text is one line: method, path (never the query), status, the API's own words, request id, what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from api_transport.error_text import Detail
from api_transport.redaction import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_WORDS = 500
"""So many characters of the API's own words are repeated in an error's text."""


class ApiError(Exception):
    """An API was asked, and the answer is not one to go on with. See the module for the kinds."""

    todo = ""
    """What whoever reads the error can do, where the raiser knows nothing better."""

    def __init__(
        self,
        problem: str = "",
        *,
        method: str = "",
        path: str = "",
        status: int | None = None,
        code: int | str | None = None,
        message: str = "",
        details: Iterable[Detail] = (),
        request_id: str | None = None,
        todo: str | None = None,
    ) -> None:
        self.method = method
        self.path = without_query(path)
        self.status = status
        self.code = code
        self.message = clean(message)
        self.details = [Detail(detail.field, clean(detail.message), detail.path) for detail in details]
        self.request_id = request_id
        self.todo = self.todo if todo is None else todo
        self.problem = problem
        super().__init__(self._line())

    def _line(self) -> str:
        code = f" (code {self.code})" if self.code is not None else ""
        status = f"{self.status}{code}" if self.status is not None else ""
        what = " ".join(part for part in (self.problem, status) if part)
        where = f"{self.method} {self.path}".strip()
        line = ": ".join(part for part in (where, what, self._words()) if part)
        if self.request_id:
            line += f" [request id {self.request_id}]"
        if self.todo:
            line += f" — {self.todo}"
        return one_line(clean(line)) or type(self).__name__

    def _words(self) -> str:
        told = [self.message.strip().rstrip(".:")] if self.message.strip() else []
        for detail in self.details:
            name = detail.path or detail.field
            told.append(f"{name}: {detail.message}" if name else detail.message)
        return cut(one_line("; ".join(told)), LONGEST_WORDS)


class Unreachable(ApiError):
    """The system was not reached: surely not carried out, or idempotent and never answered."""

    todo = "check the address and that the system is up"


class OutcomeUnknown(ApiError):
    """A write that must not be repeated got no usable answer (time-out, dropped connection, 5xx).

    It may or may not have been carried out: look for the record before sending it again.
    """

    todo = "it may have been carried out: look before sending it again"


class UnexpectedAnswer(ApiError):
    """The answer is not the API's: an HTML page, a redirect, or JSON without the key that must be there."""

    todo = "check the address"


class AccessDenied(ApiError):
    """401 or 403."""

    todo = "check the credentials and their rights"


class RateLimited(ApiError):
    """429, and the wait asked for is longer than the time allowed."""

    todo = "run again later"


class ServerFailed(ApiError):
    """5xx on a request that may be repeated, still so after the retries."""

    todo = "run again later; the request id helps the vendor's support to find the cause"


class Refused(ApiError):
    """The API's no to this one request (4xx).

    `status`, `code`, `message`, `details` and `request_id` are its own words.
    """


class NotFound(Refused):
    """404: no such record, said by the API itself and not by a web server's error page."""


class Conflict(Refused):
    """409 or 412: the record has changed since it was read, or it is there already."""


def refusal(status: int) -> type[Refused]:
    """Return the kind of refusal that a 4xx status stands for."""
    return {404: NotFound, 409: Conflict, 412: Conflict}.get(status, Refused)


Kind = TypeVar("Kind", bound=ApiError)


def told_again(error: ApiError, kind: type[Kind], problem: str, *, todo: str | None = None) -> Kind:
    """Return what an answer means in its place, with all that was said in it."""
    return kind(
        problem,
        method=error.method,
        path=error.path,
        status=error.status,
        code=error.code,
        message=error.message,
        details=error.details,
        request_id=error.request_id,
        todo=todo,
    )


def without_query(path: str) -> str:
    """Return the path of a URL or of a path with a query: what may be written into a text."""
    plain = path.partition("?")[0].partition("#")[0]
    if "://" not in plain:
        return plain
    return "/" + plain.partition("://")[2].partition("/")[2]


def one_line(text: str) -> str:
    """Return the text without line breaks and runs of blanks."""
    return " ".join(text.split())


def cut(text: str, longest: int) -> str:
    """Return the text, with "…" in place of what is over `longest` characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
