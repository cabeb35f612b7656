"""Which record is which: merged ones, look-ups that are refused, and counterparts of what waits."""

from __future__ import annotations

import itertools

import pytest
from record_sync.errors import ListingRefusedError
from record_sync.testing.world import conflicts, decide, deleted, waiting

pytest_plugins = ["record_sync.testing.fixtures"]

NOTHING = {"customer": [], "contact": [], "product": []}


# -- the system answers with another record than the one asked for


@pytest.fixture
def merged(world):
    """Two customers in step, of which the CRM has merged c2 into c1; their ids in Tripletex."""
    world.crm.put("customer", "c1", Name="Fjord AS", Email="post@fjord.example.no")
    world.crm.put("customer", "c2", Name="Fjord Drift AS", Email="drift@fjord.example.no")
    world.settle()
    ids = {values["name"]: record_id for record_id, values in world.tripletex.all("customer").items()}
    world.crm.merge("customer", "c2", into="c1")
    return ids["Fjord AS"], ids["Fjord Drift AS"]


def test_an_edit_of_a_merged_record_is_for_a_person_and_the_rest_goes_on(world, merged):
    kept, gone = merged
    world.tripletex.put("customer", gone, name="Fjord Drift og Vedlikehold AS")
    world.tripletex.put("customer", kept, name="Fjord Norge AS")
    assert world.run("customcrm")["customer"] == {"updated": 1, "in conflict": 1}
    assert world.crm.values("customer", "c1") == {"Name": "Fjord Norge AS", "Email": "post@fjord.example.no"}
    assert [unit for unit, _, _, _ in conflicts(world)] == ["deleted"]


def test_a_merged_record_that_a_full_read_did_not_bring_counts_as_gone(world, merged):
    kept, gone = merged
    world.run("tripletex", complete=["customer"])
    world.run("customcrm", records=NOTHING)
    assert world.run("tripletex")["customer"] == {"unchanged": 1, "deleted": 1}
    assert world.tripletex.values("customer", gone)["isInactive"] is True
    assert "isInactive" not in world.tripletex.values("customer", kept)


@pytest.mark.parametrize("other_name", ["Fjord AS", "Fjord Drift AS"])
def test_the_deletion_of_a_merged_record_does_not_touch_the_one_it_was_merged_into(world, other_name):
    for record_id, name in (("c1", "Fjord AS"), ("c2", other_name)):
        world.crm.put("customer", record_id, Name=name)
        world.settle()
    gone = list(world.tripletex.all("customer"))[-1]
    world.crm.merge("customer", "c2", into="c1")
    counts = world.run("customcrm", records={"customer": [deleted(world, gone)]}, on_delete="delete")
    assert list(world.crm.all("customer")) == ["c1"]
    assert counts["customer"] == {"unchanged": 1}


def test_a_lost_value_is_not_put_back_on_the_record_that_its_own_was_merged_into(world):
    world.crm.put("customer", "c1", Name="Fjord AS", Email="post@fjord.example.no")
    world.crm.put("customer", "c2", Name="Elv AS", Email="post@elv.example.no")
    world.settle()
    (elv,) = [record_id for record_id, one in world.tripletex.all("customer").items() if one["name"] == "Elv AS"]
    world.crm.put("customer", "c2", Name="Elv Nord AS")
    world.tripletex.put("customer", elv, name="Elv Sør AS")
    world.cycle()
    decide(world, "tripletex", state="putback")
    world.crm.merge("customer", "c2", into="c1")
    world.run("customcrm", records=NOTHING)
    assert world.crm.values("customer", "c1")["Name"] == "Fjord AS"
    assert [state for _, state, _, _ in conflicts(world)] == ["settled"]
    assert [note for note in world.notes if "is gone from customcrm" in note]


def test_an_update_without_an_answer_is_not_looked_for_in_the_record_that_its_own_was_merged_into(world):
    world.crm.put("customer", "c1", Name="Fjord AS", Email="post@fjord.example.no")
    world.crm.put("customer", "c2", Name="Elv AS", Email="post@elv.example.no")
    world.settle()
    (elv,) = [record_id for record_id, one in world.tripletex.all("customer").items() if one["name"] == "Elv AS"]
    world.tripletex.put("customer", elv, name="Elv Nord AS")
    world.crm.lose_answers = True
    world.run("customcrm")
    world.crm.lose_answers = False
    world.crm.merge("customer", "c2", into="c1")
    world.clock.advance(hours=25)
    assert world.run("customcrm", records=NOTHING)["customer"] == {"in conflict": 1}
    assert world.crm.values("customer", "c1") == {"Name": "Fjord AS", "Email": "post@fjord.example.no"}


# -- the system does not take the question


@pytest.mark.parametrize("others", [1, 3])
def test_a_refused_search_keeps_back_its_own_record_and_no_other(world, others):
    world.tripletex.refuse_search = lambda asked: "Ugyldig filter" if "'" in str(asked.get("email")) else None
    world.crm.put("customer", "c0", Name="O'Hara AS", Email="o'hara@example.no")
    for number in range(1, others + 1):
        world.crm.put("customer", f"c{number}", Name=f"Kunde {number}", Email=f"k{number}@example.no")
    assert world.run("tripletex")["customer"] == {"created": others, "parked": 1}
    assert world.reasons["customer"] == ["c0: Ugyldig filter"]
    world.tripletex.refuse_search = lambda _asked: None
    assert world.run("tripletex", records=NOTHING)["customer"] == {"created": 1}
    world.settle()


def test_a_creation_whose_search_is_refused_is_made_exactly_once(world):
    world.crm.put("customer", "c0", Name="O'Hara AS", Email="o'hara@example.no")
    world.tripletex.lose_answers = True
    world.run("tripletex", finish=False)
    world.tripletex.lose_answers = False
    world.tripletex.refuse_search = lambda _asked: "Ugyldig filter"
    world.run("tripletex")
    world.tripletex.refuse_search = lambda _asked: None
    world.clock.advance(hours=25)
    world.settle()
    assert len(world.tripletex.all("customer")) == len(world.crm.all("customer")) == 1


# -- the likely counterpart of what waits

NUMBER = ("923609016", None)
EMAIL = (None, "post@alfa.example.no")
SPELLINGS = {
    "no-break spaces": (NUMBER, ("923\u00a0609\u00a0016", None)),
    "other spaces": (NUMBER, ("923 60 90 16", None)),
    "capitals": (EMAIL, (None, "Post@Alfa.example.no")),
    "a blank before": (EMAIL, (None, " post@alfa.example.no")),
}
SPELLED_IN = ("tripletex", "customcrm")
WAYS = ("by query", "by listing")
COUNTERPARTS = list(itertools.product(SPELLED_IN, WAYS, SPELLINGS))


@pytest.mark.parametrize(("spelled_in", "way", "spelling"), COUNTERPARTS)
def test_the_counterpart_of_a_refused_record_is_found_however_it_is_spelled(world, spelled_in, way, spelling):
    plain, other = SPELLINGS[spelling]
    (number, email), (their_number, their_email) = (other, plain) if spelled_in == "customcrm" else (plain, other)
    world.crm.search_is_exact = world.tripletex.search_is_exact = True
    world.tripletex.refuse = lambda values: "Ugyldig adresse" if values["name"] == "Alfa AS" else None
    world.crm.put("customer", "c1", Name="Alfa AS", Number=number, Email=email)
    assert world.run("tripletex")["customer"] == {"parked": 1}
    own = world.tripletex.put("customer", name="Alfa AS", organizationNumber=their_number, email=their_email)
    if way == "by listing":
        world.crm.cost_of_listing = world.tripletex.cost_of_listing = 1
        for one in range(5):
            world.tripletex.put("customer", name=f"Kunde {one}", email=f"k{one}@example.no")
    world.run("customcrm")
    world.tripletex.refuse = lambda _values: None
    world.clock.advance(hours=25)
    world.settle()
    assert [one["Name"] for one in world.crm.all("customer").values()].count("Alfa AS") == 1
    assert [one["name"] for one in world.tripletex.all("customer").values()].count("Alfa AS") == 1
    assert waiting(world) == {}
    world.crm.put("customer", "c1", Name="Alfa Norge AS")
    world.cycle()
    assert world.tripletex.values("customer", own)["name"] == "Alfa Norge AS"


def test_where_the_system_does_not_list_so_many_each_is_searched_for(world, monkeypatch):
    records = {f"c{number}": f"post{number}@example.no" for number in range(8)}
    for record_id, email in records.items():
        world.crm.put("customer", record_id, Name=record_id, Email=email)
        world.tripletex.put("customer", name=record_id, email=email)
    world.tripletex.cost_of_listing = 1

    def listing(resource, paths):
        world.tripletex.calls.append("listing")
        yield from world.tripletex.read(resource, list(world.tripletex.all(resource))[:3], paths).values()
        raise ListingRefusedError("too many")

    monkeypatch.setattr(world.tripletex, "listing", listing)
    assert world.run("tripletex")["customer"] == {"linked": 8}
    assert world.tripletex.calls.count("listing") == 1
    assert world.tripletex.calls.count("search") == 8
