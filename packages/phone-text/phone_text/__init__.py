"""Whether a text is a phone number, all of it and nothing else.

"22 33 44 55 ext. 12", "ring etter kl 16" and two numbers in one field are none: whoever rewrites or compares numbers
must not lose what stands beside them.
"""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber

HOME_REGION = "NO"
"""A number without a country is a Norwegian one."""

_SPACE = " \t\u00a0\u2000-\u200a\u202f"
_LIKE_A_NUMBER = re.compile(rf"\(?\+?[{_SPACE}(]*[0-9][0-9{_SPACE}()./\u2010-\u2015-]*")
_NOT_A_DIGIT = re.compile(r"[^0-9]")


@lru_cache(maxsize=8192)
def complete(text: str, region: str = HOME_REGION) -> PhoneNumber | None:
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
