"""The Norwegian sample data."""

import re
from collections import Counter

import pytest
from sandbox.norwegian import TWINS
from sandbox.norwegian.numbers import check_digit
from sandbox.systems import Systems

import sandbox


def loaded(**options):
    systems = Systems()
    systems.load("norwegian", **options)
    return systems


@pytest.fixture(scope="module")
def systems():
    return loaded()


def digits(text):
    return re.sub(r"\D", "", text or "")


def folded(text):
    return (text or "").lower()


def several(values):
    return {value for value, times in Counter(values).items() if value and times > 1}


def test_the_check_digit_is_the_one_of_known_numbers():
    # Brønnøysundregistrene's and Skatteetaten's own numbers.
    assert check_digit("97476067") == 3
    assert check_digit("97476107") == 6


def test_the_same_seed_makes_the_same_data(systems):
    again, other = loaded(), loaded(seed=2)
    for resource in ("customer", "contact", "product"):
        assert again.customcrm.all(resource) == systems.customcrm.all(resource)
        assert again.customcrm.all(resource) != other.customcrm.all(resource)
    assert again.tripletex.all("customer") == systems.tripletex.all("customer")


def test_a_few_hundred_companies_are_on_one_side_or_both(systems):
    ours, theirs = systems.customcrm.all("customer"), systems.tripletex.all("customer")
    numbers = {each["organizationNumber"] for each in theirs} - {None}
    emails = {each["email"] for each in theirs} - {None}
    by_number = [each for each in ours if digits(each["OrganizationNumber"]) in numbers]
    by_email = [each for each in ours if each not in by_number and folded(each["Email"]) in emails]
    assert len(by_number) > 60
    assert len(by_email) > 20
    assert any(" " in each["OrganizationNumber"] for each in by_number)
    assert len(ours) - len(by_number) - len(by_email) > 60
    assert len(theirs) - len(by_number) - len(by_email) > 60
    assert sum(each["isInactive"] for each in theirs) > 5


def test_organisation_numbers_are_valid_and_addresses_fit(systems):
    for each in systems.tripletex.all("customer"):
        number = each["organizationNumber"]
        assert number is None or str(check_digit(number[:8])) == number[8]
        postal = each["postalAddress"]
        if postal and postal["addressLine1"] and postal["country"] and postal["country"]["isoAlpha2Code"] == "NO":
            assert re.fullmatch(r"\d{4}", postal["postalCode"])


def test_nothing_is_ambiguous(systems):
    ours, theirs = systems.customcrm.all("customer"), systems.tripletex.all("customer")
    assert several(digits(each["OrganizationNumber"]) for each in ours) == set()
    assert several(folded(each["Email"]) for each in ours) == set()
    assert several(each["organizationNumber"] for each in theirs) == set()
    assert several(each["email"] for each in theirs) == set()
    names = Counter(each["Name"] for each in systems.customcrm.all("product"))
    assert max(names.values()) == 1


def test_people_who_share_an_address_have_no_name_in_common(systems):
    people = [(folded(each["Email"]), each["FirstName"], each["LastName"]) for each in systems.customcrm.all("contact")]
    theirs = [each for each in systems.tripletex.all("contact") if each["email"]]
    people += [(each["email"], each["firstName"], each["lastName"]) for each in theirs]
    shared = {email: {person for person in people if person[0] == email} for email in {person[0] for person in people}}
    shared = {email: persons for email, persons in shared.items() if email and len(persons) > 1}
    assert len(shared) > 10
    for email, persons in shared.items():
        assert email.startswith("post@")
        assert len({first for _, first, _ in persons}) == len({last for _, _, last in persons}) == len(persons)


def test_people_without_an_address_are_on_one_side_only(systems):
    ours = {(each["FirstName"], each["LastName"]) for each in systems.customcrm.all("contact") if not each["Email"]}
    theirs = {(each["firstName"], each["lastName"]) for each in systems.tripletex.all("contact") if not each["email"]}
    assert ours
    assert not ours & theirs


def test_what_customcrm_holds_is_accepted_by_tripletex(systems):
    tripletex = Systems().tripletex
    for each in systems.customcrm.all("customer"):
        number = digits(each["OrganizationNumber"])
        values = {
            "name": each["Name"],
            "email": each["Email"],
            "organizationNumber": number,
            "website": each["Website"],
        }
        tripletex.create("customer", **values, phoneNumber=each["Phone"])
    for each in systems.customcrm.all("contact"):
        tripletex.create("contact", firstName=each["FirstName"], lastName=each["LastName"], email=each["Email"])
    assert tripletex.count("customer") == systems.customcrm.count("customer")


def test_some_products_are_contacts_in_tripletex_already(systems):
    products = {(each["Name"], each["Number"]) for each in systems.customcrm.all("product")}
    contacts = {(each["firstName"], each["lastName"]) for each in systems.tripletex.all("contact")}
    assert 3 < len(products & contacts) < len(products)


def test_all_addresses_are_invented(systems):
    emails = [each["Email"] for resource in ("customer", "contact") for each in systems.customcrm.all(resource)]
    emails += [each["email"] for resource in ("customer", "contact") for each in systems.tripletex.all(resource)]
    assert all(email.endswith(("example.no", "example.com")) for email in emails if email)


def test_the_twins_are_on_both_sides_without_a_common_key(systems):
    for name in TWINS:
        (ours,) = (each for each in systems.customcrm.all("customer") if each["Name"] == name)
        (theirs,) = (each for each in systems.tripletex.all("customer") if each["name"] == name)
        assert ours["OrganizationNumber"] is None
        assert ours["Email"] != theirs["email"]


def test_oddities_are_added_when_asked_for():
    with sandbox.running(data="empty", oddities=True) as systems:
        odd = systems.oddities
        tlx, crm = systems.tripletex, systems.customcrm
        assert len({crm.get("contact", each)["Email"] for each in odd.sharing_customcrm}) == 1
        number = crm.get("customer", odd.ambiguous_customcrm)["OrganizationNumber"]
        assert {tlx.get("customer", each)["organizationNumber"] for each in odd.ambiguous_tripletex} == {number}
        ours, theirs = crm.get("customer", odd.contested_customcrm), tlx.get("customer", odd.contested_tripletex)
        assert ours["Email"] == theirs["email"]
        assert ours["OrganizationNumber"] != theirs["organizationNumber"]
        with pytest.raises(sandbox.Refusal, match="Ugyldig e-postadresse"):
            tlx.create("contact", firstName="A", email=crm.get("contact", odd.invalid_customcrm)["Email"])
