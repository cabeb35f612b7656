"""When two values say the same, and in which spellings a system may keep one: the one place for each kind of property.

A property's kind comes with the SCHEMA message (``x-compare``). Forms are for comparing only, never for writing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from phonenumbers import PhoneNumberFormat, format_number, national_significant_number
from value_spelling import organisation_number
from value_spelling.name import joined, words_of
from value_spelling.phone import HOME_REGION, complete, region_of
from value_spelling.text import composed, decomposed, without_blanks

from record_sync.values import Value, empty


def _text(value: Value) -> Value:
    if isinstance(value, str):
        return composed(value).strip().replace("\r\n", "\n") or None
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
    return without_blanks(value).casefold() or None if isinstance(value, str) else _exact(value)


def _organisation_number(value: Value) -> Value:
    return organisation_number.number_of(value) or None if isinstance(value, str) else _exact(value)


def _digits(value: Value) -> Value:
    return without_blanks(value) or None if isinstance(value, str) else _exact(value)


def _country(value: Value) -> Value:
    text = _text(value)
    return text.upper() if isinstance(text, str) else text


def _url(value: Value) -> Value:
    text = _text(value)
    if not isinstance(text, str):
        return text
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
    except ValueError:
        return text
    return f"{parts.scheme}//{parts.netloc.casefold()}{parts.path.rstrip('/')}?{parts.query}#{parts.fragment}"


def _full_name(value: Value) -> Value:
    return joined([value]) or None if isinstance(value, str) else _exact(value)


@lru_cache(maxsize=4096)
def _phone_text(text: str, region: str) -> str:
    number = complete(text, region)
    return text if number is None else str(format_number(number, PhoneNumberFormat.E164))


def _phone(value: Value, region: str = HOME_REGION) -> Value:
    text = _text(value)
    return _phone_text(text, region) if isinstance(text, str) else text


def phones_same(one: Value, other: Value, one_country: Value, other_country: Value) -> bool:
    """Whether two phone numbers are the same, each read in its record's country; in the other's where it names none."""
    forms = (
        _phone(one, region_of(other_country if empty(one_country) else one_country)),
        _phone(other, region_of(one_country if empty(other_country) else other_country)),
    )
    return bool(forms[0] == forms[1])


KINDS: Mapping[str, Callable[[Value], Any]] = {
    "text": _text,
    "exact": _exact,
    "email": _email,
    "digits": _digits,
    "url": _url,
    "phone": _phone,
    "organisation_number": _organisation_number,
    "country": _country,
    "name": _text,
    "full_name": _full_name,
}
QUALIFYING = frozenset({"country"})
"""Kinds that mean something beside other values only: a system gives every address and number its own country."""


def canonical(kind: str, value: Value) -> Any:
    """The form of a value that decides whether it says the same as another of its kind."""
    return KINDS[kind](value)


def stated_form(kind: str, value: Value) -> Any:
    """The same, none for the country that a system gives to whatever names none."""
    form = canonical(kind, value)
    return None if kind in QUALIFYING and form == HOME_REGION else form


def same(kind: str, one: Value, other: Value) -> bool:
    """Whether two values of a kind say the same. No value and an empty text do."""
    if one == other and type(one) is type(other):
        return True
    form = KINDS[kind]
    return bool(form(one) == form(other))


def names_same(one: Sequence[Value], other: Sequence[Value]) -> bool:
    """Whether the parts of two people's names say the same, where one of them has its name whole in one part."""
    mine, its = _stated_texts(one), _stated_texts(other)
    return min(len(mine), len(its)) == 1 and words_of(mine) == words_of(its)


def full_name(parts: Sequence[Value]) -> Value:
    """The form of a name that one side has whole: where the other one divides it makes no difference."""
    return joined(_stated_texts(parts)) or None


def _stated_texts(values: Iterable[Value]) -> list[str]:
    return [value for value in values if isinstance(value, str) and not empty(value)]


def alike(one: Value, other: Value) -> bool:
    """Whether two values say the same in some kind: for where the kind is not known, or not the system's own."""
    return any(same(kind, one, other) for kind in _ALIKE)


_ALIKE = ("text", "organisation_number", "phone", "email", "digits")


# -- what a record is matched by


def match_key(kind: str, value: Value) -> Any:
    """The form that records are matched by; none where a value does not tell records apart."""
    form = canonical(kind, value)
    if not isinstance(form, str):
        return form
    if kind == "organisation_number" and not organisation_number.digits_of(form):
        return None
    # Nobody tells people apart by capitals, and searches do not either.
    return form.casefold()


NAMES = frozenset({"name", "full_name"})
LEAVING = frozenset({"organisation_number", *NAMES})
"""The kinds of which match keys leave something."""


def leftover(kind: str, key: Any, names: Sequence[Any] = ()) -> Any:
    """What is left of a match key without what may be a difference in spelling; none where nothing may.

    Two keys that differ and leave the same may be one value: they are no match, and they do not contradict each other.

    Args:
        kind: the property's.
        key: of its value.
        names: the keys of all parts of the record's name; what is left of one is the whole name.
    """
    if kind in NAMES:
        return " ".join(words_of(_stated_texts(names)))
    return organisation_number.digits_of(key) if kind in LEAVING and isinstance(key, str) else None


# -- what a system is asked for


def search_form(kind: str, value: Value) -> Value:
    """What to ask a system for, to find a value: its one spelling, or a list of those that it may be kept in."""
    if not isinstance(value, str):
        return value
    spellings = list(dict.fromkeys(_SPELLINGS.get(kind, _composed_and_not)(value)))
    return spellings[0] if len(spellings) == 1 else spellings


def alternatives(asked: Value) -> Sequence[Value]:
    """The spellings of what a system is asked for."""
    return asked if isinstance(asked, list) else (asked,)


def each_spelling(criterion: Mapping[str, Value]) -> Iterator[dict[str, Value]]:
    """A criterion as it is asked for by systems that take one value of a property at a time."""
    for values in itertools.product(*map(alternatives, criterion.values())):
        yield dict(zip(criterion, values, strict=True))


def _composed_and_not(value: str) -> Sequence[str]:
    text = value.strip()
    return composed(text), decomposed(text)


def _emails(value: str) -> Sequence[str]:
    address = without_blanks(value)
    return address, address.lower()


def _phones(value: str) -> Sequence[str]:
    text = value.strip()
    number = complete(text)
    if number is None:
        return (text,)
    forms = (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL)
    return text, national_significant_number(number), *(format_number(number, form) for form in forms)


_SPELLINGS: Mapping[str, Callable[[str], Sequence[str]]] = {
    "organisation_number": organisation_number.spellings,
    "email": _emails,
    "phone": _phones,
    "digits": lambda value: (without_blanks(value),),
    "exact": lambda value: (value,),
}
