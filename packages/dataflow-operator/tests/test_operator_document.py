"""The dataflow document: what it says, in every format, and the copies that are kept in docs/."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime, timezone
from html.parser import HTMLParser
from pathlib import Path

import docutils.core
import docutils.nodes
import html5lib
import pytest
from customcrm_client.loading import load
from dataflow.side import TRIPLETEX
from dataflow.streams import absent, stream_schemas
from dataflow.tables import Dataflow
from dataflow_operator.document.content import documents
from dataflow_operator.document.html import html
from dataflow_operator.document.markdown import markdown
from dataflow_operator.document.rst import rst
from dataflow_operator.document.structure import Code
from dataflow_operator.project import tables_of

pytest_plugins = ["dataflow_operator.testing.fixtures"]

ROOT = Path(__file__).parents[3]
DESCRIPTION = ROOT.parent / "shared" / "reference"
COPIES = {"docs/dataflow.md": markdown, "docs/dataflow.rst": rst}
TITLES = ("Customcrm to Tripletex Dataflow", "Tripletex to Customcrm Dataflow")


@pytest.fixture(scope="module")
def dataflow_tables():
    return Dataflow.load(tables_of(ROOT), ROOT)


def tree(text, halt_level=2):
    """What docutils makes of a text; anything it would warn of fails. A title stays a section, be it the only one."""
    return docutils.core.publish_doctree(
        text,
        settings_overrides={
            "halt_level": halt_level,
            "report_level": halt_level,
            "warning_stream": False,
            "doctitle_xform": False,
            "_disable_config": True,
        },
    )


def tables_in(section):
    """Of each table below a section its rows, as texts."""
    return [
        [[entry.astext() for entry in row.children] for row in table.findall(docutils.nodes.row)]
        for table in section.findall(docutils.nodes.table)
    ]


def sections(text, **how):
    """Title of a document, title of a section, and the section."""
    for document in tree(text, **how).findall(docutils.nodes.section):
        if isinstance(document.parent, docutils.nodes.document):
            for section in document.children:
                if isinstance(section, docutils.nodes.section):
                    yield document.next_node(docutils.nodes.title).astext(), section


def titles(text, **how):
    return [(document, section.next_node(docutils.nodes.title).astext()) for document, section in sections(text, **how)]


def reference(name):
    file = DESCRIPTION / name
    if not file.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{name} is not on this machine")
    return file.read_text(encoding="utf-8")


# -- the copies


@pytest.mark.parametrize("name", COPIES)
def test_the_copy_in_docs_says_what_the_tables_say(dataflow_tables, name):
    made = COPIES[name](documents(dataflow_tables))
    told = f"dataflow document --format {COPIES[name].__name__} --to {name}"
    assert (ROOT / name).read_text(encoding="utf-8") == made, f"the tables changed: {told}"


def test_the_same_tables_give_the_same_document(dataflow_tables):
    again = Dataflow.load(tables_of(ROOT), ROOT)
    for write in (rst, markdown, html):
        assert write(documents(dataflow_tables)) == write(documents(again))


# -- its shape


def test_titles_and_sentences_are_those_of_the_document_that_was_first_made(dataflow_tables):
    first = reference("dataflow-document.rst")
    made = rst(documents(dataflow_tables))
    # Its tables have no rows, which docutils takes for errors.
    assert [one for one in titles(made) if one[0] == TITLES[0]] == titles(first, halt_level=5)
    told = " ".join(made.split())
    for line in first.splitlines():
        if line.startswith(("Every ", "Once a link", "The following properties")):
            assert line in told
    headers = [tuple(table[0][:3]) for _, section in sections(made) for table in tables_in(section)]
    wanted = re.findall(r"\* - (.*)\n +- (.*)\n +- (.*)", first)
    assert len(wanted) == 3
    assert set(wanted) <= set(headers)


def test_both_directions_have_every_pair_of_entities(dataflow_tables):
    found = titles(rst(documents(dataflow_tables)))
    pairs = ("Contact", "Contact"), ("Customer", "Customer"), ("Product", "Contact")
    assert found == [
        (TITLES[0], "Introduction"),
        *((TITLES[0], f"Customcrm {crm} to Tripletex {tripletex}") for crm, tripletex in pairs),
        (TITLES[1], "Introduction"),
        *((TITLES[1], f"Tripletex {tripletex} to Customcrm {crm}") for crm, tripletex in pairs),
    ]


def test_every_row_of_every_table_is_told_with_its_type(dataflow_tables):
    found = {
        (document, section.next_node(docutils.nodes.title).astext()): tables_in(section)[-1]
        for document, section in sections(rst(documents(dataflow_tables)))
        if tables_in(section)
    }
    customers = found[TITLES[0], "Customcrm Customer to Tripletex Customer"]
    assert customers[0][:3] == ["Customcrm Customer Property", "Tripletex Customer Property", "Tripletex Data Type"]
    flow = dataflow_tables.flow("customer")
    assert [row[:2] for row in customers[1:]] == [[row.customcrm, ", ".join(row.tripletex)] for row in flow.rows]
    assert ["Country", "postalAddress.country.isoAlpha2Code", "string"] in [row[:3] for row in customers]
    back = found[TITLES[1], "Tripletex Customer to Customcrm Customer"]
    assert [row[1] for row in back[1:]] == [row.tripletex[0] for row in flow.rows if row.direction == "both"]
    people = [row[:3] for row in found[TITLES[0], "Customcrm Contact to Tripletex Contact"]]
    assert ["CustomerId", "customer.id", "integer"] in people
    assert ["MobilePhone", "phoneNumberMobile, phoneNumberMobileCountry.isoAlpha2Code", "string, string"] in people
    assert all(cell for tables in found.values() for row in tables for cell in row[:3])


def test_of_a_crm_with_a_persons_name_in_one_property_just_that_is_told():
    own = {"FullName": "name", "FirstName": False, "LastName": False}
    profile = load({"extends": "reference", "streams": {"contact": {"properties": own}}})
    tables = Dataflow.load(tables_of(ROOT), ROOT, stream_schemas(profile), absent(profile))
    for write in (rst, markdown, html):
        text = " ".join(write(documents(tables)).split())
        assert "divided before its last word" in text
        assert "divided otherwise, a name is the same" in text
        assert "FullName" in text
        assert "LastName" not in text


def test_types_are_those_of_the_tripletex_description(dataflow_tables):
    schemas = json.loads(reference("tripletex-openapi-2.74.json"))["components"]["schemas"]

    def described(resource, path):
        here = schemas[resource.title()]
        for name in path.split("."):
            here = here["properties"][name]
            if "$ref" in here:
                here = schemas[here["$ref"].rpartition("/")[2]]
        return here["type"]

    compared = 0
    for flow in dataflow_tables.flows:
        for row in flow.rows:
            types = dataflow_tables.types(flow, row, TRIPLETEX)
            assert types == tuple(described(flow.tripletex, path) for path in row.tripletex), row.place()
            compared += len(types)
    assert compared > 25


def test_how_records_are_matched_is_a_table(dataflow_tables):
    for document, section in sections(rst(documents(dataflow_tables))):
        title = section.next_node(docutils.nodes.title).astext()
        if "Customer" in title:
            criteria = tables_in(section)[0]
            assert [row[:3] for row in criteria] == [
                ["Merge Criterion", "Customcrm Customer Property", "Tripletex Customer Property"],
                ["1", "OrganizationNumber", "organizationNumber"],
                ["2", "Email", "email"],
            ], document
            assert criteria[1][3] == "as organisation numbers, however they are written"


# -- what tables can say


ODD = {
    "flow": "customer",
    "customcrm": "customer",
    "tripletex": "customer",
    "match_on": [],
    "conflict": "manual",
    "create": "to-tripletex",
    "filter": {
        "to-tripletex": {"Country": ["NO", "SE"], "Email": {"empty": False}, "City": {"not": ["`Oslo`", "a|b*_<b>"]}},
        "to-customcrm": {"isPrivateIndividual": False},
    },
    "properties": [
        {"customcrm": "Name", "tripletex": "name", "conflict": "tripletex"},
        {"customcrm": "Phone", "tripletex": "phoneNumber", "convert": "phone", "direction": "to-tripletex"},
    ],
}


def odd(**changes):
    return documents(Dataflow.load([{**ODD, **changes}], ROOT))


def test_policies_filters_and_directions_are_told_where_they_are_not_the_usual():
    there, back = odd()
    for write in (rst, markdown, html):
        text = " ".join(write([there, back]).split())
        assert "both values stay, and a person decides" in text
        assert "Tripletex wins" in text
        assert "only to Tripletex" in text
        assert "No Customcrm Customer is created from a Tripletex Customer" in text
        assert "that passes this filter will be synchronized" in text
        assert "is not looked for among" in text
        assert "its Tripletex Customer is left alone" in text
    one_way = odd(properties=[ODD["properties"][1]])
    assert [one.title for one in one_way] == [TITLES[0]]
    assert "edits in Tripletex stay there" in rst(one_way)


def test_what_a_filter_names_cannot_become_markup():
    there, _ = odd()
    _, section = list(sections(rst([there])))[-1]
    (points,) = section.findall(docutils.nodes.bullet_list)
    assert points.astext().split("\n\n") == [
        "Country is NO or SE",
        "Email has a value",
        'City is neither "`Oslo`" nor a|b*_<b>',
    ]
    assert "<b>" not in html([there])
    assert "&lt;b&gt;" in html([there])
    assert r"`` `Oslo` `` nor `a|b*_<b>`" in markdown([there])


def test_the_usual_is_not_repeated(dataflow_tables):
    there, _ = documents(dataflow_tables)
    text = rst([there])
    assert "conflict policy" not in text
    name = next(
        row
        for section in there.sections
        for block in section.blocks
        for row in getattr(block, "rows", ())
        if row[0] == (Code("Name"),)
    )
    assert name[3] == ()


# -- formats


class Outline(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_the_page_is_valid_stands_alone_and_can_be_read_by_everybody(dataflow_tables):
    text = html(documents(dataflow_tables))
    html5lib.HTMLParser(strict=True).parse(text)
    outline = Outline()
    outline.feed(text)
    tags = [tag for tag, _ in outline.tags]
    assert not {"script", "link", "img", "iframe"} & set(tags)
    assert "url(" not in text
    assert "@import" not in text
    assert ("html", {"lang": "en"}) in outline.tags
    assert any(tag == "meta" and attrs.get("name") == "viewport" for tag, attrs in outline.tags)
    assert "prefers-color-scheme: dark" in text
    assert all(attrs.get("scope") for tag, attrs in outline.tags if tag == "th")
    assert tags.count("main") == 1
    assert tags.count("h1") == 2
    for one in TITLES:
        assert f"<h1>{one}</h1>" in text


def test_the_time_is_told_only_where_it_is_asked_for(dataflow_tables):
    moment = datetime(2026, 5, 17, 12, tzinfo=timezone.utc)
    for write in (rst, markdown, html):
        assert "Generated: 2026-05-17 12:00:00 UTC" in write(documents(dataflow_tables, generated=moment))
        assert "Generated" not in write(documents(dataflow_tables))


# -- the command


def test_the_command_writes_each_format_of_each_direction(dataflow, dataflow_tables, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    there, back = documents(dataflow_tables)
    assert dataflow("document").out == markdown([there, back])
    for form, write in (("rst", rst), ("markdown", markdown), ("html", html)):
        said = dataflow("document", "--format", form, "--direction", "tripletex-to-customcrm")
        assert (said.code, said.out, said.err) == (0, write([back]), "")
        file = tmp_path / f"dataflow.{form}"
        said = dataflow("document", "--format", form, "--to", str(file))
        assert (said.code, said.out) == (0, "")
        assert file.read_text(encoding="utf-8") == write([there, back])
    assert [one["title"] for one in dataflow("document", "--json").told["documents"]] == list(TITLES)
    assert "Generated: " in dataflow("document", "--dated").out
    assert sorted(one.name for one in tmp_path.iterdir()) == ["dataflow.html", "dataflow.markdown", "dataflow.rst"]


def test_the_command_needs_no_link_store_and_takes_other_tables(dataflow, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.yml").write_text(json.dumps(ODD), encoding="utf-8")
    assert "Customcrm Customer to Tripletex Customer" in dataflow("document", "--table", "one.yml").out


def test_what_is_wrong_with_tables_or_files_is_told_in_one_line(dataflow, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = dataflow("document")
    assert said.code == 1
    assert said.err == (
        f"dataflow: There is no {tmp_path}/transforms/dataflow.meltano.yml. Run this in the project's folder, "
        "or name the tables with --table.\n"
    )
    (tmp_path / "transforms").mkdir()
    for content in ("plugins: {}", "plugins: [", "- x", "\x00"):
        (tmp_path / "transforms/dataflow.meltano.yml").write_text(content)
        said = dataflow("document")
        assert (said.code, said.err.count("\n")) == (1, 1)
        assert "names no tables" in said.err
    (tmp_path / "bad.yml").write_text("flow: x\nproperties: 1\n")
    said = dataflow("document", "--table", "bad.yml")
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert said.err.startswith("dataflow: bad.yml:1: ")
    monkeypatch.chdir(ROOT)
    said = dataflow("document", "--to", str(tmp_path / "no" / "folder.md"))
    assert said.code == 1
    assert "folder.md cannot be written: No such file or directory" in said.err
