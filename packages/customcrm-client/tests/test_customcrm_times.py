"""Times as CRMs write them, and as their filters take them."""

from datetime import datetime, timezone

import pytest
from customcrm_client.paths import ABSENT, WrongPath, every, first
from customcrm_client.times import asked_as, reader

MOMENT = datetime(2026, 3, 1, 23, 30, 5, 123_900, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("form", "inclusive", "exclusive"),
    [
        ("rfc3339", "2026-03-01T23:30:05.123Z", "2026-03-01T23:30:05.122Z"),
        ("rfc3339_seconds", "2026-03-01T23:30:05Z", "2026-03-01T23:30:04Z"),
        ("epoch", 1772407805, 1772407804),
        ("epoch_ms", 1772407805123, 1772407805122),
        # A date and a pattern tell no zone: they are the CRM's, where the next day has begun.
        ("date", "2026-03-02", "2026-03-01"),
        ("%Y/%m/%d %H:%M:%S", "2026/03/02 00:30:05", "2026/03/02 00:30:04"),
    ],
)
def test_a_moment_is_cut_and_never_rounded_up(form, inclusive, exclusive):
    assert asked_as(MOMENT, form, inclusive=True, zone="Europe/Oslo") == inclusive
    assert asked_as(MOMENT, form, inclusive=False, zone="Europe/Oslo") == exclusive


@pytest.mark.parametrize(
    ("form", "zone", "said", "read"),
    [
        ("rfc3339", "UTC", "2026-03-01T12:00:00.123Z", "2026-03-01T12:00:00.123Z"),
        ("rfc3339", "UTC", "2026-03-01T13:00:00.123456+01:00", "2026-03-01T12:00:00.123456Z"),
        ("rfc3339", "Europe/Oslo", "2026-03-01T13:00:00", "2026-03-01T12:00:00Z"),
        ("date", "Europe/Oslo", "2026-03-01", "2026-02-28T23:00:00Z"),
        ("epoch", "UTC", 1772366400, "2026-03-01T12:00:00.000Z"),
        ("epoch_ms", "UTC", "1772366400123", "2026-03-01T12:00:00.123Z"),
        ("%d.%m.%Y %H:%M", "Europe/Oslo", "01.03.2026 13:00", "2026-03-01T12:00:00.000Z"),
        ("rfc3339", "UTC", "soon", "soon"),
        ("epoch", "UTC", "soon", "soon"),
        ("%Y", "UTC", 5, 5),
    ],
)
def test_a_time_is_read_into_rfc_3339_and_what_is_none_is_left(form, zone, said, read):
    assert reader(form, zone)(said) == read


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", {"a": {"b": [{"c": 1}, {"c": None}], "x y": 2}}),
        ("a.b[0].c", 1),
        ("$.a.b[1].c", None),
        ("a.b[2].c", ABSENT),
        ("a.c.d", ABSENT),
        ("$.a['x y']", 2),
        ("$.a.b[*].c", 1),
    ],
)
def test_a_path_finds_its_first_value(path, found):
    assert first(path)({"a": {"b": [{"c": 1}, {"c": None}], "x y": 2}}) == found


def test_a_path_may_find_several_values():
    assert every("$.groups[*].rows")({"groups": [{"rows": [1]}, {"rows": []}]}) == [[1], []]
    assert every("rows")({"groups": 1}) == []
    with pytest.raises(WrongPath):
        first("a[?")


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("rfc3339", "9999-12-31T23:59:59-10:00"),
        ("rfc3339", "0001-01-01T00:00:00+02:00"),
        ("rfc3339", "9999-12-31 23:59:59"),
        ("%Y-%m-%d %H:%M", "9999-12-31 23:59"),
        ("epoch", 10**20),
    ],
)
def test_a_time_beyond_what_a_calendar_holds_passes_as_it_is(form, value):
    assert reader(form, "America/New_York")(value) == value
