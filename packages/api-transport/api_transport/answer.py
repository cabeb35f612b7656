"""One answer of an API, and the encoding of bodies both ways."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from requests.utils import get_encoding_from_headers

from api_transport.errors import OutcomeUnknown, UnexpectedAnswer
from api_transport.json_text import read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from api_transport.errors import ApiError


@dataclass(frozen=True)
class Answer:
    """An answer that was asked for (one of the `ok` statuses).

    `body` is decoded JSON, or None where the answer has none (204, 304); `headers` are case-insensitive;
    `sent_at` is our clock (UTC) when the attempt that got this answer was sent.
    """

    status: int
    body: Any
    headers: Mapping[str, str]
    sent_at: datetime
    method: str = ""
    path: str = ""
    idempotent: bool = True
    request_id: str | None = field(default=None, repr=False)

    def unexpected(self, problem: str, *, todo: str | None = None) -> ApiError:
        """Return the error to raise where this answer lacks what must be in it.

        `UnexpectedAnswer`, or `OutcomeUnknown` for a write that must not be repeated: it was accepted, so it
        may have been carried out.
        """
        kind = UnexpectedAnswer if self.idempotent else OutcomeUnknown
        return kind(
            problem,
            method=self.method,
            path=self.path,
            status=self.status,
            request_id=self.request_id,
            todo=todo,
        )


def decoded(raw: bytes) -> Any:
    """Return a body's JSON value, None for an empty body. Raises `NotJson`."""
    return read(raw) if raw.strip() else None


def in_utf8(raw: bytes, headers: Mapping[str, str]) -> bytes | None:
    """Return a body in another encoding, told by its `Content-Type`, as UTF-8; None where it is none."""
    encoding = get_encoding_from_headers(headers)
    try:
        return raw.decode(encoding).encode() if encoding else None
    except (LookupError, UnicodeError):
        return None


def encoded(body: Any) -> bytes:
    """Write a body as JSON, Decimal numbers as numbers.

    Raises ValueError for NaN and infinity, TypeError for what JSON has no form for.
    """
    return json.dumps(body, default=_number, allow_nan=False, separators=(",", ":")).encode("ascii")


def form_encoded(fields: Mapping[str, str]) -> bytes:
    """Write a form's fields as browsers send them."""
    return urlencode(fields).encode("ascii")


def _number(value: Any) -> int | float:
    if isinstance(value, Decimal) and value.is_finite():
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
