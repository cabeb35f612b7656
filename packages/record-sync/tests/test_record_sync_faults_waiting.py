"""Records that wait: the state that is true now is the one that is tried again."""

from __future__ import annotations

import copy

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
