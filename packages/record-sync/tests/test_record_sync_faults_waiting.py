"""Records that wait: the state that is true now is the one that is tried again."""

from __future__ import annotations

import copy

from record_sync.session import Session
from record_sync.testing.world import rules, waiting

pytest_plugins = ["record_sync.testing.fixtures"]


def test_a_record_restored_from_a_backup_takes_the_place_of_the_newer_state_that_waits(world):
    world.crm.put("customer", "c1", Name="A", Email="a@example.no")
    backup = copy.deepcopy(world.crm.records)
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.refuse = lambda values: "Ugyldig navn" if values["name"] == "B" else None
    assert world.run("tripletex")["customer"] == {"parked": 1}
    world.crm.records = backup
    assert world.run("tripletex")["customer"] == {"created": 1}
    world.tripletex.refuse = lambda _values: None
    world.clock.advance(hours=25)
    world.settle()
    assert [one["name"] for one in world.tripletex.all("customer").values()] == ["A"]
    assert world.crm.values("customer", "c1")["Name"] == "A"


def test_a_state_that_is_not_valid_does_not_take_the_place_of_a_newer_one_that_waits(world):
    world.crm.put("customer", "c1", Name="A", Email="a@example.no")
    (older,) = world.incoming("customer", "tripletex")
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.refuse = lambda _values: "nei"
    world.run("tripletex")
    world.tripletex.refuse = lambda _values: None
    with Session(world.open_store(), world.tripletex) as session:
        session.flow(rules("customer", "tripletex")).park_all_invalid([(older, "not a valid record")])
        assert session.tally.of("customer") == {"stale": 1}
    world.run("tripletex", records={"customer": []})
    assert [one["name"] for one in world.tripletex.all("customer").values()] == ["B"]


def test_a_state_that_is_not_valid_and_was_overtaken_does_not_wait(world, pair):
    (older,) = world.incoming("customer", "tripletex")
    world.tripletex.put("customer", pair, name="B")
    world.run("customcrm")
    with Session(world.open_store(), world.tripletex) as session:
        session.flow(rules("customer", "tripletex")).park_all_invalid([(older, "not a valid record")])
    assert waiting(world) == {}


def parked(world, pair):
    """An edit of a linked customer that Tripletex refuses."""
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.refuse = lambda _values: "nei"
    world.run("tripletex")
    world.tripletex.refuse = lambda _values: None
    assert world.tripletex.values("customer", pair)["name"] == "A"


def test_what_waits_of_a_linked_record_that_a_complete_read_did_not_bring_is_tried_again_once_it_is_found(world, pair):
    parked(world, pair)
    world.run("tripletex", records={"customer": []}, complete=["customer"])
    assert world.tripletex.values("customer", pair)["name"] == "A"
    world.run("customcrm", records={"customer": []})
    world.clock.advance(hours=25)
    world.run("tripletex", records={"customer": []})
    assert world.tripletex.values("customer", pair)["name"] == "B"
    assert waiting(world) == {}


def test_what_waits_of_a_linked_record_does_not_hide_that_it_is_gone(world, pair):
    parked(world, pair)
    world.crm.delete("customer", "c1")
    for _ in range(2):
        world.clock.advance(hours=25)
        world.run("tripletex", records={"customer": []}, complete=["customer"])
        world.run("customcrm", records={"customer": []})
    world.run("tripletex", records={"customer": []})
    assert world.tripletex.values("customer", pair)["isInactive"] is True
    assert world.tripletex.values("customer", pair)["name"] == "A"
    assert waiting(world) == {}
