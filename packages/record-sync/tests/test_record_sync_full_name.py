"""A name that one side has whole: where the other one divides it makes no difference, and nothing else does not."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from record_sync.fingerprint import Fingerprints
from record_sync.matching import Candidate, MatchKind, contradicts, first_match, keys_of
from record_sync.plan import Verdict, plan
from record_sync.record import SourceRecord, TargetRecord
from record_sync.rules import FlowRules

PRINTS = Fingerprints(b"k" * 32)
NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)
MATCH = {"customcrm": [["Email", "FullName"], ["Email"]], "tripletex": [["email", "first", "last"], ["email"]]}


def rules(to="tripletex"):
    whole = {"x-compare": "full_name"}
    properties = {
        "tripletex": {
            "first": {**whole, "x-from": ["FullName"]},
            "last": {**whole, "x-from": ["FullName"]},
            "email": {"x-compare": "email", "x-from": ["Email"]},
        },
        "customcrm": {
            "FullName": {**whole, "x-from": ["first", "last"]},
            "Email": {"x-compare": "email", "x-from": ["email"]},
        },
    }[to]
    sync = {
        "flow": "contact",
        "from": "customcrm" if to == "tripletex" else "tripletex",
        "to": to,
        "resource": {"customcrm": "contact", "tripletex": "contact"},
        "match_on": MATCH[to],
    }
    return FlowRules.from_schema({"x-sync": sync, "properties": properties}, to)


def name_unit(to="tripletex"):
    return rules(to).units[0]


def parts(first, last):
    return {"first": first, "last": last}


@pytest.mark.parametrize(
    ("one", "other", "are"),
    [
        (("Kari Anne", "Nordmann"), ("Kari", "Anne Nordmann"), True),
        (("Kari Anne", "Nordmann"), ("Kari  Anne ", "Nordmann"), True),
        (("Kari", None), (None, "Kari"), True),
        (("Kari", None), ("", "Kari"), True),
        (("Kari", "Nordmann"), ("Nordmann,", "Kari"), True),
        ((None, None), ("", " "), True),
        (("Kari", "Nordmann"), ("Nordmann", "Kari"), False),
        (("Kari", "Nordmann"), ("kari", "Nordmann"), False),
        (("Kari Anne", "Nordmann"), ("Kari", "Nordmann"), False),
        (("Kari", None), (None, None), False),
    ],
)
def test_what_is_joined_the_same_is_the_same(one, other, are):
    unit = name_unit()
    assert unit.same(parts(*one), parts(*other)) is are
    assert unit.same(parts(*other), parts(*one)) is are
    assert (unit.stated_forms(parts(*one)) == unit.stated_forms(parts(*other))) is are


@pytest.mark.parametrize(("whole", "are"), [("Kari  Nordmann", True), ("Nordmann, Kari", True), ("Kari Norman", False)])
def test_a_whole_name_is_compared_as_it_is_said(whole, are):
    assert name_unit("customcrm").same({"FullName": whole}, {"FullName": "Kari Nordmann"}) is are


def planned(ours, theirs):
    incoming = SourceRecord("s", "2", NOON, {**parts(*ours), "email": None}, {"FullName": "x", "Email": None})
    current = TargetRecord("t", "2", NOON, {**parts(*theirs), "email": None})
    return plan(incoming, (name_unit(),), None, current, rules(), PRINTS), incoming, current


def test_a_name_divided_otherwise_is_agreed_on_and_another_one_is_decided():
    made, *_ = planned(("Kari Anne", "Nordmann"), ("Kari", "Anne Nordmann"))
    assert [one.verdict for one in made.decisions] == [Verdict.AGREED]
    made, incoming, current = planned(("Kari Anne", "Hansen"), (None, None))
    assert made.writes(incoming, current) == parts("Kari Anne", "Hansen")


def candidate(key, first, last, email="post@example.no"):
    return Candidate(key, keys_of({**parts(first, last), "email": email}, rules()))


def sought(first, last):
    return keys_of({**parts(first, last), "email": "post@example.no"}, rules())


def test_of_people_with_one_address_the_one_of_that_name_is_found_however_it_is_divided():
    found = first_match(
        sought("Kari Anne", "Nordmann"),
        [candidate("1", "Ola", "Dahl"), candidate("2", "Kari", "Anne Nordmann"), candidate("3", "Kari", "Nordmann")],
        (),
        MATCH["tripletex"],
    )
    assert (found.kind, found.id) == (MatchKind.FOUND, "2")
    alone = first_match(sought("Kari", "Nordmann"), [candidate("1", "Ola", "Dahl")], (), MATCH["tripletex"])
    assert alone.kind is MatchKind.NONE


def test_a_single_word_is_no_contradiction_wherever_it_stands():
    assert not contradicts(MATCH["tripletex"][:1], sought("Kari", None), candidate("1", None, "kari").keys)
    assert contradicts(MATCH["tripletex"][:1], sought("Kari", None), candidate("1", "Ola", "Dahl").keys)
