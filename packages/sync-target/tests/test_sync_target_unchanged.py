"""Records that come again to the letter are recognised without being looked into, and only those."""

import io
import json

import pytest
from record_sync.flow_sync import FlowSync
from target_customcrm.target import TargetCustomcrm
from target_tripletex.target import TargetTripletex

import sandbox

SIDES = ("customcrm", "tripletex")
READ_AT = "2026-01-05T10:00:00.000000Z"
LATER = "2100-01-01T00:00:00.000000Z"


def schema(target, on_delete, **properties):
    source = next(side for side in SIDES if side != target)
    sync = {
        "flow": "customer",
        "from": source,
        "to": target,
        "resource": {"customcrm": "customer", "tripletex": "customer"},
        "match_on": [],
        "on_delete": on_delete,
        "digest": "1",
    }
    leaves = {name: {"type": ["string", "null"], "x-from": [path]} for name, path in properties.items()}
    return {"type": "object", "x-sync": sync, "properties": {**leaves, "_source": {"type": "object"}}}


TO_TRIPLETEX = schema("tripletex", "deactivate", name="Name", website="Website")
TO_CUSTOMCRM = schema("customcrm", "delete", Name="name", Website="website")


def from_customcrm(number, version="2026-01-05T09:00:00.000Z", **values):
    values = {"Name": f"Firma {number}", "Website": None, **values}
    return {
        "name": values["Name"],
        "website": values["Website"],
        "_source": {"id": f"c{number}", "version": version, "modified_at": version, "deleted": False, "values": values},
    }


class Loads:
    """Runs of the targets over one store; tells which records were looked into."""

    def __init__(self, systems, folder, monkeypatch):
        crm, tripletex = systems.customcrm, systems.tripletex
        store = {"links_url": f"sqlite:///{folder}/links.db"}
        self.systems = systems
        self.settings = {
            TargetCustomcrm: {"api_url": crm.api_url, "api_key": crm.api_key, **store},
            TargetTripletex: {
                "api_url": tripletex.api_url,
                "consumer_token": tripletex.consumer_token,
                "employee_token": tripletex.employee_token,
                **store,
            },
        }
        self.looked_into = []
        take = FlowSync.take

        def taking(flow, records, **options):
            self.looked_into += [one.id for one in records]
            take(flow, records, **options)

        monkeypatch.setattr(FlowSync, "take", taking)

    def run(self, target, schema, *records, version=None, read_at=READ_AT):
        self.looked_into.clear()
        told = {} if version is None else {"version": version}
        messages = [{"type": "SCHEMA", "stream": "customer", "schema": schema, "key_properties": []}]
        for one in records:
            message = {"type": "RECORD", "stream": "customer", "record": one, "time_extracted": read_at, **told}
            messages.append(message)
        if version is not None:
            messages.append({"type": "ACTIVATE_VERSION", "stream": "customer", **told})
        lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in messages)
        target(config=self.settings[target], parse_env_config=False).run(io.StringIO(lines))
        return list(self.looked_into)

    def to_tripletex(self, *records, schema=TO_TRIPLETEX, **options):
        return self.run(TargetTripletex, schema, *records, **options)

    def edit_in_tripletex(self, **values):
        """A user edits the only customer there, and the other line carries it over."""
        ((record_id, before),) = [(one["id"], one) for one in self.systems.tripletex.all("customer")]
        self.systems.tripletex.edit("customer", record_id, **values)
        after = self.systems.tripletex.get("customer", record_id)
        values = {"name": before["name"], "website": before.get("website"), **values}
        record = {"Name": values["name"], "Website": values["website"]}
        version = str(after["version"])
        source = {"id": str(record_id), "version": version, "modified_at": None, "deleted": False, "values": values}
        return self.run(TargetCustomcrm, TO_CUSTOMCRM, {**record, "_source": source}, read_at=LATER)

    def writes(self):
        return sum(seen.is_write for seen in self.systems.tripletex.requests if "session" not in seen.path)


@pytest.fixture
def loads(tmp_path, monkeypatch):
    with sandbox.running("empty") as systems:
        yield Loads(systems, tmp_path, monkeypatch)


def test_what_comes_again_to_the_letter_is_not_looked_into(loads):
    some = [from_customcrm(number) for number in range(3)]
    assert loads.to_tripletex(*some) == ["c0", "c1", "c2"]
    written = loads.writes()
    assert loads.to_tripletex(*some) == []
    assert loads.to_tripletex(some[0], from_customcrm(1, "2026-01-05T09:30:00.000Z", Name="Nytt navn")) == ["c1"]
    assert loads.writes() == written + 1
    assert loads.to_tripletex(some[0], from_customcrm(1, "2026-01-05T09:30:00.000Z", Name="Nytt navn")) == []


def test_what_is_not_looked_into_was_there(loads):
    some = [from_customcrm(number) for number in range(3)]
    loads.to_tripletex(*some)
    far_in_the_future = 4_102_444_800_000
    assert loads.to_tripletex(*some[:2], version=far_in_the_future) == []
    # The third one is looked up by the target of its side, and gone for good: only that is passed on.
    loads.run(TargetCustomcrm, TO_CUSTOMCRM)
    loads.to_tripletex()
    assert [one["isInactive"] for one in loads.systems.tripletex.all("customer")] == [False, False, True]


def test_a_record_that_comes_twice_in_a_batch_is_taken_in_its_order(loads):
    old, new = from_customcrm(1), from_customcrm(1, "2026-01-05T09:30:00.000Z", Name="Nytt navn")
    loads.to_tripletex(old)
    assert loads.to_tripletex(old, new, old) == ["c1", "c1"]
    (record,) = loads.systems.tripletex.all("customer")
    assert record["name"] == "Firma 1"


def test_other_rules_make_every_record_looked_into_once(loads):
    loads.to_tripletex(from_customcrm(1))
    other = json.loads(json.dumps(TO_TRIPLETEX))
    other["properties"]["website"]["x-compare"] = "url"
    assert loads.to_tripletex(from_customcrm(1), schema=other) == ["c1"]
    assert loads.to_tripletex(from_customcrm(1), schema=other) == []


def test_what_was_read_before_our_own_write_is_looked_into_and_brings_nothing_back(loads):
    crm = loads.systems.customcrm
    made = crm.create("customer", Name="Firma 1")
    old = from_customcrm(1, made["UpdatedAt"])
    old["_source"]["id"] = made["Id"]
    loads.to_tripletex(old)
    assert loads.to_tripletex(old) == []
    loads.edit_in_tripletex(website="https://ny.example.no")
    assert crm.get("customer", made["Id"])["Website"] == "https://ny.example.no"
    assert loads.to_tripletex(old) == [made["Id"]]
    (record,) = loads.systems.tripletex.all("customer")
    assert record["website"] == "https://ny.example.no"


def test_a_record_that_waits_is_looked_into(loads):
    refused = from_customcrm(1, Website="x" * 300)
    loads.to_tripletex(refused, from_customcrm(2))
    assert loads.to_tripletex(refused, from_customcrm(2)) == ["c1"]


def test_an_invalid_record_is_parked_though_its_source_is_the_same(loads, caplog):
    loads.to_tripletex(from_customcrm(1))
    caplog.set_level("INFO")
    assert loads.to_tripletex({**from_customcrm(1), "website": 5}) == []
    assert "customer: 1 parked" in caplog.text
    assert "c1: not a valid record: data.website must be string or null" in caplog.text


@pytest.mark.parametrize("flags", [{"deleted": "0"}, {"filtered": "no"}])
def test_a_text_in_a_flag_s_place_deletes_and_hides_nothing(loads, flags):
    loads.to_tripletex(from_customcrm(1))
    edited = from_customcrm(1, "2026-01-05T09:30:00.000Z", Website="https://ny.example.no")
    loads.to_tripletex({**edited, "_source": {**edited["_source"], **flags}})
    (customer,) = loads.systems.tripletex.all("customer")
    assert (customer["website"], customer["isInactive"]) == ("https://ny.example.no", False)


def test_edits_that_lie_far_apart_are_read_and_written_together(loads):
    before = [from_customcrm(number) for number in range(2100)]
    loads.to_tripletex(*before)
    numbers = (5, 1005, 2005)
    after = list(before)
    for number in numbers:
        after[number] = from_customcrm(number, "2026-01-05T09:30:00.000Z", Name=f"Nytt navn {number}")
    first = len(loads.systems.tripletex.requests)
    assert loads.to_tripletex(*after) == [f"c{number}" for number in numbers]
    asked = [seen for seen in loads.systems.tripletex.requests[first:] if "/customer" in seen.path]
    assert [seen.method for seen in asked] == ["GET", "PUT"]


def test_a_newer_state_that_waits_for_its_batch_is_not_passed_by_an_older_one(loads):
    before = [from_customcrm(number) for number in range(1100)]
    loads.to_tripletex(*before)
    edited = from_customcrm(0, "2026-01-05T09:30:00.000Z", Name="Nytt navn")
    assert loads.to_tripletex(edited, *before[1:], before[0]) == ["c0", "c0"]
    assert {one["name"] for one in loads.systems.tripletex.all("customer")} == {f"Firma {n}" for n in range(1100)}
