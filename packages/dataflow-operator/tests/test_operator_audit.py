"""The audit over both systems of the sandbox: it finds what was done behind the sync's back, and nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import html5lib
import pytest
from click.testing import CliRunner
from dataflow.side import TO_TRIPLETEX
from dataflow.tables import Dataflow
from dataflow_operator.audit.auditing import audit
from dataflow_operator.audit.page import page_of
from dataflow_operator.cli import main
from dataflow_operator.connections import connected
from dataflow_operator.project import tables_of
from dataflow_operator.testing.both import Both, tables_with
from target_tripletex.system import TripletexSystem

import sandbox

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[3]
OURS = ("MELTANO_", "TAP_", "TARGET_", "DATAFLOW_", "CUSTOMCRM_", "TRIPLETEX_", "LINKS_URL", "PYTEST")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
TABLES = Dataflow.load(tables_of(ROOT), ROOT)
CUSTOMERS, PEOPLE, PRODUCTS = 450, 400, 150
HOSTILE = "<script>alert(1)</script> =1+1|cmd '\"& \x1b[31m\u202eSA \u05d0\u05d1"
STEERS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def fill(systems, customers, people, products):
    """So many pairs of records, the same on both sides though not in the same spelling; ids in pairs."""
    crm, tripletex = systems.customcrm, systems.tripletex
    pairs = {"customer": [], "contact": [], "product": []}
    norway = {"id": tripletex.country_id("NO")}
    with crm.transaction(), tripletex.transaction():
        for n in range(customers):
            number = str(900_000_000 + n)
            here = crm.create(
                "customer", Name=f"Kunde {n} AS", OrganizationNumber=f"{number[:3]} {number[3:6]} {number[6:]}",
                Email=f"Post{n}@kunde.example.no", Phone="+47 22 33 44 55", StreetAddress1=f"Storgata {n}",
                ZipCode="0155", City="OSLO", Country="NO",
            )  # fmt: skip
            there = tripletex.create(
                "customer", name=f"Kunde {n} AS", organizationNumber=number, email=f"post{n}@kunde.example.no",
                phoneNumber="22334455",
                postalAddress={
                    "addressLine1": f"Storgata {n}", "postalCode": "0155", "city": "OSLO", "country": norway
                },
            )  # fmt: skip
            pairs["customer"].append((here["Id"], there["id"]))
        for n in range(people):
            crm_customer, tripletex_customer = pairs["customer"][n % customers]
            here = crm.create(
                "contact", FirstName=f"Kari {n}", LastName="Nordmann", Email=f"kari{n}@example.no",
                MobilePhone="+47 91 23 45 67", CustomerId=crm_customer,
            )  # fmt: skip
            there = tripletex.create(
                "contact", firstName=f"Kari {n}", lastName="Nordmann", email=f"kari{n}@example.no",
                phoneNumberMobile="91234567", phoneNumberMobileCountry=norway, customer={"id": tripletex_customer},
            )  # fmt: skip
            pairs["contact"].append((here["Id"], there["id"]))
        for n in range(products):
            here = crm.create("product", Name=f"Vare {n}", Number=f"V-{n}")
            there = tripletex.create("contact", firstName=f"Vare {n}", lastName=f"V-{n}")
            pairs["product"].append((here["Id"], there["id"]))
    return pairs


def audited(both, **options):
    return audit(both.links_url, "default", both.dataflow, connected(both.environment), **options)


def findings(found):
    """Flow, kind, ids and what differs, of every finding."""
    told = []
    for flow in found.flows:
        assert len(flow.findings) == flow.unexplained + flow.explained
        for one in flow.findings:
            ids = tuple(one.ids[side] for side in ("customcrm", "tripletex"))
            differs = tuple((row.customcrm, row.changed) for row in one.differences)
            told.append((flow.flow, one.kind, ids, differs or None, one.is_explained))
    return told


@pytest.fixture(scope="module")
def thousand(tmp_path_factory):
    """A thousand linked pairs, in step."""
    with sandbox.running("empty") as systems:
        pairs = fill(systems, CUSTOMERS, PEOPLE, PRODUCTS)
        both = Both(systems, f"sqlite:///{tmp_path_factory.mktemp('audit')}/links.db", TABLES)
        both.cycle()
        yield both, pairs


@pytest.fixture
def few(tmp_path):
    """A few pairs, in step."""
    with sandbox.running("empty") as systems:
        pairs = fill(systems, 4, 3, 2)
        both = Both(systems, f"sqlite:///{tmp_path}/links.db", TABLES)
        both.cycle()
        yield both, pairs


@pytest.fixture
def command(few, monkeypatch):
    """The command, with the settings of the few pairs' systems."""
    both, _ = few
    monkeypatch.chdir(ROOT)

    def run(*arguments, **environment):
        settings = {**both.environment, "LINKS_URL": both.links_url, "MELTANO_ENVIRONMENT": None, "COLUMNS": None}
        ended = CliRunner(env={**settings, **environment}).invoke(main, ["audit", *arguments])
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return ended

    return run


# -- what was done behind the sync's back


def test_a_thousand_pairs_in_step_are_in_sync_and_nothing_is_written(thousand):
    both, pairs = thousand
    both.systems.clear_requests()
    found = audited(both)
    assert findings(found) == []
    assert found.is_clean
    assert {flow.flow: (flow.linked, flow.in_sync) for flow in found.flows} == {
        flow: (len(some), len(some)) for flow, some in pairs.items()
    }
    for flow in found.flows:
        for line in flow.properties:
            assert line.not_compared or line.compared == line.in_sync == flow.linked, line
    requests = [*both.systems.customcrm.requests, *both.systems.tripletex.requests]
    assert [(one.method, one.path) for one in requests if one.is_write] == []
    # A list a page, and nothing singly; the session's token, and who it is.
    assert len(requests) == sum(found.requests.values()) < 15


def test_each_kind_of_difference_is_found_on_a_thousand_pairs_and_nothing_else(thousand):  # noqa: PLR0915
    both, pairs = thousand
    crm, tripletex = both.systems.customcrm, both.systems.tripletex
    customer, contact, product = pairs["customer"], pairs["contact"], pairs["product"]
    expected = []

    def expect(flow, kind, pair, *differs):
        here, there = pair
        ids = (here, None if there is None else str(there))
        expected.append((flow, kind, ids, differs or None, False))

    crm.edit("customer", customer[0][0], Name="Fjord AS")
    expect("customer", "differs", customer[0], ("Name", "customcrm"))
    tripletex.edit("customer", customer[1][1], phoneNumber="99887766", email=None)
    expect("customer", "differs", customer[1], ("Email", "tripletex"), ("Phone", "tripletex"))
    crm.edit("customer", customer[2][0], StreetAddress1="Her 1")
    tripletex.edit("customer", customer[2][1], postalAddress={"addressLine1": "Der 2"})
    expect("customer", "differs", customer[2], ("StreetAddress1", "both"))
    tripletex.edit("customer", customer[3][1], postalAddress={"country": {"id": tripletex.country_id("SE")}})
    expect("customer", "differs", customer[3], ("Country", "tripletex"))
    crm.edit("contact", contact[4][0], CustomerId=customer[7][0])
    expect("contact", "differs", contact[4], ("CustomerId", "customcrm"))
    tripletex.edit("contact", contact[5][1], customer=None)
    expect("contact", "differs", contact[5], ("CustomerId", "tripletex"))
    tripletex.edit("contact", contact[6][1], phoneNumberMobileCountry={"id": tripletex.country_id("SE")})
    expect("contact", "differs", contact[6], ("MobilePhone", "tripletex"))
    tripletex.edit("contact", product[7][1], firstName="Ny vare")
    expect("product", "differs", product[7], ("Name", "tripletex"))
    # Gone from one side.
    crm.remove("product", product[8][0])
    expect("product", "missing", product[8])
    tripletex.remove("contact", contact[9][1])
    expect("contact", "missing", contact[9])
    # Made on one side.
    expect("customer", "missing", (crm.create("customer", Name="Ny AS", Email="ny@example.no")["Id"], None))
    expect("customer", "missing", (None, tripletex.create("customer", name="Nyere AS")["id"]))
    expect("contact", "missing", (None, tripletex.create("contact", firstName="Ola", lastName="Ny")["id"]))
    expect("product", "missing", (crm.create("product", Name="Kopp", Number="K-1")["Id"], None))
    # Made on both.
    both_have = "911111111"
    here = crm.create("customer", Name="Felles AS", OrganizationNumber=both_have)
    expect(
        "customer",
        "unlinked",
        (here["Id"], tripletex.create("customer", name="Felles", organizationNumber=both_have)["id"]),
    )
    here = crm.create("product", Name="Fat", Number="F-1")
    expect("product", "unlinked", (here["Id"], tripletex.create("contact", firstName="Fat", lastName="F-1")["id"]))
    # Several fit, or one that is linked.
    here = crm.create("customer", Name="Hvem AS", Email="hvem@example.no")
    for _ in range(2):
        tripletex.create("customer", name="Hvem AS", email="hvem@example.no")
    expect("customer", "ambiguous", (here["Id"], None))
    for _ in range(2):
        crm.create("contact", FirstName="Per", LastName="Tvilling", Email="per@example.no")
    there = tripletex.create("contact", firstName="Per", lastName="Tvilling", email="per@example.no")
    expect("contact", "ambiguous", (None, there["id"]))
    here = crm.create("customer", Name="Kopi AS", OrganizationNumber="900000011")
    expect("customer", "ambiguous", (here["Id"], None))
    # What is said otherwise, and is the same; what no table is about.
    crm.edit(
        "customer",
        customer[20][0],
        Phone="22 33 44 55",
        Email="POST20@kunde.example.no ",
        OrganizationNumber="900000020",
    )
    tripletex.edit("customer", customer[21][1], isInactive=True)
    tripletex.edit("customer", customer[22][1], invoiceEmail="faktura@example.no")
    tripletex.edit("customer", customer[23][1], physicalAddress={"addressLine1": "Et annet sted 3"})
    crm.edit("customer", customer[24][0], Description="  ")
    crm.edit("product", product[25][0], Price=12.5)

    both.systems.clear_requests()
    found = audited(both, limit=1000)
    assert sorted(map(str, findings(found))) == sorted(map(str, expected))
    assert not found.is_clean
    assert not any(one.is_write for system in both.systems.both for one in system.requests)
    told = {flow.flow: flow for flow in found.flows}
    assert told["customer"].in_sync == CUSTOMERS - 4
    assert told["contact"].in_sync == PEOPLE - 4
    name = told["customer"].properties[0]
    assert (name.compared, name.in_sync, name.differs) == (CUSTOMERS, CUSTOMERS - 1, 1)
    (example,) = name.examples
    assert example.difference.values == {"customcrm": {"Name": "Fjord AS"}, "tripletex": {"name": "Kunde 0 AS"}}

    # The next cycle settles all of it, but for what nobody can guess.
    both.cycle()
    both.cycle()
    after = audited(both, limit=1000)
    assert after.is_clean, findings(after)
    assert {one[1] for one in findings(after)} == {"ambiguous"}
    assert all(one[-1] for one in findings(after))


# -- what waits


def test_a_refused_record_explains_what_it_carries_and_no_later_edit(few):
    both, pairs = few
    crm = both.systems.customcrm
    here, _ = pairs["customer"][0]
    crm.edit("customer", here, Email="ingen adresse")
    assert [one[3:] for one in findings(audited(both))] == [((("Email", "customcrm"),), False)]
    both.line(TO_TRIPLETEX)
    found = audited(both)
    assert [one[3:] for one in findings(found)] == [((("Email", "customcrm"),), True)]
    assert found.is_clean
    (finding,) = next(flow for flow in found.flows if flow.flow == "customer").findings
    assert "waits (parked)" in finding.differences[0].explained
    line = next(
        one for flow in found.flows for one in flow.properties if one.customcrm == "Email" and flow.flow == "customer"
    )
    assert (line.differs, line.explained) == (0, 1)
    crm.edit("customer", here, Email="heller ingen", Name="Omdøpt AS")
    assert [one[3:] for one in findings(audited(both))] == [((("Name", "customcrm"), ("Email", "customcrm")), False)]


def test_an_open_conflict_explains_its_property_until_it_is_decided_and_carried_out(few):
    both, pairs = few
    both.dataflow = tables_with(TABLES, {"customer": {"conflict": "manual"}})
    here, there = pairs["customer"][1]
    both.systems.customcrm.edit("customer", here, Name="Her AS", City="BERGEN")
    both.systems.tripletex.edit("customer", there, name="Der AS")
    assert not audited(both).is_clean
    both.cycle()
    found = audited(both)
    assert [one[3:] for one in findings(found)] == [((("Name", "both"),), True)]
    (finding,) = next(flow for flow in found.flows if flow.flow == "customer").findings
    assert re.fullmatch(r"conflict \d+ is open", finding.differences[0].explained)
    assert found.is_clean


@pytest.mark.parametrize("method", ["update", "create"])
def test_a_write_without_an_answer_explains_what_it_holds(few, monkeypatch, method):
    both, pairs = few
    here, there = pairs["customer"][2]
    if method == "update":
        both.systems.customcrm.edit("customer", here, City="BERGEN")
        expected = ("differs", (here, str(there)), (("City", "customcrm"),), True)
    else:
        new = both.systems.customcrm.create("customer", Name="Ny AS", Email="ny@example.no")["Id"]
        expected = ("missing", (new, None), None, True)

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(TripletexSystem, method, dies)
        with pytest.raises(KeyboardInterrupt):
            both.line(TO_TRIPLETEX)
    found = audited(both)
    assert [one[1:] for one in findings(found)] == [expected]
    (finding,) = [one for flow in found.flows for one in flow.findings]
    assert all("its answer is not known yet" in one.explained for one in finding.differences or [finding])
    assert found.is_clean


def test_a_deletion_that_is_known_is_waited_for(few):
    both, pairs = few
    here, there = pairs["contact"][0]
    both.systems.tripletex.remove("contact", there)
    assert [one[1:] for one in findings(audited(both))] == [("missing", (here, str(there)), None, False)]
    both.cycle()
    found = audited(both)
    assert [(one[1], one[-1]) for one in findings(found)] == [("missing", True)]
    both.cycle()
    both.cycle()
    found = audited(both)
    assert findings(found) == []
    assert next(flow for flow in found.flows if flow.flow == "contact").ended == 1


def test_what_a_filter_keeps_out_is_left_alone_and_counted(few):
    both, pairs = few
    both.dataflow = Dataflow.load([_filtered(ROOT / "transforms/customer.yml"), *tables_of(ROOT)[::2]], ROOT)
    both.cycle()
    here, _ = pairs["customer"][0]
    both.systems.customcrm.create("customer", Name="Utenfor AS", Country="SE", Email="utenfor@example.com")
    both.systems.customcrm.edit("customer", here, Country="SE", City="MALMÖ")
    both.cycle()
    found = audited(both)
    assert found.is_clean, findings(found)
    (finding,) = [one for flow in found.flows for one in flow.findings]
    assert {row.customcrm for row in finding.differences} == {"City", "Country"}
    assert "filter keeps the record of customcrm out" in finding.differences[0].explained
    assert next(flow for flow in found.flows if flow.flow == "customer").kept_out == {"customcrm": 1}


def _filtered(path):
    from ruamel.yaml import YAML

    return {**YAML(typ="safe").load(path), "filter": {"to-tripletex": {"Country": ["NO"]}}}


def test_what_was_carried_over_while_the_lists_were_read_is_no_difference(few):
    both, pairs = few
    here, _ = pairs["customer"][3]
    tripletex = both.systems.tripletex
    ran = []

    def meanwhile(seen):
        # Customcrm was listed by then or not: what is read here is as it was before the edit.
        if seen.path.endswith("/contact") and not ran:
            ran.append(True)
            tripletex.before = None
            both.systems.customcrm.edit("customer", here, Name="Raskere AS")
            both.line(TO_TRIPLETEX)

    tripletex.before = meanwhile
    found = audited(both)
    assert ran
    assert findings(found) == []
    assert found.notes


def test_another_company_than_the_stores_is_refused(few, command):
    both, _ = few
    with sandbox.running("empty") as others:
        elsewhere = Both(others, both.links_url, TABLES).environment
        ended = command(**elsewhere)
    assert ended.exit_code == 3
    assert "The link store belongs to " in ended.stderr
    assert ended.stderr.count("\n") == 1


# -- the command


def test_exit_codes_tell_in_sync_from_differing_and_from_no_audit(few, command):
    both, pairs = few
    ended = command()
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert "In sync: nothing differs that nothing explains." in ended.stdout
    both.systems.customcrm.edit("customer", pairs["customer"][0][0], Name="Ny AS")
    ended = command("--json")
    assert (ended.exit_code, ended.stderr) == (1, "")
    told = json.loads(ended.stdout)
    assert told["is_clean"] is False
    assert next(flow for flow in told["flows"] if flow["flow"] == "customer")["counts"] == {
        "differs": {"unexplained": 1, "explained": 0}
    }
    assert command("--nonsense").exit_code == 2
    ended = command(TARGET_TRIPLETEX_EMPLOYEE_TOKEN="not-the-token-4711")
    assert ended.exit_code == 3
    assert ended.stderr.count("\n") == 1
    assert "not-the-token-4711" not in ended.stderr
    ended = command(TARGET_CUSTOMCRM_API_URL="http://127.0.0.1:9/api", TARGET_CUSTOMCRM_API_KEY=None)
    assert ended.exit_code == 3
    assert ended.stderr.startswith("dataflow: target-customcrm: missing setting 'api_key'")
    for code in ("0 in sync", "1 something differs", "3 the audit could not be made"):
        assert code in command("--help").stdout


def test_the_settings_are_those_of_the_targets_the_utility_or_the_env_file(few, command, tmp_path, monkeypatch):
    both, _ = few
    none = dict.fromkeys(both.environment)
    bare = {name.removeprefix("TARGET_"): value for name, value in both.environment.items()}
    assert command(**none, **bare).exit_code == 0
    utility = {f"DATAFLOW_{name}": value for name, value in bare.items()}
    # What .env holds for another environment does not go before what Meltano says of this one.
    assert command(**none, **{**bare, "CUSTOMCRM_API_URL": "http://127.0.0.1:9/"}, **utility).exit_code == 0
    (tmp_path / "transforms").symlink_to(ROOT / "transforms")
    (tmp_path / ".env").write_text(
        "".join(
            f"{name}='{value}'\n" for name, value in {**bare, "TARGET_TRIPLETEX_LINKS_URL": both.links_url}.items()
        ),
        encoding="utf-8-sig",  # as Windows' editors write it
        newline="\r\n",
    )
    monkeypatch.chdir(tmp_path)
    assert command(**none, LINKS_URL=None).exit_code == 0
    assert not set(bare) & set(os.environ)


def test_a_limit_shortens_what_is_told_and_not_what_is_counted(few, command):
    both, pairs = few
    for here, _ in pairs["customer"]:
        both.systems.customcrm.edit("customer", here, Name="Ny AS")
    ended = command("--limit", "1")
    assert "customer: 3 more of 4 findings: --limit (here 1)" in ended.stdout
    (flow,) = [
        one for one in json.loads(command("--limit", "1", "--json").stdout)["flows"] if one["flow"] == "customer"
    ]
    assert (len(flow["findings"]), flow["counts"]["differs"]["unexplained"]) == (1, 4)
    assert len(flow["properties"][0]["examples"]) == 3


def test_meltano_hands_over_the_settings_of_its_environment(few, tmp_path):
    both, pairs = few
    project = tmp_path / "project"
    (project / "var").mkdir(parents=True)
    shutil.copy2(ROOT / "meltano.yml", project)
    shutil.copytree(ROOT / "transforms", project / "transforms")
    (project / ".venv").symlink_to(BIN.parent)
    # A real company's credentials, of which the sandbox's environment takes none.
    (project / ".env").write_text("CUSTOMCRM_API_URL=http://127.0.0.1:9/\nTRIPLETEX_EMPLOYEE_TOKEN=of-a-real-one\n")
    text = (project / "meltano.yml").read_text(encoding="utf-8")
    for port, system in (("8701", both.systems.customcrm), ("8702", both.systems.tripletex)):
        text = text.replace(f"http://127.0.0.1:{port}", system.address)
    (project / "meltano.yml").write_text(text, encoding="utf-8")
    (tmp_path / "links.db").rename(project / "var/sandbox-links.db")
    both.systems.customcrm.edit("customer", pairs["customer"][0][0], Name="Ny AS")
    ended = subprocess.run(
        [BIN / "meltano", "invoke", "dataflow:audit", "--json"],
        cwd=project,
        env={**ENVIRONMENT, "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    told = json.loads(ended.stdout)
    assert told["systems"]["customcrm"].endswith(both.systems.customcrm.api_url)
    assert [flow["in_sync"] for flow in told["flows"]] == [3, 3, 2]
    for secret in (both.systems.customcrm.api_key, both.systems.tripletex.employee_token, "of-a-real-one"):
        assert secret not in ended.stdout + ended.stderr


# -- the report


class Outline(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


@pytest.fixture
def hostile(few):
    """Names by strangers, on both sides and in every kind of finding."""
    both, pairs = few
    crm, tripletex = both.systems.customcrm, both.systems.tripletex
    crm.edit("customer", pairs["customer"][0][0], Name=HOSTILE)
    tripletex.edit("customer", pairs["customer"][1][1], postalAddress={"city": HOSTILE[:50]})
    crm.edit("customer", pairs["customer"][2][0], Email=HOSTILE)
    crm.create("contact", FirstName=HOSTILE, LastName=HOSTILE)
    crm.remove("contact", pairs["contact"][0][0])
    both.line(TO_TRIPLETEX)
    tripletex.edit("customer", pairs["customer"][1][1], postalAddress={"city": f"{HOSTILE[:40]}2"})
    crm.edit("customer", pairs["customer"][0][0], Name=f"{HOSTILE}2")
    return both


def test_what_strangers_wrote_is_escaped_on_the_page_and_on_the_terminal(hostile, command, tmp_path):
    file = tmp_path / "audit.html"
    ended = command("--html", str(file))
    assert ended.exit_code == 1
    assert STEERS.search(ended.stdout) is None
    assert r"<script>alert(1)</script> =1+1|cmd '\"& \x1b[31m\u202eSA" in ended.stdout.replace('"', r"\"")
    text = file.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; =1+1|cmd &#39;&#34;&amp; \\x1b[31m\\u202eSA \u05d0\u05d1" in text
    assert STEERS.search(text) is None
    # What runs from right to left stays where it belongs.
    assert re.search(r"<bdi>[^<]*\u05d0\u05d12?</bdi>", text)
    assert STEERS.search(command("--json").stdout) is None


def test_the_page_is_valid_stands_alone_and_can_be_read_by_everybody(hostile, command, tmp_path):
    file = tmp_path / "audit.html"
    command("--html", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text(encoding="utf-8")
    html5lib.HTMLParser(strict=True).parse(text)
    outline = Outline()
    outline.feed(text)
    tags = [tag for tag, _ in outline.tags]
    assert not {"script", "link", "img", "iframe", "form"} & set(tags)
    assert "url(" not in text
    assert ("html", {"lang": "en"}) in outline.tags
    assert "prefers-color-scheme: dark" in text
    assert any(tag == "meta" and attrs.get("name") == "viewport" for tag, attrs in outline.tags)
    assert all(attrs.get("scope") for tag, attrs in outline.tags if tag == "th")
    assert tags.count("h1") == tags.count("main") == 1
    ids = [attrs["id"] for _, attrs in outline.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    anchors = [attrs["href"][1:] for tag, attrs in outline.tags if tag == "a"]
    assert set(anchors) <= set(ids)


def test_the_page_ticks_the_documents_checklist_property_by_property(few):
    both, pairs = few
    both.systems.customcrm.edit("customer", pairs["customer"][0][0], Name="Ny AS")
    text = page_of(audited(both))
    for flow in TABLES.flows:
        for row in flow.rows:
            assert f"<code>{row.customcrm}</code>" in text
            assert all(f"<code>{path}</code>" in text for path in row.tripletex)
    states = re.findall(r"</span> (in sync|differs|waits|nothing to compare|written only[^<]*)</span>", text)
    assert len(states) == sum(len(flow.rows) for flow in TABLES.flows)
    assert states.count("differs") == 1
    assert states.count("written only when the record is created") == 10
    assert states.count("in sync") == len(states) - 11
