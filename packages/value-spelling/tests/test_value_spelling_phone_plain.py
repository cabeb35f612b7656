"""Norwegian numbers as most are written are told without the library, and as the library tells them."""

import random

import phonenumbers
import pytest
from value_spelling.phone import _plain, complete


def by_the_library(text):
    try:
        number = phonenumbers.parse(text, "NO")
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def test_every_beginning_is_valid_where_the_library_says_so():
    chance = random.Random(7)  # noqa: S311
    for leading in range(200, 1000):
        for _ in range(2):
            text = f"{leading}{chance.randrange(10**5):05d}"
            told = _plain(text)
            assert told == by_the_library(text) or (told is None and complete(text) == by_the_library(text)), text


@pytest.mark.parametrize(
    "text", ["22334455", "22 33 44 55", "+4722334455", "+47 22 33 44 55", "004722334455", "0047 22334455", "912 34 567"]
)
def test_the_usual_spellings_need_no_library(text):
    assert _plain(text) == by_the_library(text) is not None


@pytest.mark.parametrize("text", ["4722334455", "+46 8 123 456 78", "02800", "22  33 44 55", "2233445", "223344556"])
def test_all_others_do(text):
    assert _plain(text) is None
