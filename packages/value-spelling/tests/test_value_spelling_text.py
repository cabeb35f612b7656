"""Characters that look alike are one, and what shows as nothing is nothing."""

import unicodedata

import pytest
from value_spelling.text import composed, decomposed, without_blanks


def test_a_letter_with_its_ring_apart_is_one_character():
    assert composed("Ga\u030astol") == "Gåstol"
    assert decomposed("Gåstol") == "Ga\u030astol" == unicodedata.normalize("NFD", "Gåstol")


@pytest.mark.parametrize("text", ["kari@example.no", "", "A B"])
def test_plain_letters_are_the_same_in_either_form(text):
    assert composed(text) is text
    assert decomposed(text) is text


@pytest.mark.parametrize(
    "blank", [" ", "\t", "\r\n", "\u00a0", "\u202f", "\u3000", "\u200b", "\ufeff", "\u00ad", "\u2060"]
)
def test_no_kind_of_blank_is_left(blank):
    assert without_blanks(f"{blank}kari@{blank}{blank}example.no{blank}") == "kari@example.no"
