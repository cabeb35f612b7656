"""Groups in whole runs of both directions: whatever happens meanwhile, an address is one that somebody had."""

from __future__ import annotations

import random

import pytest
from record_sync.testing.world import conflicts, decide

ADDRESS = (
    ("Street", "line1", "text", "address"),
    ("Street2", "line2", "text", "address"),
    ("Zip", "zip", "text", "address"),
    ("Country", "cc", "country", "address"),
)
NAME = ("Name", "name", "text")
ROWS = (NAME, ("Number", "organizationNumber", "organisation_number"), ("Email", "email", "email"), *ADDRESS)
UNGROUPED = tuple(row[:3] for row in ROWS)
CUSTOMER = {"flows": ("customer",), "rows": ROWS}
SIDES = {"customcrm": 0, "tripletex": 1}


def address_of(world, side, record_id):
    """A record's address without its country, which a system gives to whatever names none."""
    values = world.systems[side].values("customer", record_id)
    return tuple(values.get(row[SIDES[side]]) for row in ADDRESS[:-1])


def put(world, side, record_id=None, address=(), **more):
    names = [row[SIDES[side]] for row in ADDRESS]
    return world.systems[side].put("customer", record_id, **dict(zip(names, address, strict=False)), **more)


def test_a_conflict_about_a_group_is_one_and_its_values_are_put_back_together(world):
    put(world, "customcrm", "c1", ("Storgata 1", None, "0155", None), Name="A")
    world.cycle(**CUSTOMER)
    (one,) = world.tripletex.all("customer")
    world.crm.put("customer", "c1", Street="Storgata 2")
    world.tripletex.put("customer", one, zip="5020", line2="c/o Dahl")
    world.settle(**CUSTOMER)
    theirs = ("Storgata 1", "c/o Dahl", "5020")
    assert address_of(world, "customcrm", "c1") == address_of(world, "tripletex", one) == theirs
    ((unit, state, winner, _),) = conflicts(world)
    assert (unit, state, winner) == ("group address", "kept", "tripletex")
    decide(world, "tripletex", "putback")
    world.settle(**CUSTOMER)
    ours = ("Storgata 2", None, "0155")
    assert address_of(world, "customcrm", "c1") == address_of(world, "tripletex", one) == ours


@pytest.mark.parametrize(("side", "expected"), [("customcrm", "Storgata 2"), ("tripletex", "Storgata 3")])
def test_a_conflict_that_waits_is_asked_anew_once_its_property_is_in_a_group(world, side, expected):
    before = {**CUSTOMER, "rows": UNGROUPED, "conflict": "manual"}
    put(world, "customcrm", "c1", ("Storgata 1", None, "0155", None), Name="A")
    world.cycle(**before)
    (one,) = world.tripletex.all("customer")
    world.crm.put("customer", "c1", Zip="0156", Street="Storgata 2")
    world.tripletex.put("customer", one, zip="5020", line1="Storgata 3")
    world.cycle(**before)
    assert {(unit, state) for unit, state, _, _ in conflicts(world)} == {
        ("Zip = zip", "open"),
        ("Street = line1", "open"),
    }
    grouped = {**CUSTOMER, "conflict": "manual", "digest": "2"}
    world.cycle(**grouped)
    assert [one[:2] for one in conflicts(world) if one[1] != "settled"] == [("group address", "open")]
    decide(world, side)
    world.settle(**grouped)
    assert conflicts(world)[-1][:2] == ("group address", "settled")
    assert address_of(world, "customcrm", "c1")[0] == address_of(world, "tripletex", one)[0] == expected


def test_a_country_that_the_target_gives_stays_its_own_also_where_the_answer_was_lost(world):
    put(world, "tripletex", "7", (None, None, None, "NO"), name="A", email="a@example.no")
    put(world, "customcrm", "c1", ("Storgata 1", None, "0155", None), Name="A", Email="a@example.no")
    world.tripletex.lose_answers = True
    world.run("tripletex", **CUSTOMER)
    world.tripletex.lose_answers = False
    world.settle(**CUSTOMER)
    assert world.crm.values("customer", "c1")["Country"] is None
    assert world.tripletex.values("customer", "7")["cc"] == "NO"


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_edited_refused_and_lost_no_address_is_mixed(world, seed):
    chance = random.Random(seed)  # noqa: S311
    policy = chance.choice(("latest", "latest", "customcrm", "tripletex", "manual"))
    options = {**CUSTOMER, "conflict": policy}
    ids = {"customcrm": "c1", "tripletex": "7"}
    had = set()

    def new_address():
        parts = [f"{part}{chance.randrange(10**6)}" for part in ("street", "line", "zip")]
        return (*[part if chance.random() < 0.7 else None for part in parts], chance.choice((None, "NO", "SE")))

    for side, record_id in ids.items():
        put(world, side, record_id, new_address(), **{"Email" if side == "customcrm" else "email": "a@example.no"})
        had.add(address_of(world, side, record_id))
    for _ in range(5):
        for side, record_id in ids.items():
            if chance.random() < 0.5:
                row = chance.choice(ADDRESS)
                value = None if chance.random() < 0.3 else f"{row[1]}{chance.randrange(10**6)}"
                world.systems[side].put("customer", record_id, **{row[SIDES[side]]: value})
                had.add(address_of(world, side, record_id))
        for side in chance.sample(list(ids), 2):
            system = world.systems[side]
            system.lose_answers = chance.random() < 0.2
            world.run(side, **options)
            system.lose_answers = False
            assert {address_of(world, one, record_id) for one, record_id in ids.items()} <= had
    world.settle(**options)
    both = {address_of(world, one, record_id) for one, record_id in ids.items()}
    assert both <= had
    assert policy == "manual" or len(both) == 1
