"""Creations without an answer: found again, or made once, and never taken for somebody else's record."""

from __future__ import annotations

import sys
from collections import Counter

import pytest
from record_sync.testing.world import SIDES, World

pytest_plugins = ["record_sync.testing.fixtures"]


def first_names(world):
    """Of the people on either side."""
    return (
        sorted(one["FirstName"] for one in world.crm.all("contact").values()),
        sorted(one["firstName"] for one in world.tripletex.all("contact").values()),
    )


def companies(world):
    """Names and numbers of the customers on either side."""
    return (
        sorted((one["Name"], one.get("Number")) for one in world.crm.all("customer").values()),
        sorted((one["name"], one.get("organizationNumber")) for one in world.tripletex.all("customer").values()),
    )


def run_without_answers(world, *, carried_out):
    """A run whose creations are never answered, be they carried out or not, and that dies of it."""
    world.tripletex.lose_answers, world.tripletex.lose_requests = True, not carried_out
    world.run("tripletex", finish=False)
    world.tripletex.lose_answers = world.tripletex.lose_requests = False


def recover(world, next_line):
    world.run(next_line)
    world.clock.advance(hours=25)
    world.settle()


@pytest.mark.parametrize("next_line", SIDES)
@pytest.mark.parametrize("carried_out", [True, False])
def test_a_creation_without_an_answer_is_not_taken_for_a_person_who_shares_the_address(world, next_line, carried_out):
    world.crm.put("contact", "p1", FirstName="Kari", Email="kontor@example.no")
    run_without_answers(world, carried_out=carried_out)
    ola = world.tripletex.put("contact", firstName="Ola", email="kontor@example.no")
    recover(world, next_line)
    assert world.tripletex.values("contact", ola)["firstName"] == "Ola"
    assert world.crm.values("contact", "p1")["FirstName"] == "Kari"
    assert first_names(world) == (["Kari", "Ola"], ["Kari", "Ola"])


@pytest.mark.parametrize("next_line", SIDES)
def test_a_person_who_shares_the_address_of_a_lost_creation_stays_himself_when_edited(world, next_line):
    world.crm.put("contact", "p1", FirstName="Kari", Email="kontor@example.no")
    run_without_answers(world, carried_out=False)
    ola = world.tripletex.put("contact", firstName="Ola", email="kontor@example.no")
    world.tripletex.put("contact", ola, lastName="Dahl")
    recover(world, next_line)
    assert world.tripletex.values("contact", ola)["firstName"] == "Ola"
    assert world.crm.values("contact", "p1")["FirstName"] == "Kari"


@pytest.mark.parametrize("next_line", SIDES)
def test_a_lost_creation_is_not_taken_for_a_company_with_another_number(world, next_line):
    world.crm.put("customer", "c1", Name="Fjord AS", Number="974760673", Email="post@fjord.example.no")
    run_without_answers(world, carried_out=False)
    world.tripletex.put("customer", name="Fjord AS", organizationNumber="923609016", email="post@fjord.example.no")
    recover(world, next_line)
    both = [("Fjord AS", "923609016"), ("Fjord AS", "974760673")]
    assert companies(world) == (both, both)


@pytest.mark.parametrize("next_line", SIDES)
def test_a_lost_creation_is_the_company_with_its_number_that_a_user_made_meanwhile(world, next_line):
    world.crm.put("customer", "c1", Name="Fjord AS", Number="974760673", Email="post@fjord.example.no")
    run_without_answers(world, carried_out=False)
    world.tripletex.put("customer", name="Fjord Drift AS", organizationNumber="974760673")
    recover(world, next_line)
    assert [len(some) for some in companies(world)] == [1, 1]


# -- how much work it is


def calls_of(act):
    """How many functions of the engine are called while this is done."""
    called = Counter()

    def profile(frame, event, _argument):
        if (
            event == "call"
            and "record_sync/" in frame.f_code.co_filename
            and "/testing/" not in frame.f_code.co_filename
        ):
            called[frame.f_code] += 1

    sys.setprofile(profile)
    try:
        act()
    finally:
        sys.setprofile(None)
    return sum(called.values())


def work_of_recovery(world, number, next_line, values):
    """How much it takes to find out about so many creations, of which nothing is known but that they were sent."""
    for one in range(number):
        world.crm.put("customer", f"c{one}", **values(one))
    run_without_answers(world, carried_out=True)
    records = {"customer": [] if next_line == "tripletex" else world.incoming("customer", "customcrm")[::-1]}
    work = calls_of(lambda: world.run(next_line, flows=["customer"], records=records))
    assert len(world.tripletex.all("customer")) == len(world.crm.all("customer")) == number
    return work


def with_a_key(one):
    return {"Name": f"Kunde {one}", "Email": f"k{one}@example.no"}


def without_a_key(one):
    return {"Name": f"Kunde {one}"}


@pytest.mark.parametrize(
    ("next_line", "values"),
    [
        ("tripletex", with_a_key),
        ("tripletex", without_a_key),
        ("customcrm", with_a_key),
        ("customcrm", without_a_key),
    ],
)
def test_finding_out_about_creations_takes_work_in_proportion_to_their_number(tmp_path, next_line, values):
    few, many = (
        work_of_recovery(World(f"sqlite:///{tmp_path}/{number}.db"), number, next_line, values) for number in (20, 160)
    )
    assert many < 8 * few * 1.25, f"eight times as many take {many / few:.1f} times as much"
