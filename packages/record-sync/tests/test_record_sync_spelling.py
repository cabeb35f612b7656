"""One company in two spellings is one company, in whichever system it is spelled so and however it is looked for."""

from __future__ import annotations

import pytest

pytest_plugins = ["record_sync.testing.fixtures"]

SPELLINGS = ["923 609 016", "NO 923 609 016 MVA", "923.609.016", "923609016MVA"]
WAYS = ("by query", "by listing")


def list_it(world, way):
    """Make a listing the cheaper way, or the dearer one; look-ups by single values find the very value alone."""
    world.crm.search_is_exact = world.tripletex.search_is_exact = True
    if way == "by listing":
        world.crm.cost_of_listing = world.tripletex.cost_of_listing = 1
        for one in range(5):
            world.crm.put("customer", f"k{one}", Name=f"Kunde {one}", Email=f"k{one}@example.no")
            world.tripletex.put("customer", name=f"Firma {one}", email=f"f{one}@example.no")


def names(world):
    return (
        [one["Name"] for one in world.crm.all("customer").values()].count("Alfa AS"),
        [one["name"] for one in world.tripletex.all("customer").values()].count("Alfa AS"),
    )


@pytest.mark.parametrize("email", ["post@alfa.example.no", None])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("spelling", [*SPELLINGS, "Org.nr. 923 609 016"])
def test_a_company_of_the_crm_is_found_in_tripletex_however_its_number_is_spelled(world, spelling, way, email):
    list_it(world, way)
    world.crm.put("customer", "c1", Name="Alfa AS", Number=spelling, Email=email)
    world.tripletex.put("customer", name="Alfa AS", organizationNumber="923609016", email=email)
    world.settle()
    assert names(world) == (1, 1)
    assert world.crm.values("customer", "c1")["Number"] == spelling


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_company_of_tripletex_is_found_in_the_crm_however_its_number_is_spelled(world, spelling, way):
    list_it(world, way)
    world.crm.put("customer", "c1", Name="Alfa AS", Number=spelling)
    own = world.tripletex.put("customer", name="Alfa AS", organizationNumber="923609016")
    world.run("customcrm")
    world.settle()
    assert names(world) == (1, 1)
    assert world.tripletex.values("customer", own)["organizationNumber"] == "923609016"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("in_crm", "in_tripletex"), [("212121-1212", "2121211212"), ("2121211212", "212121-1212")])
def test_a_swedish_number_is_one_with_its_hyphen_and_without(world, way, in_crm, in_tripletex):
    list_it(world, way)
    world.crm.put("customer", "c1", Name="Alfa AS", Number=in_crm)
    world.tripletex.put("customer", name="Alfa AS", organizationNumber=in_tripletex)
    world.settle()
    assert names(world) == (1, 1)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("beside", ["923609016 hovedkontor", "XX923609016"])
def test_what_is_left_beside_a_number_does_not_make_a_second_company_of_the_same_email(world, beside, way):
    list_it(world, way)
    world.crm.put("customer", "c1", Name="Alfa AS", Number=beside, Email="post@alfa.example.no")
    world.tripletex.put("customer", name="Alfa AS", organizationNumber="923609016", email="post@alfa.example.no")
    world.settle()
    assert names(world) == (1, 1)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("in_crm", ["Gåstol", "Ga\u030astol"])
@pytest.mark.parametrize("in_tripletex", ["Gåstol", "Ga\u030astol"])
def test_a_name_typed_on_a_mac_is_found(world, way, in_crm, in_tripletex):
    list_it(world, way)
    world.crm.put("product", "p1", Name=in_crm, Number="17")
    world.tripletex.put("contact", firstName=in_tripletex, lastName="17")
    world.settle()
    assert len(world.tripletex.all("contact")) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("in_crm", ["Post@Alfa.example.no", "post@alfa.example.no\u00a0", " post@alfa.example.no"])
def test_a_company_of_the_crm_is_found_in_tripletex_however_its_email_is_spelled(world, way, in_crm):
    list_it(world, way)
    world.crm.put("customer", "c1", Name="Alfa AS", Email=in_crm)
    world.tripletex.put("customer", name="Alfa AS", email="post@alfa.example.no")
    world.settle()
    assert names(world) == (1, 1)
