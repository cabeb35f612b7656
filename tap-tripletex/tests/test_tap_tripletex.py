"""tap-tripletex against a Tripletex on this machine."""

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from api_transport.errors import ApiError, ServerFailed, UnexpectedAnswer
from singer_edge import reading
from singer_edge.times import parse_moment
from tap_tripletex import streams as tap_streams
from tap_tripletex.tap import TapTripletex
from tripletex_client.errors import ListTooLong

import sandbox
from sandbox import Fault, Variant

SCRIPT = Path(sys.executable).parent / "tap-tripletex"
OSLO = ZoneInfo("Europe/Oslo")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=OSLO)
CUSTOMERS_READ = {
    "as_of": "2026-11-22T10:00:00.000Z",
    "replication_key": "modifiedAt",
    "replication_key_value": "2020-01-01T00:00:00.000Z",
    "full_read_at": "2026-11-22T10:00:00.000Z",
}
STREAMS = ("contact", "country", "customer", "product")


@pytest.fixture(scope="module")
def systems():
    with sandbox.running("empty") as systems:
        yield systems


@pytest.fixture
def tripletex(systems):
    systems.clear()
    return systems.tripletex


@pytest.fixture
def config(tripletex):
    return {
        "api_url": tripletex.api_url,
        "consumer_token": tripletex.consumer_token,
        "employee_token": tripletex.employee_token,
    }


@pytest.fixture
def run(config, capfdbinary, monkeypatch):
    """Run the tap; the messages it sent."""

    def run(state=None, *streams, at=None, test=False, fails=None, **more):
        if at is not None:
            monkeypatch.setattr(reading, "now", lambda: parse_moment(at))
        tap = TapTripletex(config={**config, **more}, state=state)
        for name, stream in tap.streams.items():
            stream.selected = not streams or name in streams
        go = tap.run_connection_test if test else tap.sync_all
        if fails is None:
            go()
        else:
            with pytest.raises(fails):
                go()
        sys.stdout.flush()
        return [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]

    return run


def test_pages_written_whole_say_what_the_sdk_says_record_by_record(run, systems, monkeypatch):
    """Of all streams, with the sample's odd values, in full and by changes."""
    systems.load(customers=20, oddities=True)
    shapes = []

    def told(state=None):
        told = run(state, at="2026-11-22T12:00:00.000Z")
        return [{name: value for name, value in one.items() if name != "time_extracted"} for one in told]

    made = tap_streams.TripletexStream._shape
    monkeypatch.setattr(tap_streams.TripletexStream, "_shape", lambda self: shapes.append(made(self)) or shapes[-1])
    whole, changes = told(), told({"bookmarks": {"customer": CUSTOMERS_READ}})
    assert None not in shapes
    monkeypatch.setattr(tap_streams.TripletexStream, "_shape", lambda _: None)
    assert {one["stream"] for one in whole if one["type"] == "RECORD"} == set(STREAMS)
    assert whole == told()
    assert changes == told({"bookmarks": {"customer": CUSTOMERS_READ}})


def ids(messages, stream):
    return [m["record"]["id"] for m in messages if m["type"] == "RECORD" and m["stream"] == stream]


def kinds(messages, stream):
    return [message["type"] for message in messages if message.get("stream") == stream]


def state(messages):
    return [message for message in messages if message["type"] == "STATE"][-1]["value"]


def lists(tripletex, resource):
    """The list requests for a resource."""
    return [request for request in tripletex.requests if request.path == f"/v2/{resource}"]


def customers(tripletex, *names, at=NOON, **values):
    with tripletex.clock.at(at):
        return [tripletex.create("customer", name=name, **values)["id"] for name in names]


def contacts(tripletex, *names):
    return [tripletex.create("contact", firstName=name, lastName="Nordmann")["id"] for name in names]


# Customers, by changedSince


def test_a_first_read_brings_every_customer_active_or_not(tripletex, run):
    active = customers(tripletex, "Ås AS", "Bø AS")
    inactive = customers(tripletex, "Cæsar AS", isInactive=True)
    messages = run(None, "customer")
    assert ids(messages, "customer") == [*active, *inactive]
    assert [message["type"] for message in messages] == [
        "SCHEMA", "STATE", "RECORD", "RECORD", "RECORD", "ACTIVATE_VERSION", "STATE",
    ]  # fmt: skip
    opening = messages[1]["value"]
    assert opening["bookmarks"] == {"customer": {}}
    company = f"Tripletex company {tripletex.company_id} at {tripletex.api_url.removeprefix('http://')}"
    assert opening["systems"]["tripletex"]["identity"] == company
    assert messages[2]["version"] == messages[5]["version"]
    record = messages[2]["record"]
    assert record["modifiedAt"] == "2026-03-02T11:00:00Z"
    assert "changes" not in record
    assert state(messages)["bookmarks"]["customer"]["replication_key_value"] == "2026-03-02T11:00:00.000Z"


def test_later_reads_ask_for_changes_in_local_time_from_five_minutes_before(tripletex, run):
    customers(tripletex, "Ås AS")
    after = state(run(None, "customer"))
    tripletex.clear_requests()
    messages = run(after, "customer")
    asked = [request.params for request in lists(tripletex, "customer")]
    assert [params["changedSince"] for params in asked] == [["2026-03-02T11:55:00"]] * 2
    assert sorted(params["isInactive"] for params in asked) == [["false"], ["true"]]
    assert kinds(messages, "customer") == ["SCHEMA", "RECORD"]
    assert "version" not in messages[-2]


def test_inactive_customers_come_incrementally_too(tripletex, run):
    (sleeping,) = customers(tripletex, "Ås AS", isInactive=True)
    (going,) = customers(tripletex, "Bø AS")
    customers(tripletex, "Cæsar AS", at=NOON - timedelta(days=1))
    after = state(run(None, "customer"))
    with tripletex.clock.at(NOON + timedelta(days=1)):
        tripletex.edit("customer", sleeping, email="aas@example.no")
        tripletex.edit("customer", going, isInactive=True)
    messages = run(after, "customer")
    assert ids(messages, "customer") == [sleeping, going]


@pytest.mark.parametrize("heeded", ["inclusive", "exclusive", "ignored"])
def test_changes_come_however_changed_since_is_meant_and_once_it_is_told_that_it_is_ignored(
    tripletex, run, caplog, heeded
):
    tripletex.variant = Variant(f"changed-since={heeded}")
    tripletex.clock.freeze(NOON - timedelta(days=3))
    for number in range(3):
        tripletex.create("customer", name=f"Gammel {number}", isInactive=number == 2)
    tripletex.clock.freeze(NOON)
    made = tripletex.create("customer", name="Ny")["id"]
    after = state(run(None, "customer"))
    tripletex.edit("customer", made, name="Nyere")
    caplog.clear()
    came = ids(run(after, "customer"), "customer")
    assert made in came
    told = [record.getMessage() for record in caplog.records if "changedSince" in record.getMessage()]
    assert (len(came), len(told)) == ((4, 1) if heeded == "ignored" else (1, 0))
    assert all("3 of 4 records" in one for one in told)


def test_times_with_and_without_offsets_are_the_same_times(tripletex, run):
    tripletex.clock.freeze(datetime(2026, 10, 25, 0, 50, tzinfo=timezone.utc))
    tripletex.create("customer", name="A")
    plain = run(None, "customer")
    tripletex.variant = Variant("time-offsets=on")
    again = run(None, "customer")
    assert [one["record"]["modifiedAt"] for one in again if one["type"] == "RECORD"] == [
        one["record"]["modifiedAt"] for one in plain if one["type"] == "RECORD"
    ]


def test_contacts_that_are_too_many_for_a_list_come_customer_by_customer(tripletex, run, caplog):
    companies = [tripletex.create("customer", name=str(n), isInactive=n == 2)["id"] for n in range(3)]
    people = {tripletex.create("contact", firstName=str(n), customer={"id": companies[n % 3]})["id"] for n in range(9)}
    tripletex.variant, tripletex.lists.limit = Variant("list-limit=on"), 4
    messages = run(None, "contact", only_contacts_of_customers=True)
    assert set(ids(messages, "contact")) == people
    (told,) = [one.getMessage() for one in caplog.records if "more than Tripletex lists" in one.getMessage()]
    assert "contacts that belong to none are not read" in told
    # Whoever did not come may be there all the same.
    assert "ACTIVATE_VERSION" not in kinds(messages, "contact")
    again = run(state(messages), "contact", only_contacts_of_customers=True)
    assert len(ids(again, "contact")) == 9
    tripletex.lists.limit = 10
    assert "ACTIVATE_VERSION" in kinds(run(state(again), "contact"), "contact")


def test_contacts_that_belong_to_no_customer_are_not_left_out_in_silence(tripletex, run):
    for number in range(5):
        tripletex.create("contact", firstName=str(number))
    tripletex.variant, tripletex.lists.limit = Variant("list-limit=on"), 4
    with pytest.raises(ListTooLong, match="more than Tripletex lists .* set only_contacts_of_customers") as caught:
        run(None, "contact")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("stream", ["contact", "customer", "product"])
def test_what_is_too_much_for_a_list_and_cannot_be_split_ends_in_one_line_and_looks_like_no_end(tripletex, run, stream):
    for number in range(5):
        tripletex.create(stream, **{"firstName" if stream == "contact" else "name": str(number)})
    tripletex.variant, tripletex.lists.limit = Variant("list-limit=on"), 4
    messages = run(None, stream, fails=ListTooLong)
    assert "ACTIVATE_VERSION" not in kinds(messages, stream)
    with pytest.raises(ListTooLong, match="more than Tripletex lists at once .*Limit of 4 reached") as caught:
        run(None, stream)
    assert "\n" not in str(caught.value)


def test_what_rights_and_modules_hide_is_absent_from_records_and_told_once(tripletex, run, caplog):
    customers(tripletex, "Ås AS", "Bø AS")
    tripletex.hidden = frozenset({"website", "currency"})
    records = [one["record"] for one in run(None, "customer") if one["type"] == "RECORD"]
    assert len(records) == 2
    assert all(one["name"] and not tripletex.hidden & one.keys() for one in records)
    told = [one.getMessage() for one in caplog.records if "does not show" in one.getMessage()]
    assert [one.partition("Tripletex does not show ")[2].partition(":")[0] for one in told] == ["currency, website"]


def test_equal_stamps_are_never_skipped(tripletex, run):
    first = customers(tripletex, "Ås AS")
    after = state(run(None, "customer"))
    second = customers(tripletex, "Bø AS")
    assert ids(run(after, "customer"), "customer") == [*first, *second]


def test_a_change_committed_late_is_found(tripletex, run):
    customers(tripletex, "Ås AS")
    after = state(run(None, "customer"))
    (late,) = customers(tripletex, "Sen AS", at=NOON - timedelta(minutes=4, seconds=59))
    (too_late,) = customers(tripletex, "For sen AS", at=NOON - timedelta(minutes=5, seconds=1))
    assert late in ids(run(after, "customer"), "customer")
    assert too_late not in ids(run(after, "customer"), "customer")


def test_no_change_is_lost_in_the_hour_that_comes_twice(tripletex, run):
    # 25 October 2026: 02:58 summer time, then the clock goes back and shows 02:03 five minutes later.
    first_pass = datetime(2026, 10, 25, 0, 58, tzinfo=timezone.utc)
    (one,) = customers(tripletex, "Ås AS", at=first_pass)
    after = state(run(None, "customer"))
    with tripletex.clock.at(first_pass + timedelta(minutes=5)):
        tripletex.edit("customer", one, email="aas@example.no")
        (two,) = (tripletex.create("customer", name="Bø AS")["id"],)
    assert tripletex.get("customer", two)["changes"][0]["timestamp"] == "2026-10-25T02:03:00"
    messages = run(after, "customer")
    assert {one, two} <= set(ids(messages, "customer"))


def test_the_zone_of_times_is_a_setting(tripletex, run):
    customers(tripletex, "Ås AS")
    messages = run(None, "customer", timezone="UTC")
    assert messages[2]["record"]["modifiedAt"] == "2026-03-02T12:00:00Z"


def test_the_bookmark_does_not_pass_the_moment_the_read_began(tripletex, run):
    tripletex.clock.freeze(NOON)
    (one,) = customers(tripletex, "Ås AS")
    customers(tripletex, "Bø AS", isInactive=True)

    def edit_between_the_two_lists(request):
        if request.params.get("isInactive") == ["true"]:
            tripletex.before = None
            with tripletex.clock.at(NOON + timedelta(minutes=1)):
                tripletex.edit("customer", one, email="aas@example.no")
            with tripletex.clock.at(NOON + timedelta(minutes=20)):
                tripletex.create("customer", name="Cæsar AS", isInactive=True)

    tripletex.before = edit_between_the_two_lists
    after = state(run(None, "customer"))
    messages = run(after, "customer")
    emails = [m["record"]["email"] for m in messages if m["type"] == "RECORD" and m["record"]["id"] == one]
    assert emails == ["aas@example.no"]


def test_a_start_date_bounds_customers_only(tripletex, run):
    customers(tripletex, "Gammel AS")
    (new,) = customers(tripletex, "Ny AS", at=NOON + timedelta(days=2))
    contacts(tripletex, "Kari")
    messages = run(start_date="2026-03-03T12:00:00Z")
    assert ids(messages, "customer") == [new]
    assert "ACTIVATE_VERSION" not in kinds(messages, "customer")
    assert "ACTIVATE_VERSION" in kinds(messages, "contact")
    assert {tuple(request.params["changedSince"]) for request in lists(tripletex, "customer")} == {
        ("2026-03-03T13:00:00",)
    }


@pytest.mark.parametrize("half", ["false", "true"])
def test_a_failing_list_of_customers_moves_and_activates_nothing(tripletex, run, half):
    customers(tripletex, "Ås AS")
    tripletex.before = lambda request: (
        Fault.answer(500, {"message": "no"}) if request.params.get("isInactive") == [half] else None
    )
    messages = run(None, "customer", fails=ServerFailed)
    assert state(messages)["bookmarks"] == {"customer": {}}
    assert "ACTIVATE_VERSION" not in kinds(messages, "customer")


def asked_who(tripletex):
    # Of the session that was another test's nothing is known here: such a question is asked twice.
    return sum(request.path.endswith("whoAmI") and request.status == 200 for request in tripletex.requests)


def test_the_company_is_asked_for_again_where_a_token_or_an_address_is_another(tripletex, run):
    first = state(run(None, "customer"))
    again = state(run(first, "customer"))
    assert asked_who(tripletex) == 1
    assert again["systems"] == first["systems"]
    changed = state(run(again, "customer", api_url=tripletex.api_url + "/"))
    assert asked_who(tripletex) == 2
    assert changed["systems"]["tripletex"]["identity"] == first["systems"]["tripletex"]["identity"]
    assert changed["systems"] != first["systems"]


# Contacts, products and countries, by checksum


def test_what_has_not_changed_is_answered_304_and_brings_nothing(tripletex, run):
    contacts(tripletex, "Kari")
    tripletex.create("product", name="Spade")
    tripletex.create("product", name="Utgått", isInactive=True)
    first = run(None, "contact", "product", "country")
    assert len(ids(first, "product")) == 2
    assert len(ids(first, "country")) > 200
    assert [kinds(first, stream)[-1] for stream in ("contact", "product", "country")] == ["ACTIVATE_VERSION"] * 3
    bookmarks = state(first)["bookmarks"]
    assert all(len(bookmarks[stream]["digests"]) == 1 for stream in ("contact", "product", "country"))
    assert bookmarks["contact"]["page_size"] == 1000
    tripletex.clear_requests()
    again = run(state(first), "contact", "product", "country")
    assert {message["type"] for message in again} == {"SCHEMA", "STATE"}
    assert [request.status for request in tripletex.requests if request.method == "GET"] == [304] * 3
    for stream in ("contact", "product", "country"):
        later = state(again)["bookmarks"][stream]
        assert later["digests"] == bookmarks[stream]["digests"]
        assert later["full_read_at"] == bookmarks[stream]["full_read_at"]
        assert later["as_of"] > bookmarks[stream]["as_of"]


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(tap_streams, "PAGE_SIZE", 2)


@pytest.mark.usefixtures("small_pages")
def test_a_changed_page_comes_again_whole_and_the_others_do_not(tripletex, run):
    made = contacts(tripletex, "Åse", "Bo", "Cato", "Dina", "Eva")
    after = state(run(None, "contact"))
    assert len(after["bookmarks"]["contact"]["digests"]) == 3
    tripletex.edit("contact", made[2], email="cato@example.no")
    messages = run(after, "contact")
    assert ids(messages, "contact") == made[2:4]
    assert kinds(messages, "contact") == ["SCHEMA", "RECORD", "RECORD"]
    assert all("version" not in message for message in messages)
    assert ids(run(state(messages), "contact"), "contact") == []


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("more", range(1, 4))
def test_new_records_come_wherever_the_list_ended(tripletex, run, before, more):
    contacts(tripletex, *"ABCDEF"[:before])
    after = state(run(None, "contact"))
    new = contacts(tripletex, *"XYZ"[:more])
    messages = run(after, "contact")
    assert set(new) <= set(ids(messages, "contact"))
    assert ids(run(state(messages), "contact"), "contact") == []


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("gone", range(5))
def test_what_moves_up_when_a_record_is_deleted_is_read_again(tripletex, run, gone):
    made = contacts(tripletex, *"ABCDE")
    after = state(run(None, "contact"))
    tripletex.remove("contact", made[gone])
    messages = run(after, "contact")
    left = [each for each in made if each != made[gone]]
    assert ids(messages, "contact") == left[gone // 2 * 2 :]
    assert ids(run(state(messages), "contact"), "contact") == []
    # Deletions show in the full read alone.
    assert "ACTIVATE_VERSION" not in kinds(messages, "contact")
    assert ids(run(None, "contact"), "contact") == left


@pytest.mark.usefixtures("small_pages")
def test_pages_of_another_size_are_read_anew(tripletex, run, monkeypatch):
    made = contacts(tripletex, *"ABC")
    after = state(run(None, "contact"))
    monkeypatch.setattr(tap_streams, "PAGE_SIZE", 3)
    tripletex.clear_requests()
    messages = run(after, "contact")
    assert ids(messages, "contact") == made
    assert {request.headers["if-none-match"] for request in lists(tripletex, "contact")} == {"0"}
    assert state(messages)["bookmarks"]["contact"]["page_size"] == 3


def test_a_checksum_may_change_although_the_data_did_not(tripletex, run):
    made = contacts(tripletex, "Kari")
    after = state(run(None, "contact"))
    tripletex.change_digests()
    assert ids(run(after, "contact"), "contact") == made


def test_everything_is_read_once_a_day_whatever_the_checksum_says(tripletex, run):
    made = contacts(tripletex, "Kari")
    after = state(run(None, "contact", at="2026-03-02T12:00:00Z"))
    tripletex.clear_requests()
    assert ids(run(after, "contact", at="2026-03-03T11:59:59Z"), "contact") == []
    messages = run(after, "contact", at="2026-03-03T12:00:00Z")
    assert ids(messages, "contact") == made
    assert "ACTIVATE_VERSION" in kinds(messages, "contact")
    assert [request.headers.get("if-none-match") for request in lists(tripletex, "contact")][1] == "0"
    assert ids(run(after, "contact", at="2026-03-02T13:00:00Z", full_read_every=1), "contact") == made


@pytest.mark.usefixtures("small_pages")
def test_a_failing_page_moves_and_activates_nothing(tripletex, run):
    made = contacts(tripletex, *"ABC")
    tripletex.before = lambda request: (
        Fault.answer(500, {"message": "no"}) if request.params.get("from") == ["2"] else None
    )
    messages = run(None, "contact", fails=ServerFailed)
    assert state(messages)["bookmarks"] == {"contact": {}}
    assert "ACTIVATE_VERSION" not in kinds(messages, "contact")
    tripletex.before = None
    after = state(run(state(messages), "contact"))
    tripletex.edit("contact", made[0], email="a@example.no")
    tripletex.edit("contact", made[2], email="c@example.no")
    tripletex.before = lambda request: (
        Fault.answer(500, {"message": "no"}) if request.params.get("from") == ["2"] else None
    )
    messages = run(after, "contact", fails=ServerFailed)
    assert state(messages) == after
    tripletex.before = None
    assert ids(run(state(messages), "contact"), "contact") == made


def test_not_modified_is_no_answer_to_a_first_read(tripletex, run):
    contacts(tripletex, "Kari")
    tripletex.before = lambda request: Fault.answer(304) if request.path == "/v2/contact" else None
    messages = run(None, "contact", fails=UnexpectedAnswer)
    assert "ACTIVATE_VERSION" not in kinds(messages, "contact")


@pytest.mark.parametrize("body", [{"values": None}, {"fullResultSize": 0}, {"values": [{"firstName": "no id"}]}])
def test_an_answer_without_its_values_never_looks_like_deletions(tripletex, run, body):
    tripletex.before = lambda request: Fault.answer(200, body) if request.path == "/v2/contact" else None
    messages = run(None, "contact", fails=ApiError)
    assert "ACTIVATE_VERSION" not in kinds(messages, "contact")


# The plug-in


def test_the_connection_test_asks_for_one_record_a_stream(tripletex, run):
    customers(tripletex, "Ås AS", "Bø AS")
    contacts(tripletex, "Kari", "Ola")
    messages = run(test=True)
    assert not any(message["type"] == "ACTIVATE_VERSION" for message in messages)
    assert state(messages)["bookmarks"] == {stream: {} for stream in STREAMS}
    assert all(len(ids(messages, stream)) == 1 for stream in ("contact", "country", "customer"))
    for stream in STREAMS:
        assert {tuple(request.params["count"]) for request in lists(tripletex, stream)} == {("1",)}


def command(starter, config, *args, tmp_path, **env):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    done = starter.run("tap-tripletex", "--config", path, *args, environment={**os.environ, **env}, folder=tmp_path)
    return done, [line for line in done.stderr.splitlines() if "| INFO " not in line]


def html(_):
    return Fault.answer(200, "<html><title>Log in</title></html>")


@pytest.mark.parametrize(
    ("mode", "change", "before", "words"),
    [
        ([], {"employee_token": "not-the-right-token"}, None, "check consumer_token and employee_token"),
        (["--test"], {"employee_token": "not-the-right-token"}, None, "check consumer_token and employee_token"),
        ([], {"api_url": "http://127.0.0.1:1/v2"}, None, "no connection"),
        ([], {}, html, "not JSON"),
        (["--test"], {}, html, "not JSON"),
        (["--discover"], {"employe_token": "x"}, None, "did you mean 'employee_token'?"),
        ([], {"timezone": "Europe/Olso"}, None, "is not a time zone"),
        ([], {"company_id": "mine"}, None, "'company_id' must be of type integer"),
    ],
)
def test_what_can_be_expected_to_go_wrong_is_one_line(
    starter, tripletex, config, tmp_path, mode, change, before, words
):
    tripletex.before = before
    done, told = command(starter, {**config, **change}, *mode, tmp_path=tmp_path)
    assert done.returncode == 1
    assert len(told) == 1
    assert words in told[0]
    assert "not-the-right-token" not in done.stdout + done.stderr


def test_no_token_is_in_any_log_whatever_the_level(starter, tripletex, config, tmp_path):
    contacts(tripletex, "Kari")
    for token, code in ((tripletex.employee_token, 0), ("another-secret-token", 1)):
        done, told = command(starter, {**config, "employee_token": token}, tmp_path=tmp_path, LOGLEVEL="DEBUG")
        assert done.returncode == code
        assert any("DEBUG" in line for line in told)
        for secret in (token, tripletex.consumer_token, *tripletex.session_tokens):
            assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize("args", [["--about"], ["--about", "--format=json"], ["--version"], ["--help"]])
def test_the_plugin_tells_about_itself_without_settings(starter, args, tmp_path):
    done = starter.run("tap-tripletex", *args, folder=tmp_path)
    assert done.returncode == 0
    if "--format=json" in args:
        settings = json.loads(done.stdout)["settings"]["properties"]
        own = {"api_url", "consumer_token", "employee_token", "company_id", "start_date", "full_read_every", "timezone"}
        assert own <= set(settings)
        assert all(settings[name]["title"] and settings[name]["description"] for name in own)
        assert {name for name in own if settings[name].get("secret")} == {"consumer_token", "employee_token"}
        defaults = {name: settings[name]["default"] for name in own if "default" in settings[name]}
        assert defaults == {
            "api_url": "https://tripletex.no/v2",
            "company_id": 0,
            "full_read_every": 24,
            "timezone": "Europe/Oslo",
        }


def test_discovery_offers_the_streams_and_needs_no_settings(starter, tmp_path):
    done = starter.run("tap-tripletex", "--discover", folder=tmp_path)
    streams = {stream["tap_stream_id"]: stream for stream in json.loads(done.stdout)["streams"]}
    assert sorted(streams) == sorted(STREAMS)
    assert {name: stream.get("replication_key") for name, stream in streams.items()} == {
        **dict.fromkeys(STREAMS),
        "customer": "modifiedAt",
    }


def test_on_a_terminal_each_stream_tells_how_far_it_is_and_the_messages_stay_messages(systems, config, tmp_path):
    systems.load(customers=20)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    above, terminal = pty.openpty()
    with subprocess.Popen([SCRIPT, "--config", path], stdout=subprocess.PIPE, stderr=terminal) as process:
        os.close(terminal)
        seen, shown = [], b""
        reader = threading.Thread(target=lambda: seen.extend(process.stdout), daemon=True)
        reader.start()
        with contextlib.suppress(OSError):  # what Linux says where the other end is closed
            while piece := os.read(above, 4096):
                shown += piece
        reader.join()
    os.close(above)
    assert process.returncode == 0
    assert {json.loads(line)["type"] for line in seen} == {"SCHEMA", "STATE", "RECORD", "ACTIVATE_VERSION"}
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    for stream in STREAMS:
        assert re.search(rf"^\r?{stream} +[0-9,]+ records +[0-9,]+/s .*", text, re.MULTILINE), text
    assert "sync_duration" in text


def test_where_nobody_looks_the_log_has_lines_and_nothing_that_moves(config, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    done = subprocess.run([SCRIPT, "--config", path], capture_output=True, check=True)
    assert b"\x1b" not in done.stderr
    assert b"record_count" in done.stderr
