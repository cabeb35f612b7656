"""What is decided on the page is what the commands decide: the next runs carry it out."""

from __future__ import annotations

import os
import sqlite3

import pytest
from dataflow_operator.page import site
from dataflow_operator.testing.page import served
from dataflow_operator.testing.world import NOTHING
from record_sync.breaker import Limits
from record_sync.errors import BreakerOpenError

pytest_plugins = ["dataflow_operator.testing.fixtures"]


@pytest.fixture
def visitor(world):
    with served(world.url) as page:
        yield page.visitor()


@pytest.fixture
def parked(world, dataflow):
    """Two records that were refused, tried again, and are not due; the system would take them now."""
    world.tripletex.refuse = lambda _values: "Ugyldig"
    world.crm.put("customer", "c1", Name="Fjord AS")
    world.crm.put("customer", "c2", Name="Fjell AS")
    for _ in range(2):
        world.run("tripletex")
    world.tripletex.refuse = lambda _values: None
    return [str(one["id"]) for one in dataflow("failures", "--json").told["failures"]]


@pytest.fixture
def conflict(world, dataflow):
    tripletex_id = world.pair()
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.put("customer", tripletex_id, name="C")
    world.cycle(conflict="manual")
    (one,) = dataflow("conflicts", "--json").told["conflicts"]
    return one["id"]


def names(world):
    return (
        [one["Name"] for one in world.crm.all("customer").values()],
        [one["name"] for one in world.tripletex.all("customer").values()],
    )


def test_retry_now_lets_the_next_run_try_it_and_says_that_nothing_is_sent_before(world, visitor, parked):
    told = visitor.told("/failures/retry", number=parked[0], back="/failures")
    assert told == "The next run tries 1 record. Nothing is sent until then."
    assert names(world)[1] == []
    world.run("tripletex", records=NOTHING)
    assert names(world)[1] == ["Fjord AS"]


def test_all_that_a_list_shows_is_tried_together(world, visitor, parked, dataflow):
    world.crm.put("contact", "k1", FirstName="Kari", CustomerId="c9")
    world.run("tripletex", records={**NOTHING, "contact": world.incoming("contact", "tripletex")})
    assert "2 records" in visitor.told("/failures/retry", all="1", flow="customer", kind="", back="/failures")
    world.run("tripletex", records=NOTHING)
    assert names(world)[1] == ["Fjord AS", "Fjell AS"]
    assert [one["flow"] for one in dataflow("failures", "--json").told["failures"]] == ["contact"]


def test_what_is_said_is_said_once(visitor, parked):
    visitor.told("/failures/retry", number=parked[0], back="/failures")
    assert "The next run tries" not in visitor.get("/failures").text


def test_dropping_asks_first(visitor, parked, dataflow):
    asked = visitor.post("/failures/drop", number=parked)
    assert asked.status_code == 200
    assert "Forget these 2 records?" in asked.text
    assert len(dataflow("failures", "--json").told["failures"]) == 2
    told = visitor.told("/failures/drop", number=parked, sure="1")
    assert told.startswith("Dropped customer c1. It is sent again when it changes in customcrm")
    assert "Dropped customer c2." in told
    assert dataflow("failures", "--json").told["failures"] == []


def test_a_record_whose_conflict_is_open_is_not_dropped(visitor, conflict, dataflow):
    row = dataflow("failures", "--json").told["failures"][0]
    told = visitor.told("/failures/drop", number=str(row["id"]), sure="1")
    assert "Decide instead" in told
    assert dataflow("failures", "--json").told["total"] == 2


@pytest.mark.parametrize(("side", "stands"), [("customcrm", "B"), ("tripletex", "C")])
def test_the_side_that_is_taken_stands_in_both_systems(world, visitor, conflict, side, stands):
    page = visitor.get(f"/conflicts/{conflict}").text
    assert page.count("Take this one") == 2
    told = visitor.told(f"/conflicts/{conflict}/take", side=side)
    assert f"what {side} says stands" in told
    for _ in range(2):
        world.cycle(records=NOTHING, conflict="manual")
    assert names(world) == ([stands], [stands])
    assert "settled" in visitor.get(f"/conflicts/{conflict}").text


def test_a_decision_can_be_changed_until_a_run_acts_on_it(world, visitor, conflict):
    visitor.told(f"/conflicts/{conflict}/take", side="customcrm")
    assert "what tripletex says stands" in visitor.told(f"/conflicts/{conflict}/take", side="tripletex")
    for _ in range(2):
        world.cycle(records=NOTHING, conflict="manual")
    assert names(world) == (["C"], ["C"])
    assert "there is nothing left to decide" in visitor.told(f"/conflicts/{conflict}/take", side="customcrm")


def test_what_lost_by_policy_is_put_back(world, visitor, dataflow):
    tripletex_id = world.pair()
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.put("customer", tripletex_id, name="C")
    world.cycle()
    world.cycle()
    assert names(world) == (["C"], ["C"])
    (one,) = dataflow("conflicts", "--all", "--json").told["conflicts"]
    assert "Customcrm" in visitor.get("/conflicts?all=1").text
    assert "puts its value back" in visitor.told(f"/conflicts/{one['id']}/take", side="customcrm")
    for _ in range(2):
        world.cycle()
    assert names(world) == (["B"], ["B"])


def test_deletions_that_are_held_back_are_let_through_once(world, visitor, dataflow):
    for number in range(30):
        world.crm.put("customer", f"c{number}", Name=f"Kunde {number}")
    world.cycle()
    tombstones = {**NOTHING, "customer": [world.tombstone(f"c{number}") for number in range(25)]}
    with pytest.raises(BreakerOpenError):
        world.run("tripletex", records=tombstones)
    page = visitor.get("/").text
    assert "too many deletions for one run" in page
    assert "held back" in page
    told = visitor.told("/let-through", flow="customer", writes="deletions")
    assert "makes all deletions, however many. Known so far: 25 in tripletex." in told
    assert "let through once" in visitor.get("/").text
    undone = visitor.told("/let-through", flow="customer", writes="deletions", undo="1")
    assert undone == "customer: deletions are limited again."
    visitor.told("/let-through", flow="customer", writes="deletions")
    world.run("tripletex", records=NOTHING)
    assert sum(bool(one.get("isInactive")) for one in world.tripletex.all("customer").values()) == 25
    assert "held back" not in visitor.get("/").text
    assert Limits().floor < 25


def test_while_a_run_holds_the_store_letting_through_says_who_does(world, visitor):
    world.pair()
    session = world.begin("tripletex")
    told = visitor.told("/let-through", flow="customer", writes="deletions")
    assert f"process {os.getpid()} on" in told
    session.close("done")


def test_a_store_that_is_being_written_to_is_not_waited_for_long(world, visitor, parked, monkeypatch, tmp_path):
    monkeypatch.setattr(site, "WAITS_S", 0.05)
    session = world.begin("tripletex")
    form = visitor.form_token("/failures")
    with session.store.begin():
        answer = visitor.post("/failures/retry", form=form, number=parked[0], back="/failures")
        page = visitor.get(answer.headers["Location"])
        assert page.status_code == 200
        assert f"Nothing was changed: process {os.getpid()} on" in page.text
        assert "writes to the link store. Try again." in page.text
    session.close("done")
    other = sqlite3.connect(tmp_path / "links.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert "Nothing was changed: another program writes" in visitor.told("/failures/retry", form=form, number=parked[0])
    other.close()


@pytest.mark.parametrize(
    ("path", "fields", "told"),
    [
        ("/failures/retry", {}, "Choose records first."),
        ("/failures/drop", {"sure": "1"}, "Choose records first."),
        ("/failures/retry", {"number": "999"}, "Nothing waits under the number 999"),
        ("/failures/retry", {"number": "x"}, "That is no number of a record."),
        ("/failures/retry", {"number": "9" * 30}, "That is no number of a record."),
        ("/failures/retry", {"all": "1", "flow": "nonsense"}, "No run ever had a flow"),
        ("/conflicts/999/take", {"side": "customcrm"}, "There is no conflict 999"),
        ("/let-through", {"flow": "customer", "writes": "all"}, "Only deletions and overwrites are held back."),
        ("/let-through", {"flow": "nonsense", "writes": "deletions"}, "No run ever had a flow"),
    ],
)
def test_what_cannot_be_done_is_one_line_on_the_page_one_came_from(visitor, parked, path, fields, told):
    answer = visitor.post(path, back="/links", **fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/links")
    page = visitor.get("/links").text
    assert told in page
    assert 'role="alert"' in page


def test_a_side_that_is_none_is_refused(visitor, conflict):
    assert "names no side" in visitor.told(f"/conflicts/{conflict}/take", side="nonsense")
