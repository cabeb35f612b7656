"""A text is a phone number only if that is all it is."""

import pytest
from value_spelling.phone import complete


@pytest.mark.parametrize(
    "text", ["22 33 44 55", "+47 22334455", "004722334455", "(+47) 22 33 44 55", "+46 70-123 45 67"]
)
def test_a_number_however_it_is_spelled_is_one(text):
    assert complete(text) is not None


@pytest.mark.parametrize(
    "text", ["", "112 eller 113", "22334455 ext. 7", "tlf 22334455", "22334455/22334456", "12", "ring oss"]
)
def test_a_text_with_anything_beside_a_number_is_none(text):
    assert complete(text) is None


def test_a_number_is_read_in_the_region_it_is_given():
    assert complete("070-123 45 67", "SE") is not None
    assert complete("070-123 45 67") is None
