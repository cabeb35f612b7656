"""Texts as all of the systems take them for the same: composed characters, no blanks where none belong."""

from __future__ import annotations

import re
import unicodedata

_BLANKS = re.compile(r"[\s\u00ad\u200b-\u200f\u2060\ufeff]+")
"""All that shows as nothing: blanks of every width, the ones that do not break, and marks without a width."""


def composed(text: str) -> str:
    """The text in Unicode's form NFC: "å" is one character, also where it was typed on a Mac."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def decomposed(text: str) -> str:
    """The text in Unicode's form NFD: "å" is an "a" with a ring behind it."""
    return text if text.isascii() else unicodedata.normalize("NFD", text)


def without_blanks(text: str) -> str:
    """The text composed, and without anything in it that shows as a blank or as nothing."""
    return _BLANKS.sub("", composed(text))
