"""Conflicts: what a person decided is done once, and over nothing but what it was decided about."""

from __future__ import annotations

import pytest
from record_sync.testing.world import conflicts, decide, waiting

pytest_plugins = ["record_sync.testing.fixtures"]


@pytest.fixture
def wanted_back(world, pair):
    """Tripletex's name B lost to C, and somebody wants it back."""
    world.tripletex.put("customer", pair, name="B")
    world.crm.put("customer", "c1", Name="C")
    world.cycle()
    ((_, _, winner, _),) = conflicts(world)
    decide(world, winner, state="putback")
    return pair


def states(world):
    return {state for _, state, _, _ in conflicts(world)}


@pytest.mark.parametrize("changed_in", ["tripletex", "customcrm"])
def test_a_lost_value_is_not_put_back_over_what_its_owner_says_since(world, wanted_back, changed_in):
    if changed_in == "tripletex":
        world.tripletex.put("customer", wanted_back, name="D")
    else:
        world.crm.put("customer", "c1", Name="D")
        world.run("tripletex", finish=False)
    world.run("tripletex", records={"customer": [], "contact": [], "product": []})
    assert world.tripletex.values("customer", wanted_back)["name"] == "D"
    assert [note for note in world.notes if "Conflict" in note]
    assert "putback" not in states(world)
    world.cycle()
    world.cycle()
    assert world.tripletex.values("customer", wanted_back)["name"] == "D"
    assert world.crm.values("customer", "c1")["Name"] == "D"


def test_a_lost_value_is_put_back_over_the_one_that_won_in_another_spelling(world, wanted_back):
    world.tripletex.put("customer", wanted_back, name=" C ")
    world.run("tripletex", records={"customer": [], "contact": [], "product": []})
    assert world.tripletex.values("customer", wanted_back)["name"] == "B"


@pytest.mark.parametrize("taken", ["customcrm", "tripletex"])
def test_what_is_edited_after_a_decision_was_shown_is_not_overwritten_without_a_trace(world, pair, taken):
    world.tripletex.put("customer", pair, name="B")
    world.crm.put("customer", "c1", Name="C")
    world.cycle(conflict="manual")
    decide(world, taken)
    world.tripletex.put("customer", pair, name="B 2")
    world.crm.put("customer", "c1", Name="C 2")
    world.cycle(conflict="manual")
    stands, lost, side = (
        ("C 2", {"name": "B 2"}, "tripletex") if taken == "customcrm" else ("B 2", {"Name": "C 2"}, "customcrm")
    )
    assert world.tripletex.values("customer", pair)["name"] == world.crm.values("customer", "c1")["Name"] == stands
    assert [(winner, both[side]) for _, state, winner, both in conflicts(world) if state == "kept"] == [(taken, lost)]


def test_what_a_person_decided_against_is_not_told_as_lost(world, pair):
    world.tripletex.put("customer", pair, name="B")
    world.crm.put("customer", "c1", Name="C")
    world.cycle(conflict="manual")
    decide(world, "customcrm")
    world.crm.put("customer", "c1", Name="C 2")
    world.cycle(conflict="manual")
    assert world.tripletex.values("customer", pair)["name"] == "C 2"
    assert states(world) == {"settled"}


@pytest.mark.parametrize("newer", ["customcrm", "tripletex"])
def test_a_conflict_that_waits_for_a_person_is_decided_once_the_table_has_a_policy(world, newer):
    world.crm.put("customer", "c1", Name="A", Email="a@example.no")
    world.cycle(conflict="manual")
    (one,) = world.tripletex.all("customer")
    edits = {
        "customcrm": lambda: world.crm.put("customer", "c1", Name="B"),
        "tripletex": lambda: world.tripletex.put("customer", one, name="C"),
    }
    for side in sorted(edits, key=lambda side: side == newer):
        world.clock.advance(seconds=60)
        edits[side]()
    world.cycle(conflict="manual")
    assert [state for _, state, _, _ in conflicts(world)] == ["open"]
    world.settle(digest="2")
    expected = {"customcrm": "B", "tripletex": "C"}[newer]
    assert world.crm.values("customer", "c1")["Name"] == world.tripletex.values("customer", one)["name"] == expected
    assert waiting(world) == {}
    assert "open" not in [state for _, state, _, _ in conflicts(world)]
