"""Tables of a CRM that a profile describes: its streams and properties are the ones that can be mapped."""

import re
from pathlib import Path

import pytest
from customcrm_client.loading import load
from dataflow.compiling import compile_flow
from dataflow.errors import TableError
from dataflow.mapper import DataflowMapper
from dataflow.schema import target_schema
from dataflow.side import TO_CUSTOMCRM, TO_TRIPLETEX
from dataflow.streams import absent, stream_schemas
from dataflow.tables import Dataflow
from ruamel.yaml import YAML

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


# -- rows for what some CRMs have

FULL = {
    "extends": "reference",
    "streams": {"contact": {"properties": {"FullName": "name", "FirstName": False, "LastName": False}}},
}
TABLES = [f"transforms/{name}.yml" for name in ("contact", "customer", "product")]


def projects(profile):
    profile = load(profile)
    return Dataflow.load(TABLES, ROOT, stream_schemas(profile), absent(profile))


def test_the_projects_tables_serve_a_crm_that_has_a_persons_name_in_one_property():
    dataflow = projects(FULL)
    contact = dataflow.flow("contact")
    assert [row.tripletex for row in contact.rows if "Name" in row.customcrm] == [("firstName", "lastName")]
    assert contact.lacking == ()
    assert dataflow.match_on(contact, TO_CUSTOMCRM) == (("Email", "FullName"), ("Email",))
    assert dataflow.match_on(contact, TO_TRIPLETEX) == (("email", "firstName", "lastName"), ("email",))
    there = compile_flow(dataflow.legs(contact, TO_TRIPLETEX), (), TO_TRIPLETEX)({"FullName": "Kari Anne Nordmann"})
    assert (there["firstName"], there["lastName"]) == ("Kari Anne", "Nordmann")
    back = compile_flow(dataflow.legs(contact, TO_CUSTOMCRM), (), TO_CUSTOMCRM)
    assert back({"firstName": "Kari", "lastName": "Anne Nordmann"})["FullName"] == "Kari Anne Nordmann"
    schema = target_schema(dataflow, contact, TO_TRIPLETEX)["properties"]
    expected = {"type": ["string", "null"], "x-from": ["FullName"], "x-compare": "full_name"}
    assert schema["firstName"] == schema["lastName"] == expected


def test_a_row_for_what_a_crm_does_not_have_changes_nothing_for_it():
    dataflow = projects("reference")
    contact = dataflow.flow("contact")
    assert {row.customcrm for row in contact.rows if row.group == "name"} == {"FirstName", "LastName"}
    assert "FullName" not in {row.customcrm for row in contact.rows}
    without = read_yaml_table(without="FullName")
    assert dataflow.digest(contact) == Dataflow.load([without, *TABLES[1:]], ROOT).digest(contact)


def read_yaml_table(without):
    table = YAML(typ="safe").load((ROOT / TABLES[0]).read_text(encoding="utf-8"))
    table["properties"] = [row for row in table["properties"] if row["customcrm"] != without]
    return table


def test_a_crm_with_no_name_of_a_person_at_all_is_told():
    profile = {**FULL, "streams": {"contact": {"properties": {"FirstName": False, "LastName": False}}}}
    with pytest.raises(TableError, match="match_on names firstName, which is no Tripletex property"):
        projects(profile)


def test_two_rows_that_write_one_property_are_told_where_the_crm_has_both():
    with pytest.raises(TableError, match="Tripletex firstName is written already by the row in"):
        projects({"extends": "reference", "streams": {"contact": {"properties": {"FullName": "name"}}}})


def test_an_optional_row_of_a_group_leaves_alone_what_another_row_holds(tmp_path):
    rows = [
        {"customcrm": "FirstName", "tripletex": "firstName", "group": "name"},
        {"customcrm": "LastName", "tripletex": "lastName", "group": "name"},
        {"customcrm": "Surname", "tripletex": "lastName", "group": "name", "optional": True},
    ]
    table = {**TABLE, "customcrm": "contact", "tripletex": "contact", "match_on": [["lastName"]], "properties": rows}
    flow = Dataflow.load([table], tmp_path).flow("person")
    assert [row.customcrm for row in flow.rows] == ["FirstName", "LastName"]
    assert flow.lacking == ()
    assert {row.group for row in flow.rows} == {"name"}


@pytest.mark.parametrize("optional", ["yes", 1, None])
def test_optional_is_true_or_false(optional, tmp_path):
    with pytest.raises(TableError, match="optional is true or false"):
        load_table(tmp_path, {"customcrm": "Nick", "tripletex": "email", "optional": optional})


def test_a_property_that_is_misspelt_is_told_unless_its_row_is_optional(tmp_path):
    row = {"customcrm": "Emial", "tripletex": "email"}
    with pytest.raises(TableError, match="has no property Emial"):
        load_table(tmp_path, {**row, "optional": False})
    assert len(load_table(tmp_path, {**row, "optional": True}).flow("person").rows) == 1


@pytest.mark.parametrize("said", [{"without": ["product"]}, {"streams": {"product": None}}])
def test_tables_for_a_stream_that_the_crm_does_not_have_are_left_out(said):
    profile = load({"extends": "reference", **said})
    tables = [f"transforms/{name}.yml" for name in ("contact", "customer", "product")]
    dataflow = Dataflow.load(tables, ROOT, stream_schemas(profile), absent(profile))
    assert [flow.name for flow in dataflow.flows] == ["contact", "customer"]
    assert dataflow.flow("contact").after == ()


def test_a_table_for_a_stream_that_nobody_says_is_missing_is_still_refused():
    profile = load({"extends": "reference", "without": ["product"]})
    rows = [{"customcrm": "Name", "tripletex": "firstName"}]
    table = {"flow": "x", "customcrm": "produkt", "tripletex": "contact", "match_on": ["firstName"], "properties": rows}
    with pytest.raises(TableError, match="produkt"):
        Dataflow.load([table], ROOT, stream_schemas(profile), absent(profile))
