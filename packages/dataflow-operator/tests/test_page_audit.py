"""The audit on the page: in the background, by the command, over both systems of the sandbox."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from dataflow.tables import Dataflow
from dataflow_operator.page.auditing import Auditing
from dataflow_operator.project import tables_of
from dataflow_operator.testing.both import Both
from dataflow_operator.testing.page import served

import sandbox

pytest_plugins = ["dataflow_operator.testing.fixtures"]

ROOT = Path(__file__).parents[3]
HOSTILE = "<script>alert(1)</script> \u202eSA"
BLOCKS = (sys.executable, "-c", "import threading; threading.Event().wait()")
FAILS = (
    sys.executable,
    "-c",
    "import sys; print('dataflow: Tripletex answers nothing.', file=sys.stderr); sys.exit(3)",
)


CRASHES = (sys.executable, "-c", "raise MemoryError")


@pytest.fixture
def both(tmp_path, monkeypatch):
    """A pair of customers in step, and the settings by which both systems are found."""
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(ROOT))
    with sandbox.running("empty") as systems:
        both = Both(systems, f"sqlite:///{tmp_path}/links.db", Dataflow.load(tables_of(ROOT), ROOT))
        systems.customcrm.create("customer", Name="Fjord AS", OrganizationNumber="923 609 016")
        both.cycle()
        for name, value in both.environment.items():
            monkeypatch.setenv(name, value)
        yield both


def test_an_audit_is_started_by_a_button_and_its_report_kept_until_the_next(both):
    (customer,) = both.systems.tripletex.all("customer")
    both.systems.tripletex.edit("customer", customer["id"], name=HOSTILE)
    with served(both.links_url) as page:
        visitor = page.visitor()
        assert "Start an audit" in visitor.get("/audit").text
        assert visitor.told("/audit") == "An audit has begun."
        page.site.auditing.wait()
        for _ in range(2):
            text = visitor.get("/audit").text
            assert "could not be made" not in text
            assert "Audit again" in text
            assert "&lt;script&gt;alert(1)&lt;/script&gt; \\u202eSA" in text
            assert "<script" not in text
            assert "nothing explains it" in text
        both.cycle()
        visitor.post("/audit")
        page.site.auditing.wait()
        assert "nothing explains it" not in visitor.get("/audit").text


def test_one_audit_is_made_at_a_time_and_ends_with_the_page(world):
    world.pair()
    with served(world.url) as page:
        page.site.auditing = Auditing(world.url, "default", BLOCKS)
        visitor = page.visitor()
        assert visitor.told("/audit") == "An audit has begun."
        assert visitor.told("/audit") == "An audit is being made already."
        text = visitor.get("/audit").text
        assert "An audit has been reading both systems for" in text
        assert "Start an audit" not in text
    assert page.site.auditing.told().began_at is None


@pytest.mark.parametrize(("command", "told"), [(FAILS, "Tripletex answers nothing."), (CRASHES, "MemoryError")])
def test_an_audit_that_cannot_be_made_is_one_line(world, command, told):
    world.pair()
    with served(world.url) as page:
        page.site.auditing = Auditing(world.url, "default", command)
        visitor = page.visitor()
        visitor.post("/audit")
        page.site.auditing.wait()
        assert f"The last audit could not be made: {told}" in visitor.get("/audit").text
        assert "Start an audit" in visitor.get("/audit").text
