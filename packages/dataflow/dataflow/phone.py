"""Phone numbers, both ways, without touching what is not one.

Tripletex keeps Norwegian numbers as their bare digits; a Customcrm gets them the way they are read internationally.
Only a text that is a complete, valid number and nothing else is rewritten: "22 33 44 55 ext. 12", "ring etter kl 16"
and two numbers in one field pass as they are.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberFormat

HOME_REGION = "NO"
HOME_CODE = 47
NOT_COUNTRIES = frozenset({"AC", "TA", "XK"})
"""Regions with numbers of their own that ISO 3166 (and so Tripletex's list of countries) does not have."""
COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS) - NOT_COUNTRIES

_SPACE = " \t\u00a0\u2000-\u200a\u202f"
_LIKE_A_NUMBER = re.compile(rf"\(?\+?[{_SPACE}(]*[0-9][0-9{_SPACE}()./\u2010-\u2015-]*")
_NOT_A_DIGIT = re.compile(r"[^0-9]")


def to_tripletex(value: Any) -> Any:
    """Bare digits of a Norwegian number, E.164 of any other, everything else as it is."""
    if type(value) is not str:
        return value
    number = _complete(value, HOME_REGION)
    if number is None:
        return value if value.strip() else None
    if number.country_code == HOME_CODE:
        return phonenumbers.national_significant_number(number)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def to_customcrm(value: Any) -> Any:
    """As read internationally, "+47 22 33 44 55", for any valid number; everything else as it is."""
    if type(value) is not str:
        return value
    number = _complete(value, HOME_REGION)
    if number is None:
        return value if value.strip() else None
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)


def mobile_to_tripletex(value: Any) -> tuple[Any, Any]:
    """The number without its country's prefix, and the country apart (ISO 3166 alpha-2).

    Where that pair would not lead back to the number, or the text is not a number, the text goes alone: a country left
    over from an earlier number would give it another meaning.
    """
    if type(value) is not str:
        return value, None
    number = _complete(value, HOME_REGION)
    if number is None:
        return (value if value.strip() else None), None
    national = phonenumbers.national_significant_number(number)
    country = HOME_REGION if number.country_code == HOME_CODE else phonenumbers.region_code_for_number(number)
    if country in COUNTRIES and _same(_complete(national, country), number):
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
    number = _complete(value, region)
    if number is None:
        if code != HOME_CODE and _complete(value, HOME_REGION) is not None:
            return f"+{code} {value.strip()}"
        return value if value.strip() else None
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)


@lru_cache(maxsize=8192)
def _complete(text: str, region: str) -> PhoneNumber | None:
    """The valid number that a text is, if that is all it is."""
    text = text.strip()
    if not _LIKE_A_NUMBER.fullmatch(text):
        return None
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) or not _nothing_lost(text, number):
        return None
    return number


def _nothing_lost(text: str, number: PhoneNumber) -> bool:
    """Whether every digit of the text is accounted for: the number, and at most its prefixes before it."""
    digits = _NOT_A_DIGIT.sub("", text)
    national = phonenumbers.national_significant_number(number)
    if not digits.endswith(national):
        return False
    before = digits[: len(digits) - len(national)]
    code = str(number.country_code)
    trunk = _trunk_prefix(number.country_code)
    international = {code, code + trunk}
    if "+" in text:
        return before in international
    return before in {"", trunk, *international} or (before.startswith("00") and before[2:] in international)


@lru_cache(maxsize=256)
def _trunk_prefix(country_code: int) -> str:
    """What is dialled before a number inside its country, as the 0 in 070-123 45 67."""
    metadata = PhoneMetadata.metadata_for_region(phonenumbers.region_code_for_country_code(country_code), None)
    return (metadata.national_prefix or "") if metadata else ""


def _same(one: PhoneNumber | None, other: PhoneNumber) -> bool:
    return one is not None and bool(one == other)
