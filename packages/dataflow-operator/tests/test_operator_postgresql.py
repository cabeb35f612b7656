"""The same on PostgreSQL: reading in a snapshot, changing at once, and the lock."""

from __future__ import annotations

import os

import pytest
import sqlalchemy as sa
from dataflow_operator.page import site
from dataflow_operator.testing.page import served
from dataflow_operator.testing.world import NOTHING, World, say_to
from record_sync.store import tables

pytest_plugins = ["dataflow_operator.testing.fixtures", "record_sync.testing.fixtures"]


@pytest.fixture
def world(postgresql_url):
    return World(postgresql_url)


@pytest.fixture
def in_conflict(world, dataflow):
    tripletex_id = world.pair()
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.put("customer", tripletex_id, name="C")
    world.cycle(conflict="manual")
    (conflict,) = dataflow("conflicts", "--json").told["conflicts"]
    return str(conflict["id"])


def test_everything_is_told_and_decided_as_on_sqlite(world, dataflow, in_conflict):
    for command in ("status", "links", "failures", "conflicts", "runs"):
        said = dataflow(command)
        assert (said.code, said.err) == (0, "")
    assert dataflow("links", "--id", "c1", "--json").told["total"] == 1
    (row, _) = dataflow("failures", "--json").told["failures"]
    assert dataflow("failures", "show", str(row["id"]), "--json").told["failure"]["kind"] == "conflict"
    assert dataflow("failures", "drop", str(row["id"]), "--yes").code == 1
    assert dataflow("conflicts", "resolve", in_conflict, "--take", "tripletex").code == 0
    world.cycle(records=NOTHING, conflict="manual")
    assert [one["Name"] for one in world.crm.all("customer").values()] == ["C"]
    assert dataflow("conflicts", "--all", "--json").told["total"] == {"settled": 1}


def test_a_parked_record_is_tried_at_once_or_dropped(world, dataflow):
    world.tripletex.refuse = lambda _values: "Ugyldig"
    world.crm.put("customer", "c1", Name="Fjord AS")
    world.run("tripletex")
    (row,) = dataflow("failures", "--json").told["failures"]
    assert dataflow("failures", "retry", "--all").out == "The next run tries 1 record.\n"
    assert dataflow("failures", "drop", str(row["id"]), "--yes").code == 0
    assert dataflow("failures", "--json").told == {"failures": [], "total": 0}


def test_reading_and_deciding_wait_for_no_run_and_letting_through_does_not_start_one(world, dataflow, in_conflict):
    session = world.begin("tripletex")
    with session.store.begin() as connection:
        connection.execute(sa.text("UPDATE link SET state = 'ended'"))
        assert dataflow("links", "--json").told["links"][0]["state"] == "live"
    assert dataflow("conflicts", "resolve", in_conflict, "--take", "tripletex").code == 0
    said = dataflow("let-through", "customer", "deletions")
    assert said.code == 1
    assert "Another run works with this link store" in said.err
    session.close("done")
    assert dataflow("let-through", "customer", "deletions", "--json").told["let_through"] == ["deletions"]


def test_an_empty_schema_is_no_store_and_stays_empty(postgresql_url):
    for arguments in (("status",), ("failures", "retry", "--all"), ("let-through", "customer", "deletions")):
        said = say_to(postgresql_url, *arguments)
        assert said.code == 1
        assert "There is no link store in postgresql://" in said.err
    url = sa.make_url(postgresql_url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


def test_the_page_does_not_wait_for_a_row_that_a_run_is_changing(world, dataflow, monkeypatch):
    monkeypatch.setattr(site, "WAITS_S", 0.05)
    world.tripletex.refuse = lambda _values: "Ugyldig"
    world.crm.put("customer", "c1", Name="Fjord AS")
    world.run("tripletex")
    (row,) = dataflow("failures", "--json").told["failures"]
    session = world.begin("tripletex")
    with served(world.url) as page:
        visitor = page.visitor()
        with session.store.begin() as connection:
            connection.execute(sa.update(tables.waiting).values(reason="changed"))
            told = visitor.told("/failures/retry", number=str(row["id"]), back="/failures")
        assert told.startswith(f"Nothing was changed: process {os.getpid()} on")
        session.close("done")
        assert "The next run tries 1 record." in visitor.told("/failures/retry", number=str(row["id"]))
        assert "A run is going on" not in visitor.get("/").text
