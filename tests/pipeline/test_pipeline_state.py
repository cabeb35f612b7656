"""State covers only what is written, linked or durably waiting; who is told to stop stops, and says so."""

import json
import os
import signal
import sqlite3
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX, until

from sandbox import Fault

directions = pytest.mark.parametrize("direction", [TO_TRIPLETEX, TO_CUSTOMCRM], ids=lambda one: one.name)
EMITTED_AFTER = 10_000
"""Records after which a target that goes on and on emits state in between."""


def rows(lines, query):
    with closing(sqlite3.connect(lines.links)) as connection:
        return connection.execute(query).fetchall()


def acknowledged(lines, flow):
    """How far the store says that a flow's source is covered."""
    query = f"select as_of from acknowledged join flow on flow.id = flow_id where flow.name = '{flow}'"
    return [as_of for (as_of,) in rows(lines, query)]


def outcome(lines):
    return rows(lines, "select outcome from run order by id desc limit 1") == [("stopped",)]


@contextmanager
def fed(lines, direction):
    """A target that reads what is written into a pipe."""
    source, ours = os.pipe()
    with lines.start_target(direction, source) as line, os.fdopen(ours, "wb", buffering=0) as pipe:
        os.close(source)
        yield line, pipe


def catches(process, signum):
    """Whether a process has a way of its own to end at a signal."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return int(caught, 16) >> (signum - 1) & 1


def fill(systems):
    systems.customcrm.create("customer", Name="Alfa AS", OrganizationNumber="910 000 004")
    systems.tripletex.create("customer", name="Beta AS", organizationNumber="910000012")


def messages_of(lines, direction):
    return lines.messages(direction).read_bytes().splitlines(keepends=True)


@directions
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_target_told_to_stop_while_it_waits_for_messages_stops_at_once(lines, systems, direction, signum, code):
    fill(systems)
    messages = messages_of(lines, direction)
    record = next(number for number, one in enumerate(messages) if b'"RECORD"' in one)
    systems.clear_requests()
    with fed(lines, direction) as (line, pipe):
        process = line.processes[direction.target]
        pipe.write(b"".join(messages[: record + 1]))
        # Opening the store is the last thing it does before it waits for more.
        until(lambda: lines.links.exists() and rows(lines, "select 1 from sqlite_master where name = 'run'"))
        until(lambda: rows(lines, "select 1 from run where outcome = 'running'"))
        process.send(signum)
        assert process.wait(10) == code
        ran = line.finish()
    assert "Traceback" not in ran.log
    assert [one for one in ran.states if "as_of" in json.dumps(one)] == []
    assert [seen for system in systems.both for seen in system.requests] == []
    assert outcome(lines)
    # The next run does it all.
    lines.keep_state(direction, ran)
    lines.well(direction)
    assert {len(system.all("customer")) for system in systems.both} <= {1, 2}
    assert acknowledged(lines, "customer") != []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells which signals a process catches")
@directions
def test_a_target_told_to_stop_before_the_first_message_stops_at_once(lines, direction):
    with fed(lines, direction) as (line, _):
        process = line.processes[direction.target]
        until(lambda: catches(process, signal.SIGTERM))
        process.send(signal.SIGTERM)
        assert process.wait(10) == 143


@directions
def test_a_target_told_to_stop_in_the_middle_of_a_write_stores_its_answer_first(lines, systems, direction):
    fill(systems)
    messages = lines.messages(direction)
    system = systems.tripletex if direction is TO_TRIPLETEX else systems.customcrm
    target = Future()

    def stop(seen):
        if seen.is_write:
            target.result().send(signal.SIGTERM)

    system.before = stop
    with lines.start_target(direction, messages) as line:
        target.set_result(line.processes[direction.target])
        ran = line.finish()
    system.before = None
    assert ran.codes == {direction.target: 143}
    assert rows(lines, "select count(*) from link") == [(1,)]
    assert rows(lines, "select count(*) from intent") == [(0,)]


@directions
def test_a_target_told_to_stop_while_a_write_fails_tells_the_failure(lines, systems, direction):
    fill(systems)
    messages = lines.messages(direction)
    system = systems.tripletex if direction is TO_TRIPLETEX else systems.customcrm
    target = Future()

    def stop_and_refuse(seen):
        if not seen.is_write:
            return None
        target.result().send(signal.SIGTERM)
        return Fault.answer(403, {"status": 403, "message": "Ingen tilgang"})

    system.before = stop_and_refuse
    with lines.start_target(direction, messages) as line:
        target.set_result(line.processes[direction.target])
        ran = line.finish()
    system.before = None
    assert ran.codes == {direction.target: 1}
    (error,) = ran.errors(direction.target)
    assert "Ingen tilgang" in error
    assert rows(lines, "select outcome from run order by id desc limit 1") == [("failed",)]


def link_many(lines, many):
    """Let so many more customers be linked, as the one that is."""
    (columns,) = rows(lines, "select group_concat(name) from pragma_table_info('link') where name <> 'id'")
    names = columns[0].split(",")
    values = ",".join(f"'x' || n as {name}" if name in ("left_id", "right_id") else name for name in names)
    counted = f"with recursive many(n) as (select 1 union all select n + 1 from many where n < {many})"
    with closing(sqlite3.connect(lines.links)) as connection, connection:
        connection.execute(
            f"insert into link ({','.join(names)}) {counted} select {values} from link, many where link.id = 1"
        )


def with_many(messages, many):
    """Messages with many customers that did not change, a new one, a STATE that covers them, and another new one."""
    read = [json.loads(one) for one in messages]
    schema = next(one for one in read if one["type"] == "SCHEMA" and one["stream"] == "customer")
    *_, first, second = (one for one in read if one["type"] == "RECORD" and one["stream"] == "customer")
    source = {"version": None, "modified_at": None, "deleted": False, "values": {}}

    def state(as_of):
        return {"type": "STATE", "value": {"bookmarks": {"customer": {"as_of": as_of} if as_of else {}}}}

    yield from (schema, state(None), state("2100-01-01T00:00:01.000Z"))
    for number in range(1, many + 1):
        yield {**first, "record": {"_source": {"id": f"x{number}", **source}}}
    yield from (first, state("2100-01-01T00:00:02.000Z"), second, state("2100-01-01T00:00:03.000Z"))


@directions
def test_state_emitted_on_the_way_covers_nothing_that_the_store_does_not_hold(lines, systems, direction):
    fill(systems)
    lines.cycle()
    link_many(lines, EMITTED_AFTER)
    known = rows(lines, "select count(*) from link")[0][0]
    for number, name in (("910000020", "Nest Siste AS"), ("910000039", "Siste AS")):
        systems.customcrm.create("customer", Name=name, OrganizationNumber=number)
        systems.tripletex.create("customer", name=f"{name} i regnskapet", organizationNumber=f"{number[:-1]}8")
    path = lines.folder / "many.jsonl"
    many = with_many(messages_of(lines, direction), EMITTED_AFTER)
    path.write_text("".join(json.dumps(one) + "\n" for one in many), encoding="utf-8")
    system = systems.tripletex if direction is TO_TRIPLETEX else systems.customcrm
    target = Future()
    writes = []

    def kill(seen):
        if not seen.is_write:
            return None
        writes.append(seen)
        if len(writes) < 2:
            return None
        target.result().send(signal.SIGKILL)
        target.result().wait()
        return Fault.drop()

    system.before = kill
    before = len(system.all("customer"))
    with lines.start_target(direction, path) as line:
        target.set_result(line.processes[direction.target])
        ran = line.finish()
    system.before = None
    assert ran.codes == {direction.target: -signal.SIGKILL}
    (emitted,) = ran.states
    assert emitted == {"bookmarks": {"customer": {"as_of": "2100-01-01T00:00:02.000Z"}}}
    assert max(acknowledged(lines, "customer")) == "2100-01-01T00:00:02.000Z"
    assert rows(lines, "select count(*) from link") == [(known + 1,)]
    assert len(system.all("customer")) == before + 1


@directions
def test_a_failed_run_emits_no_state_for_what_it_did_not_do(lines, systems, direction):
    fill(systems)
    messages = lines.messages(direction)
    system = systems.tripletex if direction is TO_TRIPLETEX else systems.customcrm
    system.before = lambda seen: Fault.answer(401, {"status": 401, "message": "no"}) if seen.is_write else None
    ran = lines.load(direction, messages)
    assert ran.codes == {direction.target: 1}
    assert [one for one in ran.states if "as_of" in json.dumps(one)] == []
    assert acknowledged(lines, "customer") == []
    system.before = None
    lines.cycle()
    assert len(systems.customcrm.all("customer")) == len(systems.tripletex.all("customer")) == 2
