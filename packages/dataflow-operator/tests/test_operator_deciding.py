"""What a person decides, and what the next runs make of it."""

from __future__ import annotations

import msgspec
import pytest
import sqlalchemy as sa
from dataflow_operator.store.conflicts import one_conflict
from dataflow_operator.testing.world import NOTHING, SIDES
from record_sync.errors import BreakerOpenError
from record_sync.store import Store, tables

pytest_plugins = ["dataflow_operator.testing.fixtures"]


def waiting(dataflow, **wanted):
    rows = dataflow("failures", "--json").told["failures"]
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def conflict(dataflow):
    (one,) = dataflow("conflicts", "--all", "--json").told["conflicts"]
    return one


def names(world):
    return (
        [one["Name"] for one in world.crm.all("customer").values()],
        [one["name"] for one in world.tripletex.all("customer").values()],
    )


# -- failures


@pytest.fixture
def parked(world, dataflow):
    """A record that was refused, tried again, and is not due for a day; the system would take it now."""
    world.tripletex.refuse = lambda _values: "Ugyldig"
    world.crm.put("customer", "c1", Name="Fjord AS")
    world.run("tripletex")
    for _ in range(7):
        world.clock.advance(hours=25)
        world.run("tripletex", records=NOTHING)
    world.clock.advance(hours=1)
    world.tripletex.refuse = lambda _values: None
    world.run("tripletex", records=NOTHING)
    assert world.tripletex.writes == []
    (row,) = waiting(dataflow)
    return str(row["id"])


@pytest.mark.parametrize("arguments", [None, ("--all",), ("--all", "--flow", "customer", "--kind", "parked")])
def test_a_retried_record_is_tried_by_the_next_run(world, dataflow, parked, arguments):
    said = dataflow("failures", "retry", *(arguments or (parked,)))
    assert (said.code, said.out) == (0, "The next run tries 1 record.\n")
    assert world.run("tripletex", records=NOTHING)["customer"] == {"created": 1}
    assert waiting(dataflow) == []


def test_a_retry_of_other_records_leaves_this_one(world, dataflow, parked):
    assert dataflow("failures", "retry", "--all", "--flow", "contact").out == "The next run tries 0 records.\n"
    assert dataflow("failures", "retry", "--all", "--kind", "ambiguous", "--json").told == {"retried": [], "left": []}
    world.run("tripletex", records=NOTHING)
    assert world.tripletex.writes == []


def test_a_record_that_no_retry_helps_says_what_does(world, dataflow):
    tripletex_id = world.pair()
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.put("customer", tripletex_id, name="C")
    with world.begin("tripletex", conflict="manual") as session:
        session.flows["customer"].take(world.incoming("customer", "tripletex"))
        record = world.incoming("customer", "tripletex")[0]
        record.id = "c2"
        session.flows["customer"].park_all_invalid([(record, "not a valid record")])
        session.finish()
    (in_conflict,) = waiting(dataflow, kind="conflict")
    said = dataflow("failures", "retry", str(in_conflict["id"]))
    assert said.code == 1
    assert "a person has to decide: dataflow conflicts" in said.err
    said = dataflow("failures", "retry", "--all").out.splitlines()
    assert said[0] == "The next run tries 0 records."
    assert said[1].startswith("Left alone: 1 of kind invalid; no valid record")
    assert said[2].startswith("Left alone: 1 of kind conflict; a person has to decide")


@pytest.mark.parametrize("arguments", [(), ("1", "--all"), ("--flow", "customer"), ("1", "--kind", "parked"), ("x",)])
def test_a_retry_that_does_not_say_what_is_refused(world, dataflow, arguments):
    said = dataflow("failures", "retry", *arguments)
    assert said.code == 2
    assert said.err.count("\n") == 1


def test_a_dropped_record_comes_again_when_it_changes(world, dataflow, parked):
    said = dataflow("failures", "drop", parked, answer="y\n")
    assert said.code == 0
    assert "customer c1 of customcrm, parked: Ugyldig" in said.err
    assert "It is sent again when it changes in customcrm, or by a run with --full-refresh." in said.out
    world.clock.advance(hours=48)
    world.run("tripletex", records=NOTHING)
    assert world.tripletex.writes == []
    world.crm.put("customer", "c1", Name="Fjord Drift AS")
    assert world.run("tripletex")["customer"] == {"created": 1}


@pytest.mark.parametrize("answer", ["n\n", "", "perhaps\n"])
def test_nothing_is_dropped_unless_that_is_said(world, dataflow, parked, answer):
    said = dataflow("failures", "drop", parked, answer=answer)
    assert (said.code, said.out) == (1, "")
    assert said.err.splitlines()[-1] == "dataflow: Nothing was dropped. Where nobody can be asked, say --yes."
    assert len(waiting(dataflow)) == 1


def test_dropping_an_ambiguous_record_sets_its_candidates_free(world, dataflow):
    world.crm.put("customer", "c1", Name="Fjord AS", Number="974760673")
    world.tripletex.put("customer", "1", name="Fjord AS", organizationNumber="974760673")
    world.tripletex.put("customer", "2", name="Fjord AS", organizationNumber="974760673")
    world.run("tripletex")
    (row,) = waiting(dataflow)
    assert world.run("customcrm", records=NOTHING)["customer"] == {}
    world.crm.remove_record("customer", "c1")
    assert dataflow("failures", "drop", str(row["id"]), "--yes", "--json").told == {"dropped": [row["id"]]}
    with Store(world.url, SIDES, now=world.clock) as store, store.begin() as connection:
        assert connection.execute(sa.select(tables.reserved)).all() == [], "a later record may get this number"
    world.tripletex.remove_record("customer", "2")
    assert world.run("customcrm")["customer"] == {"created": 1}


def test_a_record_whose_conflict_is_open_is_not_dropped(world, dataflow):
    tripletex_id = world.pair()
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.put("customer", tripletex_id, name="C")
    world.cycle(conflict="manual")
    number = conflict(dataflow)["id"]
    for row in waiting(dataflow):
        said = dataflow("failures", "drop", str(row["id"]), "--yes")
        assert said.code == 1
        assert f"dataflow conflicts resolve {number} --take" in said.err
    assert len(waiting(dataflow)) == 2


def test_a_number_that_passed_to_another_record_drops_nothing(world, dataflow, parked, monkeypatch):
    def somebody_else(*_arguments, **_settings):
        with Store(world.url, SIDES, now=world.clock) as store, store.begin() as connection:
            connection.execute(sa.update(tables.waiting).values(record_id="c2"))
        return True

    monkeypatch.setattr("dataflow_operator.failures.confirmed", somebody_else)
    said = dataflow("failures", "drop", parked)
    assert said.code == 1
    assert "nothing was dropped" in said.err
    assert len(waiting(dataflow, record_id="c2")) == 1


# -- conflicts


@pytest.mark.parametrize("lines", [SIDES, SIDES[::-1]])
@pytest.mark.parametrize(("side", "expected"), [("customcrm", "B"), ("tripletex", "C")])
def test_an_open_conflict_is_settled_by_the_side_that_is_taken(world, dataflow, side, expected, lines):
    tripletex_id = world.pair()
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.put("customer", tripletex_id, name="C")
    world.cycle(conflict="manual")
    number = conflict(dataflow)["id"]
    assert "edited on both sides" in dataflow("conflicts", "show", str(number)).out
    said = dataflow("conflicts", "resolve", str(number), "--take", side)
    assert (said.code, said.err) == (0, "")
    assert f"what {side} says stands" in said.out
    assert conflict(dataflow)["state"] == "taken"
    assert f"a person took {side}" in dataflow("conflicts", "show", str(number)).out
    for line in lines:
        world.run(line, records=NOTHING, conflict="manual")
    assert names(world) == ([expected], [expected])
    assert conflict(dataflow)["state"] == "settled"
    world.cycle(conflict="manual")
    assert waiting(dataflow) == []


def test_a_decision_can_be_changed_until_a_run_acts_on_it(world, dataflow):
    tripletex_id = world.pair()
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.put("customer", tripletex_id, name="C")
    world.cycle(conflict="manual")
    number = str(conflict(dataflow)["id"])
    dataflow("conflicts", "resolve", number, "--take", "customcrm")
    assert dataflow("conflicts", "resolve", number, "--take", "tripletex").code == 0
    world.cycle(records=NOTHING, conflict="manual")
    assert names(world) == (["C"], ["C"])
    said = dataflow("conflicts", "resolve", number, "--take", "customcrm")
    assert said.code == 1
    assert "was settled at" in said.err


@pytest.fixture
def kept(world, dataflow):
    """A conflict that customcrm won."""
    tripletex_id = world.pair()
    world.tripletex.put("customer", tripletex_id, name="B")
    world.crm.put("customer", "c1", Name="C")
    world.cycle()
    assert names(world) == (["C"], ["C"])
    assert conflict(dataflow)["state"] == "kept"
    return str(conflict(dataflow)["id"])


def test_a_value_that_lost_is_put_back_and_carried_over(world, dataflow, kept):
    said = dataflow("conflicts", "resolve", kept, "--take", "tripletex")
    assert "the next run that writes to tripletex puts its value back" in said.out
    assert conflict(dataflow)["state"] == "putback"
    world.cycle()
    world.cycle()
    assert names(world) == (["B"], ["B"])
    assert conflict(dataflow)["state"] == "settled"


def test_taking_the_winner_settles_and_writes_nothing(world, dataflow, kept):
    assert "nothing is written" in dataflow("conflicts", "resolve", kept, "--take", "customcrm").out
    assert conflict(dataflow)["state"] == "settled"
    for side in SIDES:
        world.run(side)
        assert world.systems[side].writes == []


def test_a_value_to_be_put_back_can_be_left_after_all(world, dataflow, kept):
    dataflow("conflicts", "resolve", kept, "--take", "tripletex")
    dataflow("conflicts", "resolve", kept, "--take", "customcrm")
    world.cycle()
    assert names(world) == (["C"], ["C"])


@pytest.mark.parametrize("lines", [SIDES, SIDES[::-1]])
@pytest.mark.parametrize("taken", SIDES)
@pytest.mark.parametrize("deleter", SIDES)
def test_deleted_here_and_edited_there_ends_as_a_person_says(world, dataflow, deleter, taken, lines):
    tripletex_id = world.pair()
    if deleter == "customcrm":
        world.crm.remove_record("customer", "c1")
        world.tripletex.put("customer", tripletex_id, name="B")
        world.run("tripletex", records={**NOTHING, "customer": [world.tombstone("c1")]})
        world.run("customcrm")
    else:
        world.tripletex.remove_record("customer", tripletex_id)
        world.crm.put("customer", "c1", Name="B")
        world.run("tripletex")
        world.run("customcrm", complete=["customer"])
    shown = conflict(dataflow)
    assert (shown["unit"], shown["state"]) == ("deleted", "open")
    said = dataflow("conflicts", "show", str(shown["id"])).out
    assert "the record itself: deleted and edited" in said
    said = dataflow("conflicts", "resolve", str(shown["id"]), "--take", taken).out
    if taken == deleter:
        other = SIDES[1 - SIDES.index(deleter)]
        assert f"the deletion stands. The next run that writes to {other} deletes or deactivates" in said
    else:
        assert f"the record lives on. The next run that writes to {deleter} makes it anew there." in said
    for line in (*lines, *lines):
        world.run(line)
    there = [one for one in world.tripletex.all("customer").values() if not one.get("isInactive")]
    here = list(world.crm.all("customer").values())
    if taken == deleter:
        assert (here, there) == ([], [])
    else:
        assert ([one["Name"] for one in here], [one["name"] for one in there]) == (["B"], ["B"])
    assert {one["state"] for one in dataflow("conflicts", "--all", "--json").told["conflicts"]} == {"settled"}


def test_several_conflicts_are_decided_together_or_not_at_all(world, dataflow, kept):
    said = dataflow("conflicts", "resolve", kept, "99", "--take", "tripletex")
    assert said.code == 1
    assert conflict(dataflow)["state"] == "kept"


def test_a_side_that_is_none_is_refused_with_the_sides_there_are(world, dataflow, kept):
    said = dataflow("conflicts", "resolve", kept, "--take", "hubspot")
    assert (said.code, said.err) == (
        1,
        "dataflow: --take hubspot names no side. The sides are customcrm and tripletex.\n",
    )


def test_a_decision_waits_for_no_run(world, dataflow, kept):
    session = world.begin("tripletex")
    assert dataflow("conflicts", "resolve", kept, "--take", "tripletex").code == 0
    session.close("done")
    assert conflict(dataflow)["state"] == "putback"


def test_a_decision_that_comes_too_late_is_not_taken(world, dataflow, kept, monkeypatch):
    """A run settled the conflict after it was read: databases let others write meanwhile."""

    def as_it_was(*arguments):
        shown = one_conflict(*arguments)
        return msgspec.structs.replace(shown, conflict=msgspec.structs.replace(shown.conflict, state="open"))

    monkeypatch.setattr("dataflow_operator.store.conflicts.one_conflict", as_it_was)
    said = dataflow("conflicts", "resolve", kept, "--take", "tripletex")
    assert said.code == 1
    assert f"A run has just changed conflict {kept}" in said.err
    assert conflict(dataflow)["state"] == "kept"


# -- the circuit breaker


@pytest.fixture
def held_back(world):
    """Thirty deletions, too many for one run."""
    for number in range(40):
        world.crm.put("customer", f"c{number}", Name=f"Kunde {number}")
    world.cycle()
    world.cycle()
    tombstones = [world.tombstone(f"c{number}") for number in range(30)]
    for number in range(30):
        world.crm.remove_record("customer", f"c{number}")
    with pytest.raises(BreakerOpenError):
        world.run("tripletex", records={**NOTHING, "customer": tombstones})
    assert world.tripletex.writes == []


def test_deletions_are_let_through_once(world, dataflow, held_back):
    said = dataflow("let-through", "customer", "deletions")
    assert said.code == 0
    assert "Known so far: 30 in tripletex." in said.out
    assert "let through once: deletions" in dataflow("status").out
    assert "If they are right" not in dataflow("status").out
    assert world.run("tripletex", records=NOTHING)["customer"] == {"deleted": 30}
    flow = next(one for one in dataflow("status", "--json").told["flows"] if one["flow"] == "customer")
    assert (flow["held"], flow["let_through"], flow["ended"]) == ({}, [], 30)


def test_what_was_let_through_can_be_taken_back(world, dataflow, held_back):
    dataflow("let-through", "customer", "overwrites")
    assert dataflow("let-through", "customer", "deletions", "--json").told["let_through"] == ["deletions", "overwrites"]
    said = dataflow("let-through", "customer", "deletions", "--undo")
    assert (said.code, said.out) == (0, "customer: deletions are limited again.\n")
    with pytest.raises(BreakerOpenError):
        world.run("tripletex", records=NOTHING)
    assert world.tripletex.writes == []
    assert dataflow("let-through", "customer", "overwrites", "--undo", "--json").told["let_through"] == []


def test_overwrites_are_let_through_once(world, dataflow):
    for number in range(40):
        world.crm.put("customer", f"c{number}", Name=f"Kunde {number}")
    world.cycle()
    for number in range(40):
        world.crm.put("customer", f"c{number}", Name="Alle heter det samme")
    with pytest.raises(BreakerOpenError):
        world.run("tripletex")
    assert "How many they are shows" in dataflow("let-through", "customer", "overwrites").out
    assert world.run("tripletex")["customer"] == {"updated": 40}


def test_nothing_is_let_through_while_a_run_would_use_it_up(world, dataflow, held_back):
    session = world.begin("tripletex")
    said = dataflow("let-through", "customer", "deletions")
    assert said.code == 1
    assert said.err.startswith("dataflow: Another run works with this link store (sync name 'default'): process ")
    session.close("done")
    assert dataflow("let-through", "customer", "deletions").code == 0


def test_a_flow_or_kind_of_write_that_is_none_is_refused(world, dataflow, held_back):
    assert "Known: contact, customer." in dataflow("let-through", "customers", "deletions").err
    said = dataflow("let-through", "customer", "everything")
    assert said.code == 2
    assert "'everything' is not one of 'deletions', 'overwrites'" in said.err
