"""Conversions come in pairs, know no value from a value, and let through what they do not understand."""

import unicodedata
from decimal import Decimal
from pathlib import Path

import pytest
from dataflow.conversion import BY_TYPE, CONVERSIONS, LINK
from dataflow.side import CUSTOMCRM, TO_CUSTOMCRM, TO_TRIPLETEX, TRIPLETEX
from dataflow.tables import Dataflow
from hypothesis import given
from hypothesis import strategies as st
from record_sync.canonical import KINDS

ONE_TO_ONE = [one for one in [*CONVERSIONS.values(), LINK] if len(one.tripletex) == 1]
TEXTS = [one for one in ONE_TO_ONE if one.customcrm == "string" and one.tripletex == ("string",)]


@pytest.mark.parametrize("conversion", ONE_TO_ONE, ids=lambda one: one.name)
@pytest.mark.parametrize("odd", [None, {"a": 1}, ["x"], Decimal("1.50"), 3, True])
def test_null_stays_null_and_a_value_of_another_type_never_raises(conversion, odd):
    there, back = conversion.to_tripletex(odd), conversion.to_customcrm(odd)
    if odd is None:
        assert there is None
        assert back is None
    if isinstance(odd, (dict, list)):
        assert there is odd
        assert back is odd


@pytest.mark.parametrize("conversion", TEXTS, ids=lambda one: one.name)
@pytest.mark.parametrize("nothing", ["", " ", "\n\t", "\u00a0"])
def test_an_empty_text_is_no_value_both_ways(conversion, nothing):
    assert conversion.to_tripletex(nothing) is None
    assert conversion.to_customcrm(nothing) is None


@given(st.text().filter(str.strip))
def test_a_text_is_carried_as_it_is_with_its_characters_composed(text):
    composed = unicodedata.normalize("NFC", text)
    assert CONVERSIONS["text"].to_tripletex(text) == composed
    assert CONVERSIONS["text"].to_customcrm(text) == composed


@pytest.mark.parametrize("conversion", TEXTS, ids=lambda one: one.name)
def test_every_text_is_written_with_its_characters_composed(conversion):
    assert conversion.to_tripletex("ga\u030a@example.no") in ("gå@example.no", "GÅ@EXAMPLE.NO")
    assert conversion.to_customcrm("ga\u030a@example.no") in ("gå@example.no", "GÅ@EXAMPLE.NO")


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_the_spaces_of_digits_go_and_nothing_else(text):
    converted = CONVERSIONS["digits"].to_tripletex(text)
    assert (converted or "") == "".join(text.split())
    assert CONVERSIONS["digits"].to_tripletex(CONVERSIONS["digits"].to_customcrm(converted)) == converted


@pytest.mark.parametrize(
    ("there", "tripletex"),
    [
        ("923 609 016", "923609016"),
        ("NO 923.609.016 MVA", "923609016"),
        ("923\u00a0609\u00a0016", "923609016"),
        ("Org.nr. 923 609 016", "923609016"),
        ("212121-1212", "212121-1212"),
        ("SE 212121-1212 01", "2121211212"),
        ("DE 123 456 789", "DE123456789"),
        ("ikke registrert", "ikkeregistrert"),
    ],
)
def test_an_organisation_number_is_written_to_tripletex_as_its_digits_and_stays_in_the_crm(there, tripletex):
    conversion = CONVERSIONS["organisation-number"]
    assert conversion.to_tripletex(there) == tripletex
    assert conversion.to_customcrm(tripletex) == tripletex


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u200b", "\n"])
def test_an_email_address_is_written_without_blanks(blank):
    assert CONVERSIONS["email"].to_tripletex(f"{blank}Kari@{blank}example.no{blank}") == "Kari@example.no"


@given(st.integers(min_value=-(10**17), max_value=10**17))
def test_an_integer_in_a_text_comes_back(number):
    conversion = CONVERSIONS["integer-in-text"]
    assert conversion.to_tripletex(str(number)) == number
    assert conversion.to_customcrm(number) == str(number)


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_a_number_in_a_text_comes_back_without_an_exponent(number):
    conversion = CONVERSIONS["number-in-text"]
    text = conversion.to_customcrm(number)
    assert "E" not in text
    assert conversion.to_tripletex(text) == number


@pytest.mark.parametrize("text", ["tolv", "12,50", "1e3", "0x10", "NaN", "٣"])
def test_a_text_that_is_no_number_passes_as_it_is(text):
    assert CONVERSIONS["integer-in-text"].to_tripletex(text) == text
    assert CONVERSIONS["number-in-text"].to_tripletex(text) == text


def test_inverted_is_its_own_inverse():
    conversion = CONVERSIONS["inverted"]
    assert [conversion.to_customcrm(conversion.to_tripletex(value)) for value in (True, False, None)] == [
        True,
        False,
        None,
    ]


@pytest.mark.parametrize(
    ("text", "date"),
    [("2026-11-22T10:00:00Z", "2026-11-22"), ("2026-11-22", "2026-11-22"), ("22.11.2026", "22.11.2026")],
)
def test_a_date_is_what_stands_before_the_time(text, date):
    assert CONVERSIONS["date"].to_tripletex(text) == date


@pytest.mark.parametrize(
    ("whole", "first", "last"),
    [
        ("Kari Anne Nordmann", "Kari Anne", "Nordmann"),
        ("Kari", "Kari", None),
        (" ", None, None),
        (None, None, None),
        (["x"], ["x"], None),
        (7, 7, None),
    ],
)
def test_a_full_name_is_divided_before_its_last_word(whole, first, last):
    assert CONVERSIONS["full-name"].to_tripletex(whole) == (first, last)
    assert CONVERSIONS["full-name"].to_customcrm(first, last) == (None if whole == " " else whole)


@pytest.mark.parametrize(
    ("first", "last", "whole"),
    [
        ("Kari", "Anne Nordmann", "Kari Anne Nordmann"),
        (None, "Nordmann", "Nordmann"),
        ("", "Nordmann", "Nordmann"),
        ("Kari ", " Nordmann", "Kari Nordmann"),
        ("Kari", 7, 7),
        ({}, None, {}),
    ],
)
def test_first_and_last_name_are_joined_by_a_blank(first, last, whole):
    assert CONVERSIONS["full-name"].to_customcrm(first, last) == whole


@pytest.mark.parametrize(("raw", "text"), [(17, "17"), (0, "0"), ("c-17", "c-17"), ("", None), (None, None)])
def test_an_id_is_text(raw, text):
    assert LINK.to_tripletex(raw) == text
    assert LINK.to_customcrm(raw) == text


def test_every_conversion_is_complete_on_both_sides():
    for conversion in CONVERSIONS.values():
        for side in (CUSTOMCRM, TRIPLETEX):
            assert len(conversion.types(side)) == len(conversion.compare(side))
            assert set(conversion.compare(side)) <= KINDS.keys()
        for direction in (TO_CUSTOMCRM, TO_TRIPLETEX):
            assert callable(conversion.convert(direction))
        assert conversion.meaning
    assert set(BY_TYPE.values()) <= set(CONVERSIONS)


@pytest.mark.parametrize(
    ("text", "tripletex"),
    [
        ("a@example.no", "a@example.no"),
        ("a@example.no, b@example.no", "a@example.no;b@example.no"),
        (" a@example.no ;b@example.no; ", "a@example.no;b@example.no"),
        (" ;, ", None),
    ],
)
def test_several_addresses_go_to_tripletex_with_semicolons_between_them(text, tripletex):
    assert CONVERSIONS["emails"].to_tripletex(text) == tripletex
    assert CONVERSIONS["emails"].to_customcrm(text) == text


def test_a_text_is_cut_to_what_tripletex_takes_and_comes_back_as_it_is():
    row = {"customcrm": "Name", "tripletex": "name", "cut": True}
    table = {"flow": "customer", "customcrm": "customer", "tripletex": "customer", "match_on": [["name"]]}
    dataflow = Dataflow.load([{**table, "properties": [row]}], Path())
    there, back = (dataflow.legs(dataflow.flows[0], one)[0].convert for one in (TO_TRIPLETEX, TO_CUSTOMCRM))
    assert there("A" * 256) == "A" * 255
    assert there("A" * 254 + " B") == "A" * 254
    assert (there("Alfa AS"), there(None), there(5)) == ("Alfa AS", None, 5)
    assert back("A" * 256) == "A" * 256


def test_only_a_table_that_cuts_has_another_digest():
    table = {"flow": "customer", "customcrm": "customer", "tripletex": "customer", "match_on": [["name"]]}
    rows = [{"customcrm": "Name", "tripletex": "name", **more} for more in ({}, {"cut": False}, {"cut": True})]
    plain, not_cut, cut = (Dataflow.load([{**table, "properties": [one]}], Path()) for one in rows)
    assert plain.digest(plain.flows[0]) == not_cut.digest(not_cut.flows[0]) != cut.digest(cut.flows[0])
