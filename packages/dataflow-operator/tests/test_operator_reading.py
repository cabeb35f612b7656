"""What status, links, failures, conflicts and runs tell, on a store that real runs made."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from dataflow_operator.store.opening import opened
from dataflow_operator.testing.world import NOTHING
from record_sync.breaker import Limits
from record_sync.errors import BreakerOpenError, StoreError
from record_sync.outcome import Waits
from record_sync.record import SourceRecord

pytest_plugins = ["dataflow_operator.testing.fixtures"]


def flow_of(dataflow, name="customer"):
    return next(one for one in dataflow("status", "--json").told["flows"] if one["flow"] == name)


@pytest.fixture
def troubled(world):
    """A store with something of everything."""
    tripletex_id = world.pair()
    world.crm.put("customer", "c2", Name="Fjell AS", Number="974760673")
    world.tripletex.put("customer", "7", name="Fjell AS", organizationNumber="974760673")
    world.tripletex.put("customer", "8", name="Fjell Drift AS", organizationNumber="974760673")
    world.crm.put("customer", "c3", Name="Ugyldig AS")
    world.crm.put("contact", "p1", FirstName="Kari", CustomerId="c3")
    world.crm.put("customer", "c1", Name="Fjord Vest AS")
    world.tripletex.put("customer", tripletex_id, name="Fjord Øst AS")
    world.tripletex.refuse = lambda values: "Navnet er ugyldig" if values.get("name") == "Ugyldig AS" else None
    with world.begin("tripletex", conflict="manual") as session:
        for flow in session.flows.values():
            flow.take(world.incoming(flow.rules.flow, "tripletex"))
        record = SourceRecord("c4", None, None, {"name": 4}, {"Name": 4})
        session.flows["customer"].park_all_invalid([(record, "not a valid record: name must be string")])
        session.finish()
    return world


# -- status


def test_status_counts_what_waits_and_why(troubled, dataflow):
    told = dataflow("status", "--json").told
    assert told["sync_name"] == "default"
    assert told["systems"] == {"customcrm": None, "tripletex": "tripletex of Fjord AS"}
    customer = flow_of(dataflow)
    assert customer["linked"] == 1
    assert {kind: pile["count"] for kind, pile in customer["waiting"].items()} == {
        "ambiguous": 1,
        "conflict": 1,
        "invalid": 1,
        "parked": 1,
    }
    assert customer["conflicts"]["open"]["count"] == 1
    assert customer["waiting"]["parked"]["oldest"].endswith("Z")
    assert flow_of(dataflow, "contact")["waiting"]["reference"]["count"] == 1
    assert told["last_runs"]["tripletex"]["outcome"] == "done"
    assert told["last_runs"]["tripletex"]["counts"]["customer"]["parked"] == 2


def test_status_tells_people_what_to_do(troubled, dataflow):
    said = dataflow("status")
    assert said.code == 0
    for part in (
        "tripletex of Fjord AS",
        "1 parked (9 d 23 h)",
        "1 open (9 d 23 h)",
        "customer: 1 to decide: dataflow conflicts --flow customer",
        "customer: 3 records not carried over: dataflow failures --flow customer",
    ):
        assert part in said.out


def test_status_tells_deletions_suspects_and_the_breaker(world, dataflow):
    for number in range(30):
        world.crm.put("customer", f"c{number}", Name=f"Kunde {number}")
    world.cycle()
    world.run("customcrm", records=NOTHING, complete=["customer"])
    assert flow_of(dataflow)["suspects"] == {"tripletex": 30}
    assert "30 suspect in tripletex" in dataflow("status").out
    tombstones = {**NOTHING, "customer": [world.tombstone(f"c{number}") for number in range(25)]}
    with pytest.raises(BreakerOpenError):
        world.run("tripletex", records=tombstones)
    customer = flow_of(dataflow)
    assert customer["deletions_pending"] == {"tripletex": 25}
    assert customer["held"] == {"tripletex": ["deletions"]}
    said = dataflow("status").out
    assert "deletions in tripletex held back" in said
    assert "If they are right: dataflow let-through customer deletions" in said


def test_status_tells_writes_without_an_answer(world, dataflow):
    world.crm.put("customer", "c1", Name="Fjord AS")
    world.tripletex.answers = False
    world.run("tripletex")
    (write,) = flow_of(dataflow)["open_writes"]
    assert (write["to"], write["kind"], write["count"]) == ("tripletex", "create", 1)
    assert re.search(r"1 create in tripletex \((9 d 23 h|10 d)\)", dataflow("status").out)


def test_status_of_a_store_in_which_nothing_happened_yet(world, dataflow):
    world.begin("tripletex").close("done")
    told = dataflow("status", "--json").told
    assert told["systems"] == {"customcrm": None, "tripletex": None}
    assert told["last_runs"]["customcrm"] is None
    said = dataflow("status").out
    assert "not bound to a system yet" in said
    assert "No run ever wrote to customcrm." in said


# -- links


def test_links_are_found_by_the_id_of_either_side(world, dataflow):
    tripletex_id = world.pair()
    world.crm.put("customer", "c2", Name="Fjell AS")
    world.cycle()
    for record_id in ("c1", tripletex_id):
        (link,) = dataflow("links", "--id", record_id, "--json").told["links"]
        assert {side: end["id"] for side, end in link["ends"].items()} == {"customcrm": "c1", "tripletex": tripletex_id}
        assert link["ends"]["tripletex"]["version"] == link["ends"]["tripletex"]["own_version"] == "1"
        assert (link["flow"], link["state"]) == ("customer", "live")
    said = dataflow("links", "--id", "c1").out
    assert "c1" in said
    assert tripletex_id in said
    assert "c2" not in said
    assert "Fjord" not in said


def test_a_link_is_found_by_an_id_that_its_record_had(world, dataflow):
    world.pair(Number="974760673")
    world.crm.remove_record("customer", "c1")
    world.run("tripletex", records={**NOTHING, "customer": [world.tombstone("c1")]})
    world.crm.put("customer", "c9", Name="Fjord AS", Number="974760673")
    world.run("tripletex")
    (link,) = dataflow("links", "--id", "c1", "--json").told["links"]
    assert link["ends"]["customcrm"]["id"] == "c9"
    assert link["ends"]["customcrm"]["former_ids"] == ["c1"]


def test_a_long_list_is_cut_and_says_so(world, dataflow):
    for number in range(5):
        world.crm.put("customer", f"c{number}", Name=f"Kunde {number}")
    world.run("tripletex")
    found = dataflow("links", "--flow", "customer", "--limit", "2", "--json").told
    assert (len(found["links"]), found["total"]) == (2, 5)
    assert "3 more of 5" in dataflow("links", "--limit", "2").out
    assert dataflow("links", "--flow", "contact").out == "No links.\n"


def test_what_is_not_linked_is_no_failure(world, dataflow):
    world.pair()
    said = dataflow("links", "--id", "nowhere")
    assert (said.code, said.out) == (0, "No link of a record nowhere.\n")


# -- failures


def test_failures_are_listed_by_flow_and_kind(troubled, dataflow):
    found = dataflow("failures", "--json").told
    assert found["total"] == 5
    assert {one["kind"] for one in found["failures"]} == {"parked", "invalid", "ambiguous", "reference", "conflict"}
    (parked,) = dataflow("failures", "list", "--flow", "customer", "--kind", "parked", "--json").told["failures"]
    assert (parked["record_id"], parked["side"], parked["reason"]) == ("c3", "customcrm", "Navnet er ugyldig")
    assert parked["details"] == ["organizationNumber: Navnet er ugyldig"]
    said = dataflow("failures", "--limit", "2").out
    assert "3 more of 5" in said


def test_a_failure_is_shown_with_the_apis_words_and_the_record(troubled, dataflow):
    (parked,) = dataflow("failures", "--kind", "parked", "--json").told["failures"]
    said = dataflow("failures", "show", str(parked["id"])).out
    for part in ("c3 of customcrm", "Navnet er ugyldig", "organizationNumber: Navnet er ugyldig", "Ugyldig AS"):
        assert part in said
    shown = dataflow("failures", "show", str(parked["id"]), "--json").told
    assert shown["content"]["source"]["Name"] == shown["content"]["values"]["name"] == "Ugyldig AS"


def test_an_ambiguous_record_is_shown_with_its_candidates(troubled, dataflow):
    (row,) = dataflow("failures", "--kind", "ambiguous", "--json").told["failures"]
    assert dataflow("failures", "show", str(row["id"]), "--json").told["content"]["candidates"] == {
        "tripletex": ["7", "8"]
    }
    assert "7, 8" in dataflow("failures", "show", str(row["id"])).out


def test_when_a_record_is_tried_again_is_told(troubled, dataflow):
    for _ in range(5):
        troubled.clock.advance(hours=47)
        troubled.run("tripletex", conflict="manual")
    said = {one["kind"]: one for one in dataflow("failures", "--json").told["failures"]}
    assert said["parked"]["attempts"] > 1
    lines = dataflow("failures").out.splitlines()
    assert any("parked" in line and "after " in line for line in lines)
    assert any("invalid" in line and "when it comes again" in line for line in lines)
    assert any("conflict" in line and "when it is decided" in line for line in lines)
    assert any("reference" in line and "next run" in line for line in lines)


# -- conflicts


def test_conflicts_that_wait_are_listed_and_those_that_policy_decided_on_demand(world, dataflow):
    tripletex_id = world.pair()
    world.tripletex.put("customer", tripletex_id, name="B")
    world.crm.put("customer", "c1", Name="C")
    world.cycle()
    assert dataflow("conflicts", "--json").told["conflicts"] == []
    assert "1 more were decided by policy" in dataflow("conflicts").out
    (conflict,) = dataflow("conflicts", "list", "--all", "--json").told["conflicts"]
    assert (conflict["state"], conflict["winner"]) == ("kept", "customcrm")
    assert conflict["ids"] == {"customcrm": "c1", "tripletex": tripletex_id}
    shown = dataflow("conflicts", "show", str(conflict["id"]), "--json").told
    assert shown["values"] == {"customcrm": {"Name": "C"}, "tripletex": {"name": "B"}}
    said = dataflow("conflicts", "show", str(conflict["id"])).out
    assert "the policy of the flow or property gave it to customcrm" in said


def test_a_conflict_that_a_value_won_over_no_value_says_so(world, dataflow):
    tripletex_id = world.pair(Email="a@example.no")
    world.tripletex.put("customer", tripletex_id, email=None)
    world.crm.put("customer", "c1", Email="b@example.no")
    world.cycle()
    (conflict,) = dataflow("conflicts", "--all", "--json").told["conflicts"]
    said = dataflow("conflicts", "show", str(conflict["id"])).out
    assert "a value goes before no value, and tripletex had none" in said
    assert "(no value)" in said


# -- runs


def test_runs_are_listed_newest_first_with_how_they_ended(world, dataflow):
    world.pair()
    for number in range(30):
        world.crm.put("customer", f"k{number}", Name=f"Kunde {number}")
    world.run("tripletex")
    for number in range(30):
        world.crm.put("customer", f"k{number}", Name="Alle heter det samme")
    with pytest.raises(BreakerOpenError):
        world.run("tripletex", limits=Limits(overwrite_share=0.1))
    killed = world.begin("customcrm")
    killed.store.close()
    world.run("tripletex", records=NOTHING)
    runs = dataflow("runs", "--json").told["runs"]
    assert [run["outcome"] for run in runs[:3]] == ["done", "died", "failed"]
    assert "let-through customer overwrites" in runs[2]["error"]
    assert runs[3]["counts"] == {"contact": {}, "customer": {"created": 30, "unchanged": 1}}
    assert len(dataflow("runs", "--limit", "2", "--json").told["runs"]) == 2
    said = dataflow("runs").out
    assert "customer: 30 created, 1 unchanged" in said
    assert f"Run {runs[2]['id']}: Flow 'customer': at least 30" in said


def test_a_run_tells_what_it_waited_for_and_its_first_errors(world, dataflow):
    for number in range(5):
        world.crm.put("customer", f"c{number}", Name=f"Kunde {number}")
    world.tripletex.refuse = lambda _values: "Organisasjonsnummeret er ugyldig"
    session = world.begin("tripletex")
    session.flows["customer"].take(world.incoming("customer", "tripletex"))
    session.finish()
    session.close("done", None, 7, Waits(3, 61.5))
    (run,) = dataflow("runs", "--json").told["runs"]
    assert (run["requests"], run["waits"], run["waited_seconds"]) == (7, 3, 61.5)
    assert [one["id"] for one in run["first_errors"]] == [f"c{number}" for number in range(5)]
    said = dataflow("runs").out
    assert "1 min 1 s (3 times)" in said
    assert said.count("parked: Organisasjonsnummeret er ugyldig") == 3
    assert "Organisasjonsnummeret" not in dataflow("status").out


# -- reading disturbs nobody


def test_reading_works_while_a_run_goes_on_and_writes(world, dataflow):
    world.pair()
    session = world.begin("tripletex")
    with session.store.begin() as connection:
        connection.execute(sa.text("UPDATE link SET state = 'ended'"))
        for command in ("status", "links", "failures", "conflicts", "runs"):
            assert dataflow(command).code == 0
        assert dataflow("links", "--json").told["links"][0]["state"] == "live"
    session.close("done")
    assert dataflow("links", "--json").told["links"][0]["state"] == "ended"


def test_the_run_that_goes_on_is_told(world, dataflow):
    session = world.begin("tripletex")
    assert "running, or killed" in dataflow("status").out
    session.close("done")
    assert "running" not in dataflow("status").out


def test_each_sync_name_is_shown_alone(world, dataflow):
    world.pair()
    said = dataflow("status", "--sync-name", "another")
    assert said.code == 1
    assert said.err.endswith("has no sync name 'another'. It has: default. Choose with --sync-name.\n")


def test_reading_changes_nothing(world, tmp_path, dataflow):
    world.pair()
    before = hashlib.sha256(Path(tmp_path / "links.db").read_bytes()).hexdigest()
    for command in ("status", "links", "failures", "conflicts", "runs"):
        assert dataflow(command).code == 0
    assert hashlib.sha256(Path(tmp_path / "links.db").read_bytes()).hexdigest() == before


def test_a_store_that_is_opened_to_read_cannot_be_written(world):
    world.pair()
    with pytest.raises(StoreError, match="readonly"), opened(world.url, "default") as store:
        store.connection.execute(sa.text("UPDATE link SET state = 'ended'"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("links", "--flow", "nothing"),
        ("failures", "--flow", "nothing"),
        ("conflicts", "--flow", "nothing"),
        ("failures", "show", "99"),
        ("failures", "retry", "99"),
        ("failures", "drop", "99", "--yes"),
        ("conflicts", "show", "99"),
        ("conflicts", "resolve", "99", "--take", "tripletex"),
        ("let-through", "nothing", "deletions"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(world, dataflow, arguments):
    world.pair()
    said = dataflow(*arguments)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("dataflow: ")
    assert said.err.count("\n") == 1
    assert "99" in said.err or "'nothing'" in said.err


def test_lists_are_json_even_where_they_are_empty(world, dataflow):
    world.begin("tripletex").close("done")
    for command in ("links", "failures", "conflicts", "runs", "status"):
        assert isinstance(json.loads(dataflow(command, "--json").out), dict)
