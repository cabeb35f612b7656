"""What comes in that does not fit: it waits for as long as it is there, and keeps no deletion and no run back."""

import logging

import pytest
from record_sync.outcome import Waits
from record_sync.record_id import LONGEST
from record_sync.session import Session
from record_sync.testing.world import World, waiting
from sync_target.record_message import RecordMessage
from sync_target.run import Run

NAME = {"type": ["string", "null"], "x-from": ["Name"]}


def schema(name=NAME, **sync):
    resource = {"customcrm": "customer", "tripletex": "customer"}
    rules = {"flow": "customer", "from": "customcrm", "to": "tripletex", "resource": resource, "match_on": [], **sync}
    return {"type": "object", "x-sync": rules, "properties": {"name": name, "_source": {"type": "object"}}}


class Reading:
    """Runs of the target, one read of the CRM each, over one store."""

    def __init__(self, world):
        self.world = world

    def begin(self, first=None):
        world = self.world
        world.clock.advance(hours=1)
        self.began = world.clock.now
        system = world.tripletex
        system.requests, system.waits = 0, Waits()
        self.run = Run(
            system,
            lambda: Session(world.open_store(), system, max_failure_share=1),
            emit=lambda _state: None,
            drain=lambda: None,
            count=lambda _stream, _number: None,
            logger=logging.getLogger("run"),
        )
        self.run.schema("customer", first or schema())
        self.run.state({"bookmarks": {"customer": {}}})

    def comes(self, record_id, name, **source):
        at = self.began.isoformat()
        told = {"id": record_id, "version": at, "modified_at": at, "values": {"Name": name}, **source}
        content = {"name": name, "_source": told}
        message = {"type": "RECORD", "stream": "customer", "record": content, "time_extracted": at}
        self.run.record(RecordMessage.of(message))

    def end(self, *, complete=True):
        if complete:
            self.world.clock.advance(seconds=1)
            self.run.version("customer", int(self.began.timestamp() * 1000))
        self.run.state({"bookmarks": {"customer": {"as_of": self.began.isoformat()}}})
        self.run.end()
        self.run.close("done")

    def one(self, record_id, name, **source):
        self.begin()
        self.comes(record_id, name, **source)
        self.end()

    def links(self):
        with self.world.open_store() as store, store.begin() as connection:
            asked = "select left_id, state, left_state from link order by id"
            return [tuple(row) for row in connection.exec_driver_sql(asked)]


@pytest.fixture
def reading(tmp_path):
    return Reading(World(f"sqlite:///{tmp_path}/links.db"))


def test_a_record_that_does_not_fit_waits_for_as_long_as_it_comes(reading):
    for _ in range(3):
        reading.one("c1", 5)
        assert [kind for kind, _ in waiting(reading.world).values()] == ["invalid"]
    reading.one("c2", "Fjord AS")
    assert waiting(reading.world) == {}


ODD = ({"name": 5}, {"modified_at": "i går"}, {"version": ["1"]}, {"values": "nei"})


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_deletion_is_one_whatever_else_the_record_says(reading, odd):
    reading.one("c1", "Fjord AS")
    reading.one(**{"record_id": "c1", "name": "Fjord AS", **odd}, deleted=True)
    assert waiting(reading.world) == {}
    assert reading.links() == [("c1", "ended", "gone")]


def test_a_record_that_does_not_fit_waits_no_longer_once_it_is_deleted(reading):
    reading.one("c1", 5)
    reading.begin()
    reading.comes("c1", 5, deleted=True)
    reading.end(complete=False)
    assert waiting(reading.world) == {}


def test_what_a_filter_keeps_out_is_waited_for_by_nobody_whatever_its_time_is(reading):
    reading.one("c1", None, filtered=True, modified_at="i går")
    assert waiting(reading.world) == {}


def test_a_record_that_neither_fits_nor_has_an_id_that_can_be_one_waits_under_a_name_that_can_be_stored(reading):
    reading.one("i" * 10_000, 5)
    ((_, record_id),) = waiting(reading.world)
    assert len(record_id) <= LONGEST


@pytest.mark.parametrize(
    "second",
    [schema(conflict="tripletex"), schema({**NAME, "type": ["string", "integer", "null"]})],
    ids=["other rules", "other types"],
)
def test_a_read_goes_on_under_a_schema_that_comes_in_its_middle(reading, second):
    reading.one("c1", "Fjord AS")
    reading.begin()
    reading.comes("c1", "Fjord AS")
    reading.run.schema("customer", second)
    reading.comes("c2", "Fjell AS")
    reading.end()
    assert reading.links() == [("c1", "live", "live"), ("c2", "live", "live")]
    assert sorted(one["name"] for one in reading.world.tripletex.all("customer").values()) == ["Fjell AS", "Fjord AS"]


def test_records_are_checked_by_the_types_that_were_told_last(reading):
    reading.begin()
    reading.comes("c1", "Fjord AS")
    reading.run.schema("customer", schema({**NAME, "type": ["integer", "null"]}))
    reading.comes("c2", 5)
    reading.end()
    assert waiting(reading.world) == {}
