"""The page in a real browser: what a person clicks, what a phone shows, and what an assistive program reads.

Pictures of the pages are left in var/screenshots, to be looked at. The browser is the machine's own Chromium, or
what the variable CHROMIUM names.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from dataflow_operator.audit.report import Audit, Count, Difference, Example, Finding, FlowAudit, PropertyAudit
from dataflow_operator.page.app import PAGES
from dataflow_operator.testing.page import served
from dataflow_operator.testing.world import NOTHING, World, say_to
from dataflow_operator.timestamps import now
from record_sync.breaker import Limits
from record_sync.errors import BreakerOpenError
from record_sync.store import tables

pytest_plugins = ["dataflow_operator.testing.fixtures"]

ROOT = Path(__file__).parents[3]
PICTURES = ROOT / "var/screenshots"
ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
DESKTOP, PHONE, SMALL_PHONE = (
    {"width": width, "height": height} for width, height in ((1280, 900), (390, 844), (320, 568))
)
HOSTILE = "<script>document.title='owned'</script><img src=//example.com/x onerror=alert(1)> \u202eSA" + "W" * 300

LONG_UNIT = "MobilePhone = phoneNumberMobile+phoneNumberMobileCountry.isoAlpha2Code"
"""As the tables name properties that are decided together."""
TOKEN = "a-token-for-this-test-only"


def chromium():
    """Where the browser is; without one the tests are skipped, save in CI."""
    found = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("CI needs Chromium, and there is none; .ci/run installs it.")
    if found is None:
        pytest.skip("there is no Chromium on this machine; install it, or name one in CHROMIUM")
    return found


@pytest.fixture(scope="module")
def browser():
    path = chromium()
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright has no wheel for this machine")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser):
    """Opens tabs; none of them may show a dialog, complain, or ask anybody but the page."""
    contexts, wrong = [], []

    def open_(page, viewport=DESKTOP, **options):
        context = browser.new_context(viewport=viewport, base_url=page.address, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.on("dialog", lambda dialog: (wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
        tab.on("console", lambda message: wrong.append(message.text))
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("request", lambda request: request.url.startswith(page.address) or wrong.append(request.url))
        return tab

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []


def picture(tab, name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@pytest.fixture
def page(world):
    with served(world.url) as page:
        yield page


def name_of(world):
    return [
        *(one["Name"] for one in world.crm.all("customer").values()),
        *(one["name"] for one in world.tripletex.all("customer").values()),
    ]


@pytest.mark.parametrize(("side", "stands"), [("Customcrm", "Fjord Bakeri AS"), ("Tripletex", "Fjord AS, Bergen")])
def test_a_conflict_is_decided_by_clicking_even_without_scripts(world, page, opened, side, stands):
    tripletex_id = world.pair()
    world.crm.put("customer", "c1", Name="Fjord Bakeri AS")
    world.tripletex.put("customer", tripletex_id, name="Fjord AS, Bergen")
    world.cycle(conflict="manual")
    tab = opened(page, java_script_enabled=False)
    tab.goto("/")
    tab.get_by_role("link", name="1 to decide").click()
    assert tab.get_by_role("heading", level=1).inner_text() == "Conflicts"
    picture(tab, f"conflict-open-{side}")
    tab.get_by_role("region", name=f"What {side} says").get_by_role("button", name="Take this one").click()
    assert f"what {side.lower()} says stands" in tab.get_by_role("status").inner_text()
    assert "stands" in tab.get_by_role("region", name=f"What {side} says").inner_text()
    picture(tab, f"conflict-taken-{side}")
    for _ in range(2):
        world.cycle(records=NOTHING, conflict="manual")
    assert name_of(world) == [stands, stands]
    tab.get_by_role("link", name="Conflicts").first.click()
    assert tab.get_by_text("No conflict waits.").is_visible()


def test_a_refused_record_is_tried_again_by_clicking(world, page, opened):
    world.tripletex.refuse = lambda _values: "Feltet organizationNumber er ikke gyldig."
    world.crm.put("customer", "c1", Name="Fjord AS")
    for _ in range(2):
        world.run("tripletex")
    world.tripletex.refuse = lambda _values: None
    tab = opened(page, java_script_enabled=False)
    tab.goto("/")
    tab.get_by_role("link", name="Waiting").click()
    assert tab.get_by_text("Feltet organizationNumber er ikke gyldig.").is_visible()
    picture(tab, "waiting")
    tab.get_by_role("button", name="Retry now").click()
    assert "The next run tries 1 record. Nothing is sent until then." in " ".join(
        tab.get_by_role("status").inner_text().split()
    )
    world.run("tripletex", records=NOTHING)
    tab.reload()
    assert tab.get_by_text("Nothing waits.").is_visible()
    assert name_of(world) == ["Fjord AS", "Fjord AS"]


def test_dropping_is_asked_about_and_then_done(world, page, opened, dataflow):
    world.tripletex.refuse = lambda _values: "Ugyldig"
    world.crm.put("customer", "c1", Name="Fjord AS")
    world.run("tripletex")
    tab = opened(page)
    tab.goto("/failures")
    tab.get_by_role("checkbox", name="Choose customer c1").check()
    tab.get_by_role("button", name="Drop those chosen").click()
    assert tab.get_by_role("heading", level=1).inner_text() == "Forget this record?"
    assert dataflow("failures", "--json").told["total"] == 1
    tab.get_by_role("button", name="Drop it").click()
    assert "Dropped customer c1." in tab.get_by_role("status").inner_text()
    assert dataflow("failures", "--json").told["total"] == 0


def test_what_is_held_back_is_let_through_by_clicking(world, page, opened, dataflow):
    for number in range(Limits().floor + 5):
        world.crm.put("customer", f"c{number}", Name=f"Kunde {number}")
    world.cycle()
    tombstones = {**NOTHING, "customer": [world.tombstone(f"c{number}") for number in range(Limits().floor + 1)]}
    with pytest.raises(BreakerOpenError):
        world.run("tripletex", records=tombstones)
    tab = opened(page)
    tab.goto("/")
    tab.get_by_role("link", name="Let them through, if they are right").click()
    tab.locator("summary", has_text="deletions of customer").click()
    tab.get_by_role("button", name="Let all deletions through of customer").click()
    assert "Known so far: 21 in tripletex." in tab.get_by_role("status").inner_text()
    (customer,) = [one for one in dataflow("status", "--json").told["flows"] if one["flow"] == "customer"]
    assert customer["let_through"] == ["deletions"]


def test_a_record_is_found_with_the_keyboard_alone(world, page, opened):
    tripletex_id = world.pair()
    world.crm.put("customer", "c2", Name="Fjell AS")
    world.run("tripletex")
    tab = opened(page)
    tab.goto("/links")
    tab.keyboard.press("Tab")
    skip = tab.get_by_role("link", name="Skip to the content")
    assert skip.evaluate("link => link === document.activeElement && link.getBoundingClientRect().top >= 0")
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.name") == "id"
    assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.keyboard.type(tripletex_id)
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/links?id=*")
    assert tab.get_by_text("1 to 1 of 1 links").is_visible()
    tab.get_by_role("link", name="Link 1").press("Enter")
    tab.wait_for_url("**/links/1")
    assert tab.get_by_role("region", name="Tripletex").get_by_text(tripletex_id, exact=True).is_visible()


@pytest.fixture
def guarded(world):
    """A page with a token. A fixture, so that it answers for as long as a tab is open, which may load its icon yet."""
    with served(world.url, TOKEN) as page:
        yield page


def test_a_browser_is_let_in_by_the_token(world, guarded, opened):
    world.pair()
    tab = opened(guarded, viewport=PHONE)
    tab.goto("/links")
    assert tab.url.endswith("/enter")
    tab.get_by_label("Token that the page was started with").fill(TOKEN)
    picture(tab, "enter-phone")
    tab.get_by_role("button", name="Enter").click()
    assert tab.get_by_role("heading", level=1).inner_text() == "Overview"
    tab.get_by_role("button", name="Leave").click()
    tab.wait_for_url("**/enter")
    tab.goto("/")
    assert tab.url.endswith("/enter")


# -- all pages, with names of strangers on them


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    """A page on a store in which everything occurs, and the address of every page of it."""
    world = World(f"sqlite:///{tmp_path_factory.mktemp('strangers')}/links.db")
    tripletex_id = world.pair()
    for number in range(8):
        world.crm.put("customer", f"d{number}", Name=f"Kunde {number}")
    world.cycle()
    world.crm.put("customer", "c1", Name=HOSTILE)
    world.tripletex.put("customer", tripletex_id, name=f"T {HOSTILE}")
    world.cycle(conflict="manual")
    world.tripletex.refuse = lambda _values: f"Ugyldig: {HOSTILE}"
    world.crm.put("customer", HOSTILE, Name=HOSTILE)
    world.crm.put("contact", "k1", FirstName=HOSTILE, CustomerId="c9")
    world.run("tripletex", conflict="manual")
    session = world.begin("tripletex")
    with session.store.begin() as connection:
        connection.execute(sa.update(tables.conflict).values(unit=LONG_UNIT))
    session.close("failed", f"Fault: {HOSTILE}")
    numbers = {
        "failures": [one["id"] for one in say_to(world.url, "failures", "--json").told["failures"]][-2:],
        "conflicts": [1],
        "links": [1],
    }
    addresses = [
        path.replace("{number:int}", str(number))
        for path in PAGES
        for number in (numbers.get(path.split("/")[1], [1]) if "{" in path else [0])
    ]
    with pytest.MonkeyPatch.context() as patch, served(world.url) as page:
        patch.setenv("MELTANO_PROJECT_ROOT", str(ROOT))
        page.site.auditing._report = report()
        yield page, [*addresses, "/conflicts?all=1"]


def report():
    """What an audit told of strangers' names."""
    sides = ("customcrm", "tripletex")
    differs = Difference("Name", ("name",), {"customcrm": {"Name": HOSTILE}, "tripletex": {"name": None}}, "both")
    ids = {"customcrm": "c1", "tripletex": HOSTILE}
    lines = [
        PropertyAudit("Name", ("name",), ("string",), "both", 9, 7, 1, 1, examples=[Example(ids, differs)]),
        PropertyAudit("Email", ("email",), ("string",), "both", 9, 9),
    ]
    found = [
        Finding("customer", "differs", ids, "", differences=(differs,), link=1),
        Finding("customer", "missing", {"customcrm": "c2", "tripletex": None}, HOSTILE, explained="it is parked"),
    ]
    flow = FlowAudit(
        *("customer", dict.fromkeys(sides, 9), lines), linked=9, in_sync=7, findings=found,
        counts={"differs": Count(1, 0), "missing": Count(0, 1)},
    )  # fmt: skip
    stamps = {side: f"{side} of {HOSTILE}" for side in sides}
    return Audit("sqlite:///links.db", "default", stamps, now(), now(), dict.fromkeys(sides, 3), [flow], is_clean=False)


def named(path):
    return path.strip("/").replace("/", "-").replace("?", "-") or "overview"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone(strangers, opened, scheme):
    page, addresses = strangers
    wide = []
    for viewport in (PHONE, SMALL_PHONE):
        tab = opened(page, viewport, color_scheme=scheme, has_touch=True, is_mobile=True)
        for path in addresses:
            tab.goto(path)
            if tab.evaluate("document.documentElement.scrollWidth") > viewport["width"]:
                wide.append((path, viewport["width"]))
            if viewport is PHONE:
                picture(tab, f"{named(path)}-phone-{scheme}")
            assert tab.title() != "owned"
    assert wide == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_assistive_programs_find_nothing_amiss(strangers, opened, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="there is no axe for this machine").Axe()
    page, addresses = strangers
    tab = opened(page, color_scheme=scheme)
    found = []
    for path in addresses:
        tab.goto(path)
        picture(tab, f"{named(path)}-{scheme}")
        for violation in axe.run(tab).response["violations"]:
            found += [(path, violation["id"], node["html"][:200]) for node in violation["nodes"]]
    assert found == []


def test_names_of_strangers_stay_where_they_are(strangers, opened):
    page, _ = strangers
    tab = opened(page)
    tab.goto("/conflicts/1")
    assert HOSTILE.replace("\u202e", r"\u202e") in tab.locator("dd").first.inner_text()
    boxes = [tab.get_by_role("region", name=f"What {side} says").bounding_box() for side in ("Customcrm", "Tripletex")]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
