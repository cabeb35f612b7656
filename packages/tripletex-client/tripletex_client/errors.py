"""Tripletex's error envelope (Tripletex API description, "Error/warning envelope"), read into `ApiWords`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api_transport.words import ApiWords, Detail, page_title

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_ID = "x-tlx-request-id"
"""On every response; the vendor's support asks for it."""

NOT_FOUND = 6000
"""The code of a 404 that is Tripletex's own: such an object does not exist."""


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
