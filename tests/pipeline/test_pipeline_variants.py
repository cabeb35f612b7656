"""Both lines between a CRM and every Tripletex that there may be: what nobody knows of it, singly and in pairs."""

import pytest
from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX, Lines
from sandbox.tripletex.variants import covering, singly

import sandbox

VARIANTS = list({variant.said: variant for variant in [*singly(), *covering()]}.values())
LISTED_AT_MOST = 7
"""Where lists have a limit here: more than there are customers, fewer than there are contacts."""
REQUESTS_AT_ONCE = 30
"""So many are let in within a second where a Tripletex does not tell how many."""


def fill(systems: sandbox.Systems) -> None:
    """Customers and people of each kind: on both sides, on one, abroad, with nothing to be told by."""
    crm, tripletex = systems.both
    alfa = crm.create("customer", Name="Alfa AS", OrganizationNumber="923 609 016", Website="https://alfa.example.no")
    crm.create("customer", Name="Beta AS", Email="post@beta.example.no", City="Bergen")
    crm.create("customer", Name="Uten AS", Phone="+47 22 33 44 55")
    crm.create("customer", Name="Svensk AB", OrganizationNumber="556677-8899", City="Malmö", Country="SE")
    crm.create(
        "contact", FirstName="Kari", Email="kari@example.no", MobilePhone="+47 91 23 45 67", CustomerId=alfa["Id"]
    )
    crm.create("contact", FirstName="Per", LastName="Olsen", Email="per@example.no", CustomerId=alfa["Id"])
    crm.create("product", Name="Stol", Number="17")
    known = tripletex.create("customer", name="Alfa AS", organizationNumber="923609016")
    other = tripletex.create("customer", name="Gamma AS")
    tripletex.create("customer", name="Sovende AS", email="post@sovende.example.no", isInactive=True)
    tripletex.create("contact", firstName="Per", lastName="Olsen", email="per@example.no", customer={"id": known["id"]})
    for name in ("Ola", "Siri", "Nils", "Anne"):
        tripletex.create("contact", firstName=name, email=f"{name}@example.no", customer={"id": other["id"]})


def one(records, **said):
    """The one record that says this."""
    (found,) = (each for each in records if said.items() <= each.items())
    return found


def as_users_do(systems: sandbox.Systems) -> None:
    """Edit on both sides, empty, deactivate, delete, and add."""
    crm, tripletex = systems.both
    customers, people = crm.all("customer"), tripletex.all("contact")
    crm.edit("customer", one(customers, Name="Alfa AS")["Id"], Website="", Phone="+47 22 33 44 66")
    crm.edit("customer", one(customers, Name="Svensk AB")["Id"], OrganizationNumber="556677-0000")
    crm.remove("contact", one(crm.all("contact"), FirstName="Kari")["Id"])
    crm.create("customer", Name="Delta AS")
    tripletex.edit("customer", one(tripletex.all("customer"), name="Gamma AS")["id"], name="Gamma Holding AS")
    tripletex.edit("contact", one(people, firstName="Per")["id"], email="per.olsen@example.no")
    tripletex.edit("contact", one(people, firstName="Ola")["id"], isInactive=True)


def check_first(systems: sandbox.Systems) -> None:
    """Each record has one counterpart, and nobody has a country that nobody gave."""
    crm, tripletex = systems.both
    names = ["Alfa AS", "Beta AS", "Gamma AS", "Sovende AS", "Svensk AB", "Uten AS"]
    assert sorted(each["Name"] for each in crm.all("customer")) == names
    assert sorted(each["name"] for each in tripletex.all("customer")) == names
    people = ["Anne", "Kari", "Nils", "Ola", "Per", "Siri"]
    assert sorted(each["FirstName"] for each in crm.all("contact")) == people
    assert sorted(each["firstName"] for each in tripletex.all("contact")) == sorted([*people, "Stol"])
    assert {each["Name"]: each["Country"] for each in crm.all("customer") if each["Country"]} == {"Svensk AB": "SE"}
    abroad = one(tripletex.all("customer"), name="Svensk AB")
    assert abroad["physicalAddress"]["country"]["isoAlpha2Code"] == "SE"


def check_second(systems: sandbox.Systems) -> None:
    """The edits have arrived; who is inactive in Tripletex is still in the CRM."""
    crm, tripletex = systems.both
    alfa = one(tripletex.all("customer"), name="Alfa AS")
    assert (alfa["website"], alfa["phoneNumber"]) == (None, "22334466")
    assert one(tripletex.all("customer"), name="Svensk AB")["organizationNumber"] == "556677-0000"
    assert one(tripletex.all("contact"), firstName="Kari")["isInactive"]
    assert one(tripletex.all("customer"), name="Delta AS")
    assert one(crm.all("customer"), Name="Gamma Holding AS")
    assert one(crm.all("contact"), FirstName="Per")["Email"] == "per.olsen@example.no"
    assert sorted(each["FirstName"] for each in crm.all("contact")) == ["Anne", "Nils", "Ola", "Per", "Siri"]


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: ",".join(variant.said) or "as recorded")
def test_two_systems_come_together_and_stay_so_whatever_tripletex_is_like(lines: Lines, systems, variant):
    systems.tripletex.variant = variant
    systems.tripletex.lists.limit = LISTED_AT_MOST
    if variant["list-limit"] == "on":
        lines.settings["tap-tripletex"]["only_contacts_of_customers"] = True
    if variant["rate-headers"] == "untold":
        systems.tripletex.allowance.limit = REQUESTS_AT_ONCE
    fill(systems)
    lines.cycle()
    check_first(systems)
    as_users_do(systems)
    lines.cycle()
    check_second(systems)
    systems.clear_requests()
    # Everything is read once more, by which deletions are noticed: there was none, and nothing is written.
    lines.well(TO_CUSTOMCRM, full_refresh=True)
    lines.well(TO_TRIPLETEX, full_refresh=True)
    lines.well(TO_CUSTOMCRM)
    check_second(systems)
    assert [seen for system in systems.both for seen in system.requests if seen.is_write] == []
