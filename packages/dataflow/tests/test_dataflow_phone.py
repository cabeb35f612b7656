"""Phone numbers go there and back without loss, and what is no phone number is not touched."""

import phonenumbers
import pytest
from dataflow import phone
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from value_spelling.text import composed

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
TYPES = (
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.MOBILE,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.UAN,
    PhoneNumberType.VOIP,
)
EXAMPLES = [
    number
    for region in REGIONS
    for kind in TYPES
    if (number := phonenumbers.example_number_for_type(region, kind)) and phonenumbers.is_valid_number(number)
]
numbers = st.sampled_from(EXAMPLES)
norwegian = (
    st.integers(min_value=20_000_000, max_value=99_999_999)
    .map(str)
    .filter(lambda text: phonenumbers.is_valid_number(phonenumbers.parse(text, "NO")))
)
spelled = st.sampled_from(
    ["{a}{b}{c}{d}", "{a} {b} {c} {d}", "+47 {a}{b} {c}{d}", "0047{a}{b}{c}{d}", "({a}) {b} {c}-{d}"]
)


def parsed(text):
    return phonenumbers.parse(text, "NO")


@pytest.mark.parametrize(
    ("there", "tripletex", "back"),
    [
        ("+47 22 33 44 55", "22334455", "+47 22 33 44 55"),
        ("22334455", "22334455", "+47 22 33 44 55"),
        ("0047 22 33 44 55", "22334455", "+47 22 33 44 55"),
        (" 22\u00a033\u00a044\u00a055 ", "22334455", "+47 22 33 44 55"),
        ("(+47) 22 33 44 55", "22334455", "+47 22 33 44 55"),
        ("+46 (0)8-123 456 78", "+46812345678", "+46 8 123 456 78"),
        ("02800", "02800", "+47 02800"),
        ("+800 1234 5678", "+80012345678", "+800 1234 5678"),
    ],
)
def test_a_number_is_bare_digits_or_e164_in_tripletex_and_international_in_customcrm(there, tripletex, back):
    assert phone.to_tripletex(there) == tripletex
    assert phone.to_customcrm(tripletex) == back
    assert phone.to_tripletex(back) == tripletex


NOT_A_NUMBER = [
    "22 33 44 55 ext. 12",
    "22334455x12",
    "tlf 22334455",
    "22334455 (Kari)",
    "ring etter kl 16",
    "22 33 44 55 / 91 23 45 67",
    "22334455\n91234567",
    "22 33 44",
    "123",
    "+47 2233",
    "+999 22334455",
    "22334455, 91234567",
    "1-800-FLOWERS",
    "00000000",
    "-",
    "+",
    "22334455#1",
    "+55 015 11 96123-4567",  # with the carrier to call it by
]


@pytest.mark.parametrize("text", NOT_A_NUMBER)
def test_what_is_not_one_complete_number_passes_unchanged_both_ways(text):
    assert phone.to_tripletex(text) == text
    assert phone.to_customcrm(text) == text
    assert phone.mobile_to_tripletex(text) == (text, None)
    assert phone.mobile_to_customcrm(text, None) == text


@pytest.mark.parametrize("number", EXAMPLES[::7])
def test_an_extension_is_never_lost(number):
    text = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL) + " ext. 123"
    assert phone.to_customcrm(phone.to_tripletex(text)) == text
    assert phone.mobile_to_customcrm(*phone.mobile_to_tripletex(text)) == text


@settings(deadline=None)
@given(numbers, st.sampled_from([PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL]))
def test_any_countrys_number_is_the_same_number_after_the_round_trip(number, form):
    text = phonenumbers.format_number(number, form)
    assert parsed(phone.to_customcrm(phone.to_tripletex(text))) == number
    assert parsed(phone.mobile_to_customcrm(*phone.mobile_to_tripletex(text))) == number


@settings(deadline=None)
@given(norwegian, spelled)
def test_a_norwegian_number_however_it_is_spelled_is_the_same_number(digits, form):
    text = form.format(a=digits[:2], b=digits[2:4], c=digits[4:6], d=digits[6:])
    assert phone.to_tripletex(text) == digits
    assert phone.mobile_to_tripletex(text) == (digits, "NO")
    assert parsed(phone.to_customcrm(digits)) == parsed(digits)


@settings(deadline=None)
@given(st.one_of(st.text(), st.text("0123456789+ ()-./x#ext\n\u0663"), st.from_regex(r"\+?[0-9 ()-]{3,20}")))
def test_any_text_whatever_either_keeps_its_digits_or_is_untouched(text):
    for there, back in (
        (phone.to_tripletex(text), phone.to_customcrm(phone.to_tripletex(text))),
        (phone.mobile_to_tripletex(text)[0], phone.mobile_to_customcrm(*phone.mobile_to_tripletex(text))),
    ):
        if not text.strip():
            assert there is None
            assert back is None
        elif there == composed(text):
            assert back == composed(text) or parsed(back) == parsed(text)
        else:
            assert parsed(back) == parsed(text)
            assert parsed(back).extension is None


@settings(deadline=None)
@given(st.one_of(st.text(), st.text("0123456789+ ()-")), st.sampled_from([None, "", "NO", "SE", "GB", "XX", "no "]))
def test_what_came_from_tripletex_comes_to_rest_after_one_round_trip(text, country):
    once = phone.mobile_to_customcrm(text, country)
    twice = phone.mobile_to_customcrm(*phone.mobile_to_tripletex(once))
    assert twice == once


@pytest.mark.parametrize(
    ("customcrm", "tripletex"),
    [
        ("+47 91 23 45 67", ("91234567", "NO")),
        ("91234567", ("91234567", "NO")),
        ("+46 70 123 45 67", ("701234567", "SE")),
        ("+39 06 6981 2345", ("0669812345", "VA")),
        ("+47 79 02 12 34", ("79021234", "NO")),
        ("+383 44 123 456", ("+38344123456", None)),
        ("+800 1234 5678", ("+80012345678", None)),
    ],
)
def test_a_mobile_number_has_its_country_apart_in_tripletex(customcrm, tripletex):
    assert phone.mobile_to_tripletex(customcrm) == tripletex
    assert parsed(phone.mobile_to_customcrm(*tripletex)) == parsed(customcrm)


@pytest.mark.parametrize(
    ("number", "country", "customcrm"),
    [
        ("91234567", None, "+47 91 23 45 67"),
        ("912 34 567", "NO", "+47 91 23 45 67"),
        ("070-123 45 67", "SE", "+46 70 123 45 67"),
        ("+46701234567", "NO", "+46 70 123 45 67"),
        ("701234567", "se", "+46 70 123 45 67"),
        ("12345", "SE", "12345"),
        ("37300000", "SE", "+46 37300000"),
        ("12345", "XX", "12345"),
        (None, "NO", None),
        ("", "NO", None),
    ],
)
def test_a_mobile_number_comes_back_with_the_prefix_of_its_country(number, country, customcrm):
    assert phone.mobile_to_customcrm(number, country) == customcrm


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_clearing_a_mobile_number_clears_number_and_country(nothing):
    assert phone.mobile_to_tripletex(nothing) == (None, None)
    assert phone.mobile_to_customcrm(nothing, "NO") is None
    assert phone.to_tripletex(nothing) is None
    assert phone.to_customcrm(nothing) is None


@pytest.mark.parametrize("odd", [22334455, True, ["22334455"], {"a": 1}])
def test_a_value_that_is_no_text_passes_as_it_is(odd):
    assert phone.to_tripletex(odd) == odd
    assert phone.to_customcrm(odd) == odd
    assert phone.mobile_to_tripletex(odd) == (odd, None)
    assert phone.mobile_to_customcrm(odd, "NO") == odd
    assert phone.mobile_to_customcrm("91234567", odd) == "+47 91 23 45 67"


def test_norwegian_numbers_stand_together_as_the_library_has_them():
    for leading in range(200, 1000):
        for rest in ("12345", "00000", "98765"):
            number = phonenumbers.PhoneNumber(47, int(f"{leading}{rest}"))
            international = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
            assert phone._international(number) == international
