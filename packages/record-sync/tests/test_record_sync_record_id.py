import pytest
from record_sync.record_id import LONGEST, fault_of, storable


@pytest.mark.parametrize("record_id", ["0", "c-17", "a/b?c#d", "../x", "%2e%2e", "a,b", "æøå", "...", "x" * LONGEST])
def test_whatever_an_address_can_hold_encoded_is_an_id(record_id):
    assert fault_of(record_id) is None
    assert storable(record_id) == record_id


@pytest.mark.parametrize(
    ("record_id", "fault"),
    [
        ("", "empty"),
        (" \t", "empty"),
        (".", "another resource"),
        ("..", "another resource"),
        ("x" * (LONGEST + 1), "longer than 500 characters"),
        ("x\ud800", "half a character"),
    ],
)
def test_what_would_ask_for_something_else_or_fit_nowhere_is_none(record_id, fault):
    assert fault in fault_of(record_id)


def test_what_stands_for_half_a_character_is_no_better_than_it():
    assert "half a character" in fault_of("x\N{REPLACEMENT CHARACTER}")


def test_long_ids_wait_under_short_names_that_differ():
    one, other = storable("x" * 1000), storable("x" * 1001)
    assert one != other
    assert len(one) < LONGEST
    assert storable("x" * 1000) == one
