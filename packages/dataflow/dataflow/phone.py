"""Phone numbers, both ways, without touching what is not one.

Tripletex keeps Norwegian numbers as their bare digits; a Customcrm gets them the way they are read internationally.
A number without a prefix is one of the record's country, where the table names the property that holds it.
Only a text that is a complete, valid number and nothing else is rewritten: "22 33 44 55 ext. 12", "ring etter kl 16"
and two numbers in one field pass as they are.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberFormat
from value_spelling.phone import HOME_REGION, complete, region_of
from value_spelling.text import composed

HOME_CODE = 47
NORWEGIAN = 8
"""Digits of a Norwegian number."""
LEADING = 3
"""Digits that tell how such a number is written."""
NOT_COUNTRIES = frozenset({"AC", "TA", "XK"})
"""Regions with numbers of their own that ISO 3166 (and so Tripletex's list of countries) does not have."""
COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS) - NOT_COUNTRIES


def to_tripletex(value: Any, country: Any = None) -> Any:
    """Bare digits of a Norwegian number on a Norwegian record, E.164 of any other, everything else as it is.

    A number without its country's prefix is one of the record's country.
    """
    if type(value) is not str:
        return value
    region = region_of(country)
    number = complete(value, region)
    if number is None:
        return _as_it_is(value)
    if number.country_code == HOME_CODE and region == HOME_REGION:
        return phonenumbers.national_significant_number(number)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def to_customcrm(value: Any, country: Any = None) -> Any:
    """As read internationally, "+47 22 33 44 55", for any number valid in its country; everything else as it is."""
    if type(value) is not str:
        return value
    number = complete(value, region_of(country))
    if number is None:
        return _as_it_is(value)
    return _international(number)


def mobile_to_tripletex(value: Any) -> tuple[Any, Any]:
    """The number without its country's prefix, and the country apart (ISO 3166 alpha-2).

    Where that pair would not lead back to the number, or the text is not a number, the text goes alone: a country left
    over from an earlier number would give it another meaning.
    """
    if type(value) is not str:
        return value, None
    number = complete(value, HOME_REGION)
    if number is None:
        return _as_it_is(value), None
    national = phonenumbers.national_significant_number(number)
    country = HOME_REGION if number.country_code == HOME_CODE else phonenumbers.region_code_for_number(number)
    if country in COUNTRIES and _same(complete(national, country), number):
        return national, country
    return phonenumbers.format_number(number, PhoneNumberFormat.E164), None


def mobile_to_customcrm(value: Any, country: Any) -> Any:
    """The number with its country's prefix, read internationally.

    What is no number of its country stays, unless it would then be taken for a Norwegian one: it gets the prefix.
    """
    if type(value) is not str:
        return value
    region = country.strip().upper() if isinstance(country, str) else HOME_REGION
    code = phonenumbers.country_code_for_region(region)
    if not code:  # no country, or one without numbers of its own
        region, code = HOME_REGION, HOME_CODE
    number = complete(value, region)
    if number is None:
        if code != HOME_CODE and complete(value, HOME_REGION) is not None:
            return f"+{code} {value.strip()}"
        return _as_it_is(value)
    return _international(number)


def _as_it_is(value: str) -> str | None:
    return composed(value) if value.strip() else None


def _international(number: phonenumbers.PhoneNumber) -> str:
    digits = str(number.national_number)
    if number.country_code != HOME_CODE or len(digits) != NORWEGIAN or number.italian_leading_zero:
        return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    return f"+{HOME_CODE} {' '.join([digits[start:end] for start, end in _groups(digits[:LEADING])])}"


@lru_cache(maxsize=1000)
def _groups(leading: str) -> tuple[tuple[int, int], ...]:
    """How the digits of a Norwegian number stand together: its first ones tell."""
    number = phonenumbers.PhoneNumber(HOME_CODE, int(leading.ljust(NORWEGIAN, "0")))
    groups = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL).split(" ")[1:]
    ends = list(accumulate(map(len, groups)))
    return tuple(zip([0, *ends], ends, strict=False))


def _same(one: phonenumbers.PhoneNumber | None, other: phonenumbers.PhoneNumber) -> bool:
    return one is not None and bool(one == other)
