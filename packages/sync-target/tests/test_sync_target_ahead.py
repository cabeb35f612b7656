"""While creations are under way the next records are made ready, and nothing that depends on them goes before them."""

import io
import json
import signal
import sqlite3
import threading
from contextlib import closing

import pytest
from record_sync.flow_sync import FlowSync
from sync_target import flow_input
from target_tripletex.target import TargetTripletex

import sandbox
from sandbox import Fault

ENOUGH_S = 20
SCHEMA = {
    "type": "object",
    "x-sync": {
        "flow": "customer",
        "from": "customcrm",
        "to": "tripletex",
        "resource": {"customcrm": "customer", "tripletex": "customer"},
        "match_on": [["email"]],
        "digest": "1",
    },
    "properties": {
        "name": {"type": ["string", "null"], "x-from": ["Name"]},
        "email": {"type": ["string", "null"], "x-from": ["Email"], "x-compare": "email"},
        "_source": {"type": "object"},
    },
}


def customer(number, second=0, **values):
    values = {"Name": f"Firma {number}", "Email": f"post@firma{number}.example.no", **values}
    version = f"2026-01-05T09:00:{second:02d}.000Z"
    source = {"id": f"c{number}", "version": version, "modified_at": version, "deleted": False, "values": values}
    return {"name": values["Name"], "email": values["Email"], "_source": source}


class Loading:
    """A target that takes two records at a time, and what becomes of them."""

    def __init__(self, tripletex, folder):
        self.tripletex = tripletex
        self._store = folder / "links.db"
        self._settings = {
            "api_url": tripletex.api_url,
            "consumer_token": tripletex.consumer_token,
            "employee_token": tripletex.employee_token,
            "links_url": f"sqlite:///{self._store}",
        }

    def target(self):
        return TargetTripletex(config=self._settings, parse_env_config=False)

    def run(self, *records, target=None):
        messages = [{"type": "SCHEMA", "stream": "customer", "schema": SCHEMA, "key_properties": []}]
        messages += [{"type": "RECORD", "stream": "customer", "record": one} for one in records]
        lines = "".join(json.dumps(one) + "\n" for one in messages)
        (target or self.target()).run(io.StringIO(lines))

    def rows(self, query):
        with closing(sqlite3.connect(self._store)) as store:
            return store.execute(query).fetchall()

    def names(self):
        return sorted(one["name"] for one in self.tripletex.all("customer"))

    def posts(self):
        return sum(seen.is_write for seen in self.tripletex.requests)


@pytest.fixture
def loading(tmp_path, monkeypatch):
    monkeypatch.setattr(flow_input, "RECOGNISED_AT_ONCE", 2)
    monkeypatch.setattr(flow_input, "TAKEN_AT_ONCE", 2)
    with sandbox.running("empty") as systems:
        yield Loading(systems.tripletex, tmp_path)


def test_the_next_records_are_made_ready_while_creations_are_under_way(loading, monkeypatch):
    ready, waited = threading.Event(), []
    take, taken = FlowSync._take, []

    def taking(flow, records):
        taken.append(len(records))
        if len(taken) == 2:
            ready.set()
        take(flow, records)

    monkeypatch.setattr(FlowSync, "_take", taking)

    def before(seen):
        if seen.is_write and not waited:
            waited.append(ready.wait(ENOUGH_S))

    loading.tripletex.before = before
    loading.run(*map(customer, range(6)))
    assert waited == [True]
    assert loading.names() == [f"Firma {number}" for number in range(6)]


def test_a_record_that_comes_again_while_it_is_created_is_changed(loading):
    loading.run(customer(0), customer(1), customer(1, 1, Name="Nytt navn"), customer(2), customer(3))
    assert loading.names() == ["Firma 0", "Firma 2", "Firma 3", "Nytt navn"]


def test_a_record_that_looks_for_one_being_created_finds_it(loading):
    loading.run(customer(0), customer(1), customer(2, Email="post@firma1.example.no"), customer(3))
    assert loading.names() == ["Firma 0", "Firma 1", "Firma 3"]


def test_an_invalid_state_of_a_record_that_is_being_created_waits(loading):
    invalid = {**customer(1, 1), "name": 7}
    loading.run(customer(0), customer(1), invalid, customer(2))
    assert loading.rows("SELECT record_id, kind FROM waiting") == [("c1", "invalid")]
    loading.run(customer(1, 2, Name="Nytt navn"))
    assert loading.names() == ["Firma 0", "Firma 2", "Nytt navn"]


def test_what_a_failed_run_had_under_way_is_known_to_the_next(loading):
    refused = []

    def before(seen):
        if seen.is_write and not refused:
            refused.append(seen)
            return Fault.answer(403, {"status": 403, "message": "Ingen tilgang"})
        return None

    loading.tripletex.before = before
    records = [customer(number) for number in range(40)]
    with pytest.raises(Exception, match="Ingen tilgang"):
        loading.run(*records)
    assert loading.posts() < 20
    loading.tripletex.before = None
    loading.run(*records)
    assert loading.names() == sorted(f"Firma {number}" for number in range(40))


def test_a_failed_run_ends_when_nothing_is_under_way_any_more(loading):
    second, go_on = threading.Event(), threading.Event()

    def before(seen):
        if not seen.is_write:
            return None
        if seen.body[0]["name"] != "Firma 0":
            second.set()
            return Fault.delay(go_on)
        assert second.wait(ENOUGH_S)
        threading.Timer(0.3, go_on.set).start()
        return Fault.answer(403, {"status": 403, "message": "Ingen tilgang"})

    loading.tripletex.before = before
    with pytest.raises(Exception, match="Ingen tilgang"):
        loading.run(*map(customer, range(4)))
    assert loading.names() == ["Firma 2", "Firma 3"]


def test_a_target_that_is_told_to_stop_stores_what_is_under_way(loading):
    target, stopped = loading.target(), []

    def after(seen):
        if seen.is_write and not stopped:
            stopped.append(seen)
            target._handle_termination(signal.SIGTERM, None)

    loading.tripletex.after = after
    records = [customer(number) for number in range(40)]
    with pytest.raises(SystemExit):
        loading.run(*records, target=target)
    made = loading.names()
    assert 0 < len(made) < 40
    assert loading.rows("SELECT count(*) FROM link") == [(len(made),)]
    assert loading.rows("SELECT * FROM intent") == []
    loading.tripletex.clear_requests()
    loading.run(*[one for one in records if one["name"] in made])
    assert loading.posts() == 0
