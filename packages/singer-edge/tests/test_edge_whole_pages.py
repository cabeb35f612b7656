"""Pages are written whole where nothing asks for the SDK's way, and either way says the same."""

import datetime as dt
import json
import sys
from typing import ClassVar

import pytest
from singer_edge import reading
from singer_edge.messages import AT_A_TIME
from singer_edge.read import Page
from singer_edge.reading import BookmarkedStream
from singer_edge.shape import Shape, Untypable
from singer_edge.tap import EdgeTap
from singer_edge.times import parse_moment
from singer_sdk.helpers.conform import TypeConformanceLevel

NOON = "2026-11-22T12:00:00.000Z"
SCHEMA = {
    "type": "object",
    "properties": {
        "Id": {"type": "string"},
        "UpdatedAt": {"type": ["string", "null"], "format": "date-time"},
        "class": {"type": ["string", "null"]},
        "Own field": {"type": ["integer", "null"]},
        "Price": {"type": ["number", "null"]},
        "Active": {"type": ["boolean", "null"]},
        "Address": {"type": ["object", "null"], "properties": {"City": {"type": ["string", "null"]}}},
        "Anything": {"type": ["object", "null"]},
        "Tags": {"type": ["array", "null"], "items": {"type": "string"}},
        "Lines": {"type": ["array", "null"], "items": {"type": "object", "properties": {"Text": {"type": "string"}}}},
    },
}
WHOLE = {
    "Id": "1",
    "UpdatedAt": "2026-11-22T09:00:00.000Z",
    "class": "a",
    "Own field": 2**70,
    "Price": 1.10,
    "Active": False,
    "Address": {"City": "Bodø", "Unknown": 1},
    "Anything": {"a": [1, None, {"b": 2}]},
    "Tags": ["x", "æ"],
    "Lines": [{"Text": "one", "Unknown": 2}],
    "Unknown": {"deep": 1},
}
PAGES = {
    "everything": [WHOLE],
    "nothing but a key": [{"Id": "1"}],
    "no values": [dict.fromkeys(WHOLE) | {"Id": "1"}],
    "whole numbers in a number": [{"Id": "1", "Price": 2}],
    "no records": [],
    "several": [WHOLE, {"Id": "2", "UpdatedAt": NOON}, WHOLE | {"Id": "3"}],
    "an integer where a text should be": [{"Id": "1"}, {"Id": "2", "class": 7}],
    "a fraction where an integer should be": [{"Id": "1", "Own field": 1.0}],
    "a number where a boolean should be": [{"Id": "1", "Active": 1}],
    "a text where an object should be": [{"Id": "1", "Address": "Storgata"}],
    "no key": [{"class": "a"}],
    "a key that is null": [{"Id": None}],
    "a time that is none": [{"Id": "1", "UpdatedAt": "yesterday"}, {"Id": "2", "UpdatedAt": NOON}],
    "an empty time": [{"Id": "1", "UpdatedAt": ""}, {"Id": "2", "UpdatedAt": "2026-11-22T09:00:00Z"}],
    "times without a zone": [{"Id": "1", "UpdatedAt": "2026-11-22"}, {"Id": "2", "UpdatedAt": "2026-11-21T09:00:00"}],
    "out of order": [{"Id": "1", "UpdatedAt": NOON}, {"Id": "2", "UpdatedAt": "2026-11-22T09:00:00Z"}],
    "more than are written at a time": [{"Id": str(number)} for number in range(2 * AT_A_TIME + 1)],
}
BOOKMARK = {
    "as_of": "2026-11-22T10:00:00.000Z",
    "replication_key": "UpdatedAt",
    "replication_key_value": "2026-11-22T08:58:00.000Z",
    "full_read_at": "2026-11-22T10:00:00.000Z",
}


class Things(BookmarkedStream):
    name = "thing"
    primary_keys = ("Id",)
    change_key = "UpdatedAt"
    ascending = True
    STATE_MSG_FREQUENCY = 1
    shapes = ()

    def __init__(self, tap):
        super().__init__(tap, schema=SCHEMA)

    def pages(self, read):
        self.shapes = (*self.shapes, read.shape)
        for number, records in enumerate(self._tap.held):
            copied = json.loads(json.dumps(records))
            yield Page(copied, parse_moment("2026-11-22T10:00:00Z") + dt.timedelta(seconds=number))


class TapThings(EdgeTap):
    name = "tap-things"
    config_jsonschema: ClassVar = {"type": "object", "properties": {}}

    def __init__(self, *args, held, **kwargs):
        self.held = held
        super().__init__(*args, **kwargs)

    def discover_streams(self):
        return [Things(self)]


@pytest.fixture
def run(capfdbinary, monkeypatch):
    """Run the tap; its messages, and whether the pages were written whole."""

    def run(held, *, state=None, catalog=None, shaped=True, test=False, **config):
        monkeypatch.setattr(reading, "now", lambda: parse_moment(NOON))
        tap = TapThings(held=held, config=config, state=state, catalog=catalog)
        if not shaped:
            tap.streams["thing"]._shape = lambda: None
        (tap.run_connection_test if test else tap.sync_all)()
        sys.stdout.flush()
        messages = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
        return messages, tap.streams["thing"].shapes[-1] is not None

    return run


@pytest.mark.parametrize("state", [None, {"bookmarks": {"thing": BOOKMARK}}], ids=["full", "changes"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_written_whole_says_what_the_sdk_says_record_by_record(run, page, state):
    held = [PAGES["everything"], PAGES[page], [{"Id": "last", "UpdatedAt": NOON}]]
    whole, was_whole = run(held, state=state)
    one_by_one, was_one_by_one = run(held, state=state, shaped=False)
    assert (was_whole, was_one_by_one) == (True, False)
    assert whole == one_by_one


def test_what_is_written_matches_the_schema_or_is_written_as_it_came(run):
    (record,) = [message["record"] for message in run([[WHOLE]])[0] if message["type"] == "RECORD"]
    assert record == {
        **{name: WHOLE[name] for name in SCHEMA["properties"]},
        "Address": {"City": "Bodø"},
        "Lines": [{"Text": "one"}],
    }


def deselected(*path):
    catalog = TapThings(held=[], config={}).catalog_dict
    for each in catalog["streams"][0]["metadata"]:
        if each["breadcrumb"] == []:
            each["metadata"]["selected"] = True
        if path and tuple(each["breadcrumb"][1::2]) == path:
            each["metadata"]["selected"] = False
    return catalog


@pytest.mark.parametrize(
    "asked",
    [
        {"catalog": deselected("class")},
        {"catalog": deselected("Address", "City")},
        {"stream_maps": {"thing": {"Price": "Price * 2"}}},
        {"stream_maps": {"thing": {"__alias__": "item"}}},
        {"stream_maps": {"copy": {"__source__": "thing"}}},
        {"flattening_enabled": True, "flattening_max_depth": 1},
    ],
    ids=["a property deselected", "a nested one deselected", "mapped", "renamed", "copied", "flattened"],
)
def test_what_is_the_sdk_s_to_do_is_left_to_it(run, asked):
    messages, was_whole = run([[WHOLE]], **asked)
    assert not was_whole
    plain = run([[WHOLE]])[0]
    told = [[message for message in some if message["type"] == "RECORD"] for some in (messages, plain)]
    assert told[0] != told[1]


def test_a_catalog_that_deselects_nothing_changes_nothing(run):
    messages, was_whole = run([[WHOLE]], catalog=deselected())
    assert was_whole
    assert messages == run([[WHOLE]])[0]


@pytest.mark.parametrize("level", [TypeConformanceLevel.NONE, TypeConformanceLevel.ROOT_ONLY])
def test_another_level_of_conformance_is_the_sdk_s_business(run, monkeypatch, level):
    monkeypatch.setattr(Things, "TYPE_CONFORMANCE_LEVEL", level)
    messages, was_whole = run([[WHOLE]])
    assert not was_whole
    assert [one["record"]["Address"] for one in messages if one["type"] == "RECORD"] == [{"City": "Bodø", "Unknown": 1}]


def test_trying_the_connection_reads_record_by_record(run):
    messages, was_whole = run([[WHOLE, WHOLE]], test=True)
    assert not was_whole
    assert [message["type"] for message in messages] == ["SCHEMA", "STATE", "RECORD"]


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {},
        {"type": "object", "properties": {}, "additionalProperties": True},
        {"type": "array", "items": {"anyOf": [{"type": "string"}]}},
        {"type": "decimal"},
    ],
)
def test_a_schema_that_says_more_than_a_type_can_is_left_to_the_sdk(schema):
    with pytest.raises(Untypable):
        Shape("thing", {"properties": {"Id": schema}}, ("Id",), {})
