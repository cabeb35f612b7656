"""When two values say the same: one canonical form for each kind of property.

A property's kind comes with the SCHEMA message (``x-compare``). Forms are for comparing only, never for writing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from phone_text import complete
from phonenumbers import PhoneNumberFormat, format_number

from record_sync.values import Value


def _text(value: Value) -> Value:
    if isinstance(value, str):
        folded = unicodedata.normalize("NFC", value).strip().replace("\r\n", "\n")
        return folded or None
    return _exact(value)


def _exact(value: Value) -> Value:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float, Decimal)):
        number = Decimal(str(value))
        # Written out: 10000040 is the text "10000040", not "1.000004E+7".
        return format(number.normalize(), "f") if number.is_finite() else str(number)
    return value or None if isinstance(value, str) else value


def _email(value: Value) -> Value:
    text = _text(value)
    return text.casefold() if isinstance(text, str) else text


def _digits(value: Value) -> Value:
    text = _text(value)
    return "".join(text.split()) or None if isinstance(text, str) else text


def _url(value: Value) -> Value:
    text = _text(value)
    if not isinstance(text, str):
        return text
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
    except ValueError:
        return text
    return f"{parts.scheme}//{parts.netloc.casefold()}{parts.path.rstrip('/')}?{parts.query}#{parts.fragment}"


@lru_cache(maxsize=4096)
def _phone_text(text: str) -> str:
    number = complete(text)
    return text if number is None else str(format_number(number, PhoneNumberFormat.E164))


def _phone(value: Value) -> Value:
    text = _text(value)
    return _phone_text(text) if isinstance(text, str) else text


KINDS: Mapping[str, Callable[[Value], Any]] = {
    "text": _text,
    "exact": _exact,
    "email": _email,
    "digits": _digits,
    "url": _url,
    "phone": _phone,
}


def canonical(kind: str, value: Value) -> Any:
    """The form of a value that decides whether it says the same as another of its kind."""
    return KINDS[kind](value)


def same(kind: str, one: Value, other: Value) -> bool:
    """Whether two values of a kind say the same. No value and an empty text do."""
    if one == other and type(one) is type(other):
        return True
    form = KINDS[kind]
    return bool(form(one) == form(other))
