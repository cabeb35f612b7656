"""Yes and no as CRMs write them."""

from __future__ import annotations

import re
from typing import Any

_NO = re.compile(r"(?i)[0\s:.TZ-]*|false|no|nei|n|off|null|none")
"""Zeros too, also where they are a date: that of no day."""


def is_set(value: Any) -> bool:
    """Whether a value says yes, as a flag or by being there; a text such as "0" or "false" says no."""
    return not _NO.fullmatch(value.strip()) if isinstance(value, str) else bool(value)


def is_said(value: Any, values: tuple[Any, ...]) -> bool:
    """Whether a value is one of these, be it a text or not."""
    return any(_text(value) == _text(one) for one in values)


def _text(value: Any) -> str:
    return str(value).strip().lower()
