"""A run over a real store, with a register in memory as the system that is written to."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import ExitStack, closing

import pytest
import sqlalchemy as sa
from record_sync.errors import (
    BehindTheTapError,
    BreakerOpenError,
    StampMismatchError,
    StoreError,
    StoreLockedError,
    TooManyFailuresError,
)
from record_sync.record import SourceRecord
from record_sync.session import Session
from record_sync.store import Store, tables
from record_sync.testing.register import START
from record_sync.testing.world import (
    SIDES,
    World,
    conflicts,
    decide,
    deleted,
    let_through,
    once,
    rules,
    tombstone,
)

pytest_plugins = ["record_sync.testing.fixtures"]


@pytest.fixture
def world(links_url):
    return World(links_url)


# -- linking and creating


def test_every_record_gets_its_counterpart_and_matching_ones_are_linked(world):
    world.crm.put("customer", "c1", Name="Fjord AS", Number="974 760 673", Email="post@fjord.example.no")
    world.crm.put("customer", "c2", Name="Fjell AS", Email="post@fjell.example.no")
    world.tripletex.put("customer", "1", name="Fjord AS", organizationNumber="974760673")
    world.tripletex.put("customer", "2", name="Elv AS", email="post@elv.example.no")
    there, back = world.cycle()
    assert there["customer"] == {"created": 1, "linked and updated": 1}
    assert back["customer"] == {"created": 1, "unchanged": 2}
    assert world.tripletex.values("customer", "1")["email"] == "post@fjord.example.no"
    assert len(world.tripletex.all("customer")) == len(world.crm.all("customer")) == 3
    world.settle()


def test_edits_of_either_side_are_carried_over_and_then_nothing_is_written_or_read(world):
    world.crm.put("customer", "c1", Name="Fjord AS", Email="post@fjord.example.no")
    world.settle()
    (tripletex_id,) = world.tripletex.all("customer")
    world.crm.put("customer", "c1", Name="Fjord Drift AS")
    world.tripletex.put("customer", tripletex_id, organizationNumber="974760673")
    world.cycle()
    assert world.tripletex.values("customer", tripletex_id)["name"] == "Fjord Drift AS"
    assert world.crm.values("customer", "c1")["Number"] == "974760673"
    for side in SIDES:
        assert world.run(side)["customer"] == {"unchanged": 1}
        assert world.systems[side].calls == []


def test_a_value_that_changes_to_and_fro_is_carried_each_time(world):
    world.crm.put("customer", "c1", Name="A")
    world.settle()
    (tripletex_id,) = world.tripletex.all("customer")
    for name in ("B", "A", "B"):
        world.crm.put("customer", "c1", Name=name)
        world.cycle()
        assert world.tripletex.values("customer", tripletex_id)["name"] == name


def test_a_cleared_value_is_cleared_on_the_other_side(world):
    world.crm.put("customer", "c1", Name="A", Email="a@example.no")
    world.settle()
    (tripletex_id,) = world.tripletex.all("customer")
    world.crm.put("customer", "c1", Email=None)
    world.settle()
    assert world.tripletex.values("customer", tripletex_id)["email"] is None


def test_what_fits_several_waits_and_is_not_resolved_by_the_back_door(world):
    world.crm.put("customer", "c1", Name="Fjord AS", Number="974760673")
    world.tripletex.put("customer", "1", name="Fjord AS", organizationNumber="974760673")
    world.tripletex.put("customer", "2", name="Fjord Drift AS", organizationNumber="974760673")
    there, back = world.cycle()
    assert there["customer"] == {"ambiguous": 1}
    assert back["customer"] == {"ambiguous": 2}
    assert world.crm.writes == world.tripletex.writes == []
    assert "1, 2" in " ".join(world.reasons["customer"]) or "c1" in " ".join(world.reasons["customer"])


def test_an_ambiguous_record_is_linked_once_one_candidate_is_left(world):
    world.crm.put("customer", "c1", Name="Fjord AS", Number="974760673")
    world.tripletex.put("customer", "1", name="Fjord AS", organizationNumber="974760673")
    world.tripletex.put("customer", "2", name="Fjord Drift AS", organizationNumber="974760673")
    world.cycle()
    world.tripletex.put("customer", "2", organizationNumber="923609016")
    world.cycle()
    world.clock.advance(hours=2)
    world.cycle()
    assert world.crm.values("customer", "c1")["Name"] == "Fjord AS"
    assert sorted(values["Name"] for values in world.crm.all("customer").values()) == ["Fjord AS", "Fjord Drift AS"]


def test_two_of_one_system_with_the_same_number_do_not_become_one(world):
    world.crm.put("customer", "c1", Name="A", Number="974760673")
    world.crm.put("customer", "c2", Name="B", Number="974760673")
    there = world.run("tripletex")
    assert there["customer"] == {"created": 1, "ambiguous": 1}
    assert len(world.tripletex.all("customer")) == 1


def test_the_same_email_with_other_numbers_overwrites_nobody(world):
    world.crm.put("customer", "c1", Name="A", Number="974760673", Email="post@felles.example.no")
    world.tripletex.put("customer", "1", name="B", organizationNumber="923609016", email="post@felles.example.no")
    world.settle()
    assert sorted(values["name"] for values in world.tripletex.all("customer").values()) == ["A", "B"]
    assert sorted(values["Name"] for values in world.crm.all("customer").values()) == ["A", "B"]


def test_many_records_are_matched_by_one_listing_and_few_by_queries(world):
    for number in range(30):
        world.tripletex.put("customer", name=f"Kunde {number}", email=f"k{number}@example.no")
    for number in range(2):
        world.crm.put("customer", f"c{number}", Name=f"Kunde {number}", Email=f"k{number}@example.no")
    world.run("tripletex", flows=["customer"])
    assert world.tripletex.calls.count("listing") == 0
    assert world.tripletex.calls.count("search") == 2
    for number in range(2, 30):
        world.crm.put("customer", f"c{number}", Name=f"Kunde {number}", Email=f"k{number}@example.no")
    world.run("tripletex", flows=["customer"])
    assert world.tripletex.calls.count("listing") == 1
    assert world.tripletex.calls.count("search") == 0
    assert len(world.tripletex.all("customer")) == 30


def test_records_without_a_key_that_say_the_same_are_one_when_a_store_is_new(world):
    for name in ("Per", "Per", "Kari"):
        world.crm.put("contact", FirstName=name)
    for name in ("Per", "Per", "Ola"):
        world.tripletex.put("contact", firstName=name)
    there = world.run("tripletex")
    assert there["contact"] == {"created": 1, "linked": 2}
    names = sorted(values["firstName"] for values in world.tripletex.all("contact").values())
    assert names == ["Kari", "Ola", "Per", "Per"]


# -- references, products


def test_a_contact_is_linked_to_a_customer_that_comes_later_in_the_stream(world):
    world.crm.put("customer", "c1", Name="Fjord AS")
    world.crm.put("contact", "p1", FirstName="Kari", Email="kari@fjord.example.no", CustomerId="c1")
    there = world.run("tripletex", flows=["contact", "customer"])
    assert there["contact"] == {"created": 1}
    (customer_id,) = world.tripletex.all("customer")
    (contact,) = world.tripletex.all("contact").values()
    assert contact["customer.id"] == customer_id
    world.settle()


def test_a_contact_waits_for_its_customer_and_its_other_edits_do_not(world):
    world.crm.put("customer", "c1", Name="Fjord AS")
    world.crm.put("contact", "p1", FirstName="Kari", Email="kari@fjord.example.no")
    world.settle()
    world.tripletex.refuse = lambda values: "Ugyldig" if values.get("name") == "Fjell AS" else None
    world.crm.put("customer", "c2", Name="Fjell AS")
    world.crm.put("contact", "p1", FirstName="Kari Anne", CustomerId="c2")
    there = world.run("tripletex")
    assert there["contact"] == {"waiting": 1}
    (contact,) = world.tripletex.all("contact").values()
    assert contact["firstName"] == "Kari Anne"
    world.tripletex.refuse = lambda _values: None
    there = world.run("tripletex", records={"contact": []})
    assert there["contact"] == {"updated": 1}
    assert contact != world.tripletex.all("contact").popitem()[1]


def test_a_reference_to_a_record_that_is_filtered_out_is_left_out(world):
    (customer,) = [SourceRecord("c1", "1", START, {}, {}, START, filtered=True)]
    world.crm.put("contact", "p1", FirstName="Kari", CustomerId="c1")
    there = world.run("tripletex", records={"customer": [customer]})
    assert there["customer"] == {"filtered": 1}
    assert there["contact"] == {"created": 1}
    assert "customer.id" not in world.tripletex.all("contact").popitem()[1]


def test_a_reference_to_a_record_that_was_deleted_before_it_was_linked_is_left_out(world):
    world.tripletex.refuse = lambda values: "Ugyldig" if values.get("name") == "Fjell AS" else None
    world.crm.put("customer", "c1", Name="Fjell AS")
    world.crm.put("contact", "p1", FirstName="Kari", CustomerId="c1")
    assert world.run("tripletex")["contact"] == {"waiting": 1}
    there = world.run("tripletex", records={"customer": [tombstone(world, "c1")]})
    assert there["contact"] == {"created": 1}
    assert "customer.id" not in world.tripletex.all("contact").popitem()[1]


def test_a_record_that_returns_after_it_was_deleted_unlinked_is_waited_for_again(world):
    world.run("tripletex", records={"customer": [deleted(world, "c1")]})
    world.crm.put("customer", "c1", Name="Fjord AS")
    world.run("tripletex")
    world.crm.put("contact", "p1", FirstName="Kari", CustomerId="c1")
    assert world.run("tripletex")["contact"] == {"created": 1}
    (customer_id,) = world.tripletex.all("customer")
    assert world.tripletex.all("contact").popitem()[1]["customer.id"] == customer_id


def test_a_products_contact_is_no_person_whichever_side_it_is_edited_on(world):
    world.crm.put("product", "v1", Name="Skrue", Number="P-1")
    world.tripletex.put("contact", "7", firstName="Mutter", lastName="P-2")
    world.crm.put("product", "v2", Name="Mutter", Number="P-2")
    world.settle()
    assert world.crm.all("contact") == {}
    assert len(world.tripletex.all("contact")) == 2
    world.tripletex.put("contact", "7", firstName="Låsemutter")
    world.settle()
    assert world.crm.values("product", "v2")["Name"] == "Låsemutter"
    assert world.crm.all("contact") == {}
    assert len(world.crm.all("product")) == len(world.tripletex.all("contact")) == 2


def test_a_contact_that_equals_a_product_is_offered_to_the_product_first(world):
    """Both are new, and only the line from Tripletex runs."""
    world.crm.put("product", "v1", Name="Skrue", Number="P-1")
    world.tripletex.put("contact", "7", firstName="Skrue", lastName="P-1")
    world.tripletex.put("contact", "8", firstName="Kari", lastName="Dahl")
    back = world.run("customcrm")
    assert back["product"] == {"linked": 1, "unmatched": 1}
    assert back["contact"] == {"created": 1, "belongs to another flow": 1}
    assert [one["FirstName"] for one in world.crm.all("contact").values()] == ["Kari"]


# -- refusals


def test_a_refused_record_is_parked_with_the_systems_words_and_the_rest_goes_on(world):
    world.crm.put("customer", "c1", Name="A", Email="ugyldig")
    world.crm.put("customer", "c2", Name="B")
    world.tripletex.refuse = lambda values: "Ugyldig e-postadresse" if values.get("email") == "ugyldig" else None
    there = world.run("tripletex")
    assert there["customer"] == {"created": 1, "parked": 1}
    assert world.reasons["customer"] == ["c1: Ugyldig e-postadresse"]


def test_a_parked_record_is_tried_again_by_the_next_run_and_then_ever_less_often(world):
    world.crm.put("customer", "c1", Name="A")
    world.tripletex.refuse = lambda _values: "nei"
    attempts = []
    for _ in range(4):
        world.run("tripletex")
        attempts.append(len(world.tripletex.writes))
        world.clock.advance(minutes=1)
    assert attempts == [1, 1, 0, 0]
    world.clock.advance(hours=1)
    world.tripletex.refuse = lambda _values: None
    assert world.run("tripletex", records={"customer": []})["customer"] == {"created": 1}


def test_a_newer_record_takes_a_parked_ones_place(world):
    world.crm.put("customer", "c1", Name="A", Email="ugyldig")
    world.tripletex.refuse = lambda values: "nei" if values.get("email") == "ugyldig" else None
    world.run("tripletex")
    world.crm.put("customer", "c1", Email="post@example.no")
    assert world.run("tripletex")["customer"] == {"created": 1}
    world.clock.advance(hours=48)
    assert world.run("tripletex")["customer"] == {"unchanged": 1}
    assert world.tripletex.all("customer").popitem()[1]["email"] == "post@example.no"


def test_an_older_record_that_comes_late_does_not_take_a_parked_ones_place(world):
    world.crm.put("customer", "c1", Name="A")
    older = world.incoming("customer", "tripletex")
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.refuse = lambda _values: "not today"
    assert world.run("tripletex")["customer"] == {"parked": 1}
    late = world.run("tripletex", records={"customer": older})
    assert late["customer"] == {"stale": 1, "parked": 1}, "what waits is tried again as it was"
    world.tripletex.refuse = lambda _values: None
    world.clock.advance(hours=25)
    assert world.run("tripletex", records={"customer": []})["customer"] == {"created": 1}
    assert [one["name"] for one in world.tripletex.all("customer").values()] == ["B"]


@pytest.mark.parametrize("where", ["search", "create", "update", "remove", "read"])
def test_a_bug_ends_the_run_and_is_no_records_failure(world, monkeypatch, where):
    world.crm.put("customer", "c1", Name="A")
    world.crm.put("customer", "c2", Name="B")
    world.settle()
    world.crm.put("customer", "c1", Name="A, edited")
    world.crm.put("customer", "c3", Name="C", Number="974760673")

    def broken(*_):
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(world.tripletex, where, broken)
        records = [*world.incoming("customer", "tripletex", only=["c1", "c3"]), deleted(world, "c2")]
        with pytest.raises(ZeroDivisionError):
            world.run("tripletex", records={"customer": records}, on_delete="deactivate")
    with Store(world.url, SIDES) as store, store.reading() as connection:
        assert connection.execute(sa.select(tables.waiting)).all() == []
    world.run("tripletex", records={"customer": records}, on_delete="deactivate")
    assert sorted(one["name"] for one in world.tripletex.all("customer").values()) == ["A, edited", "B", "C"]


def test_two_runs_in_one_process_know_nothing_of_each_other(tmp_path):
    worlds = [World(f"sqlite:///{tmp_path}/{name}.db") for name in "ab"]
    for number, world in enumerate(worlds):
        for record in range(number + 1):
            world.crm.put("customer", f"c{record}", Name=f"{number} {record}", Email=f"{record}@example.no")
    with ExitStack() as stack:
        sessions = [
            stack.enter_context(Session(Store(world.url, SIDES, now=world.clock), world.tripletex)) for world in worlds
        ]
        flows = [session.flow(rules("customer", "tripletex")) for session in sessions]
        for flow, world in zip(flows, worlds, strict=True):
            flow.take(world.incoming("customer", "tripletex"))
        for session in sessions:
            session.finish()
        assert [session.tally.of("customer") for session in sessions] == [{"created": 1}, {"created": 2}]
    for number, world in enumerate(worlds):
        names = [one["name"] for one in world.tripletex.all("customer").values()]
        assert names == [f"{number} {record}" for record in range(number + 1)]


def test_too_many_refusals_end_the_run(world):
    for number in range(30):
        world.crm.put("customer", f"c{number}", Name=f"Kunde {number}")
    world.tripletex.refuse = lambda _values: "nei"
    with pytest.raises(TooManyFailuresError, match="30 records were refused"):
        world.run("tripletex", flows=["customer"])


# -- answers that never came


@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize("values", [{"Name": "A", "Email": "a@example.no"}, {"Name": "Uten nøkkel"}])
@pytest.mark.parametrize("next_line", SIDES)
def test_a_create_without_an_answer_is_made_exactly_once(world, carried_out, values, next_line):
    world.crm.put("customer", "c1", **values)
    world.tripletex.lose_answers, world.tripletex.lose_requests = True, not carried_out
    world.run("tripletex")
    world.tripletex.lose_answers = world.tripletex.lose_requests = False
    world.run(next_line)
    world.clock.advance(hours=25)
    world.settle()
    assert len(world.tripletex.all("customer")) == len(world.crm.all("customer")) == 1


@pytest.mark.parametrize("next_line", SIDES)
def test_a_create_whose_run_died_is_taken_up_even_if_somebody_edited_it_since(world, next_line):
    world.crm.put("customer", "c1", Name="A", Email="a@example.no")
    world.tripletex.lose_answers = True
    world.run("tripletex", finish=False)
    world.tripletex.lose_answers = False
    (tripletex_id,) = world.tripletex.all("customer")
    world.tripletex.put("customer", tripletex_id, name="A, rettet")
    world.run(next_line)
    world.clock.advance(hours=25)
    world.settle()
    assert len(world.tripletex.all("customer")) == len(world.crm.all("customer")) == 1
    assert world.crm.values("customer", "c1")["Name"] == "A, rettet"


def test_many_creates_whose_run_died_are_looked_for_in_one_listing(world):
    for number in range(14):
        email = {"Email": f"post{number}@example.no"} if number % 2 else {}
        world.crm.put("customer", f"c{number}", Name=f"Kunde {number}", **email)
    world.tripletex.lose_answers = True
    world.run("tripletex", finish=False, flows=["customer"])
    world.tripletex.lose_answers = False
    second = list(world.tripletex.all("customer"))[1]
    world.tripletex.put("customer", second, name="Rettet")
    world.tripletex.calls.clear()
    world.run("tripletex", flows=["customer"])
    assert world.tripletex.calls.count("listing") == 1
    assert {"search", "create"}.isdisjoint(world.tripletex.calls)
    assert len(world.tripletex.all("customer")) == 14
    assert world.tripletex.values("customer", second)["name"] == "Rettet"
    assert world.run("tripletex", flows=["customer"])["customer"] == {"unchanged": 14}
    world.settle()
    assert len(world.tripletex.all("customer")) == len(world.crm.all("customer")) == 14
    assert world.crm.values("customer", "c1")["Name"] == "Rettet"


@pytest.mark.parametrize("next_line", SIDES)
def test_a_create_whose_run_died_is_taken_up_even_if_what_it_is_known_by_was_edited_since(world, next_line):
    world.crm.put("product", "v1", Name="Skrue", Number="P-1")
    world.tripletex.lose_answers = True
    world.run("tripletex", finish=False)
    world.tripletex.lose_answers = False
    (tripletex_id,) = world.tripletex.all("contact")
    world.tripletex.put("contact", tripletex_id, firstName="Treskrue")
    world.run(next_line)
    world.settle()
    assert world.crm.all("contact") == {}
    assert [one["Name"] for one in world.crm.all("product").values()] == ["Treskrue"]
    assert len(world.tripletex.all("contact")) == 1


def test_a_reference_to_a_record_whose_counterpart_is_gone_is_left_out(world):
    world.crm.put("customer", "c1", Name="Fjord AS")
    world.settle()
    (customer_id,) = world.tripletex.all("customer")
    del world.crm.records["customer", "c1"]
    world.run("customcrm", complete=["customer"])
    world.run("tripletex", records={"customer": [deleted(world, "c1")]})
    world.tripletex.put("contact", "7", **{"firstName": "Kari", "email": "kari@example.no", "customer.id": customer_id})
    world.run("customcrm", records={"customer": []})
    world.run("customcrm")
    (contact,) = world.crm.all("contact").values()
    assert contact.get("CustomerId") is None


@pytest.mark.parametrize("edited", [False, True])
@pytest.mark.parametrize("next_line", SIDES)
def test_an_update_without_an_answer_is_nobodys_edit(world, next_line, edited):
    world.crm.put("customer", "c1", Name="A", Email="a@example.no")
    world.settle()
    (tripletex_id,) = world.tripletex.all("customer")
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.lose_answers = True
    world.run("tripletex")
    world.tripletex.lose_answers = False
    if edited:
        world.crm.put("customer", "c1", Name="C")
    world.run(next_line)
    world.clock.advance(hours=25)
    world.settle()
    expected = "C" if edited else "B"
    assert world.tripletex.values("customer", tripletex_id)["name"] == expected
    assert world.crm.values("customer", "c1")["Name"] == expected


def test_a_record_that_moves_between_reading_and_writing_is_planned_anew(world):
    world.crm.put("customer", "c1", Name="A", Email="a@example.no")
    world.settle()
    (tripletex_id,) = world.tripletex.all("customer")
    world.crm.put("customer", "c1", Name="B")

    def edit_once():
        world.tripletex.before_update = lambda: None
        world.tripletex.put("customer", tripletex_id, email="ny@example.no")

    world.tripletex.before_update = edit_once
    world.settle()
    assert world.tripletex.values("customer", tripletex_id) | {"organizationNumber": None} == {
        "name": "B",
        "email": "ny@example.no",
        "organizationNumber": None,
    }
    assert world.crm.values("customer", "c1")["Email"] == "ny@example.no"


# -- conflicts


@pytest.mark.parametrize(("policy", "expected"), [("latest", "C"), ("customcrm", "B"), ("tripletex", "C")])
def test_the_losing_value_of_a_conflict_is_kept(world, policy, expected):
    world.crm.put("customer", "c1", Name="A")
    world.cycle(conflict=policy)
    (tripletex_id,) = world.tripletex.all("customer")
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.put("customer", tripletex_id, name="C")
    world.cycle(conflict=policy)
    assert world.crm.values("customer", "c1")["Name"] == expected
    assert world.tripletex.values("customer", tripletex_id)["name"] == expected
    ((_, state, winner, both),) = conflicts(world)
    assert state == "kept"
    assert winner == ("customcrm" if expected == "B" else "tripletex")
    assert both == {"customcrm": {"Name": "B"}, "tripletex": {"name": "C"}}


def test_a_manual_conflict_leaves_both_and_is_told_once(world):
    world.crm.put("customer", "c1", Name="A")
    world.cycle(conflict="manual")
    (tripletex_id,) = world.tripletex.all("customer")
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.put("customer", tripletex_id, name="C")
    world.cycle(conflict="manual")
    world.cycle(conflict="manual")
    assert world.crm.values("customer", "c1")["Name"] == "B"
    assert world.tripletex.values("customer", tripletex_id)["name"] == "C"
    assert {(unit, state) for unit, state, _, _ in conflicts(world)} == {("Name = name", "open")}


def test_edits_of_different_properties_merge(world):
    world.crm.put("customer", "c1", Name="A", Email="a@example.no")
    world.settle()
    (tripletex_id,) = world.tripletex.all("customer")
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.put("customer", tripletex_id, email="b@example.no")
    world.settle()
    assert world.crm.values("customer", "c1") == {"Name": "B", "Email": "b@example.no"}
    assert world.tripletex.values("customer", tripletex_id) == {"name": "B", "email": "b@example.no"}
    assert conflicts(world) == []


# -- deletes


def test_a_tombstone_deactivates_the_counterpart_by_the_flows_policy(world, pair):
    assert world.run("tripletex", records={"customer": [deleted(world, "c1")]})["customer"] == {"deleted": 1}
    assert world.tripletex.values("customer", pair)["isInactive"] is True
    assert world.run("tripletex", records={"customer": [deleted(world, "c1")]})["customer"] == {"unchanged": 1}
    assert world.tripletex.writes == []


def test_a_deletion_that_is_ignored_leaves_the_counterpart_as_it_is(world, pair):
    gone = {"records": {"customer": [deleted(world, "c1")]}, "on_delete": "ignore"}
    assert world.run("tripletex", **gone)["customer"] == {"unchanged": 1}
    assert world.run("tripletex", **gone)["customer"] == {"unchanged": 1}
    assert world.tripletex.calls == []
    assert world.tripletex.values("customer", pair) == {"name": "A", "email": "a@example.no"}
    del world.crm.records["customer", "c1"]
    world.tripletex.put("customer", pair, name="B")
    world.run("customcrm")
    assert world.crm.all("customer") == {}, "what was deleted is not made anew unasked"


def test_a_deletion_is_made_by_a_later_run_where_the_first_one_died(world, pair):
    world.run("tripletex", records={"customer": [deleted(world, "c1")]}, finish=False)
    assert world.run("tripletex", records={"customer": []})["customer"] == {"deleted": 1}
    assert world.tripletex.values("customer", pair)["isInactive"] is True


def test_deleted_here_and_edited_there_deletes_nothing(world, pair):
    world.tripletex.put("customer", pair, name="B")
    assert world.run("tripletex", records={"customer": [deleted(world, "c1")]})["customer"] == {"in conflict": 1}
    assert "isInactive" not in world.tripletex.values("customer", pair)
    assert world.run("tripletex", records={"customer": [deleted(world, "c1")]})["customer"] == {}


def test_what_is_edited_just_before_it_would_be_deleted_is_not(world, pair):
    world.tripletex.before_update = once(lambda: world.tripletex.put("customer", pair, name="B"))
    assert world.run("tripletex", records={"customer": [deleted(world, "c1")]})["customer"] == {"in conflict": 1}
    assert world.tripletex.values("customer", pair) == {"name": "B", "email": "a@example.no"}


def test_an_edit_of_what_is_not_synchronised_keeps_no_deletion_back(world, pair):
    world.tripletex.before_update = once(lambda: world.tripletex.put("customer", pair, notes="B"))
    assert world.run("tripletex", records={"customer": [deleted(world, "c1")]})["customer"] == {"deleted": 1}
    assert world.tripletex.values("customer", pair)["isInactive"] is True


def test_what_is_gone_just_before_it_would_be_deleted_is_gone(world, pair):
    world.tripletex.before_update = once(lambda: world.tripletex.records.pop(("customer", pair)))
    assert world.run("tripletex", records={"customer": [deleted(world, "c1")]})["customer"] == {"unchanged": 1}


@pytest.mark.parametrize("arrived", [True, False])
@pytest.mark.parametrize("policy", ["deactivate", "delete"])
def test_a_deletion_without_an_answer_is_made_by_the_next_run(world, pair, policy, arrived):
    setattr(world.tripletex, "lose_answers" if arrived else "lose_requests", True)
    lost = world.run("tripletex", records={"customer": [deleted(world, "c1")]}, on_delete=policy)
    assert lost["customer"] == {"held back": 1}
    world.tripletex.lose_answers = world.tripletex.lose_requests = False
    world.run("tripletex", records={"customer": []}, on_delete=policy)
    left = world.tripletex.all("customer").get(pair)
    assert left is None if policy == "delete" else left["isInactive"]
    world.run("tripletex", records={"customer": []}, on_delete=policy)
    assert world.tripletex.calls == []


def test_what_was_deactivated_without_an_answer_and_made_active_again_is_not_deactivated_unasked(world, pair):
    world.tripletex.lose_answers = True
    world.run("tripletex", records={"customer": [deleted(world, "c1")]})
    world.tripletex.lose_answers = False
    world.tripletex.put("customer", pair, isInactive=False)
    world.run("customcrm", records={"customer": []})
    assert world.run("tripletex", records={"customer": []})["customer"] == {"in conflict": 1}
    assert world.run("tripletex", records={"customer": []})["customer"] == {}
    assert world.tripletex.values("customer", pair)["isInactive"] is False
    decide(world, "customcrm")
    assert world.run("tripletex", records={"customer": []})["customer"] == {"deleted": 1}
    assert world.tripletex.values("customer", pair)["isInactive"] is True


def test_an_edit_of_what_is_not_synchronised_keeps_no_deletion_back_that_never_arrived(world, pair):
    world.tripletex.lose_requests = True
    world.run("tripletex", records={"customer": [deleted(world, "c1")]})
    world.tripletex.lose_requests = False
    world.tripletex.put("customer", pair, notes="B")
    assert world.run("tripletex", records={"customer": []})["customer"] == {"deleted": 1}
    assert world.tripletex.values("customer", pair)["isInactive"] is True


def test_a_deletion_that_always_comes_too_late_is_made_by_a_later_run(world, pair):
    world.tripletex.before_update = lambda: world.tripletex.put("customer", pair, notes="B")
    assert world.run("tripletex", records={"customer": [deleted(world, "c1")]})["customer"] == {"held back": 1}
    world.tripletex.before_update = lambda: None
    assert world.run("tripletex", records={"customer": []})["customer"] == {"deleted": 1}


@pytest.mark.parametrize("taken", SIDES)
def test_a_person_decides_what_becomes_of_deleted_here_and_edited_there(world, pair, taken):
    del world.crm.records["customer", "c1"]
    world.tripletex.put("customer", pair, name="B")
    world.run("tripletex", records={"customer": [deleted(world, "c1")]})
    assert world.run("customcrm")["customer"] == {"in conflict": 1}
    decide(world, taken)
    world.run("tripletex")
    world.run("customcrm")
    if taken == "customcrm":
        assert world.tripletex.values("customer", pair)["isInactive"] is True
        assert world.crm.all("customer") == {}
    else:
        assert [one["Name"] for one in world.crm.all("customer").values()] == ["B"]
        world.settle()
        assert len(world.tripletex.all("customer")) == 1


def test_a_record_that_a_full_read_did_not_bring_is_looked_up_before_it_counts_as_gone(world, pair):
    absent = {"records": {"customer": []}, "complete": ["customer"]}
    world.run("customcrm", **absent)
    assert world.crm.writes == []
    world.run("tripletex", records={"customer": []})
    assert world.tripletex.calls == ["read"], "it is there after all"
    world.run("customcrm", records={"customer": []})
    assert world.crm.writes == []


def test_what_a_full_read_did_not_bring_is_suspect_in_every_portion_of_the_links(world, monkeypatch):
    for number in range(5):
        world.crm.put("customer", f"c{number}", Name=f"{number}")
    world.settle()
    monkeypatch.setattr("record_sync.ledger.links.PORTION", 2)
    world.crm.records.clear()
    world.run("tripletex", complete=["customer"])
    world.run("customcrm", records={"customer": []})
    assert world.run("tripletex")["customer"] == {"deleted": 5}


def test_a_record_deleted_without_a_tombstone_is_deleted_on_the_other_side(world, pair):
    del world.tripletex.records["customer", pair]
    world.run("customcrm", complete=["customer"])
    assert world.crm.writes == []
    world.run("tripletex")
    assert world.run("customcrm", on_delete="delete")["customer"] == {"deleted": 1}
    assert world.crm.all("customer") == {}


def test_a_filtered_record_counts_as_seen(world, pair):
    kept_out = SourceRecord("c1", "9", world.clock.now, {}, {}, world.clock.now, filtered=True)
    world.run("tripletex", records={"customer": [kept_out]}, complete=["customer"])
    world.run("customcrm")
    assert world.crm.calls == []


def test_a_record_that_returns_under_a_new_id_takes_the_link_over(world, pair):
    del world.crm.records["customer", "c1"]
    world.run("tripletex", records={"customer": [deleted(world, "c1")]})
    world.crm.put("customer", "c9", Name="A", Email="a@example.no")
    assert world.run("tripletex")["customer"] == {"linked": 1}
    assert world.tripletex.values("customer", pair)["isInactive"] is False
    world.settle()
    assert len(world.tripletex.all("customer")) == 1
    world.crm.put("customer", "c9", Name="A igjen")
    world.settle()
    assert world.tripletex.values("customer", pair)["name"] == "A igjen"


def test_the_tombstone_of_a_former_id_says_nothing_of_the_record_that_took_its_place(world, pair):
    world.run("tripletex", records={"customer": [deleted(world, "c1")]})
    del world.crm.records["customer", "c1"]
    world.crm.put("customer", "c2", Name="A", Email="a@example.no")
    world.run("tripletex")
    assert world.tripletex.values("customer", pair)["isInactive"] is False
    assert world.run("tripletex", records={"customer": [deleted(world, "c1")]})["customer"] == {"unchanged": 1}
    assert world.tripletex.values("customer", pair)["isInactive"] is False


def test_a_record_that_is_undeleted_brings_its_counterpart_back(world, pair):
    world.run("tripletex", records={"customer": [deleted(world, "c1")]})
    world.crm.put("customer", "c1", Name="A2")
    world.run("tripletex")
    assert world.tripletex.values("customer", pair)["isInactive"] is False
    assert world.tripletex.values("customer", pair)["name"] == "A2"
    world.settle()


def test_edited_here_and_gone_there_creates_nothing_unasked(world, pair):
    del world.tripletex.records["customer", pair]
    world.crm.put("customer", "c1", Name="B")
    assert world.run("tripletex")["customer"] == {"in conflict": 1}
    assert world.tripletex.writes == []
    decide(world, "customcrm")
    world.settle()
    assert [one["name"] for one in world.tripletex.all("customer").values()] == ["B"]


# -- the circuit breaker


@pytest.fixture
def forty(world):
    for number in range(40):
        world.crm.put("customer", f"c{number}", Name=f"Kunde {number}")
    world.settle()
    return [f"c{number}" for number in range(40)]


def test_too_many_deletions_are_all_held_back_until_they_are_let_through(world, forty):
    tombstones = {"customer": [deleted(world, one) for one in forty[:25]]}
    with pytest.raises(BreakerOpenError, match=r"at least 25 of 40 .* dataflow let-through customer deletions"):
        world.run("tripletex", records=tombstones)
    assert world.tripletex.writes == []
    with pytest.raises(BreakerOpenError):
        world.run("tripletex", records={"customer": []})
    assert world.tripletex.writes == []
    let_through(world, "deletions")
    assert world.run("tripletex", records={"customer": []})["customer"] == {"deleted": 25}
    more = {"customer": [deleted(world, one) for one in forty[25:]]}
    assert world.run("tripletex", records=more)["customer"] == {"deleted": 15}, "few are always allowed"


def test_too_many_overwrites_stop_the_run_until_they_are_let_through(world, forty):
    for one in forty:
        world.crm.put("customer", one, Name="Alle heter det samme")
    for _ in range(2):
        with pytest.raises(BreakerOpenError, match="overwrites"):
            world.run("tripletex")
        assert world.tripletex.writes == []
    let_through(world, "overwrites")
    assert world.run("tripletex")["customer"] == {"updated": 40}


def test_one_sides_good_run_does_not_use_up_what_the_other_side_was_let_through(world, forty):
    tombstones = {"customer": [deleted(world, one) for one in forty[:25]]}
    with pytest.raises(BreakerOpenError):
        world.run("tripletex", records=tombstones)
    let_through(world, "deletions")
    world.run("customcrm", records={"customer": []})
    assert world.run("tripletex", records={"customer": []})["customer"] == {"deleted": 25}


def test_what_a_parked_record_waits_for_ends_with_its_source(world):
    world.crm.put("customer", "c1", Name="A")
    world.tripletex.refuse = lambda _values: "nei"
    world.run("tripletex")
    world.tripletex.refuse = lambda _values: None
    del world.crm.records["customer", "c1"]
    world.run("tripletex", complete=["customer"])
    world.clock.advance(hours=48)
    world.run("tripletex")
    assert world.tripletex.all("customer") == {}


def test_a_parked_record_that_is_deleted_as_it_stands_is_never_created(world):
    world.crm.put("customer", "c1", Name="A")
    world.tripletex.refuse = lambda _values: "nei"
    world.run("tripletex")
    world.tripletex.refuse = lambda _values: None
    assert world.run("tripletex", records={"customer": [tombstone(world, "c1")]})["customer"] == {"unchanged": 1}
    world.clock.advance(hours=48)
    assert world.run("tripletex")["customer"] == {}
    assert world.tripletex.all("customer") == {}


def test_a_record_in_conflict_that_is_deleted_as_it_stands_counts_as_deleted(world, pair):
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.put("customer", pair, name="C")
    world.cycle(conflict="manual")
    counts = world.run("tripletex", records={"customer": [tombstone(world, "c1")]}, conflict="manual")
    assert counts["customer"] == {"in conflict": 1}
    assert ("deleted", "open") in {(unit, state) for unit, state, _, _ in conflicts(world)}
    world.tripletex.put("contact", firstName="Ny", email="ny@example.no", **{"customer.id": pair})
    assert world.run("customcrm", conflict="manual")["contact"] == {"created": 1}
    assert [one.get("CustomerId") for one in world.crm.all("contact").values()] == [None]


def test_what_was_decided_by_policy_is_forgotten_after_thirty_days(world, pair):
    world.tripletex.put("customer", pair, name="B")
    world.crm.put("customer", "c1", Name="C")
    world.cycle()
    assert len(conflicts(world)) == 1
    world.clock.advance(days=31)
    world.cycle()
    assert conflicts(world) == []


# -- what a person decides


@pytest.mark.parametrize(("taken", "expected"), [("customcrm", "B"), ("tripletex", "C")])
def test_a_manual_conflict_is_settled_by_the_side_a_person_takes(world, pair, taken, expected):
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.put("customer", pair, name="C")
    world.cycle(conflict="manual")
    nothing = {"customer": [], "contact": [], "product": []}
    world.cycle(conflict="manual", records=nothing)
    assert world.crm.values("customer", "c1")["Name"] == "B"
    decide(world, taken)
    world.cycle(conflict="manual", records=nothing)
    assert world.crm.values("customer", "c1")["Name"] == expected
    assert world.tripletex.values("customer", pair)["name"] == expected
    assert {state for _, state, _, _ in conflicts(world)} == {"settled"}


def test_a_value_that_lost_can_be_put_back(world, pair):
    world.tripletex.put("customer", pair, name="B")
    world.crm.put("customer", "c1", Name="C")
    world.cycle()
    assert world.tripletex.values("customer", pair)["name"] == "C"
    ((_, _, winner, _),) = conflicts(world)
    decide(world, winner, state="putback")
    world.cycle()
    world.cycle()
    assert world.tripletex.values("customer", pair)["name"] == "B"
    assert world.crm.values("customer", "c1")["Name"] == "B"


@pytest.fixture
def wanted_back(world, pair):
    """Tripletex's name lost, and somebody wants it back."""
    world.tripletex.put("customer", pair, name="B")
    world.crm.put("customer", "c1", Name="C")
    world.cycle()
    ((_, _, winner, _),) = conflicts(world)
    decide(world, winner, state="putback")
    return pair


def states(world):
    return [state for _, state, _, _ in conflicts(world)]


def test_a_value_is_not_put_back_on_a_record_that_is_gone(world, wanted_back):
    del world.tripletex.records["customer", wanted_back]
    world.run("tripletex")
    assert states(world) == ["settled"]
    assert [note for note in world.notes if "is gone from tripletex; no value is put back" in note]
    assert world.tripletex.writes == []


@pytest.mark.usefixtures("wanted_back")
def test_a_value_is_not_put_back_where_somebody_took_its_link_out_of_the_store(world):
    if world.url.startswith("sqlite"):
        with closing(sqlite3.connect(world.url.removeprefix("sqlite:///"))) as connection, connection:
            connection.execute("UPDATE conflict SET link_id = 0")
    else:
        with Store(world.url, SIDES, now=world.clock) as store, store.begin() as connection:
            connection.execute(sa.text("ALTER TABLE conflict DROP CONSTRAINT conflict_link_id_fkey"))
            connection.execute(sa.text("UPDATE conflict SET link_id = 0"))
    world.run("tripletex")
    assert states(world) == ["settled"]
    assert [note for note in world.notes if "is gone from tripletex; no value is put back" in note]
    assert world.tripletex.writes == []


def test_a_value_that_stands_again_is_not_written_once_more(world, wanted_back):
    world.tripletex.put("customer", wanted_back, name=" B ")
    world.run("tripletex", records={"customer": [], "contact": [], "product": []})
    assert states(world) == ["settled"]
    assert world.tripletex.writes == []
    world.cycle()
    assert world.crm.values("customer", "c1")["Name"].strip() == "B"


def test_a_value_that_is_refused_when_put_back_is_kept_on(world, wanted_back):
    world.tripletex.refuse = lambda _: "too short"
    world.run("tripletex")
    assert states(world) == ["kept"]
    assert [note for note in world.notes if "refuses the value that was to be put back: too short" in note]
    world.tripletex.refuse = lambda _: None
    world.cycle()
    assert world.tripletex.values("customer", wanted_back)["name"] == "C"


def test_a_value_whose_answer_was_lost_is_looked_for_before_it_is_written_again(world, wanted_back):
    world.tripletex.lose_answers = True
    world.run("tripletex")
    assert states(world) == ["putback"]
    world.tripletex.lose_answers = False
    world.run("tripletex")
    assert states(world) == ["settled"]
    assert world.tripletex.writes == []


# -- the store


def test_a_store_is_bound_to_the_systems_it_was_first_used_with(world):
    world.crm.put("customer", "c1", Name="A")
    world.run("tripletex")
    world.tripletex.name = "tripletex two"
    world.run("tripletex")  # nothing is read or written
    world.crm.put("customer", "c1", Name="B")
    with pytest.raises(StampMismatchError, match="belongs to tripletex one"):
        world.run("tripletex")
    assert world.tripletex.calls == []


def test_a_second_run_is_told_who_holds_the_store(world):
    with (
        Store(world.url, SIDES, now=world.clock),
        pytest.raises(StoreLockedError, match=r"process .* on .* since 2026-01-02"),
    ):
        world.run("tripletex")
    with Store(world.url, SIDES, "another company", now=world.clock):
        world.run("tripletex")


def test_the_store_is_readable_by_its_owner_alone_and_holds_no_names(tmp_path):
    world = World(f"sqlite:///{tmp_path}/links.db")
    world.crm.put("customer", "c1", Name="Hemmelig Navn AS", Email="hemmelig@example.no")
    world.settle()
    database = tmp_path / "links.db"
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    assert b"emmelig" not in database.read_bytes() + b"".join(p.read_bytes() for p in tmp_path.glob("links.db-*"))


@pytest.mark.parametrize("url", ["nonsense", "sqlite:////proc/links.db", "nosuchdb://host/links"])
def test_a_store_that_cannot_be_opened_says_so_in_one_line(url):
    with pytest.raises(StoreError) as error:
        Store(url, SIDES)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    (tmp_path / "links.db").write_text("this is somebody's shopping list, not a database" * 10)
    with pytest.raises(StoreError, match="not a database"):
        Store(f"sqlite:///{tmp_path}/links.db", SIDES)
    assert "shopping list" in (tmp_path / "links.db").read_text()


@pytest.mark.parametrize("acknowledged", [None, "2026-01-02T11:00:00.000Z"])
def test_a_tap_that_is_further_than_the_store_is_refused(world, acknowledged):
    session = Session(Store(world.url, SIDES, now=world.clock), world.tripletex)
    with session:
        session.flow(rules("customer", "tripletex"))
        if acknowledged:
            session.acknowledge({"customer": {"as_of": acknowledged}}, {"customer": ["customer"]})
        with pytest.raises(BehindTheTapError, match="--full-refresh"):
            session.starts_from("customer", {"as_of": "2026-01-02T12:00:00.000Z"})
        session.starts_from("customer", {})
        session.acknowledge({"customer": {"as_of": "2026-01-02T12:00:00.000Z"}}, {"customer": ["customer"]})
        session.starts_from("customer", {"as_of": "2026-01-02T12:00:00.000Z"})


def test_what_was_read_earlier_and_comes_later_does_not_put_the_store_behind(world):
    session = Session(Store(world.url, SIDES, now=world.clock), world.tripletex)
    with session:
        session.flow(rules("customer", "tripletex"))
        for read in ("12:00", "11:00"):
            session.acknowledge({"customer": {"as_of": f"2026-01-02T{read}:00.000Z"}}, {"customer": ["customer"]})
        session.starts_from("customer", {"as_of": "2026-01-02T12:00:00.000Z"})


@pytest.mark.parametrize(("is_read_again", "outcome"), [(True, {"linked": 1}), (False, {"created": 1})])
def test_records_without_a_key_that_say_the_same_are_one_when_all_is_read_again(world, is_read_again, outcome):
    read = {"as_of": "2026-01-02T12:00:00.000Z"}
    with Session(Store(world.url, SIDES, now=world.clock), world.tripletex) as session:
        session.flow(rules("contact", "tripletex"))
        session.acknowledge({"contact": read}, {"contact": ["contact"]})
    world.crm.put("contact", FirstName="Per")
    world.tripletex.put("contact", firstName="Per")
    with Session(Store(world.url, SIDES, now=world.clock), world.tripletex) as session:
        flow = session.flow(rules("contact", "tripletex"))
        session.starts_from("contact", {} if is_read_again else read)
        flow.take(world.incoming("contact", "tripletex"))
        session.finish()
        assert session.tally.of("contact") == outcome


def test_a_changed_table_is_noticed(world):
    world.run("tripletex")
    session = Session(Store(world.url, SIDES, now=world.clock), world.tripletex)
    with session:
        session.flow(rules("customer", "tripletex", digest="2"))
        assert "--full-refresh" in session.notes[0]
