"""Every record ends in one outcome, whatever the system answers and whatever the clocks say."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from record_sync.system import Written
from record_sync.testing.world import deleted, waiting

pytest_plugins = ["record_sync.testing.fixtures"]


def test_every_record_that_comes_in_ends_in_exactly_one_outcome(world):
    for one in ("updated", "unchanged", "gone", "edited", "late"):
        world.crm.put("customer", one, Name=one, Email=f"{one}@example.no")
    for one in ("1", "2"):
        world.tripletex.put("customer", one, name=f"tvilling {one}", organizationNumber="974760673")
    world.run("tripletex")
    by_name = {values["name"]: record_id for record_id, values in world.tripletex.all("customer").items()}
    (late,) = world.incoming("customer", "tripletex", only=["late"])
    world.tripletex.put("customer", by_name["late"], name="sent")
    world.run("customcrm", records={"customer": world.incoming("customer", "customcrm", only=[by_name["late"]])})
    world.crm.put("customer", "updated", Name="endret")
    world.crm.put("customer", "edited", Name="endret i CRM")
    world.tripletex.put("customer", by_name["edited"], name="endret i Tripletex")
    world.crm.put("customer", "ambiguous", Name="hvem", Number="974760673")
    world.crm.put("customer", "refused", Name="nei")
    world.crm.put("customer", "new", Name="ny")
    world.tripletex.put("customer", "7", name="funnet", email="funnet@example.no")
    world.crm.put("customer", "found", Name="funnet", Email="funnet@example.no")
    world.tripletex.refuse = lambda values: "nei" if values.get("name") == "nei" else None
    world.crm.put("customer", "filtered", Name="filtrert")
    customers = [
        deleted(world, one.id)
        if one.id == "gone"
        else late
        if one.id == "late"
        else msgspec.structs.replace(one, filtered=one.id == "filtered")
        for one in world.incoming("customer", "tripletex")
    ]
    world.crm.put("contact", "p1", FirstName="Kari", CustomerId="refused")
    counts = world.run("tripletex", records={"customer": customers})
    assert counts["contact"] == {"waiting": 1}
    assert counts["customer"] == {
        "created": 1,
        "linked": 1,
        "updated": 1,
        "unchanged": 1,
        "kept": 1,
        "stale": 1,
        "filtered": 1,
        "ambiguous": 1,
        "parked": 1,
        "deleted": 1,
    }


@pytest.mark.parametrize("write", ["create", "update"])
def test_a_system_that_answers_for_fewer_records_than_it_was_sent_loses_none(world, write):
    for number in range(3):
        world.crm.put("customer", f"c{number}", Name=f"Kunde {number}")
    if write == "update":
        world.settle()
        for number in range(3):
            world.crm.put("customer", f"c{number}", Name=f"Endret {number}")
    answers = getattr(world.tripletex, write)

    def too_few(resource, requests, paths):
        yield from answers(resource, requests[:-1], paths)

    setattr(world.tripletex, write, too_few)
    counts = world.run("tripletex")["customer"]
    setattr(world.tripletex, write, answers)
    assert sum(counts.values()) == 3
    assert counts["parked"] == 1
    world.clock.advance(hours=25)
    world.settle()
    assert sorted(one["name"] for one in world.tripletex.all("customer").values()) == sorted(
        one["Name"] for one in world.crm.all("customer").values()
    )


def test_a_creation_that_is_answered_with_another_records_id_waits_and_the_rest_goes_on(world, pair):
    world.crm.put("customer", "c2", Name="A", Email="a@example.com")
    world.crm.put("customer", "c3", Name="B")
    create = world.tripletex.create

    def doubles_are_refused_silently(resource, requests, paths):
        for request in requests:
            if request.values["name"] == "A":
                yield [Written(world.tripletex.read(resource, [pair], paths)[pair])]
            else:
                yield from create(resource, [request], paths)

    world.tripletex.create = doubles_are_refused_silently
    counts = world.run("tripletex")["customer"]
    assert (counts["created"], counts["unchanged"]) == (1, 1)
    assert ("customcrm", "c2") in waiting(world)
    world.crm.put("customer", "c2", Name="C")
    world.run("tripletex")
    assert world.tripletex.values("customer", pair)["name"] == "A"


@pytest.mark.parametrize("ahead", [-400, 400], ids=["a year behind", "a year ahead"])
def test_how_our_own_clock_goes_against_the_systems_changes_nothing(world, ahead):
    """The store's times, and when the tap asked, are ours; all others are the systems'."""

    class Ours:
        def __call__(self):
            return world.clock.now + timedelta(days=ahead)

    open_store, incoming = world.open_store, world.incoming

    def store_by_our_clock():
        store = open_store()
        store.now = Ours()
        return store

    world.open_store = store_by_our_clock
    world.incoming = lambda *arguments, **options: [
        msgspec.structs.replace(one, read_at=Ours()()) for one in incoming(*arguments, **options)
    ]
    world.crm.put("customer", "c1", Name="A", Email="a@example.no")
    world.tripletex.lose_answers = True
    world.run("tripletex", finish=False)
    world.tripletex.lose_answers = False
    world.settle()
    (pair,) = world.tripletex.all("customer")
    world.crm.put("customer", "c1", Name="av selgeren")
    world.tripletex.put("customer", pair, name="av regnskapet")
    world.cycle()
    assert world.crm.values("customer", "c1")["Name"] == "av regnskapet"
    world.tripletex.put("customer", pair, name="av regnskapet igjen")
    world.crm.put("customer", "c1", Name="av selgeren igjen")
    world.cycle()
    assert world.tripletex.values("customer", pair)["name"] == "av selgeren igjen"
    assert world.run("tripletex", records={"customer": [deleted(world, "c1")]})["customer"] == {"deleted": 1}
