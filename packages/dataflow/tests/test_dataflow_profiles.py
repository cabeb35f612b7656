"""Tables of a CRM that a profile describes: its streams and properties are the ones that can be mapped."""

import pytest
from customcrm_client.loading import load
from dataflow.errors import TableError
from dataflow.mapper import DataflowMapper
from dataflow.streams import stream_schemas
from dataflow.tables import Dataflow

PROFILE = {
    "extends": "reference",
    "streams": {
        "person": {"path": "/people", "properties": {"Name": "full_name", "Nick": {"path": "nick", "read_only": True}}},
        "contact": {"properties": {"MobilePhone": False}},
    },
}
TABLE = {
    "flow": "person",
    "customcrm": "person",
    "tripletex": "customer",
    "match_on": [["name"]],
    "properties": [{"customcrm": "Name", "tripletex": "name"}],
}


def load_table(tmp_path, *rows, profile=PROFILE, **changes):
    table = {**TABLE, **changes, "properties": [*TABLE["properties"], *rows]}
    return Dataflow.load([table], tmp_path, stream_schemas(load(profile)))


def test_a_stream_of_the_profile_can_be_mapped(tmp_path):
    assert load_table(tmp_path).flow("person").customcrm == "person"
    with pytest.raises(TableError, match="Customcrm has no stream person. There are: contact, customer, product"):
        load_table(tmp_path, profile="reference")


def test_what_the_profile_says_of_a_property_holds_for_the_tables(tmp_path):
    row = {"customcrm": "Nick", "tripletex": "email"}
    with pytest.raises(TableError, match="Customcrm Nick cannot be written"):
        load_table(tmp_path, row)
    load_table(tmp_path, {**row, "direction": "to-tripletex"})
    with pytest.raises(TableError, match="has no property FirstNam"):
        load_table(tmp_path, {"customcrm": "FirstNam", "tripletex": "email"})


def test_the_mapper_is_told_the_profile_by_its_settings():
    config = {"direction": "customcrm-to-tripletex", "tables": [TABLE]}
    mapper = DataflowMapper(config={**config, "profile": PROFILE})
    assert [flow.name for flow in mapper.dataflow.flows] == ["person"]
    with pytest.raises(TableError, match="no stream person"):
        DataflowMapper(config=config)
