"""docs/architecture.md says what is so: messages, tables of the link store, and places in the repository."""

import json
import re
from pathlib import Path

import customcrm_client.schema
import pytest
from dataflow.compiling import compile_flow
from dataflow.schema import target_schema
from dataflow.side import TO_TRIPLETEX
from dataflow.tables import Dataflow
from record_sync.canonical import KINDS
from record_sync.rules import FlowRules
from record_sync.store import tables
from singer_edge.bookmark import Bookmark, bookmark_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
TABLES = [f"transforms/{name}.yml" for name in ("contact", "customer", "product")]


@pytest.fixture(scope="module")
def messages():
    """The messages that the page shows, by type."""
    found = {}
    for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL):
        message = json.loads(block)
        found.setdefault(message["type"], []).append(message)
    return found


@pytest.fixture(scope="module")
def customer():
    """The flow of the examples, as the tables have it."""
    dataflow = Dataflow.load(TABLES, ROOT)
    flow = dataflow.flow("customer")
    return {
        "schema": target_schema(dataflow, flow, TO_TRIPLETEX),
        "build": compile_flow(dataflow.legs(flow, TO_TRIPLETEX), (), TO_TRIPLETEX),
    }


def is_part(shown, real):
    """Whether a cut example says nothing but what is so."""
    if isinstance(shown, dict):
        return isinstance(real, dict) and all(key in real and is_part(value, real[key]) for key, value in shown.items())
    return shown == real


def test_every_kind_of_message_is_shown(messages):
    assert {kind: len(some) for kind, some in messages.items()} == {
        "STATE": 2,
        "RECORD": 2,
        "ACTIVATE_VERSION": 1,
        "SCHEMA": 1,
    }


def test_the_tap_s_record_is_one_of_its_stream(messages):
    record = messages["RECORD"][0]["record"]
    assert list(record) == list(customcrm_client.schema.SCHEMAS["customer"]["properties"])


def test_the_bookmarks_are_ones_that_a_tap_understands(messages):
    for message in messages["STATE"]:
        for stream, bookmark in message["value"]["bookmarks"].items():
            assert bookmark_of(stream, bookmark).to_state() == bookmark
    rows = re.findall(r"^\| (`as_of`|`replication_key`.*?|`digests`.*?|`full_read_at`) \|", PAGE, re.MULTILINE)
    named = {name for row in rows for name in re.findall("`(.*?)`", row)}
    assert named == set(Bookmark.__struct_fields__)


def test_the_mapper_makes_its_record_of_the_tap_s(messages, customer):
    read, mapped = messages["RECORD"]
    assert is_part(mapped["record"], customer["build"](read["record"]))
    assert (mapped["version"], mapped["time_extracted"]) == (read["version"], read["time_extracted"])
    (activated,) = messages["ACTIVATE_VERSION"]
    assert activated["version"] == read["version"]


def test_the_schema_carries_what_is_shown_and_described(messages, customer):
    (shown,) = messages["SCHEMA"]
    real = customer["schema"]
    assert set(shown["schema"]["x-sync"]) == set(real["x-sync"])
    assert is_part(shown["schema"]["properties"], real["properties"])
    described = re.search(r"\| In `x-sync` .*?\n\n", PAGE, re.DOTALL).group()
    assert set(real["x-sync"]) <= set(re.findall(r"`(\w+)`", described))
    at_property = re.search(r"\| At a property .*?\n\n", PAGE, re.DOTALL).group()
    assert set(re.findall(r"^\| `(x-[a-z]+)`", at_property, re.MULTILINE)) == {
        "x-from",
        "x-group",
        "x-compare",
        "x-country",
        "x-conflict",
        "x-when",
    }
    assert set(KINDS) <= set(re.findall(r"`(\w+)`", at_property))


def test_a_target_understands_the_schema_as_it_is_shown(messages):
    (shown,) = messages["SCHEMA"]
    schema = json.loads(json.dumps(shown["schema"]))
    for path in ("organizationNumber", "email"):  # it is cut, and matched on these
        schema["properties"][path] = {"type": ["string", "null"], "x-from": [path]}
    assert FlowRules.from_schema(schema, "tripletex").flow == "customer"


@pytest.fixture(scope="module")
def documented():
    """Table of the link store to the columns that the page names."""
    section = PAGE.partition("## The link store")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", section, re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", columns)) for name, columns in rows}


def test_every_table_of_the_link_store_is_documented(documented):
    assert set(documented) == set(tables.metadata.tables)


@pytest.mark.parametrize("table", tables.metadata.sorted_tables, ids=lambda table: table.name)
def test_every_column_of_the_link_store_is_documented(documented, table):
    columns = {column.name for column in table.columns}
    # Each left_… column is named for its right_… one too.
    assert {f"right_{name.removeprefix('left_')}" for name in columns if name.startswith("left_")} <= columns
    assert documented[table.name] == {name for name in columns if not name.startswith("right_")}


def test_what_the_page_names_is_there():
    names = {span for span in re.findall(r"`([^`\s]+/[^`\s]*)`", PAGE) if "*" not in span and "…" not in span}
    rules = PAGE.partition("## The rules")[2].partition("\n## ")[0]
    told = re.findall(r"\*\* \(([^)]*)\)", rules)  # the modules behind each rule's name
    modules = {module for modules in told for module in re.findall("`([a-z_/]+)`", modules)}
    assert {"plan", "ledger/waiting"} <= modules
    names = (names - modules) | {f"packages/record-sync/record_sync/{one}.py" for one in modules}
    assert [name for name in sorted(names) if not (ROOT / name).exists()] == []
