"""Erasing one person on request: what can be read of them leaves the link store, and nothing else does."""

import json

import pytest
import sqlalchemy as sa

pytest_plugins = ["dataflow_operator.testing.fixtures"]

MARK = "Kari Hemmeligsen"
OTHER = "Ola Nordmann"


def files(tmp_path):
    return b"".join(path.read_bytes() for path in sorted(tmp_path.glob("links.db*")))


def refused(world):
    """Two records that are refused, each in words that name it."""
    for number, name in (("c7", MARK), ("c8", OTHER)):
        world.crm.put("customer", number, Name=name)
    world.tripletex.refuse = lambda values: f"Navnet {values.get('name')} er ugyldig"
    world.run("tripletex")


def test_what_waits_of_a_person_is_gone_from_the_store_and_its_file(world, dataflow, tmp_path):
    refused(world)
    assert MARK.encode() in files(tmp_path)
    said = dataflow("forget", "--flow", "customer", "--id", "c7", "--yes", "--json").told
    assert (said["waiting"], said["conflicts"], said["runs"]) == (1, 0, 1)
    assert MARK.encode() not in files(tmp_path)
    # Of the other one nothing is lost.
    assert [row["record_id"] for row in dataflow("failures", "--json").told["failures"]] == ["c8"]
    (run,) = dataflow("runs", "--json").told["runs"]
    assert [one["id"] for one in run["first_errors"]] == ["c8"]


@pytest.mark.parametrize("side", ["customcrm", "tripletex"])
def test_conflicts_of_a_person_are_found_by_the_id_on_either_side(world, dataflow, tmp_path, side):
    tripletex_id = world.pair(Name="Fjord AS")
    world.crm.put("customer", "c1", Name=MARK)
    world.tripletex.put("customer", tripletex_id, name="Noe annet AS")
    world.cycle()
    assert MARK.encode() in files(tmp_path)
    record_id = "c1" if side == "customcrm" else tripletex_id
    assert dataflow("forget", "--flow", "customer", "--id", record_id, "--yes").code == 0
    assert MARK.encode() not in files(tmp_path)
    assert dataflow("conflicts", "--all", "--json").told["conflicts"] == []
    assert dataflow("links", "--json").told["total"] == 1


def test_a_write_whose_answer_is_not_known_is_settled_first(world, dataflow):
    world.crm.put("customer", "c7", Name=MARK)
    world.tripletex.answers = False
    world.run("tripletex")
    said = dataflow("forget", "--flow", "customer", "--id", "c7", "--yes")
    assert said.code == 1
    assert "Run the sync once" in said.err
    world.tripletex.answers = True
    world.run("tripletex")
    assert dataflow("forget", "--flow", "customer", "--id", "c7", "--yes").code == 0


def test_nobody_is_forgotten_unasked(world, dataflow):
    refused(world)
    assert "Nothing was changed" in dataflow("forget", "--flow", "customer", "--id", "c7", answer="n\n").err
    assert len(dataflow("failures", "--json").told["failures"]) == 2
    said = dataflow("forget", "--flow", "customer", "--id", "c7", answer="y\n")
    assert "Forgotten of customer c7: 1 waiting" in said.out


def test_who_is_not_known_is_told_so(world, dataflow):
    world.pair()
    assert (
        "Nothing readable was kept of customer x" in dataflow("forget", "--flow", "customer", "--id", "x", "--yes").out
    )
    assert "No run ever had a flow 'person'" in dataflow("forget", "--flow", "person", "--id", "x", "--yes").err


def test_words_on_a_person_leave_the_end_of_a_failed_run(world, dataflow):
    refused(world)
    engine = sa.create_engine(world.url)
    with engine.begin() as connection:
        connection.execute(sa.text("update run set error = 'Flow customer: 30 refused. First: c7: " + MARK + "'"))
    engine.dispose()
    dataflow("forget", "--flow", "customer", "--id", "c7", "--yes")
    assert MARK not in json.dumps(dataflow("runs", "--json").told)
    assert "30 refused." in dataflow("runs").out
