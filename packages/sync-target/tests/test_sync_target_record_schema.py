"""A record is read by the types of its schema where that is all it asks for, and fits it or not all the same."""

import fastjsonschema
import msgspec
import pytest
from dataflow.schema import SOURCE_SCHEMA
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from singer_edge.errors import RunFailed
from sync_target.record_schema import RecordSchema

SCHEMA = {
    "type": "object",
    "x-sync": {"flow": "customer"},
    "properties": {
        "name": {"type": ["string", "null"], "x-compare": "text"},
        "isPrivateIndividual": {"type": ["boolean", "null"]},
        "discount": {"type": ["number", "null"]},
        "terms": {"type": ["integer", "null"]},
        "address": {"type": ["object", "null"], "properties": {"city": {"type": ["string", "null"]}}},
        "_source": SOURCE_SCHEMA,
    },
}
RECORD = {
    "name": "Ås AS",
    "discount": 5,
    "terms": 14,
    "address": {"city": "Ås"},
    "_source": {"id": "c1", "deleted": False, "values": {"Name": "Ås AS"}},
}
some = st.none() | st.booleans() | st.integers(-9, 9) | st.just(1.0) | st.just(0.5) | st.text(max_size=3)
leaves = some | st.lists(some, max_size=2) | st.dictionaries(st.sampled_from(["city", "id"]), some, max_size=2)
records = st.fixed_dictionaries(
    {
        "_source": st.fixed_dictionaries(
            {"id": st.just("c1")}, optional={name: leaves for name in SOURCE_SCHEMA["properties"] if name != "id"}
        )
    },
    optional={name: leaves for name in (*SCHEMA["properties"], "unknown") if name != "_source"},
)


OURS = RecordSchema("customer", SCHEMA)
the_schema_itself = fastjsonschema.compile(SCHEMA)


def read(record, schema=OURS):
    return schema.read(msgspec.Raw(msgspec.json.encode(record)))


def misfit(record):
    try:
        the_schema_itself(record)
    except fastjsonschema.JsonSchemaValueException as error:
        return str(error)
    return None


def plain(record, schema):
    """A record without what its schema does not name."""
    if not isinstance(record, dict) or "properties" not in schema:
        return record
    named = schema["properties"]
    return {name: plain(one, named[name]) for name, one in record.items() if name in named}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records)
def test_a_record_fits_or_not_just_as_its_schema_says_and_is_read_as_it_is(record):
    content, fault = read(record)
    assert fault == misfit(record)
    assert repr(plain(content, SCHEMA)) == repr(plain(msgspec.json.decode(msgspec.json.encode(record)), SCHEMA))


def test_what_a_schema_asks_for_beside_types_is_asked_for():
    schema = {**SCHEMA, "properties": {**SCHEMA["properties"], "name": {"type": "string", "maxLength": 3}}}
    assert read(RECORD, RecordSchema("customer", schema)) == (
        RECORD,
        "data.name must be shorter than or equal to 3 characters",
    )


def test_where_a_record_comes_from_is_read_whatever_the_schema_says_of_it():
    schema = {**SCHEMA, "properties": {name: one for name, one in SCHEMA["properties"].items() if name != "_source"}}
    assert read(RECORD, RecordSchema("customer", schema)) == (RECORD, None)


def test_a_record_that_fits_is_read_in_one_go(monkeypatch):
    monkeypatch.setattr("sync_target.record_schema.content_of", lambda *_: pytest.fail("read twice"))
    assert read({**RECORD, "unknown": 1}) == (RECORD, None)


def test_a_schema_that_is_none_ends_the_run_in_one_line():
    with pytest.raises(RunFailed, match="JSON schema is none"):
        RecordSchema("customer", {"type": "text"})


@pytest.mark.parametrize("anything", [True, {}])
def test_a_property_of_which_a_schema_says_nothing_may_hold_anything(anything):
    schema = {**SCHEMA, "properties": {**SCHEMA["properties"], "name": anything}}
    assert read({**RECORD, "name": [1]}, RecordSchema("customer", schema)) == ({**RECORD, "name": [1]}, None)
