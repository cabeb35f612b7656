"""Organisation numbers: ``NO 923 609 016 MVA``, ``Org.nr. 923.609.016`` and ``923609016`` are one number."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_PART = re.compile(r"\d+|[^\W\d_]+")
_LABEL = re.compile(
    r"ORG\w*|FORETAK\w*|ENHET\w*|\w*NUMMER|\w*NUMBER|\w*NR|REG\w*|BRREG|CVR|VAT|TAX|ID|MVA|NO|NOR|NORGE"
)
"""Words beside a number that say what it is, or that it is a Norwegian one, and not which one it is."""
_NATIONAL = re.compile(r"SE(\d{10})(?:01)?|16(\d{10})|DK(\d{8})")
"""A Swedish number with its country (the VAT number has 01 behind it) or its century, and a Danish one."""
_DIGITS = re.compile(r"\d+")
NORWEGIAN = 9
"""Digits of a Norwegian number."""
SWEDISH = 10
DANISH = 8
_WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2, 1)


def number_of(text: str) -> str:
    """The number in a text, its digits and the letters that belong to it; whatever else there is where it has none.

    Two texts with the same are the same number. An empty text: nothing is said.
    """
    return text if len(text) == NORWEGIAN and text.isascii() and text.isdecimal() else _number_of(text)


@lru_cache(maxsize=4096)
def _number_of(text: str) -> str:
    parts: list[str] = _PART.findall(unicodedata.normalize("NFKC", text).upper())
    number = "".join([part for part in parts if not _LABEL.fullmatch(part)])
    national = _NATIONAL.fullmatch(number)
    return number if national is None else next(filter(None, national.groups()))


def digits_of(number: str) -> str:
    """The longest row of digits of a number: where these are the same, two numbers do not contradict each other.

    A country, a register or a remark may stand before or behind the one, and not the other. Empty where there are none.
    """
    return max(_DIGITS.findall(number), key=len, default="")


def is_norwegian(number: str) -> bool:
    """Whether nine digits are surely a Norwegian number: the last one is the check digit of the others."""
    if not re.fullmatch(r"[89][0-9]{8}", number):
        return False
    return sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=True)) % 11 == 0


def spellings(text: str) -> list[str]:
    """How systems may keep the number of a text, the likeliest first; as it is written is among them."""
    number, written = number_of(text), text.strip()
    if not number.isdecimal():
        likely = [written, number]
    elif len(number) == NORWEGIAN:
        parts = (number[:3], number[3:6], number[6:])
        spaced = " ".join(parts)
        likely = [
            number, spaced, written, f"NO {spaced} MVA", f"NO{number}MVA", f"{number}MVA", f"{spaced} MVA",
            f"NO {spaced}", f"NO{number}", f"{number} MVA", "\u00a0".join(parts), ".".join(parts),
            f"Org.nr. {spaced}", f"Org.nr. {number}",
        ]  # fmt: skip
    elif len(number) == SWEDISH:
        likely = [number, f"{number[:6]}-{number[6:]}", written, f"SE{number}01"]
    elif len(number) == DANISH:
        likely = [number, " ".join((number[:2], number[2:4], number[4:6], number[6:])), written, f"DK{number}"]
    else:
        likely = [written, number]
    return [one for one in dict.fromkeys(likely) if one]
