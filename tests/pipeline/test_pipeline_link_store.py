"""The link store is gone, or is another's, or somebody works with it."""

import json
import os
import sqlite3
from contextlib import closing

import pytest
from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX, Lines, said, until, without

import sandbox

directions = pytest.mark.parametrize("direction", [TO_TRIPLETEX, TO_CUSTOMCRM], ids=lambda one: one.name)

# Where one side says no country of a mobile number, linking anew fills it in from what the number itself says.
FILLED_IN = "phoneNumberMobileCountry"


def writes(systems):
    return [f"{seen.method} {seen.path}" for system in systems.both for seen in system.requests if seen.is_write]


def lose_store(lines):
    for path in lines.folder.glob("links.db*"):
        path.unlink()


def new_records(systems):
    systems.customcrm.create("customer", Name="Ny i CRM AS", OrganizationNumber="910 000 004")
    systems.customcrm.create("contact", FirstName="Ny", LastName="Person", Email="ny@example.no")
    systems.tripletex.create("customer", name="Ny i regnskapet AS", organizationNumber="910000012")
    systems.tripletex.create("contact", firstName="Enda", lastName="En", email="enda.en@example.no")


def test_what_was_written_before_a_run_noticed_that_its_store_is_new_is_told(lines, systems):
    new_records(systems)
    lines.well(TO_TRIPLETEX)
    state = json.loads(lines.state_file(TO_TRIPLETEX).read_bytes())
    del state["bookmarks"]["customer"]
    lines.state_file(TO_TRIPLETEX).write_text(json.dumps(state), encoding="utf-8")
    lose_store(lines)
    before = systems.tripletex.count("customer")
    systems.customcrm.create("customer", Name="Siste AS", OrganizationNumber="910000063")
    (error,) = lines.run(TO_TRIPLETEX).errors(TO_TRIPLETEX.target)
    assert (
        "no record of an earlier run. Before that, the run had written 1 record. Run again with --full-refresh" in error
    )
    assert systems.tripletex.count("customer") == before + 1


def test_without_its_link_store_a_run_writes_nothing_and_a_full_refresh_links_everything_again(
    tmp_path, starter, pytestconfig
):
    with sandbox.running(customers=25) as systems:
        lines = Lines(systems, tmp_path, starter, pytestconfig.rootpath)
        lines.cycle()
        before = said(systems)
        lose_store(lines)
        systems.clear_requests()
        new_records(systems)
        for direction in (TO_TRIPLETEX, TO_CUSTOMCRM):
            state = lines.state_file(direction).read_bytes()
            ran = lines.run(direction)
            assert ran.codes[direction.target] == 1
            (error,) = ran.errors(direction.target)
            assert "no record of an earlier run" in error
            assert "Run again with --full-refresh" in error
            # What was read is not acknowledged, so that nothing is passed over later.
            assert lines.state_file(direction).read_bytes() == state
        assert writes(systems) == []

        for direction in (TO_TRIPLETEX, TO_CUSTOMCRM):
            lines.well(direction, full_refresh=True)
        after = said(systems)
        new = {"customer": 2, "contact": 2, "product": 0}
        assert {kind: len(records) for kind, records in after.items() if kind != "tripletex product"} == {
            kind: len(records) + new[kind.split()[1]] for kind, records in before.items() if kind != "tripletex product"
        }
        missing = [
            (kind, one)
            for kind, records in without(before, FILLED_IN).items()
            for one in records
            if one not in without(after, FILLED_IN)[kind]
        ]
        assert missing == []
        systems.clear_requests()
        lines.cycle()
        assert writes(systems) == []


def test_records_that_have_no_key_are_linked_again_too(lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    crm.create("customer", Name="Uten Nøkkel", City="BODØ")
    crm.create("contact", FirstName="Kari", LastName="Utenpost", Phone="+47 22 33 44 55")
    tripletex.create("customer", name="Bare Navn")
    tripletex.create("contact", firstName="Ole", lastName="Utenpost")
    lines.cycle()
    before = said(systems)
    lose_store(lines)
    for direction in (TO_TRIPLETEX, TO_CUSTOMCRM):
        lines.well(direction, full_refresh=True)
    assert said(systems) == before


def test_with_its_states_lost_a_run_reads_everything_and_writes_nothing(lines, systems):
    new_records(systems)
    lines.cycle()
    for direction in (TO_TRIPLETEX, TO_CUSTOMCRM):
        lines.state_file(direction).unlink()
    systems.clear_requests()
    lines.cycle()
    assert writes(systems) == []


@directions
@pytest.mark.parametrize("is_same", [False, True], ids=["other records", "the same ids"])
def test_a_store_of_one_pair_of_systems_refuses_another(
    lines, systems, tmp_path, starter, pytestconfig, direction, is_same
):
    new_records(systems)
    lines.cycle()
    (tmp_path / "other").mkdir()
    with sandbox.running("empty") as others:
        if not is_same:
            others.customcrm.create("customer", Name="Hos andre AS", OrganizationNumber="910 000 020")
            others.tripletex.create("customer", name="Andres regnskap AS", organizationNumber="910000039")
        new_records(others)
        other = Lines(others, tmp_path / "other", starter, pytestconfig.rootpath)
        other.settings[direction.target]["links_url"] = lines.settings[direction.target]["links_url"]
        ran = other.run(direction)
        assert ran.codes[direction.target] == 1
        (error,) = ran.errors(direction.target)
        assert "belongs to" in error
        assert "Use another links_url or sync_name" in error
        assert writes(others) == []
        assert ran.states == []

        # Under a name of its own it is welcome in the same store.
        other.settings[direction.target]["sync_name"] = "other"
        assert other.run(direction).ok
        assert writes(others) != []


def test_a_store_of_one_company_refuses_another_of_the_same_tripletex(lines, systems):
    new_records(systems)
    lines.cycle()
    systems.customcrm.create("customer", Name="Hos andre AS", OrganizationNumber="910 000 020")
    systems.clear_requests()
    stamp = "update sync set right_stamp = replace(right_stamp, 'company', 'company 1')"
    with closing(sqlite3.connect(lines.links)) as connection, connection:
        connection.execute(stamp)
    ran = lines.run(TO_TRIPLETEX)
    assert ran.codes[TO_TRIPLETEX.target] == 1
    (error,) = ran.errors(TO_TRIPLETEX.target)
    assert "belongs to Tripletex company 1" in error
    assert writes(systems) == []


def runs(lines):
    with closing(sqlite3.connect(lines.links)) as connection:
        return connection.execute("select count(*) from run where outcome = 'running'").fetchone()[0]


def test_a_store_with_which_another_run_works_is_left_alone(lines, systems):
    new_records(systems)
    lines.cycle()
    systems.clear_requests()
    messages = lines.messages(TO_TRIPLETEX).read_bytes().splitlines(keepends=True)
    source, ours = os.pipe()
    with lines.start_target(TO_TRIPLETEX, source) as line, os.fdopen(ours, "wb", buffering=0) as pipe:
        os.close(source)
        pipe.write(next(one for one in messages if b'"SCHEMA"' in one))
        until(lambda: runs(lines))
        ran = lines.run(TO_CUSTOMCRM)
        assert ran.codes[TO_CUSTOMCRM.target] == 1
        (error,) = ran.errors(TO_CUSTOMCRM.target)
        assert "Another run works with this link store" in error
        assert f"process {line.processes[TO_TRIPLETEX.target].pid} on" in error
    assert writes(systems) == []
    # It was killed in the middle of its run; nobody is kept out by a dead one.
    assert lines.run(TO_CUSTOMCRM).ok
