"""First match: who is who, and when that cannot be told."""

import pytest
from record_sync.matching import Candidate, MatchKind, first_match

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
