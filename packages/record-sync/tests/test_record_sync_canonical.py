"""When two values say the same, and when a fingerprint tells them apart."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from record_sync.canonical import KINDS, canonical, each_spelling, same, search_form
from record_sync.fingerprint import Fingerprints

PRINTS = Fingerprints(b"k" * 32)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("text", " Fjord AS ", "Fjord AS"),
        ("text", "", None),
        ("text", "A\u030a", "\u00c5"),
        ("email", "Post@Fjord.example.no ", "post@fjord.example.no"),
        ("email", "\u00a0post@fjord.example.no", "post@fjord.example.no"),
        ("email", "post@ga\u030a.example.no", "post@gå.example.no"),
        ("digits", "974 760 673", "974760673"),
        ("digits", "974\u00a0760\u200b673", "974760673"),
        ("organisation_number", "NO 923 609 016 MVA", "923609016"),
        ("organisation_number", "Org.nr. 923.609.016", "923 609 016"),
        ("organisation_number", "212121-1212", "2121211212"),
        ("organisation_number", 923609016, "923609016"),
        ("organisation_number", " - ", None),
        ("phone", "+47 22 33 44 55", "22334455"),
        ("phone", "0047 22334455", "+4722334455"),
        ("phone", "ring kontoret", "ring kontoret "),
        ("url", "https://Fjord.example.no/", "https://fjord.example.no"),
        ("exact", 7, "7"),
        ("exact", Decimal("7.0"), 7),
    ],
)
def test_what_says_the_same_is_the_same(kind, one, other):
    assert same(kind, one, other)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("text", "Fjord", "fjord"),
        ("text", "0", None),
        ("phone", "+46 8 123 456 78", "22334455"),
        ("phone", "22334455", "22334455 ext. 7"),
        ("phone", "22334455", "tlf 22334455"),
        ("exact", "a", "b"),
        ("organisation_number", "923609016", "923609024"),
        ("organisation_number", "DE123456789", "123456789"),
        ("organisation_number", "ukjent", None),
        ("url", "https://fjord.example.no/A", "https://fjord.example.no/a"),
    ],
)
def test_what_differs_differs(kind, one, other):
    assert not same(kind, one, other)


@given(st.sampled_from(sorted(KINDS)), st.one_of(st.none(), st.text(), st.integers(), st.floats(allow_nan=False)))
def test_every_value_has_a_form_and_equals_itself(kind, value):
    assert same(kind, value, value)
    canonical(kind, value)


@pytest.mark.parametrize(
    ("kind", "value", "asked"),
    [
        ("text", " Ga\u030astol AS ", ["Gåstol AS", "Ga\u030astol AS"]),
        ("text", "Fjord AS", "Fjord AS"),
        ("email", " Post@Fjord.example.no\u00a0", ["Post@Fjord.example.no", "post@fjord.example.no"]),
        ("email", "post@fjord.example.no", "post@fjord.example.no"),
        ("digits", "12 34", "1234"),
        ("phone", "+47 22 33 44 55", ["+47 22 33 44 55", "22334455", "+4722334455", "22 33 44 55"]),
        ("phone", "ring oss", "ring oss"),
        ("exact", "a ", "a "),
        ("exact", 7, 7),
        ("organisation_number", "212121-1212", ["2121211212", "212121-1212", "SE212121121201"]),
    ],
)
def test_a_system_is_asked_for_the_spellings_that_it_may_keep_a_value_in(kind, value, asked):
    assert search_form(kind, value) == asked


@given(st.sampled_from(sorted(KINDS)), st.text(min_size=1))
def test_what_a_system_is_asked_for_says_the_same(kind, value):
    asked = search_form(kind, value)
    forms = [canonical(kind, one) for one in (asked if isinstance(asked, list) else [asked])]
    assert any(form == canonical(kind, value) for form in forms)


def test_each_spelling_of_a_criterion_is_asked_for_with_each_of_the_others():
    asked = list(each_spelling({"firstName": ["Åse", "A\u030ase"], "email": "a@example.no", "lastName": ["1", "2"]}))
    assert [tuple(one) for one in asked] == [("firstName", "email", "lastName")] * 4
    assert [one["firstName"] + one["lastName"] for one in asked] == ["Åse1", "Åse2", "A\u030ase1", "A\u030ase2"]


def test_fingerprints_do_not_depend_on_how_a_number_is_written_or_on_key_order():
    assert PRINTS.of(1) == PRINTS.of(1.0) == PRINTS.of(Decimal("1.00"))
    assert PRINTS.of({"a": 1, "b": 2}) == PRINTS.of({"b": 2, "a": 1})
    assert PRINTS.of_record({"a": 1, "b": 2}) == PRINTS.of_record({"b": 2, "a": 1})


def test_fingerprints_tell_kinds_apart():
    marks = [PRINTS.of(value) for value in (None, "", "n", 1, "1", True, [1], ["1"], {"a": None})]
    assert len(set(marks)) == len(marks)


def test_fingerprints_of_another_store_are_others():
    assert PRINTS.of("Kari") != Fingerprints(b"x" * 32).of("Kari")


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_every_value_has_a_fingerprint(value):
    assert len(PRINTS.of(value)) == 8
