"""What the pages tell, on a store that real runs made; the commands' answers are the measure."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta, timezone
from html import unescape
from pathlib import Path

import pytest
from dataflow_operator.page.app import PAGES
from dataflow_operator.page.timeline import HEIGHT, cycles, picture
from dataflow_operator.store.runs import RunRow
from dataflow_operator.testing.page import served
from dataflow_operator.testing.world import NOTHING, World, say_to
from record_sync.record import SourceRecord

pytest_plugins = ["dataflow_operator.testing.fixtures"]

ROOT = Path(__file__).parents[3]
HOSTILE = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> {{7*7}} =1+1 \x1b[31m\x07\u202eSA\u2066 \u05d0\r\nny"
)
SHOWN = r"""<script>alert(1)</script>"'><img src=x onerror=alert(1)> {{7*7}} =1+1 \x1b[31m\x07\u202eSA\u2066 א\r\nny"""


@pytest.fixture
def page(world):
    with served(world.url) as page:
        yield page


def words(answer):
    """What a person reads on a page."""
    text = re.sub("<(title|style).*?</\\1>", " ", answer.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub("<[^>]*>", " ", text)).split())


# -- hostile names


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Names, ids, refusals and an error by strangers, and a page on them."""
    world = World(f"sqlite:///{tmp_path_factory.mktemp('hostile')}/links.db")
    tripletex_id = world.pair()
    world.crm.put("customer", "c1", Name=HOSTILE)
    world.tripletex.put("customer", tripletex_id, name=f"T {HOSTILE}")
    world.cycle(conflict="manual")
    world.tripletex.refuse = lambda _values: f"Ugyldig: {HOSTILE}"
    world.crm.put("customer", f'"><b>x</b>{HOSTILE}', Name=HOSTILE)
    world.run("tripletex", conflict="manual")
    with world.begin("tripletex") as session:
        session.flows["customer"].park_all_invalid(
            [(SourceRecord("c77", None, None, {}, {HOSTILE: [HOSTILE]}), HOSTILE)]
        )
    world.begin("tripletex").close("failed", f"Fault: {HOSTILE}")
    with served(world.url) as page:
        yield world, page.visitor()


def pages_of(world):
    """Every page, with each number that the store has."""
    told = {
        "failures": [one["id"] for one in say_to(world.url, "failures", "--json").told["failures"]],
        "conflicts": [one["id"] for one in say_to(world.url, "conflicts", "--all", "--json").told["conflicts"]],
        "links": [one["id"] for one in say_to(world.url, "links", "--json").told["links"]],
    }
    for path in PAGES:
        kind = path.split("/")[1]
        yield from ([path.replace("{number:int}", str(one)) for one in told[kind]] if "{" in path else [path])


def test_nothing_that_strangers_wrote_becomes_part_of_a_page(hostile):
    world, visitor = hostile
    seen = 0
    for path in pages_of(world):
        answer = visitor.get(path)
        assert answer.status_code in (200, 303) or path == "/document", path
        text = answer.text
        assert "<script" not in text, path
        assert "<img src=x" not in text, path
        assert "<b>" not in text, path
        # Control and direction characters are spelled out wherever they came from.
        unseen = {one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp")} - {"\n"}
        assert unseen == set(), path
        seen += text.count("&lt;script&gt;")
    assert seen > 8


def test_what_strangers_wrote_is_shown_to_the_letter(hostile):
    world, visitor = hostile
    failures = say_to(world.url, "failures", "--json").told["failures"]
    parked = next(one for one in failures if one["kind"] == "parked")
    shown = " ".join(SHOWN.split())
    assert f"Ugyldig: {shown}" in words(visitor.get(f"/failures/{parked['id']}"))
    assert f"T {shown}" in words(visitor.get("/conflicts"))
    assert f"Fault: {shown}" in words(visitor.get("/runs"))


def test_what_is_searched_for_comes_back_as_text(hostile):
    _, visitor = hostile
    answer = visitor.get("/links", params={"id": '"><script>alert(1)</script>', "flow": "<b>"})
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert 'value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in answer.text
    again = visitor.get("/failures", params={"id": '"><script>', "kind": "<b>", "page": "0x1"})
    assert "<script" not in again.text


# -- what is told


def test_the_overview_says_what_the_status_says(world, page, dataflow):
    tripletex_id = world.pair()
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.put("customer", tripletex_id, name="C")
    world.crm.put("contact", "k1", FirstName="Kari", CustomerId="c9")
    world.cycle(conflict="manual")
    world.tripletex.refuse = lambda _values: "Ugyldig"
    world.crm.put("customer", "c2", Name="Fjord AS")
    world.run("tripletex", conflict="manual")
    told = words(page.visitor().get("/"))
    assert "customer: 1 to decide" in told
    assert "customer: 1 record not carried over" in told
    assert re.search(r"contact 0 1 [\d.]+ (min|s|h|d)[\d a-z]* 0 0 0 none none", told)
    assert re.search(r"customer 1 0 1 \S+ [\d a-z.]*0 1 \S+", told)
    status = dataflow("status", "--json").told
    assert [(one["flow"], one["linked"]) for one in status["flows"]] == [("contact", 0), ("customer", 1)]
    assert "customcrm of Fjord AS" in told
    assert "waiting" in told


def test_where_all_is_well_nothing_needs_anybody(world, page):
    world.pair()
    told = words(page.visitor().get("/"))
    assert "Nothing needs you." in told
    assert "1 written" in told


def test_links_are_found_by_an_id_of_either_side_and_by_a_former_one(world, page):
    tripletex_id = world.pair()
    for number in range(60):
        world.crm.put("customer", f"d{number}", Name=f"Kunde {number}")
    world.run("tripletex")
    visitor = page.visitor()
    for record_id in ("c1", tripletex_id, f" {tripletex_id} "):
        told = words(visitor.get("/links", params={"id": record_id}))
        assert "1 to 1 of 1 links" in told
        assert f"Link 1 customer c1 {tripletex_id} live" in told
    assert "No link of a record c999" in words(visitor.get("/links", params={"id": "c999"}))
    first, second = (words(visitor.get("/links", params={"page": number})) for number in (1, 2))
    assert "1 to 50 of 61 links" in first
    assert "51 to 61 of 61 links" in second
    assert re.findall(r"Link (\d+) customer", second) == [str(number) for number in range(51, 62)]
    assert "61 links" in words(visitor.get("/links", params={"page": "999"}))


def test_a_link_s_own_page_tells_both_ends_and_what_waits(world, page):
    tripletex_id = world.pair()
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.put("customer", tripletex_id, name="C")
    world.cycle(conflict="manual")
    told = words(page.visitor().get("/links/1"))
    assert "Link 1 customer live" in told
    assert "Id c1 Record there" in told
    assert f"Id {tripletex_id} Record there" in told
    assert "conflict Name = name (open: a person decides)" in told
    assert "c1 of Customcrm" in told


def test_a_record_that_waits_is_found_under_its_id_though_nothing_links_it(world, page):
    world.tripletex.refuse = lambda _values: "Ugyldig"
    world.crm.put("customer", "c5", Name="Fjord AS")
    world.run("tripletex")
    told = words(page.visitor().get("/links", params={"id": "c5"}))
    assert "Waiting under this id customer c5 of Customcrm , parked: Ugyldig" in told


def test_failures_are_narrowed_by_flow_and_kind(world, page):
    world.tripletex.refuse = lambda _values: "Ugyldig"
    world.crm.put("customer", "c5", Name="Fjord AS")
    world.crm.put("contact", "k1", FirstName="Kari", CustomerId="c9")
    world.run("tripletex")
    visitor = page.visitor()
    assert "2 records" in words(visitor.get("/failures"))
    for chosen, there, not_there in (
        ({"kind": "parked"}, "customer c5", "contact k1"),
        ({"flow": "contact"}, "contact k1", "customer c5"),
        ({"id": "k1"}, "contact k1", "customer c5"),
    ):
        told = words(visitor.get("/failures", params=chosen))
        assert there in told
        assert not_there not in told
    assert "Nothing waits under that." in words(visitor.get("/failures?kind=invalid"))


def test_an_ambiguous_record_s_page_names_the_candidates(world, page, dataflow):
    ids = [world.tripletex.put("customer", name=name, organizationNumber="923609016") for name in ("A", "B")]
    world.crm.put("customer", "c1", Name="C", Number="923609016")
    world.run("tripletex")
    (row,) = dataflow("failures", "--json").told["failures"]
    assert f"Candidates in Tripletex {', '.join(ids)}" in words(page.visitor().get(f"/failures/{row['id']}"))


@pytest.mark.parametrize("path", ["/links/999", "/failures/999", "/conflicts/999", f"/links/{2**80}", "/nonsense"])
def test_what_is_not_there_is_one_line(world, page, path):
    world.pair()
    answer = page.visitor().get(path)
    assert answer.status_code == 404
    assert re.search(r"There is no (link|conflict|number|such page)|Nothing waits under the number", words(answer))


def test_before_the_first_run_the_page_says_that_there_is_no_store_yet(world, page):
    answer = page.visitor().get("/")
    assert answer.status_code == 404
    assert "Run the sync first" in words(answer)
    world.pair()
    assert page.visitor().get("/").status_code == 200


def test_all_can_be_read_while_a_run_writes_and_it_is_said_which_one(world, page):
    world.pair()
    session = world.begin("customcrm")
    with session.store.begin() as connection:
        connection.exec_driver_sql("UPDATE link SET state = 'ended'")
        for path in ("/", "/links", "/links/1", "/failures", "/conflicts", "/runs"):
            answer = page.visitor().get(path)
            assert answer.status_code == 200
            assert "A run is going on: process" in words(answer)
        assert "live" in words(page.visitor().get("/links/1"))
    session.close("done")
    assert "A run is going on" not in words(page.visitor().get("/"))


# -- the document


def test_the_document_is_the_command_s_own(world, page, monkeypatch):
    world.pair()
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(ROOT))
    answer = page.visitor().get("/document")
    assert answer.status_code == 200
    told = words(answer)
    for title in ("Customcrm to Tripletex Dataflow", "Tripletex to Customcrm Dataflow"):
        assert title in told
    written = say_to(world.url, "document", "--format", "html").out
    article = written[written.index("<article>") + len("<article>") : written.index("</article>")]
    assert article.strip() in answer.text


def test_where_no_tables_are_the_document_is_one_line(world, page, monkeypatch, tmp_path):
    world.pair()
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path))
    answer = page.visitor().get("/document")
    assert answer.status_code == 404
    assert "Run this in the project's folder" in words(answer)


# -- the timeline


def run(number, to, minute, *, outcome="done", **counts):
    start = datetime(2026, 5, 17, 12, tzinfo=timezone.utc) + timedelta(minutes=minute)
    told = {"customer": counts} if counts else {}
    end = start + timedelta(minutes=1)
    return RunRow(number, to, start, end, outcome, told, 3, waits=0, waited_seconds=0, error=None, first_errors=[])


def test_runs_that_follow_one_another_are_one_cycle():
    runs = [
        run(1, "tripletex", 0, created=3),
        run(2, "customcrm", 2),
        run(3, "tripletex", 60, outcome="failed"),
        run(4, "tripletex", 62),
        run(5, "customcrm", 90),
        run(6, "tripletex", 120),
        run(7, "customcrm", 121),
    ]
    found = cycles(runs[::-1])
    assert [[one.id for one in cycle.runs] for cycle in found] == [[6, 7], [5], [4], [3], [1, 2]]
    assert [cycle.outcome for cycle in found] == ["done", "done", "done", "failed", "done"]
    assert found[-1].requests == 6
    assert found[-1].took == timedelta(minutes=3)
    assert cycles([]) == []


def test_a_bar_is_as_high_as_the_root_of_what_was_done_and_a_quiet_cycle_is_seen():
    runs = [
        run(1, "tripletex", 0, created=300, parked=100, unchanged=1000),
        run(2, "tripletex", 60, updated=4),
        run(3, "tripletex", 120, unchanged=5),
    ]
    first, second, third = picture(cycles(runs[::-1])).bars
    assert [(part.kind, part.height) for part in first.parts] == [
        ("written", HEIGHT * 0.75),
        ("waiting", HEIGHT * 0.25),
    ]
    assert second.parts[0].height == pytest.approx(HEIGHT / 10, abs=0.1)
    assert [part.kind for part in third.parts] == ["untouched"]
    assert [bar.x for bar in (first, second, third)] == [0, 16, 32]
    assert all(part.y + part.height <= HEIGHT + 0.1 for bar in (first, second, third) for part in bar.parts)


def test_a_run_tells_what_it_waited_for_and_leads_to_its_first_records(world, page):
    world.tripletex.refuse = lambda _values: "Ugyldig"
    world.crm.put("customer", "c5", Name="Fjord AS")
    world.run("tripletex")
    answer = page.visitor().get("/runs")
    assert "Run 1 Tripletex" in words(answer)
    assert "customer 1 parked" in words(answer)
    assert "customer c5 parked: Ugyldig" in words(answer)
    assert 'href="/failures?id=c5"' in answer.text


def test_a_store_without_runs_has_an_empty_picture(world, page):
    world.begin("tripletex").close("done")
    assert page.visitor().get("/").status_code == 200
    assert picture([]).bars == []
    assert NOTHING
