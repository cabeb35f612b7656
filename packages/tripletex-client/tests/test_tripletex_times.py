"""Zone-less Norwegian times, there and back."""

from datetime import datetime, timedelta, timezone

import pytest
from api_transport import UnexpectedAnswer
from tripletex_client import created_at, modified_at, to_local_for_changed_since, to_utc
from tripletex_client.changes import Change, newest
from tripletex_client.clock import to_utc_text


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("wall", "moment"),
    [
        ("2026-01-31T12:00:00", "2026-01-31T11:00:00"),
        ("2026-07-31T12:00:00", "2026-07-31T10:00:00"),
        ("2026-07-31T12:00:00.789", "2026-07-31T10:00:00"),
        # The hour of 25 October 2026 that comes twice: its first pass.
        ("2026-10-25T01:59:59", "2026-10-24T23:59:59"),
        ("2026-10-25T02:00:00", "2026-10-25T00:00:00"),
        ("2026-10-25T02:59:59", "2026-10-25T00:59:59"),
        ("2026-10-25T03:00:00", "2026-10-25T02:00:00"),
        # The hour of 29 March 2026 that does not exist.
        ("2026-03-29T02:30:00", "2026-03-29T01:30:00"),
        ("2026-03-29T03:00:00", "2026-03-29T01:00:00"),
        # With a zone, should the API ever write one.
        ("2026-07-31T12:00:00Z", "2026-07-31T12:00:00"),
        ("2026-07-31T12:00:00+0200", "2026-07-31T10:00:00"),
        ("2026-07-31T12:00:00-01:30", "2026-07-31T13:30:00"),
    ],
)
def test_a_norwegian_time_is_its_earliest_moment(wall, moment):
    assert to_utc(wall) == utc(moment)
    assert to_utc(wall).utcoffset() == timedelta(0)


def test_the_zone_can_be_another():
    assert to_utc("2026-07-31T12:00:00", "UTC") == utc("2026-07-31T12:00:00")
    assert to_local_for_changed_since(utc("2026-07-31T12:00:00"), "Asia/Tokyo") == "2026-07-31T21:00:00"


@pytest.mark.parametrize(
    "text", ["", "2026-01-31", "31.01.2026 12:00", "2026-13-01T00:00:00", "2026-01-31T12:00:00 CET"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError):
        to_utc(text)


@pytest.mark.parametrize(
    ("moment", "asked"),
    [
        ("2026-01-31T11:00:00", "2026-01-31T12:00:00"),
        ("2026-07-31T10:00:00", "2026-07-31T12:00:00"),
        ("2026-10-24T23:59:59", "2026-10-25T01:59:59"),
        ("2026-10-25T00:30:00", "2026-10-25T01:30:00"),
        ("2026-10-25T01:30:00", "2026-10-25T01:30:00"),
        ("2026-10-25T02:00:00", "2026-10-25T03:00:00"),
        ("2026-03-29T01:00:00", "2026-03-29T03:00:00"),
    ],
)
def test_changes_are_asked_for_from_a_time_on_the_wall(moment, asked):
    assert to_local_for_changed_since(utc(moment)) == asked


def test_fractions_of_a_second_are_cut_so_that_nothing_is_passed_over():
    assert to_local_for_changed_since(utc("2026-01-31T11:00:00.999999")) == "2026-01-31T12:00:00"


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="without a time zone"):
        to_local_for_changed_since(datetime(2026, 1, 31))  # noqa: DTZ001 - that is the case


@pytest.mark.parametrize("day", ["2026-10-24T22:00:00", "2026-03-28T22:00:00", "2026-06-01T00:00:00"])
def test_asking_from_any_moment_finds_every_later_change_by_the_clock_on_the_wall(day):
    """As the API would compare: by wall time, in which the October hour is told twice."""
    start = utc(day)
    minutes = [start + timedelta(minutes=5 * n) for n in range(96)]
    told = {moment: moment.astimezone(zone()).strftime("%Y-%m-%dT%H:%M:%S") for moment in minutes}
    for since in minutes:
        asked = to_local_for_changed_since(since)
        assert all(told[later] >= asked for later in minutes if later >= since)


@pytest.mark.parametrize("day", ["2026-10-24T22:00:00", "2026-03-28T22:00:00"])
def test_a_bookmark_made_of_a_change_never_skips_a_later_change(day):
    start = utc(day)
    minutes = [start + timedelta(minutes=5 * n) for n in range(96)]
    for moment in minutes:
        bookmark = to_utc(moment.astimezone(zone()).strftime("%Y-%m-%dT%H:%M:%S"))
        assert bookmark <= moment
        asked = to_local_for_changed_since(bookmark)
        later = [m.astimezone(zone()).strftime("%Y-%m-%dT%H:%M:%S") for m in minutes if m >= moment]
        assert all(told >= asked for told in later)


def zone():
    from zoneinfo import ZoneInfo

    return ZoneInfo("Europe/Oslo")


RECORD = {
    "id": 7,
    "changes": [
        {"employeeId": 1, "timestamp": "2026-02-01T10:00:00", "changeType": "UPDATE"},
        {"employeeId": 1, "timestamp": "2026-03-01T10:00:00", "changeType": "UPDATE"},
        {"employeeId": 1, "timestamp": "2026-01-01T10:00:00", "changeType": "CREATE"},
    ],
}


def test_the_newest_change_is_when_a_record_was_modified():
    assert modified_at(RECORD) == utc("2026-03-01T09:00:00")
    assert modified_at(RECORD, "UTC") == utc("2026-03-01T10:00:00")
    assert created_at(RECORD, "Europe/Oslo") == utc("2026-01-01T09:00:00")


@pytest.mark.parametrize("record", [{}, {"changes": None}, {"changes": []}, {"changes": [{"changeType": "CREATE"}]}])
def test_a_record_that_tells_of_no_change_has_no_time(record):
    assert modified_at(record) is None
    assert created_at(record) is None


@pytest.mark.parametrize("changes", ["x", [1], [{"timestamp": "i går"}], [{"timestamp": 17}], {"timestamp": "x"}])
def test_changes_that_cannot_be_read_are_unexpected(changes):
    with pytest.raises(UnexpectedAnswer, match="record 7"):
        modified_at({"id": 7, "changes": changes})


TURNS = [(3, 8), (3, 29), (4, 5), (10, 4), (10, 25), (11, 1)]
"""Days of 2026 on which clocks are turned, here or there."""


@pytest.mark.parametrize("zone", ["Europe/Oslo", "UTC", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns"])
def test_a_time_as_text_is_the_same_moment_whatever_the_zone_s_clock_does(zone):
    begins = datetime(2026, 1, 1)  # noqa: DTZ001  a clock on a wall
    walls = [begins + timedelta(minutes=97 * step) for step in range(365 * 24 * 60 // 97)]
    for month, day in TURNS:
        walls += [datetime(2026, month, day) + timedelta(minutes=10 * step) for step in range(144)]  # noqa: DTZ001
    for wall in (f"{moment:%Y-%m-%dT%H:%M:%S}" for moment in walls):
        assert to_utc_text(wall, zone) == f"{to_utc(wall, zone):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("wall", ["2026-07-31T12:00:00.789", "2026-07-31T12:00:00Z", "2026-07-31T12:00:00+0200"])
def test_a_time_with_a_fraction_or_a_zone_as_text_is_the_same_moment_too(wall):
    assert to_utc_text(wall) == f"{to_utc(wall):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    "wall",
    ["", "soon", "2026-01-31", "2026-01-31T12:60:00", "2026-01-31T24:00:00", "2026-02-30T12:00:00"],
)
def test_what_is_no_time_is_none_as_text_either(wall):
    with pytest.raises(ValueError, match=r".") as as_moment:
        to_utc(wall)
    with pytest.raises(ValueError, match=r".") as as_text:
        to_utc_text(wall)
    assert str(as_text.value) == str(as_moment.value)


def test_the_newest_change_is_the_last_one_in_time_not_in_the_list():
    times = ["2026-03-29T03:00:00", "2026-03-29T02:30:00", None, "2026-01-01T00:00:00"]
    assert newest([Change(time) for time in times]) == "2026-03-29T01:30:00Z"
    assert newest([]) is None
