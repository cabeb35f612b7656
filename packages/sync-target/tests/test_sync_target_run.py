"""What a run does at each message: without the SDK, over a store, with a system in memory."""

import ast
import json
import logging
from importlib.util import find_spec
from pathlib import Path

import pytest
from record_sync.errors import BehindTheTapError, RulesError, TooManyFailuresError
from record_sync.outcome import Waits
from record_sync.session import Session
from record_sync.testing.world import World
from singer_edge.errors import RunFailed
from sync_target import run
from sync_target.record_message import RecordMessage
from sync_target.run import Run

OURS = ("sync_target.", "singer_edge.", "record_sync.", "api_transport.")
READ_AT = "2026-01-02T12:00:00.000Z"


def schema(flow="customer", **sync):
    resources = {"customcrm": flow, "tripletex": flow}
    return {
        "type": "object",
        "x-sync": {"flow": flow, "from": "customcrm", "to": "tripletex", "resource": resources, "match_on": [], **sync},
        "properties": {"name": {"type": ["string", "null"], "x-from": ["Name"]}, "_source": {"type": "object"}},
    }


def record(number, stream="customer", **source):
    name = f"Firma {number}"
    told = {"id": f"c{number}", "version": "1", "modified_at": READ_AT, "values": {"Name": name}, **source}
    content = {"name": name, "_source": told}
    return RecordMessage.of({"type": "RECORD", "stream": stream, "record": content})


class Running:
    """A run, and what it tells whoever it runs for."""

    def __init__(self, world):
        self.world = world
        self.states = []
        self.counts = {}
        self.drained = 0
        self.session = None
        system = world.tripletex
        system.requests, system.waits = 0, Waits()
        self.run = Run(
            system,
            self._open,
            emit=self.states.append,
            drain=self._drain,
            count=self._count,
            logger=logging.getLogger("run"),
        )

    def _open(self):
        self.session = Session(self.world.open_store(), self.world.tripletex)
        return self.session

    def _drain(self):
        self.drained += 1

    def _count(self, stream, number):
        self.counts[stream] = self.counts.get(stream, 0) + number

    def names(self, resource="customer"):
        return [one["name"] for one in self.world.tripletex.all(resource).values()]


@pytest.fixture
def running(tmp_path):
    running = Running(World(f"sqlite:///{tmp_path}/links.db"))
    yield running
    running.run.close("done")


def state(as_of=None, stream="customer"):
    return {"bookmarks": {stream: {"as_of": as_of} if as_of else {}}}


def test_records_are_written_and_the_last_state_is_emitted_at_the_end(running):
    running.run.schema("customer", schema())
    running.run.state(state())
    for number in range(3):
        assert running.run.record(record(number)) is False
    running.run.state(state(READ_AT))
    assert (running.names(), running.states) == ([], [])
    running.run.end()
    assert running.names() == ["Firma 0", "Firma 1", "Firma 2"]
    assert running.states == [state(READ_AT)]
    assert running.counts == {"customer": 3}


def test_a_state_is_emitted_on_the_way_when_all_that_it_covers_is_written(running, monkeypatch):
    monkeypatch.setattr(run, "STATE_EVERY_RECORDS", 2)
    running.run.schema("customer", schema())
    running.run.state(state())
    for number in range(2):
        running.run.record(record(number))
    running.run.state(state(READ_AT))
    assert running.states == [state(READ_AT)]
    assert (len(running.names()), running.drained) == (2, 1)
    running.run.record(record(2))
    running.run.state(state("2026-01-02T13:00:00.000Z"))
    assert len(running.states) == 1


def test_what_other_streams_hold_back_is_written_before_a_state_is_emitted(running):
    def drain():
        raise RunFailed("nei")

    running.run.drain = drain
    running.run.state(state(READ_AT))
    with pytest.raises(RunFailed):
        running.run.end()
    assert running.states == []


def test_a_state_of_any_shape_passes_where_there_is_no_flow(running):
    running.run.state({"bookmarks": ["as some tap has it"]})
    running.run.end()
    assert running.states == [{"bookmarks": ["as some tap has it"]}]
    assert running.session is None


def test_the_first_state_after_a_schema_tells_where_the_read_starts(running):
    running.run.schema("customer", schema())
    with pytest.raises(BehindTheTapError, match="Nothing was written"):
        running.run.state(state(READ_AT))


def test_records_are_handed_on_when_they_are_worth_a_batch(running, monkeypatch):
    monkeypatch.setattr("sync_target.flow_input.RECOGNISED_AT_ONCE", 2)
    monkeypatch.setattr("sync_target.flow_input.TAKEN_AT_ONCE", 2)
    running.run.schema("customer", schema())
    assert running.run.record(record(0)) is False
    assert running.run.record(record(1)) is True
    running.run.hand_on("customer")
    running.run.await_writes()
    assert running.names() == ["Firma 0", "Firma 1"]


def test_a_flow_waits_for_those_that_must_see_the_same_records_first(running):
    running.run.schema("customer", schema(after=["contact"]))
    running.run.schema("contact", schema("contact"))
    running.run.record(record(1))
    running.run.record(record(2, stream="contact"))
    order = []
    create = running.world.tripletex.create
    running.world.tripletex.create = lambda resource, *rest: order.append(resource) or create(resource, *rest)
    running.run.end()
    assert order == ["contact", "customer"]


def test_a_schema_with_other_rules_begins_after_the_records_of_the_first(running):
    running.run.schema("customer", schema())
    running.run.record(record(1))
    running.run.schema("customer", schema(create=False))
    running.run.record(record(2))
    running.run.end()
    assert running.names() == ["Firma 1"]
    assert running.counts == {"customer": 2}


def test_rules_for_another_system_are_refused(running):
    with pytest.raises(RulesError, match="writes to customcrm"):
        running.run.schema("customer", schema(to="customcrm", **{"from": "tripletex"}))
    assert running.session is None


def test_a_run_in_which_most_is_refused_is_judged_when_its_state_is_emitted(running):
    running.world.tripletex.refuse = lambda _values: "nei"
    running.run.schema("customer", schema())
    for number in range(30):
        running.run.record(record(number))
    running.run.state(state())
    with pytest.raises(TooManyFailuresError):
        running.run.end()
    assert running.states == [state()]


@pytest.mark.parametrize("version", [17, 1700000000.25, True, {"at": 1}, ["1"]])
def test_a_version_that_is_not_a_text_keeps_nobody_from_working_with_the_store(running, version):
    running.run.schema("customer", schema())
    running.run.record(record(1, version=version, modified_at="i går"))
    running.run.end()
    running.run.close("done")
    again = Running(running.world)
    again.run.schema("customer", schema())
    again.run.record(record(2, version=version))
    again.run.end()
    is_one = isinstance(version, int | float) and not isinstance(version, bool)
    assert again.names() == (["Firma 2"] if is_one else [])
    assert again.session.tally.of("customer") == {"created" if is_one else "parked": 1}
    again.run.close("done")


def test_the_report_names_what_ended_the_run(running, caplog):
    caplog.set_level("INFO")
    running.run.schema("customer", schema())
    running.run.close("failed", RunFailed("nei"), "nei")
    (account,) = [json.loads(one) for one in caplog.messages if one.startswith("{")]
    assert (account["outcome"], account["error"]) == ("failed", "RunFailed")


def imports(module):
    """The modules that a module of ours imports, and what those import."""
    found, left = set(), [module]
    while left:
        name = left.pop()
        tree = ast.parse(Path(find_spec(name).origin).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [one.name for one in node.names] if isinstance(node, ast.Import) else []
            left += [one for one in names if one and one.startswith(OURS) and one not in found]
            found.update(one for one in names if one)
    return found


def test_a_run_knows_no_sdk():
    assert not [one for one in imports("sync_target.run") if one.startswith("singer_sdk")]
