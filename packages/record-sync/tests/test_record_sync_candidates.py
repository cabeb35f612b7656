"""Records filed by what they can be matched by, and found again."""

from __future__ import annotations

from record_sync.candidates import Candidates, keys_under

CRITERIA = (("number",), ("name", "city"))
PATHS = ("number", "name", "city")


def mark(text: str) -> bytes:
    """What stands for a value: a fingerprint is eight bytes."""
    return text.encode().rjust(8)


def filed(candidates: Candidates, record_id: str, **values: str) -> list[bytes]:
    keys = {path: mark(value) for path, value in values.items()}
    under = keys_under(CRITERIA, keys)
    candidates.add(record_id, keys, under)
    return under


def test_a_record_is_found_by_each_criterion_that_it_has_all_values_of() -> None:
    candidates = Candidates(PATHS)
    by_number, by_name = filed(candidates, "7", number="900", name="Kari", city="Oslo")
    filed(candidates, "8", name="Kari")
    for key in (by_number, by_name):
        (found,) = candidates.find({key})[key]
        assert found.id == "7"
        assert found.keys == {"number": mark("900"), "name": mark("Kari"), "city": mark("Oslo")}
    assert candidates.find({b"\x01" + mark("Kari")}) == {}


def test_what_was_filed_last_of_a_record_comes_last() -> None:
    candidates = Candidates(PATHS)
    (key,) = filed(candidates, "7", number="900")
    filed(candidates, "6", number="900")
    candidates.find(set())
    filed(candidates, "7", number="900", name="Kari")
    found = candidates.find({key})[key]
    assert [(one.id, "name" in one.keys) for one in found] == [("7", False), ("6", False), ("7", True)]


def test_many_are_looked_for_together() -> None:
    candidates = Candidates(PATHS)
    keys = [key for number in range(2500) for key in filed(candidates, str(number), number=str(number))]
    found = candidates.find({*keys, b"\x00" + mark("none")})
    assert {key: [one.id for one in some] for key, some in found.items()} == {
        key: [str(number)] for number, key in enumerate(keys)
    }


def test_keys_that_share_a_place_bring_one_another_s_records() -> None:
    class Placed(bytes):
        def __hash__(self) -> int:
            return 7

    candidates = Candidates(PATHS)
    one, other = Placed(b"\x00one     "), Placed(b"\x00other   ")
    candidates.add("1", {"number": mark("one")}, [one])
    candidates.add("2", {"number": mark("other")}, [other])
    found = candidates.find({one})[one]
    assert {candidate.id: candidate.keys["number"] for candidate in found} == {"1": mark("one"), "2": mark("other")}
