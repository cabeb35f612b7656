"""tap-customcrm against a Customcrm on this machine."""

import json
import os
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from tap_customcrm.tap import TapCustomcrm

import sandbox
from sandbox import Fault

SCRIPT = Path(sys.executable).parent / "tap-customcrm"
T0 = datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def systems():
    with sandbox.running("empty") as systems:
        yield systems


@pytest.fixture
def crm(systems):
    systems.clear()
    return systems.customcrm


@pytest.fixture
def config(crm):
    return {"api_url": crm.api_url, "api_key": crm.api_key, "page_size": 2}


@pytest.fixture
def run(config, capfdbinary):
    """Run the tap; the messages it sent."""

    def run(state=None, *, test=False, fails=None, streams=None, **more):
        tap = TapCustomcrm(config={**config, **more}, state=state)
        for name, stream in tap.streams.items():
            stream.selected = streams is None or name in streams
        go = tap.run_connection_test if test else tap.sync_all
        if fails is None:
            go()
        else:
            with pytest.raises(fails):
                go()
        sys.stdout.flush()
        return [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]

    return run


def made(crm, *names, at=T0):
    with crm.clock.at(at):
        return [crm.create("customers", Name=name)["Id"] for name in names]


def ids(messages, stream="customer"):
    return [
        message["record"]["Id"] for message in messages if message["type"] == "RECORD" and message["stream"] == stream
    ]


def kinds(messages, stream):
    return [message["type"] for message in messages if message.get("stream", stream) == stream]


def state(messages):
    return [message for message in messages if message["type"] == "STATE"][-1]["value"]


def asked(crm):
    return [request.params for request in crm.requests]


def test_everything_is_read_first_tombstones_too(crm, run):
    first = made(crm, "Ås AS", "Bø AS", "Cæsar AS")
    crm.remove("customers", first[1])
    crm.create("contacts", FirstName="Kari", CustomerId=first[0])
    crm.create("products", Name="Spade", Price=12.5)
    messages = run()
    assert ids(messages) == [first[0], first[2], first[1]]
    assert [m["record"]["Deleted"] for m in messages if m.get("stream") == "customer" and "record" in m] == [
        False,
        False,
        True,
    ]
    for stream in ("contact", "customer", "product"):
        versions = {m["version"] for m in messages if m.get("stream") == stream and "version" in m}
        assert len(versions) == 1
    price = next(m["record"]["Price"] for m in messages if m.get("stream") == "product" and "record" in m)
    assert price == 12.5
    # A stream's own messages, in order.
    assert [m["type"] for m in run(streams=["customer"])] == [
        "SCHEMA", "STATE", "RECORD", "RECORD", "RECORD", "ACTIVATE_VERSION", "STATE",
    ]  # fmt: skip


def test_a_second_read_asks_for_changes_from_five_minutes_before_the_newest(crm, run):
    made(crm, "Ås AS")
    before = state(run())
    crm.clear_requests()
    run(before)
    since = (T0 - timedelta(minutes=5)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert {"updated_since": [since], "include_deleted": ["true"], "per_page": ["2"]} in asked(crm)


def test_equal_stamps_are_never_skipped(crm, run):
    first = made(crm, "Ås AS", "Bø AS", "Cæsar AS")
    after = state(run(streams=["customer"]))
    assert after["bookmarks"]["customer"]["replication_key_value"] == "2026-03-01T12:00:00.500Z"
    later = made(crm, "Dag AS", "Eg AS")
    assert {crm.get("customers", each)["UpdatedAt"] for each in first + later} == {"2026-03-01T12:00:00.500Z"}
    assert set(ids(run(after, streams=["customer"]))) == {*first, *later}


def test_a_record_committed_late_is_found(crm, run):
    made(crm, "Ås AS")
    after = state(run(streams=["customer"]))
    # Written with an earlier stamp than the newest one read, and seen only now.
    crm.register.store.counters["newest stamp"] = 0
    (late,) = made(crm, "Sen AS", at=T0 - timedelta(minutes=4, seconds=59))
    assert late in ids(run(after, streams=["customer"]))


def test_a_later_deletion_comes_as_a_tombstone(crm, run):
    (one, _) = made(crm, "Ås AS", "Bø AS")
    after = state(run(streams=["customer"]))
    crm.remove("customers", one)
    messages = run(after, streams=["customer"])
    assert next(m["record"]["Deleted"] for m in messages if m["type"] == "RECORD" and m["record"]["Id"] == one)
    assert "ACTIVATE_VERSION" not in kinds(messages, "customer")


@pytest.mark.parametrize("failing", [1, 2, 3])
def test_a_read_that_fails_midway_is_read_again(crm, run, failing):
    first = made(crm, "Ås AS", "Bø AS", "Cæsar AS", "Dag AS", "Eg AS")
    crm.before = lambda _: Fault.answer(400, {"title": "no"}) if len(crm.requests) >= failing else None
    messages = run(streams=["customer"], fails=Exception)
    assert state(messages)["bookmarks"] == {"customer": {}}
    assert state(messages)["systems"] == {"customcrm": {"identity": f"Customcrm at {crm.api_url}"}}
    assert "ACTIVATE_VERSION" not in kinds(messages, "customer")
    crm.before = None
    assert ids(run(state(messages), streams=["customer"])) == first


def test_a_record_that_changes_while_it_is_read_is_not_lost(crm, run):
    first = made(crm, "Ås AS", "Bø AS", "Cæsar AS")

    def edit_behind_our_back(request):
        if "cursor" in request.params:
            crm.before = None
            crm.edit("customers", first[0], City="Oslo")

    crm.before = edit_behind_our_back
    messages = run(streams=["customer"])
    cities = [m["record"]["City"] for m in messages if m["type"] == "RECORD" and m["record"]["Id"] == first[0]]
    assert cities[-1] == "Oslo"


def test_a_start_date_bounds_the_first_read(crm, run):
    made(crm, "Gammel AS")
    (new,) = made(crm, "Ny AS", at=T0 + timedelta(days=2))
    messages = run(streams=["customer"], start_date="2026-03-02")
    assert ids(messages) == [new]
    assert "ACTIVATE_VERSION" not in kinds(messages, "customer")


def test_the_connection_test_asks_for_one_record_a_stream(crm, run):
    made(crm, "Ås AS", "Bø AS")
    messages = run(test=True)
    assert kinds(messages, "customer").count("RECORD") == 1
    assert not any(message["type"] == "ACTIVATE_VERSION" for message in messages)
    assert [params["per_page"] for params in asked(crm)] == [["1"]] * 3


def command(starter, config, *args, tmp_path, **env):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    done = starter.run("tap-customcrm", "--config", path, *args, environment={**os.environ, **env}, folder=tmp_path)
    return done, [line for line in done.stderr.splitlines() if "| INFO " not in line]


def html(_):
    return Fault.answer(200, "<html><title>Log in</title></html>")


@pytest.mark.parametrize(
    ("mode", "change", "before", "words"),
    [
        ([], {"api_key": "not-the-right-key"}, None, "access denied 401: Unauthorized"),
        (["--test"], {"api_key": "not-the-right-key"}, None, "access denied 401: Unauthorized"),
        (["--test"], {"api_url": "http://127.0.0.1:1/api/v1"}, None, "no connection"),
        ([], {}, html, "not JSON"),
        (["--test"], {}, html, "not JSON"),
        ([], {"api_ulr": "x"}, None, "did you mean 'api_url'?"),
    ],
)
def test_what_can_be_expected_to_go_wrong_is_one_line(starter, crm, config, tmp_path, mode, change, before, words):
    crm.before = before
    done, told = command(starter, {**config, **change}, *mode, tmp_path=tmp_path)
    assert done.returncode == 1
    assert len(told) == 1
    assert words in told[0]
    assert "not-the-right-key" not in done.stdout + done.stderr


def test_the_key_is_in_no_log_whatever_the_level(starter, crm, config, tmp_path):
    made(crm, "Ås AS", "Bø AS", "Cæsar AS")
    for key, code in ((crm.api_key, 0), ("another-secret-key", 1)):
        done, told = command(starter, {**config, "api_key": key}, tmp_path=tmp_path, LOGLEVEL="DEBUG")
        assert done.returncode == code
        assert any("DEBUG" in line for line in told)
        assert key not in done.stdout + done.stderr


@pytest.mark.parametrize("args", [["--about"], ["--about", "--format=json"], ["--version"], ["--help"]])
def test_the_plugin_tells_about_itself_without_settings(starter, args, tmp_path):
    done = starter.run("tap-customcrm", *args, folder=tmp_path)
    assert done.returncode == 0
    if "--format=json" in args:
        settings = json.loads(done.stdout)["settings"]["properties"]
        own = {"api_url", "api_key", "start_date", "page_size", "full_read_every"}
        assert own <= set(settings)
        assert all(settings[name]["title"] and settings[name]["description"] for name in own)
        assert settings["api_key"]["secret"] is True


def test_discovery_offers_the_streams_and_needs_no_settings(starter, tmp_path):
    done = starter.run("tap-customcrm", "--discover", folder=tmp_path)
    streams = {stream["tap_stream_id"]: stream for stream in json.loads(done.stdout)["streams"]}
    assert set(streams) == {"contact", "customer", "product"}
    for stream in streams.values():
        assert (stream["key_properties"], stream["replication_key"]) == (["Id"], "UpdatedAt")
