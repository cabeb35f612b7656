"""First match: who is who, and when that cannot be told."""

import pytest
from record_sync.matching import Candidate, MatchKind, first_match, keys_of
from record_sync.testing.world import rules

COMPANY = (("organizationNumber",), ("email",))
PERSON = (("email", "firstName", "lastName"), ("email",))


def match(keys, candidates, linked=(), match_on=COMPANY):
    return first_match(keys, [Candidate(name, found) for name, found in candidates.items()], set(linked), match_on)


def test_the_strongest_criterion_decides():
    found = match(
        {"organizationNumber": "1", "email": "a"},
        {"x": {"email": "a"}, "y": {"organizationNumber": "1", "email": "b"}},
    )
    assert found.id == "y"


def test_a_weaker_criterion_serves_where_the_stronger_says_nothing():
    assert match({"organizationNumber": "1", "email": "a"}, {"x": {"email": "a"}}).id == "x"


def test_the_same_email_with_another_organisation_number_is_another_company():
    found = match({"organizationNumber": "1", "email": "a"}, {"x": {"organizationNumber": "2", "email": "a"}})
    assert found.kind is MatchKind.NONE


def test_two_that_fit_are_ambiguous_and_no_weaker_criterion_is_tried():
    found = match(
        {"organizationNumber": "1", "email": "a"},
        {"x": {"organizationNumber": "1"}, "y": {"organizationNumber": "1", "email": "a"}},
    )
    assert found.kind is MatchKind.AMBIGUOUS
    assert found.candidates == ("x", "y")


def test_one_that_is_linked_elsewhere_by_the_strongest_criterion_is_ambiguous():
    found = match({"organizationNumber": "1"}, {"x": {"organizationNumber": "1"}}, linked=["x"])
    assert found.kind is MatchKind.AMBIGUOUS
    assert "x" in found.reason


def test_people_who_share_an_address_are_different_people():
    kari = {"email": "post", "firstName": "kari", "lastName": "dahl"}
    ola = {"email": "post", "firstName": "ola", "lastName": "dahl"}
    assert match(kari, {"x": ola}, match_on=PERSON).kind is MatchKind.NONE
    assert match(kari, {"x": ola}, linked=["x"], match_on=PERSON).kind is MatchKind.NONE


def test_a_person_is_known_by_email_alone_where_the_names_do_not_contradict():
    kari = {"email": "kari", "firstName": "kari", "lastName": "dahl"}
    assert match(kari, {"x": {"email": "kari", "firstName": "kari"}}, match_on=PERSON).id == "x"


@pytest.mark.parametrize("keys", [{}, {"firstName": "kari"}])
def test_a_record_with_nothing_to_match_on_matches_nothing(keys):
    assert match(keys, {"x": {"firstName": "kari"}}, match_on=PERSON).kind is MatchKind.NONE


# -- what stands in the records


def match_customers(mine, other):
    flow = rules("customer", "tripletex")
    return first_match(keys_of(mine, flow), [Candidate("x", keys_of(other, flow))], set(), flow.match_on)


EMAIL = "post@alfa.example.no"
NUMBER = "923609016"


@pytest.mark.parametrize("spelling", ["NO 923 609 016 MVA", "923.609.016", "Org.nr. 923\u00a0609\u00a0016"])
def test_an_organisation_number_is_the_same_however_it_is_written(spelling):
    found = match_customers({"organizationNumber": spelling}, {"organizationNumber": NUMBER})
    assert found.id == "x"


@pytest.mark.parametrize("beside", ["923609016 hovedkontor", "BE 923609016", "923609016 (se notat)"])
def test_what_is_left_beside_an_organisation_number_does_not_contradict_the_email(beside):
    mine, other = {"organizationNumber": beside, "email": EMAIL}, {"organizationNumber": NUMBER, "email": EMAIL}
    assert match_customers(mine, other).kind is MatchKind.FOUND
    assert match_customers(other, mine).kind is MatchKind.FOUND
    assert match_customers({**mine, "email": None}, other).kind is MatchKind.NONE


def test_another_organisation_number_contradicts_the_email_however_it_is_written():
    other = {"organizationNumber": "NO 923 609 024 MVA", "email": EMAIL}
    assert match_customers({"organizationNumber": NUMBER, "email": EMAIL}, other).kind is MatchKind.NONE


@pytest.mark.parametrize("nothing", ["-", "ukjent", "Org.nr.", "n/a"])
def test_a_text_without_a_number_is_no_organisation_number(nothing):
    assert match_customers({"organizationNumber": nothing}, {"organizationNumber": nothing}).kind is MatchKind.NONE
    mine, other = {"organizationNumber": nothing, "email": EMAIL}, {"organizationNumber": NUMBER, "email": EMAIL}
    assert match_customers(mine, other).kind is MatchKind.FOUND


@pytest.mark.parametrize("spelling", ["Post@Alfa.example.no", " post@alfa.example.no", "post@alfa.example.no\u00a0"])
def test_an_email_address_is_the_same_however_it_is_written(spelling):
    assert match_customers({"email": spelling}, {"email": EMAIL}).id == "x"
