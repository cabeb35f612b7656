"""Streams of any other tap: no link store, no mapper, records by id, by a look-up key, or created where allowed."""

import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
from singer_edge.errors import RunFailed
from target_customcrm.target import TargetCustomcrm
from target_tripletex.target import TargetTripletex

import sandbox


@pytest.fixture(scope="module")
def shared():
    with sandbox.running("empty") as systems:
        yield systems


@dataclass
class Side:
    """One of the two systems as an ordinary target's; names of the same properties on either."""

    system: Any
    target: type
    settings: dict[str, Any]
    id: str
    name: str
    email: str

    def load(self, *records, stream="customer", key=None, state=None, **settings):
        leaves = {self.id: {"type": ["integer", "string", "null"]}}
        leaves |= {name: {"type": ["string", "null"]} for record in records for name in record if name != self.id}
        messages = [
            {
                "type": "SCHEMA",
                "stream": stream,
                "schema": {"type": "object", "properties": leaves},
                "key_properties": [key] if key else [],
            },
            *({"type": "RECORD", "stream": stream, "record": record} for record in records),
            *([{"type": "STATE", "value": state}] if state else []),
        ]
        target = self.target(config={**self.settings, **settings}, parse_env_config=False)
        target.run(io.StringIO("".join(json.dumps(one) + "\n" for one in messages)))

    def create(self, name, email=None):
        return self.system.create("customer", **{self.name: name, self.email: email})[self.id]

    def get(self, record_id):
        found = self.system.get("customer", record_id)
        return found[self.name], found[self.email]

    def writes(self):
        # Of the session that was another test's nothing is known here: such a request is sent twice.
        return [seen.method for seen in self.system.requests if seen.is_write and seen.status != 401]


@pytest.fixture(params=["customcrm", "tripletex"])
def side(request, shared):
    shared.clear()
    if request.param == "customcrm":
        crm = shared.customcrm
        return Side(crm, TargetCustomcrm, {"api_url": crm.api_url, "api_key": crm.api_key}, "Id", "Name", "Email")
    tripletex = shared.tripletex
    settings = {
        "api_url": tripletex.api_url,
        "consumer_token": tripletex.consumer_token,
        "employee_token": tripletex.employee_token,
    }
    return Side(tripletex, TargetTripletex, settings, "id", "name", "email")


def test_a_record_with_an_id_is_updated_with_what_differs(side):
    record_id = side.create("Alfa AS", "post@alfa.example.no")
    side.load({side.id: record_id, side.name: "Alfa Holding AS"})
    assert side.get(record_id) == ("Alfa Holding AS", "post@alfa.example.no")
    (write,) = [seen for seen in side.system.requests if seen.is_write]
    assert side.email not in write.body


def test_a_record_that_says_nothing_new_is_not_written(side):
    record_id = side.create("Alfa AS", "post@alfa.example.no")
    side.load({side.id: record_id, side.name: "Alfa AS", side.email: "post@alfa.example.no"})
    assert side.writes() == []


def test_null_clears_a_property(side):
    record_id = side.create("Alfa AS", "post@alfa.example.no")
    side.load({side.id: record_id, side.email: None})
    assert side.get(record_id) == ("Alfa AS", None)


def test_an_id_that_is_not_there_ends_the_run(side):
    missing = "c99" if side.id == "Id" else 99
    with pytest.raises(RunFailed, match=f"there is no record {missing} to update"):
        side.load({side.id: missing, side.name: "Alfa AS"})


def test_a_record_without_an_id_is_refused(side, capsys):
    with pytest.raises(RunFailed, match="has no id. Map it to one, name a property for it in lookup_keys, or allow"):
        side.load({side.name: "Alfa AS"}, state={"done": 1})
    assert side.writes() == []
    assert capsys.readouterr().out == ""


def test_a_record_is_found_by_its_look_up_key(side):
    record_id = side.create("Alfa AS", "post@alfa.example.no")
    side.create("Beta AS", "post@beta.example.no")
    side.load({side.email: "post@alfa.example.no", side.name: "Alfa Holding AS"}, lookup_keys={"customer": side.email})
    assert side.get(record_id) == ("Alfa Holding AS", "post@alfa.example.no")
    assert side.system.count("customer") == 2


def test_a_look_up_finds_no_record_that_merely_contains_the_value(side):
    side.create("Alfa AS", "post@alfa.example.no")
    with pytest.raises(RunFailed, match=f"has a {side.email} that no record there has"):
        side.load({side.email: "alfa.example.no", side.name: "Feil AS"}, lookup_keys={"customer": side.email})
    assert side.writes() == []


def test_a_look_up_that_finds_several_records_ends_the_run(side):
    for name in ("Alfa AS", "Beta AS"):
        side.create(name, "felles@example.no")
    with pytest.raises(RunFailed, match=f"several records have the same {side.email}"):
        side.load({side.email: "felles@example.no", side.name: "Hvem AS"}, lookup_keys={"customer": side.email})
    assert side.writes() == []


def test_a_record_with_an_id_and_a_look_up_value_is_the_one_with_the_id(side):
    record_id = side.create("Alfa AS", "post@alfa.example.no")
    other = side.create("Beta AS", "post@beta.example.no")
    side.load({side.id: record_id, side.email: "post@beta.example.no"}, lookup_keys={"customer": side.email})
    assert side.get(record_id) == ("Alfa AS", "post@beta.example.no")
    assert side.get(other) == ("Beta AS", "post@beta.example.no")
    assert side.system.count("customer") == 2


def test_a_record_is_created_only_where_that_is_allowed(side, capsys):
    records = [{side.name: "Alfa AS", side.email: None}, {side.name: "Beta AS", side.email: "post@beta.example.no"}]
    side.load(*records, create_without_match=True, state={"done": 2})
    found = sorted((one[side.name], one[side.email]) for one in side.system.all("customer"))
    assert found == [("Alfa AS", None), ("Beta AS", "post@beta.example.no")]
    assert json.loads(capsys.readouterr().out) == {"done": 2}


def test_a_record_that_is_not_found_is_created_once_however_often_it_comes(side):
    records = [{side.email: "post@alfa.example.no", side.name: name} for name in ("Alfa AS", "Alfa Holding AS")]
    side.load(*records, lookup_keys={"customer": side.email}, create_without_match=True)
    (found,) = side.system.all("customer")
    assert found[side.name] == "Alfa Holding AS"


@pytest.mark.parametrize("value", ["", "  ", None])
def test_a_look_up_value_that_is_empty_names_nobody(side, value):
    side.create("Alfa AS")
    record = {side.email: value, side.name: "Beta AS"}
    with pytest.raises(RunFailed, match="has no id"):
        side.load(record, lookup_keys={"customer": side.email})
    assert side.writes() == []
    side.load(record, record, lookup_keys={"customer": side.email}, create_without_match=True)
    assert sorted(one[side.name] for one in side.system.all("customer")) == ["Alfa AS", "Beta AS", "Beta AS"]


def test_a_look_up_value_that_is_a_list_is_refused(side):
    with pytest.raises(RunFailed, match="is neither a text nor a number"):
        side.load({side.name: ["Alfa AS"]}, lookup_keys={"customer": side.name}, validate_records=False)


def test_a_value_of_another_type_than_the_schema_has_is_refused_without_being_told(side):
    with pytest.raises(RunFailed, match="does not match its schema: ") as refused:
        side.load({side.id: "1", side.name: {"first": "Kari Nordmann"}})
    assert "Kari" not in str(refused.value)


def test_a_refused_record_ends_the_run_with_the_systems_words(side, capsys):
    record_id = side.create("Alfa AS", "post@alfa.example.no")
    with pytest.raises(RunFailed, match="1 of 1 records were refused. First: .*(must be filled|is required|Feltet må)"):
        side.load({side.id: record_id, side.name: ""}, state={"done": 1})
    assert side.get(record_id) == ("Alfa AS", "post@alfa.example.no")
    assert capsys.readouterr().out == ""


def test_a_stream_that_the_system_does_not_have_is_refused_before_anything_is_asked(side):
    with pytest.raises(RunFailed, match="Stream 'invoice' cannot be loaded: .* Rename it with stream_maps"):
        side.load({side.name: "Alfa AS"}, stream="invoice", create_without_match=True)
    assert side.system.requests == []


def test_many_records_are_written_in_batches(side):
    side.load(*({side.name: f"Kunde {number}"} for number in range(230)), create_without_match=True)
    assert side.system.count("customer") == 230
    if side.id == "id":
        assert len(side.writes()) == 3
