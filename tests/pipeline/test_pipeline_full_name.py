"""A CRM that keeps a person's name in one property, with the tables as they are shipped: people stay who they are."""

import pytest
from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX, Lines

PROFILE = {
    "extends": "reference",
    "streams": {"contact": {"properties": {"FullName": "LastName", "FirstName": False, "LastName": False}}},
}
"""The reference's contact, of which one property is known by another name, and the other one is not there."""


@pytest.fixture
def whole(lines: Lines):
    for plugin in ("tap-customcrm", "target-customcrm", "dataflow-mapper"):
        lines.settings[plugin] = {**lines.settings[plugin], "profile": PROFILE}
    return lines


def writes(systems):
    return [f"{seen.method} {seen.path}" for system in systems.both for seen in system.requests if seen.is_write]


def in_crm(systems):
    return sorted(one["LastName"] or "" for one in systems.customcrm.all("contact"))


def in_tripletex(systems):
    return sorted((one["firstName"] or "", one["lastName"] or "") for one in systems.tripletex.all("contact"))


def one_of(system, kind, name):
    (found,) = (one for one in system.all(kind) if name in (one.get("LastName"), one.get("lastName")))
    return found


def test_names_are_carried_both_ways_and_a_further_cycle_writes_nothing(whole: Lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    crm.create("contact", LastName="Kari Anne Nordmann", Email="kari@example.no")
    crm.create("contact", LastName="Cher", Email="cher@example.no")
    crm.create("contact", LastName="Dahl, Per Olav", Email="per@example.no")
    tripletex.create("contact", firstName="Ola", lastName="van der Berg", email="ola@example.no")
    tripletex.create("contact", firstName="", lastName="Hansen", email="hansen@example.no")
    whole.cycle()
    names = ["Cher", "Dahl, Per Olav", "Hansen", "Kari Anne Nordmann", "Ola van der Berg"]
    parts = [
        ("", "Hansen"), ("Cher", ""), ("Kari Anne", "Nordmann"), ("Ola", "van der Berg"), ("Per Olav", "Dahl"),
    ]  # fmt: skip
    assert (in_crm(systems), in_tripletex(systems)) == (names, parts)
    whole.cycle()
    systems.clear_requests()
    whole.cycle()
    for direction in (TO_TRIPLETEX, TO_CUSTOMCRM):
        whole.well(direction, full_refresh=True)
    assert writes(systems) == []
    assert (in_crm(systems), in_tripletex(systems)) == (names, parts)


@pytest.mark.parametrize("email", ["kari@example.no", None], ids=["by e-mail", "without one"])
@pytest.mark.parametrize("first", ["to Tripletex", "to the CRM"])
def test_a_person_is_found_however_the_name_is_divided_and_stays_divided_so(whole: Lines, systems, email, first):
    systems.customcrm.create("contact", LastName="Kari Anne Nordmann", Email=email)
    systems.tripletex.create("contact", firstName="Kari", lastName="Anne Nordmann", email=email or "")
    systems.clear_requests()
    if first == "to the CRM":
        whole.run(TO_CUSTOMCRM)
    whole.cycle()
    whole.cycle()
    assert writes(systems) == []
    assert (in_crm(systems), in_tripletex(systems)) == (["Kari Anne Nordmann"], [("Kari", "Anne Nordmann")])


@pytest.mark.parametrize("first", ["to Tripletex", "to the CRM"])
def test_people_with_one_address_are_told_apart_by_their_names(whole: Lines, systems, first):
    people = {"Kari Anne Nordmann": ("Kari", "Anne Nordmann"), "Ola Dahl": ("Ola", "Dahl"), "Per": ("", "Per")}
    for name, (given, family) in people.items():
        systems.customcrm.create("contact", LastName=name, Email="post@example.no")
        systems.tripletex.create("contact", firstName=given, lastName=family, email="post@example.no")
    systems.clear_requests()
    if first == "to the CRM":
        whole.run(TO_CUSTOMCRM)
    whole.cycle()
    assert writes(systems) == []
    assert in_tripletex(systems) == sorted(people.values())
    systems.customcrm.edit("contact", one_of(systems.customcrm, "contact", "Per")["Id"], LastName="Per Li")
    whole.cycle()
    assert in_tripletex(systems) == sorted([*list(people.values())[:2], ("Per", "Li")])


def test_edits_and_a_cleared_part_go_over_and_do_not_come_back(whole: Lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    crm.create("contact", LastName="Kari Anne Nordmann", Email="kari@example.no")
    tripletex.create("contact", firstName="Kari", lastName="Anne Nordmann", email="kari@example.no")
    whole.cycle()
    (ours,), (theirs,) = (one.all("contact") for one in systems.both)
    for edit, name, parts in (
        (
            lambda: tripletex.edit("contact", theirs["id"], lastName="Anne Berg"),
            "Kari Anne Berg",
            ("Kari", "Anne Berg"),
        ),
        (
            lambda: tripletex.edit("contact", theirs["id"], firstName="Kari Anne", lastName="Berg"),
            "Kari Anne Berg",
            ("Kari Anne", "Berg"),
        ),
        (lambda: crm.edit("contact", ours["Id"], LastName="Kari Berg Li"), "Kari Berg Li", ("Kari Berg", "Li")),
        (lambda: crm.edit("contact", ours["Id"], LastName="kari berg Li"), "kari berg Li", ("kari berg", "Li")),
        (lambda: tripletex.edit("contact", theirs["id"], lastName=""), "kari berg", ("kari berg", "")),
        (lambda: crm.edit("contact", ours["Id"], LastName="Kari"), "Kari", ("Kari", "")),
    ):
        edit()
        whole.cycle()
        assert (in_crm(systems), in_tripletex(systems)) == ([name], [parts])
        systems.clear_requests()
        whole.cycle()
        assert writes(systems) == []
