"""A person's name in one text, and in two."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from value_spelling.name import divided, joined


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Kari Nordmann", ("Kari", "Nordmann")),
        ("Kari Anne Nordmann", ("Kari Anne", "Nordmann")),
        ("  Kari\u00a0 Anne\n Nordmann ", ("Kari Anne", "Nordmann")),
        ("Nordmann, Kari Anne", ("Kari Anne", "Nordmann")),
        ("Nordmann,Kari", ("Kari", "Nordmann")),
        ("Kari Nordmann, siv.ing.", ("Kari Nordmann,", "siv.ing.")),
        ("Nordmann, Kari, dr.", ("Nordmann, Kari,", "dr.")),
        ("Nordmann,", ("Nordmann,", "")),
        (", Kari", (",", "Kari")),
        ("Kari", ("Kari", "")),
        ("Nordmann-Hansen", ("Nordmann-Hansen", "")),
        (unicodedata.normalize("NFD", "Åse Ås"), ("Åse", "Ås")),
        ("", ("", "")),
        (" \n", ("", "")),
    ],
)
def test_the_last_word_is_the_last_name(name, parts):
    assert divided(name) == parts
    assert joined(parts) == joined([name])


@given(st.text())
def test_a_name_that_is_divided_and_joined_is_the_same_name(name):
    assert joined(divided(name)) == joined([name]) == joined([joined([name])])


@given(st.text(), st.text())
def test_a_name_that_is_joined_and_divided_elsewhere_is_the_same_name(first, last):
    whole = joined([first, last])
    assert joined(divided(whole)) == whole
