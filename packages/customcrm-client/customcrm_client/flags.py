"""Yes and no as CRMs write them."""

from __future__ import annotations

import re
from typing import Any

_YES = frozenset({"true", "1", "yes", "y", "on", "ja"})
_NO = frozenset({"false", "0", "no", "n", "off", "nei"})
_NOTHING = re.compile(r"[0\s:.tz-]*|null|none")
"""Zeros too, where they are a date: that of no day."""


def yes_or_no(value: Any) -> bool | None:
    """What a flag says, be it a text, a number or a boolean; None for what is no flag."""
    text = _text(value)
    return True if text in _YES else False if text in _NO else None


def is_set(value: Any) -> bool:
    """Whether a value says yes, as a flag or by being there; a text such as "0" or "false" says no."""
    if not isinstance(value, str):
        return bool(value)
    return yes_or_no(value) is not False and not _NOTHING.fullmatch(_text(value))


def is_said(value: Any, values: tuple[Any, ...]) -> bool:
    """Whether a value is one of these, be it a text or not."""
    return any(_text(value) == _text(one) for one in values)


def _text(value: Any) -> str:
    number = isinstance(value, float) and value.is_integer()
    return str(int(value) if number else value).strip().lower()
