"""What a run counts, and when it was a bad one."""

from types import SimpleNamespace

import pytest
from record_sync.errors import BehindTheTapError, TooManyFailuresError
from record_sync.outcome import Outcome, Tally
from record_sync.rules import FlowRules
from record_sync.session import MOST_REFUSED_IN_A_ROW, Session
from record_sync.store import Store

SIDES = ("customcrm", "tripletex")
RULES = FlowRules.from_schema(
    {
        "x-sync": {
            "flow": "contact",
            "from": "customcrm",
            "to": "tripletex",
            "resource": dict.fromkeys(SIDES, "contact"),
        },
        "properties": {"firstName": {"x-from": ["FirstName"]}},
    },
    "tripletex",
)


@pytest.fixture
def session(tmp_path):
    session = Session(Store(f"sqlite:///{tmp_path}/links.db", SIDES), SimpleNamespace(side="tripletex"))
    session.flow(RULES)
    yield session
    session.close("done")


def refuse(session, number):
    for one in range(number):
        session.tally.count("contact", f"c{one}", Outcome.PARKED, "nei")


def test_a_retry_takes_the_place_of_what_this_run_counted_and_of_nobody_elses():
    tally = Tally()
    tally.count("contact", "new", Outcome.PARKED, "nei")
    tally.recount("contact", "of an earlier run", Outcome.CREATED)
    assert tally.of("contact") == {"created": 1, "parked": 1}
    assert tally.first_reasons("contact") == ["new: nei"]
    tally.recount("contact", "new", Outcome.CREATED)
    assert tally.of("contact") == {"created": 2}
    assert tally.first_reasons("contact") == []


def test_a_record_that_waits_again_after_a_retry_is_counted_once():
    tally = Tally()
    tally.count("contact", "c1", Outcome.WAITING)
    tally.recount("contact", "c1", Outcome.PARKED, "nei")
    tally.recount("contact", "c1", Outcome.PARKED, "fortsatt nei")
    assert tally.of("contact") == {"parked": 1}
    assert tally.first_reasons("contact") == ["c1: fortsatt nei"]


def test_refusals_that_come_first_are_judged_at_the_end_by_their_share_of_all(session):
    refuse(session, 420)
    session.check_failures()
    with pytest.raises(TooManyFailuresError, match="420 records were refused, more than the share of 20%"):
        session.verdict()
    session.tally.count_many("contact", Outcome.CREATED, 2580)
    session.verdict()


def test_a_run_in_which_nothing_gets_through_is_stopped_in_its_middle(session):
    refuse(session, MOST_REFUSED_IN_A_ROW)
    session.check_failures()
    session.tally.count("contact", "good", Outcome.CREATED)
    refuse(session, MOST_REFUSED_IN_A_ROW)
    session.check_failures()
    session.tally.count("contact", "bad", Outcome.PARKED, "nei")
    with pytest.raises(TooManyFailuresError, match=r"1001 records in a row were refused.*First: c0: nei"):
        session.check_failures()


def test_records_that_an_earlier_run_saw_refused_stop_no_run(session):
    for number in range(MOST_REFUSED_IN_A_ROW + 1):
        session.tally.count("contact", f"c{number}", Outcome.PARKED)
    session.check_failures()


def test_a_store_that_is_behind_the_tap_tells_what_was_written_before_that_was_known(session):
    behind = {"as_of": "2026-01-02T12:00:00.000Z"}
    with pytest.raises(BehindTheTapError, match=r"Nothing was written\. Run again with --full-refresh"):
        session.starts_from("contact", behind)
    session.tally.count_many("customer", Outcome.CREATED, 800)
    with pytest.raises(BehindTheTapError, match=r"Before that, the run had written 800 records\. Run again"):
        session.starts_from("contact", behind)
