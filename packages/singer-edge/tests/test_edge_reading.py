"""How a stream is read, and what it tells the target about the read."""

import datetime as dt
import gzip
import json
import sys
from functools import partial

import pytest
from api_transport.errors import Unreachable
from singer_edge import reading, settings
from singer_edge.errors import RunFailed, UnusableFile
from singer_edge.read import Page
from singer_edge.reading import BookmarkedStream
from singer_edge.tap import EdgeTap
from singer_edge.times import parse_moment
from singer_sdk import typing as th

SCHEMA = {
    "type": "object",
    "properties": {
        "Id": {"type": "string"},
        "Name": {"type": ["string", "null"]},
        "UpdatedAt": {"type": ["string", "null"], "format": "date-time"},
        "Address": {"type": ["object", "null"], "properties": {"City": {"type": ["string", "null"]}}},
    },
}
SENT_AT = parse_moment("2026-11-22T10:00:00Z")
NOON = "2026-11-22T12:00:00.000Z"


class Shelf:
    """What the system holds, and how it behaves."""

    def __init__(self):
        self.pages = []
        self.clock = None
        self.asked = []
        self.fails_after = None
        self.digests = []


class Things(BookmarkedStream):
    name = "thing"
    primary_keys = ("Id",)
    change_key = "UpdatedAt"
    ascending = True

    def __init__(self, tap):
        super().__init__(tap, schema=SCHEMA)

    def pages(self, read):
        shelf = self._tap.shelf
        shelf.asked.append(read.since)
        for number, records in enumerate(shelf.pages):
            if number == shelf.fails_after:
                raise Unreachable("no connection")
            yield Page([dict(record) for record in records], SENT_AT + dt.timedelta(seconds=number))
        if shelf.fails_after == len(shelf.pages):
            raise Unreachable("no connection")

    def server_clock(self):
        return self._tap.shelf.clock


class Lists(Things):
    name = "list"
    change_key = None

    def continues(self, bookmark):
        return bool(bookmark.digests)

    def pages(self, read):
        shelf = self._tap.shelf
        shelf.asked.append(read.full)
        read.digests, read.page_size = list(shelf.digests), 2
        if read.full:
            yield from super().pages(read)


class TapShelf(EdgeTap):
    name = "tap-shelf"
    streams_offered = (Things,)
    config_jsonschema = th.PropertiesList(settings.start_date("by UpdatedAt"), settings.full_read_every()).to_dict()

    def __init__(self, *args, shelf, **kwargs):
        self.shelf = shelf
        super().__init__(*args, **kwargs)

    def discover_streams(self):
        return [stream(self) for stream in self.streams_offered]


class TapLists(TapShelf):
    streams_offered = (Lists,)


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def run(shelf, capfdbinary, monkeypatch):
    """Run the tap; the messages it sent."""

    def run(state=None, tap_class=TapShelf, *, at=NOON, test=False, catalog=None, fails=None, **config):
        monkeypatch.setattr(reading, "now", lambda: parse_moment(at))
        tap = tap_class(shelf=shelf, config=config, state=state, catalog=catalog)
        go = tap.run_connection_test if test else tap.sync_all
        if fails is None:
            go()
        else:
            with pytest.raises(fails):
                go()
        sys.stdout.flush()
        return [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]

    return run


def thing(number, at="2026-11-22T09:00:00.000Z", **more):
    return {"Id": f"t{number}", "Name": f"Ting {number}", "UpdatedAt": at, **more}


def kinds(messages):
    return [message["type"] for message in messages]


def records(messages):
    return [message["record"]["Id"] for message in messages if message["type"] == "RECORD"]


def bookmark(messages, stream="thing"):
    return [message for message in messages if message["type"] == "STATE"][-1]["value"]["bookmarks"][stream]


def state_of(stream="thing", **bookmark):
    return {"bookmarks": {stream: bookmark}}


READ_AT_TEN = {
    "as_of": "2026-11-22T10:00:00.000Z",
    "replication_key": "UpdatedAt",
    "replication_key_value": "2026-11-22T09:58:00.000Z",
    "full_read_at": "2026-11-22T10:00:00.000Z",
}


def test_a_first_read_opens_with_an_empty_bookmark_and_ends_in_activate_version(run, shelf):
    shelf.pages = [[thing(1), thing(2)], [thing(3)]]
    messages = run()
    assert kinds(messages) == ["SCHEMA", "STATE", "RECORD", "RECORD", "RECORD", "ACTIVATE_VERSION", "STATE"]
    assert messages[1]["value"] == {"bookmarks": {"thing": {}}}
    version = int(parse_moment(NOON).timestamp() * 1000)
    assert messages[5] == {"type": "ACTIVATE_VERSION", "stream": "thing", "version": version}
    assert {message["version"] for message in messages if message["type"] == "RECORD"} == {version}
    assert bookmark(messages) == {
        "as_of": NOON,
        "replication_key": "UpdatedAt",
        "replication_key_value": "2026-11-22T09:00:00.000Z",
        "full_read_at": NOON,
    }
    assert shelf.asked == [None]


def test_records_carry_the_time_their_page_was_asked_for(run, shelf):
    shelf.pages = [[thing(1)], [thing(2)]]
    times = [message["time_extracted"] for message in run() if message["type"] == "RECORD"]
    assert times == ["2026-11-22T10:00:00Z", "2026-11-22T10:00:01Z"]


def test_an_incremental_read_opens_with_its_bookmark_and_looks_back_five_minutes(run, shelf):
    shelf.pages = [[thing(1, "2026-11-22T11:00:00.000Z")]]
    messages = run(state_of(**READ_AT_TEN))
    assert kinds(messages) == ["STATE", "SCHEMA", "STATE", "RECORD", "STATE"]
    assert messages[2]["value"]["bookmarks"]["thing"] == READ_AT_TEN
    assert shelf.asked == [parse_moment("2026-11-22T09:53:00Z")]
    assert "version" not in messages[3]
    assert bookmark(messages) == {
        **READ_AT_TEN,
        "as_of": NOON,
        "replication_key_value": "2026-11-22T11:00:00.000Z",
    }


def test_a_read_without_changes_still_says_when_it_began(run):
    messages = run(state_of(**READ_AT_TEN))
    assert kinds(messages) == ["STATE", "SCHEMA", "STATE", "STATE"]
    assert bookmark(messages) == {**READ_AT_TEN, "as_of": NOON}


def test_looking_back_never_moves_the_bookmark_back(run, shelf):
    shelf.pages = [[thing(1, "2026-11-22T09:57:00.000Z")]]
    assert bookmark(run(state_of(**READ_AT_TEN)))["replication_key_value"] == "2026-11-22T09:58:00.000Z"


def test_as_of_never_moves_back_where_our_clock_does(run):
    messages = run(state_of(**READ_AT_TEN), at="2026-11-22T10:00:00.000Z")
    assert bookmark(messages)["as_of"] == "2026-11-22T10:00:00.000Z"
    assert bookmark(run(state_of(**READ_AT_TEN), at="2026-11-22T08:00:00.000Z"))["as_of"] == READ_AT_TEN["as_of"]


def test_everything_is_read_again_once_the_last_full_read_is_too_old(run, shelf):
    shelf.pages = [[thing(1)]]
    almost = run(state_of(**READ_AT_TEN), at="2026-11-23T09:59:59.999Z")
    assert "ACTIVATE_VERSION" not in kinds(almost)
    due = run(state_of(**READ_AT_TEN), at="2026-11-23T10:00:00.000Z")
    assert kinds(due)[-2:] == ["ACTIVATE_VERSION", "STATE"]
    assert due[2]["value"]["bookmarks"]["thing"] == READ_AT_TEN
    assert bookmark(due)["full_read_at"] == "2026-11-23T10:00:00.000Z"
    assert shelf.asked == [parse_moment("2026-11-22T09:53:00Z"), None]


@pytest.mark.parametrize("hours", [0, 1.5])
def test_how_often_everything_is_read_is_a_setting(run, hours):
    assert "ACTIVATE_VERSION" in kinds(run(state_of(**READ_AT_TEN), full_read_every=hours))


def test_a_full_read_in_the_future_by_our_clock_does_not_put_off_the_next(run):
    ahead = {**READ_AT_TEN, "full_read_at": "2030-01-01T00:00:00.000Z"}
    assert "ACTIVATE_VERSION" in kinds(run(state_of(**ahead)))


def test_start_date_bounds_a_read_which_then_says_nothing_of_deletions(run, shelf):
    shelf.pages = [[thing(1)]]
    messages = run(start_date="2026-01-01")
    assert shelf.asked == [parse_moment("2026-01-01T00:00:00Z")]
    assert kinds(messages) == ["SCHEMA", "STATE", "RECORD", "STATE"]
    assert "full_read_at" not in bookmark(messages)
    again = run({"bookmarks": {"thing": bookmark(messages)}}, start_date="2026-01-01", at="2027-01-01T00:00:00Z")
    assert shelf.asked[1] == parse_moment("2026-11-22T08:55:00Z")
    assert "ACTIVATE_VERSION" not in kinds(again)


@pytest.mark.parametrize("fails_after", [0, 1, 2])
def test_a_read_that_fails_moves_nothing_and_activates_nothing(run, shelf, fails_after):
    shelf.pages = [[thing(1)], [thing(2)]]
    shelf.fails_after = fails_after
    messages = run(fails=Unreachable)
    assert "ACTIVATE_VERSION" not in kinds(messages)
    assert bookmark(messages) == {}
    later = run(state_of(**READ_AT_TEN), fails=Unreachable)
    assert bookmark(later) == READ_AT_TEN


def test_a_long_read_in_order_tells_how_far_it_has_come(run, shelf, monkeypatch):
    monkeypatch.setattr(Things, "STATE_MSG_FREQUENCY", 2)
    minutes = [f"2026-11-22T10:0{minute}:00.000Z" for minute in range(5)]
    shelf.pages = [[thing(1, minutes[0]), thing(2, minutes[1])], [thing(3, minutes[2]), thing(4, minutes[3])]]
    shelf.fails_after = 2
    messages = run(state_of(**READ_AT_TEN), fails=Unreachable)
    assert kinds(messages)[2:] == ["STATE", "RECORD", "RECORD", "STATE", "RECORD", "RECORD", "STATE"]
    assert bookmark(messages) == {**READ_AT_TEN, "replication_key_value": minutes[3]}


@pytest.mark.parametrize("state", [None, state_of(**{**READ_AT_TEN, "full_read_at": "2026-11-01T00:00:00Z"})])
def test_a_full_read_tells_nothing_before_its_end(run, shelf, monkeypatch, state):
    monkeypatch.setattr(Things, "STATE_MSG_FREQUENCY", 1)
    shelf.pages = [[thing(1)], [thing(2)]]
    assert kinds(run(state))[-5:] == ["STATE", "RECORD", "RECORD", "ACTIVATE_VERSION", "STATE"]


def test_a_list_out_of_order_tells_nothing_before_its_end(run, shelf, monkeypatch):
    monkeypatch.setattr(Things, "STATE_MSG_FREQUENCY", 1)
    shelf.pages = [[thing(1, "2026-11-22T11:30:00Z"), thing(2, "2026-11-22T11:00:00Z")], [thing(3)]]
    assert kinds(run(state_of(**READ_AT_TEN)))[2:] == ["STATE", "RECORD", "RECORD", "RECORD", "STATE"]


def test_changes_after_the_read_began_are_left_to_the_next_read(run, shelf):
    shelf.clock = parse_moment("2026-11-22T11:00:00Z")
    shelf.pages = [[thing(1, "2026-11-22T11:00:00.999Z"), thing(2, "2026-11-22T11:04:00Z")]]
    assert bookmark(run(state_of(**READ_AT_TEN)))["replication_key_value"] == "2026-11-22T11:00:00.999Z"


def test_a_time_that_is_none_does_not_end_the_run(run, shelf):
    shelf.pages = [[thing(1, "yesterday"), thing(2), thing(3, None)]]
    messages = run()
    assert records(messages) == ["t1", "t2", "t3"]
    assert bookmark(messages)["replication_key_value"] == "2026-11-22T09:00:00.000Z"


def test_trying_the_connection_reads_one_record_and_does_no_harm(run, shelf):
    shelf.pages = [[thing(1), thing(2)], [thing(3)]]
    messages = run(test=True)
    assert kinds(messages) == ["SCHEMA", "STATE", "RECORD"]
    assert bookmark(messages) == {}
    assert "version" not in messages[2]


def test_trying_the_connection_where_there_is_one_record_activates_nothing(run, shelf):
    shelf.pages = [[thing(1)]]
    assert kinds(run(test=True)) == ["SCHEMA", "STATE", "RECORD"]


@pytest.mark.parametrize(
    "damaged",
    [
        {"bookmarks": []},
        {"bookmarks": {"thing": 7}},
        state_of(**{**READ_AT_TEN, "replication_key_value": "soon"}),
        state_of(**{**READ_AT_TEN, "as_of": 17}),
        state_of(digests="abc"),
    ],
)
def test_a_damaged_state_is_refused_before_anything_is_read(run, shelf, damaged):
    with pytest.raises(UnusableFile, match="--state"):
        run(damaged)
    assert shelf.asked == []


def test_what_other_programs_left_in_the_state_does_not_matter(run, shelf):
    messages = run(state_of(partitions=[{"context": {"a": 1}}], progress_markers={"Note": ""}, **READ_AT_TEN))
    assert bookmark(messages) == {**READ_AT_TEN, "as_of": NOON}


def test_the_state_of_other_streams_stays(run):
    state = {"bookmarks": {"other": {"as_of": "2020-01-01T00:00:00.000Z"}, "thing": READ_AT_TEN}}
    assert run(state)[-1]["value"]["bookmarks"]["other"] == {"as_of": "2020-01-01T00:00:00.000Z"}


def selection(stream="thing", deselected=(), **entry):
    tap = TapShelf(shelf=Shelf(), config={})
    catalog = tap.catalog_dict
    found = next(each for each in catalog["streams"] if each["tap_stream_id"] == stream)
    found |= entry
    for each in found["metadata"]:
        if each["breadcrumb"] == []:
            each["metadata"]["selected"] = True
        if tuple(each["breadcrumb"][1::2]) in deselected:
            each["metadata"]["selected"] = False
    return catalog


def test_deselected_properties_are_left_out_nested_ones_too(run, shelf):
    shelf.pages = [[thing(1, Address={"City": "Bodø"})]]
    catalog = selection(deselected=[("Name",), ("Address", "City"), ("Id",), ("UpdatedAt",)])
    messages = run(catalog=catalog)
    assert messages[2]["record"] == {"Id": "t1", "UpdatedAt": "2026-11-22T09:00:00.000Z", "Address": {}}
    assert "Name" not in messages[0]["schema"]["properties"]


def test_a_stream_can_be_read_whole_each_time(run, shelf):
    catalog = selection(replication_method="FULL_TABLE")
    messages = run(state_of(**READ_AT_TEN), catalog=catalog)
    assert shelf.asked == [None]
    assert "ACTIVATE_VERSION" in kinds(messages)


@pytest.mark.parametrize("entry", [{"replication_key": "Name"}, {"replication_method": "LOG_BASED"}])
def test_a_way_of_reading_that_there_is_not_is_refused(run, entry):
    with pytest.raises(RunFailed, match="cannot be read"):
        run(catalog=selection(**entry))


def test_a_renamed_stream_is_renamed_in_every_message(run, shelf):
    shelf.pages = [[thing(1)]]
    maps = {"thing": {"__alias__": "item", "Name": "Name.upper()"}}
    messages = run(stream_maps=maps)
    assert {message["stream"] for message in messages if "stream" in message} == {"item"}
    assert messages[2]["record"]["Name"] == "TING 1"
    assert "ACTIVATE_VERSION" in kinds(messages)


@pytest.mark.parametrize("name", ["thing", "thi*", "copy"])
def test_what_a_stream_map_filters_out_does_not_look_deleted(run, shelf, name):
    shelf.pages = [[thing(1), thing(2)]]
    definition = {"__filter__": "Id == 't1'", **({"__source__": "thing"} if name == "copy" else {})}
    messages = run(stream_maps={name: definition})
    assert "ACTIVATE_VERSION" not in kinds(messages)
    assert all("version" not in message for message in messages)


def test_the_sdk_s_own_activate_version_stays_off(run, shelf):
    stream = TapShelf(shelf=shelf, config={}).streams["thing"]
    stream._config["emit_activate_version_messages"] = True
    assert stream.emit_activate_version_messages is False


def test_a_list_read_conditionally_keeps_its_digests(run, shelf):
    shelf.pages, shelf.digests = [[thing(1)]], ["d1", None]
    messages = run(tap_class=TapLists)
    assert kinds(messages) == ["SCHEMA", "STATE", "RECORD", "ACTIVATE_VERSION", "STATE"]
    earned = bookmark(messages, "list")
    assert earned == {"as_of": NOON, "digests": ["d1", None], "page_size": 2, "full_read_at": NOON}
    again = run(state_of("list", **earned), TapLists, at="2026-11-22T13:00:00.000Z")
    assert kinds(again) == ["STATE", "SCHEMA", "STATE", "STATE"]
    assert bookmark(again, "list") == {**earned, "as_of": "2026-11-22T13:00:00.000Z"}
    run(state_of("list", **earned), TapLists, at="2026-11-24T13:00:00.000Z")
    assert shelf.asked == [True, None, False, True, None]


def test_batches_hold_the_records_and_the_state_comes_after_them(run, shelf, tmp_path):
    shelf.pages = [[thing(1, Address={"City": "Bodø", "Unknown": 1}), thing(2)]]
    batch = {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": {"root": tmp_path.as_uri()}}
    messages = run(batch_config=batch)
    assert kinds(messages) == ["SCHEMA", "STATE", "BATCH", "STATE"]
    assert bookmark(messages)["as_of"] == NOON
    lines = [
        json.loads(line) for path in tmp_path.iterdir() for line in gzip.decompress(path.read_bytes()).splitlines()
    ]
    assert [line["Id"] for line in lines] == ["t1", "t2"]


def test_an_expected_failure_raises_no_alarm_on_its_way(run, shelf, caplog):
    shelf.fails_after = 0
    run(fails=Unreachable)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_bug_is_told_as_what_it_is(run, shelf, caplog):
    shelf.pages = [[partial]]
    run(fails=TypeError)
    assert "unhandled error" in caplog.text
