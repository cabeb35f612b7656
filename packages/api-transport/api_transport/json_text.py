"""JSON as it is really sent: read fast where it is in order, patiently where it is not quite."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


class NotJson(ValueError):  # noqa: N818 - it says what it is
    """A text that is not JSON, or holds NaN or Infinity, which JSON has not."""


def finite(text: str) -> float | str:
    """The number; a text that says one which no computer holds, such as 1e400, stays a text."""
    number = float(text)
    return number if math.isfinite(number) else text


def read(text: bytes | str) -> Any:
    """The value of a JSON text. Raises `NotJson`."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        # It takes nothing but JSON in order. Everything else is for the other one, which is three times as slow.
        return read_patiently(text)


def read_patiently(text: bytes | str, number: Callable[[str], Any] = finite) -> Any:
    """The value of a JSON text with halves of characters in it, which no database and no encoding takes.

    Each becomes U+FFFD. `number` makes one of a number with a fraction or exponent. Raises `NotJson`.
    """
    try:
        return _mended(json.loads(text, parse_constant=_no_number, parse_float=number))
    except (ValueError, RecursionError):
        raise NotJson from None


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else _HALF_CHARACTER.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [_mended(one) for one in value]
    if isinstance(value, dict):
        return {_mended(name): _mended(one) for name, one in value.items()}
    return value


def _no_number(name: str) -> Any:
    raise NotJson(name)
