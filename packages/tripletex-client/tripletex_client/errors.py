"""Tripletex's error envelope (Tripletex API description, "Error/warning envelope"), read into `ApiWords`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api_transport.error_text import ApiWords, Detail, page_title
from api_transport.errors import ApiError, Refused, UnexpectedAnswer, told_again

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_ID = "x-tlx-request-id"
"""On every response; the vendor's support asks for it."""

NOT_FOUND = 6000
"""The code of a 404 that is Tripletex's own: such an object does not exist."""

TOO_LARGE = 23000
"""The code of a list that may not be had at all: more than 10,000 records match, however few are asked for."""


class ListTooLong(UnexpectedAnswer):
    """A list has more records than Tripletex gives; only filters help."""


def not_its_own(error: ApiError) -> UnexpectedAnswer:
    """For a 404 that says nothing of a record: a wrong path, or somebody else's server."""
    return told_again(error, UnexpectedAnswer, "not found, although it must be there", todo="check api_url")


def not_as_a_whole(error: Refused) -> ApiError:
    """For a refused list: it says nothing of a record, and is no end of the list."""
    if error.code != TOO_LARGE:
        return error
    problem = "there are more than Tripletex lists at once"
    return told_again(error, ListTooLong, problem, todo="ask Tripletex to lift the limit for this company")


def read_error(status: int, body: Any, headers: Mapping[str, str]) -> ApiWords:  # noqa: ARG001 - all readers have it
    """The code, the message in the company's language, the validation messages and the request id.

    The developer's message stands in where there is no other.
    """
    request_id = headers.get(REQUEST_ID)
    if not isinstance(body, dict):
        return ApiWords(message=page_title(body) if isinstance(body, str) else "", request_id=request_id)
    code = body.get("code")
    details = tuple(_details(body.get("validationMessages")))
    message, developers = _text(body, "message"), _text(body, "developerMessage")
    if developers and developers != message and not details:
        message = f"{message.rstrip('.')} ({developers})" if message else developers
    return ApiWords(
        code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        message=message,
        details=details,
        request_id=request_id or _text(body, "requestId") or None,
    )


def _details(messages: Any) -> list[Detail]:
    return [
        Detail(_text(message, "field") or None, _text(message, "message"), _text(message, "path") or None)
        for message in (messages if isinstance(messages, list) else [])
        if isinstance(message, dict)
    ]


def _text(holder: Mapping[str, Any], name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""
