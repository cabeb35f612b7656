"""When two values say the same, and when a fingerprint tells them apart."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from record_sync.canonical import KINDS, canonical, same
from record_sync.fingerprint import Fingerprints

PRINTS = Fingerprints(b"k" * 32)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("text", " Fjord AS ", "Fjord AS"),
        ("text", "", None),
        ("text", "A\u030a", "\u00c5"),
        ("email", "Post@Fjord.example.no ", "post@fjord.example.no"),
        ("digits", "974 760 673", "974760673"),
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
        ("url", "https://fjord.example.no/A", "https://fjord.example.no/a"),
    ],
)
def test_what_differs_differs(kind, one, other):
    assert not same(kind, one, other)


@given(st.sampled_from(sorted(KINDS)), st.one_of(st.none(), st.text(), st.integers(), st.floats(allow_nan=False)))
def test_every_value_has_a_form_and_equals_itself(kind, value):
    assert same(kind, value, value)
    canonical(kind, value)


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
