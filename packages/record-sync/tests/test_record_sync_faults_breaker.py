"""The circuit breaker: what it counts, of how many, and for how long it may be passed."""

from __future__ import annotations

import pytest
from record_sync.breaker import Limits
from record_sync.errors import BreakerOpenError
from record_sync.testing.world import deleted, let_through

pytest_plugins = ["record_sync.testing.fixtures"]

FEW = Limits(floor=2)
"""As usual, but for registers of a few records."""


def linked_customers(world, number):
    """So many customers on both sides, in step; their ids in the CRM."""
    ids = [f"c{one}" for one in range(number)]
    for one in ids:
        world.crm.put("customer", one, Name=f"Kunde {one}")
    world.cycle()
    return ids


def delete(world, ids, **options):
    """Delete customers in the CRM, and pass it on."""
    tombstones = [deleted(world, one) for one in ids]
    for one in ids:
        world.crm.delete("customer", one)
    return world.run("tripletex", records={"customer": tombstones}, **options)["customer"]


def rename(world, ids, name):
    for one in ids:
        world.crm.put("customer", one, Name=f"{name} {one}")


def inactive(world):
    return sum(one.get("isInactive", False) for one in world.tripletex.all("customer").values())


def test_deletions_that_are_refused_run_after_run_do_not_hold_back_the_others(world):
    ids = linked_customers(world, 40)
    world.tripletex.refuse_removal = "Kunden har åpne ordrer"
    for start in range(0, 25, 5):
        assert delete(world, ids[start : start + 5])["held back"] >= 5
    world.tripletex.refuse_removal = None
    assert delete(world, ids[25:27])["deleted"] >= 2
    world.clock.advance(hours=25)
    world.run("tripletex", records={"customer": []})
    assert inactive(world) == 27


def test_deletions_that_were_refused_do_not_hide_how_many_are_new(world):
    ids = linked_customers(world, 40)
    world.tripletex.refuse_removal = "Kunden har åpne ordrer"
    delete(world, ids[:15])
    world.tripletex.refuse_removal = None
    with pytest.raises(BreakerOpenError):
        delete(world, ids[15:])


def test_what_one_run_was_let_through_is_used_up_though_something_else_was_held_back(world):
    ids = linked_customers(world, 12)
    rename(world, ids, "Ny")
    with pytest.raises(BreakerOpenError, match="overwrites"):
        world.run("tripletex", limits=FEW)
    let_through(world, "overwrites")
    tombstones = [deleted(world, one) for one in ids[9:]]
    edits = world.incoming("customer", "tripletex", only=ids[:9])
    with pytest.raises(BreakerOpenError, match="deletions"):
        world.run("tripletex", records={"customer": [*edits, *tombstones]}, limits=FEW)
    assert world.tripletex.writes == ["update"] * 9
    rename(world, ids[:9], "Igjen")
    edits = world.incoming("customer", "tripletex", only=ids[:9])
    with pytest.raises(BreakerOpenError, match="overwrites"):
        world.run("tripletex", records={"customer": edits}, limits=FEW)
    assert world.tripletex.writes == []


def test_records_deleted_long_ago_do_not_make_deletions_seem_few(world):
    ids = linked_customers(world, 40)
    delete(world, ids[:30], limits=Limits(delete_share=1))
    with pytest.raises(BreakerOpenError, match="3 of 10"):
        delete(world, ids[30:33], limits=FEW)
    assert inactive(world) == 30


def test_records_deleted_long_ago_do_not_make_overwrites_seem_few(world):
    ids = linked_customers(world, 40)
    delete(world, ids[:30], limits=Limits(delete_share=1))
    rename(world, ids[30:38], "Ny")
    with pytest.raises(BreakerOpenError, match="8 of 10"):
        world.run("tripletex", limits=FEW)
    assert world.tripletex.writes == []
