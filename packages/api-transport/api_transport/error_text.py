"""What an API says about an error, read from its answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HTML = re.compile(r"(?i)<!doctype html|<html")
_TITLE = re.compile(r"(?is)<title[^>]*>(.*?)</title>")
_PERSONAL = re.compile(r"@|\d{5}")
_LONGEST_PROLOGUE = 500
_LONGEST_PAGE = 20_000
_LONGEST_TITLE = 80


@dataclass(frozen=True)
class Detail:
    """One point of a refusal: the property as the API names it, the words, and where in the body it is."""

    field: str | None
    message: str
    path: str | None = None


@dataclass(frozen=True)
class ApiWords:
    """An API's own words about an error."""

    code: int | str | None = None
    message: str = ""
    details: tuple[Detail, ...] = field(default=())
    request_id: str | None = None


if TYPE_CHECKING:
    ReadError = Callable[[int, Any, Mapping[str, str]], ApiWords]
    """(status, body, headers) -> words. The body is decoded JSON, None where empty, text where not JSON."""


def read_error(status: int, body: Any, headers: Mapping[str, str]) -> ApiWords:  # noqa: ARG001 - all readers have it
    """Read the usual envelopes: `{"title", "errors": [{"field", "message"}]}`, `message`, `detail`, `error`.

    Of a web page its title.
    """
    request_id = headers.get("x-request-id")
    if isinstance(body, str):
        return ApiWords(message=page_title(body), request_id=request_id)
    if not isinstance(body, dict):
        return ApiWords(request_id=request_id)
    message = next((text for key in ("title", "message", "detail", "error") if (text := _text(body.get(key)))), "")
    code = body.get("code")
    return ApiWords(
        code=code if isinstance(code, (int, str)) and not isinstance(code, bool) else None,
        message=message,
        details=tuple(_details(body.get("errors"))),
        request_id=request_id,
    )


def page_title(text: str) -> str:
    """Say what a web page is about: its title, where it is short and names nobody.

    Nothing of any other text: it may hold somebody's data.
    """
    page = text[:_LONGEST_PAGE]
    title = _TITLE.search(page) if _HTML.search(page[:_LONGEST_PROLOGUE]) else None
    plain = " ".join(unescape(title.group(1)).split()) if title else ""
    return "" if len(plain) > _LONGEST_TITLE or _PERSONAL.search(plain) else plain


def _details(errors: Any) -> list[Detail]:
    found = []
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict):
            found.append(
                Detail(
                    _text(error.get("field")) or None,
                    _text(error.get("message")),
                    _text(error.get("path")) or None,
                )
            )
        elif isinstance(error, str):
            found.append(Detail(None, error))
    return found


def _text(value: Any) -> str:
    """Return a value that is a text, or the message in an object (`{"error": {"message": …}}`)."""
    if isinstance(value, dict):
        return _text(value.get("message"))
    return value if isinstance(value, str) else ""
