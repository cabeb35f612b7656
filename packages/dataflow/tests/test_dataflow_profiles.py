"""Tables of a CRM that a profile describes: its streams and properties are the ones that can be mapped."""

import re
from pathlib import Path

import pytest
from customcrm_client.loading import load
from dataflow.compiling import compile_flow
from dataflow.errors import TableError
from dataflow.mapper import DataflowMapper
from dataflow.schema import target_schema
from dataflow.streams import absent, stream_schemas
from dataflow.tables import Dataflow

ROOT = Path(__file__).resolve().parents[3]
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


@pytest.mark.parametrize("guide", ["bottlecrm", "directus", "strapi"])
def test_the_projects_tables_leave_out_what_a_guides_own_example_says_is_not_there(guide, tmp_path):
    said = (ROOT / f"docs/profiles/{guide}.md").read_text(encoding="utf-8")
    (example,) = (block for block in re.findall(r"```yaml\n(.*?)```", said, re.DOTALL) if "extends" in block)
    (tmp_path / "own.yml").write_text(example, encoding="utf-8")
    profile = load("own.yml", tmp_path)
    tables = [f"transforms/{name}.yml" for name in profile.streams]
    dataflow = Dataflow.load(tables, ROOT, stream_schemas(profile), absent(profile))
    mapped = {row.customcrm for row in dataflow.flow("customer").rows}
    assert "StreetAddress1" in mapped
    assert "StreetAddress2" not in mapped
    with pytest.raises(TableError, match="has no property StreetAddress2"):
        Dataflow.load(tables, ROOT, stream_schemas(profile))


@pytest.mark.parametrize(
    ("gone", "grouped"),
    [
        ({"Country"}, {"StreetAddress1", "StreetAddress2", "ZipCode", "City"}),
        ({"Country", "StreetAddress2", "ZipCode", "City"}, set()),
    ],
)
def test_a_group_and_a_number_do_without_what_is_not_there(gone, grouped):
    tables = [f"transforms/{name}.yml" for name in ("contact", "customer", "product")]
    rows = Dataflow.load(tables, ROOT, absent={"customer": frozenset(gone)}).flow("customer").rows
    assert {row.customcrm for row in rows if row.group} == grouped
    assert {row.customcrm for row in rows if row.country} == set()


def test_what_a_crm_does_not_have_of_a_group_its_records_leave_empty():
    profile = {"extends": "reference", "streams": {"customer": {"properties": {"StreetAddress2": False}}}}
    tables = [f"transforms/{name}.yml" for name in ("contact", "customer", "product")]
    mapper = DataflowMapper(config={"direction": "customcrm-to-tripletex", "tables": tables, "profile": profile})
    flow = mapper.dataflow.flow("customer")
    leaf = target_schema(mapper.dataflow, flow, mapper.direction)["properties"]["postalAddress"]["properties"][
        "addressLine2"
    ]
    assert leaf == {"type": ["string", "null"], "x-from": [], "x-compare": "text", "x-group": "address"}
    build = compile_flow(mapper.dataflow.legs(flow, mapper.direction), (), mapper.direction)
    assert build({"Id": "c1", "StreetAddress1": "Storgata 1"})["postalAddress"] == {
        "addressLine1": "Storgata 1",
        "addressLine2": None,
    }


def test_the_mapper_is_told_the_profile_by_its_settings():
    config = {"direction": "customcrm-to-tripletex", "tables": [TABLE]}
    mapper = DataflowMapper(config={**config, "profile": PROFILE})
    assert [flow.name for flow in mapper.dataflow.flows] == ["person"]
    gone = {**TABLE, "properties": [*TABLE["properties"], {"customcrm": "Mail", "tripletex": "email"}]}
    person = {**PROFILE["streams"]["person"]["properties"], "Mail": False}
    without = {"extends": "reference", "streams": {"person": {"path": "/people", "properties": person}}}
    mapper = DataflowMapper(config={**config, "tables": [gone], "profile": without})
    assert [row.customcrm for row in mapper.dataflow.flows[0].rows] == ["Name"]
    with pytest.raises(TableError, match="no stream person"):
        DataflowMapper(config=config)
