"""Records of which nothing tells for sure which one they are on the other side."""

import pytest
from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX, Lines

import sandbox


@pytest.fixture
def systems():
    with sandbox.running("empty", oddities=True) as systems:
        yield systems


def warnings(ran, plugin):
    return [line for line in ran.logs[plugin].splitlines() if "WARNING" in line]


def writes(systems):
    return [f"{seen.method} {seen.path}" for system in systems.both for seen in system.requests if seen.is_write]


def names(records):
    return sorted(
        f"{one.get('FirstName') or one.get('firstName')} {one.get('LastName') or one.get('lastName')}"
        for one in records
    )


def test_people_who_share_an_email_address_stay_two_people(lines: Lines, systems):
    odd = systems.oddities
    ola = systems.tripletex.get("contact", odd.sharing_tripletex[0])
    lines.cycle()
    people = [one for one in systems.tripletex.all("contact") if one["lastName"] == "Dahl"]
    assert names(people) == ["Kari Dahl", "Ola Dahl"]
    assert names(one for one in systems.customcrm.all("contact") if one["LastName"] == "Dahl") == [
        "Kari Dahl",
        "Ola Dahl",
    ]
    # Ola was found, and not touched.
    assert systems.tripletex.get("contact", ola["id"]) == ola
    # What is said of one of them from now on is said of that one.
    systems.customcrm.edit("contact", odd.sharing_customcrm[1], Phone="22 33 44 55")
    systems.tripletex.edit("contact", ola["id"], phoneNumberWork="77665544")
    lines.cycle()
    ours = {one["FirstName"]: one["Phone"] for one in systems.customcrm.all("contact") if one["LastName"] == "Dahl"}
    assert ours == {"Kari": "22 33 44 55", "Ola": "+47 77 66 55 44"}
    theirs = {
        one["firstName"]: one["phoneNumberWork"]
        for one in systems.tripletex.all("contact")
        if one["lastName"] == "Dahl"
    }
    assert theirs == {"Kari": "22334455", "Ola": "77665544"}


def test_two_tripletex_customers_that_fit_one_customcrm_customer_wait_on_both_sides(lines: Lines, systems):
    odd, crm, tripletex = systems.oddities, systems.customcrm, systems.tripletex
    ours = crm.get("customer", odd.ambiguous_customcrm)
    theirs = [tripletex.get("customer", one) for one in odd.ambiguous_tripletex]
    to_tripletex, to_customcrm = lines.cycle()

    (told,) = [line for line in warnings(to_tripletex, TO_TRIPLETEX.target) if f"customer {ours['Id']}:" in line]
    assert all(str(one["id"]) in told for one in theirs)
    assert "organizationNumber" in told
    assert "cannot be told which one" in told
    assert to_tripletex.counts["customer"]["ambiguous"] == 1
    # The other line does not resolve it by the back door.
    assert to_customcrm.counts["customer"]["ambiguous"] == 2
    told = warnings(to_customcrm, TO_CUSTOMCRM.target)
    assert all(any(f"customer {one['id']}:" in line and ours["Id"] in line for line in told) for one in theirs)
    assert crm.get("customer", ours["Id"]) == ours
    assert [tripletex.get("customer", one["id"]) for one in theirs] == theirs
    number = ours["OrganizationNumber"]
    assert len([one for one in crm.all("customer") if one["OrganizationNumber"] == number]) == 1
    assert len([one for one in tripletex.all("customer") if one["organizationNumber"] == number]) == 2

    # It waits quietly: it is told again, and nothing is written.
    systems.clear_requests()
    again, _ = lines.cycle()
    assert writes(systems) == ["POST /v2/contact/list"]  # the contact that Tripletex refuses, tried a second time
    assert again.counts["customer"]["ambiguous"] == 1
    assert any(f"customer {ours['Id']}:" in line for line in warnings(again, TO_TRIPLETEX.target))


def test_what_was_ambiguous_is_linked_once_a_user_has_told_the_candidates_apart(lines: Lines, systems):
    odd, crm, tripletex = systems.oddities, systems.customcrm, systems.tripletex
    lines.cycle()
    right, wrong = odd.ambiguous_tripletex
    tripletex.edit("customer", wrong, organizationNumber="910000004")
    tripletex.edit("customer", right, website="https://rett.example.no")
    crm.edit("customer", odd.ambiguous_customcrm, Phone="+47 22 33 44 55")
    lines.cycle()
    assert crm.get("customer", odd.ambiguous_customcrm)["Website"] == "https://rett.example.no"
    assert tripletex.get("customer", right)["phoneNumber"] == "22334455"
    assert tripletex.get("customer", wrong)["phoneNumber"] is None
    ours = {one["OrganizationNumber"]: one["Name"] for one in crm.all("customer")}
    assert ours["910000004"] == "Dobbeltgjenger Hotell AS avd. Nord"
    assert len(crm.all("customer")) == len(tripletex.all("customer")) == 4
    systems.clear_requests()
    lines.cycle()
    assert [one for one in writes(systems) if "customer" in one] == []


def test_the_same_email_with_another_organisation_number_is_another_company(lines: Lines, systems):
    odd, crm, tripletex = systems.oddities, systems.customcrm, systems.tripletex
    ours, theirs = crm.get("customer", odd.contested_customcrm), tripletex.get("customer", odd.contested_tripletex)
    lines.cycle()
    assert crm.get("customer", ours["Id"]) == ours
    assert tripletex.get("customer", theirs["id"]) == theirs
    expected = sorted([(ours["Name"], ours["OrganizationNumber"]), (theirs["name"], theirs["organizationNumber"])])
    email = ours["Email"]
    assert email == theirs["email"]
    assert (
        sorted((one["Name"], one["OrganizationNumber"]) for one in crm.all("customer") if one["Email"] == email)
        == expected
    )
    assert (
        sorted((one["name"], one["organizationNumber"]) for one in tripletex.all("customer") if one["email"] == email)
        == expected
    )


def test_what_waits_or_is_refused_keeps_nobody_else_back(lines: Lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    to_tripletex, _ = lines.cycle()
    invalid = systems.oddities.invalid_customcrm
    (told,) = [line for line in warnings(to_tripletex, TO_TRIPLETEX.target) if f"contact {invalid}:" in line]
    assert "Ugyldig e-postadresse." in told
    crm.create("customer", Name="Helt Vanlig AS", Email="post@vanlig.example.no")
    lines.cycle()
    assert "Helt Vanlig AS" in {one["name"] for one in tripletex.all("customer")}
