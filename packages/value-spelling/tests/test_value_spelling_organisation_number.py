"""However an organisation number is written, it is the same number; and no other one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from value_spelling.organisation_number import digits_of, is_norwegian, number_of, spellings

NORWEGIAN = [
    "923609016", "923 609 016", "923.609.016", "923-609-016", "923 60 90 16", "923\u00a0609\u00a0016",
    "923\u202f609\u2009016", "923\u200b609016", "\ufeff923609016 ", "NO 923 609 016 MVA", "NO923609016MVA",
    "no923609016mva", "923609016MVA", "923 609 016 MVA", "NO-923609016", "Org.nr. 923 609 016", "Orgnr: 923609016",
    "org nr 923609016", "Organisasjonsnummer: 923 609 016", "Org. no. 923609016", "Foretaksregisteret 923 609 016 MVA",
    "VAT no. NO923609016MVA", "\uff19\uff12\uff13609016",
]  # fmt: skip
SWEDISH = [
    "2121211212",
    "212121-1212",
    "212121 1212",
    "SE212121121201",
    "SE 212121-1212 01",
    "162121211212",
    "SE2121211212",
]
DANISH = ["12345678", "12 34 56 78", "DK12345678", "DK 12 34 56 78", "CVR-nr. 12345678"]


@pytest.mark.parametrize(("number", "texts"), [("923609016", NORWEGIAN), ("2121211212", SWEDISH), ("12345678", DANISH)])
def test_every_spelling_is_the_number(number, texts):
    assert {text: number_of(text) for text in texts} == dict.fromkeys(texts, number)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("923609016", "923609024"),
        ("DE123456789", "123456789"),
        ("SC123456", "NI123456"),
        ("FI12345678", "DK12345678"),
        ("2121211212", "212121121201"),
    ],
)
def test_other_numbers_are_others(one, other):
    assert number_of(one) != number_of(other)


@pytest.mark.parametrize("text", ["", " ", "-", "\u00a0", "Org.nr.", "?/?"])
def test_nothing_is_no_number(text):
    assert number_of(text) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("DE 123456789", "123456789"),
        ("923609016 (Brønnøysund)", "923609016"),
        ("hovedenhet 923 609 016", "923609016"),
        ("FI12345678", "1234567-8"),
        ("FN 123456a", "123456"),
    ],
)
def test_what_stands_beside_a_number_leaves_its_digits(one, other):
    assert digits_of(number_of(one)) == digits_of(number_of(other)) != ""


@pytest.mark.parametrize("text", NORWEGIAN + SWEDISH + DANISH)
def test_the_spellings_of_a_number_hold_the_plain_one_first_and_the_one_it_is_written_in(text):
    first, *_ = every = spellings(text)
    assert first == number_of(text)
    assert text.strip() in every
    assert {number_of(one) for one in every} == {number_of(text)}


@pytest.mark.parametrize(
    ("number", "norwegian"),
    [
        ("923609016", True),
        ("810034882", True),
        ("923609017", False),
        ("732829320", False),
        ("23609016", False),
        ("٩٢٣٦٠٩٠١٦", False),
    ],
)
def test_a_norwegian_number_is_told_by_its_check_digit(number, norwegian):
    assert is_norwegian(number) is norwegian


@given(st.text())
def test_whatever_a_text_is_its_spellings_say_something(text):
    assert digits_of(number_of(text)) in number_of(text)
    assert all(spellings(text))
