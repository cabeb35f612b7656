"""Several calls in flight."""

from __future__ import annotations

import threading

import pytest
from api_transport.concurrency import InFlight, in_order

ENOUGH_S = 20


class Meeting:
    """A call that ends when as many are inside as shall be, and tells how many ever were."""

    def __init__(self, parties):
        self._together = threading.Barrier(parties, timeout=ENOUGH_S)
        self._lock = threading.Lock()
        self._inside = 0
        self.most = 0

    def __call__(self):
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self._together.wait()
        with self._lock:
            self._inside -= 1
        return [1]


@pytest.mark.parametrize("limit", [1, 2, 8])
def test_results_come_in_the_order_of_the_calls(limit):
    assert list(in_order([lambda number=number: number for number in range(50)], limit)) == list(range(50))


def test_as_many_calls_are_in_flight_as_may_be_and_no_more():
    meeting = Meeting(4)
    assert len(list(in_order([meeting] * 12, 4))) == 12
    assert meeting.most == 4


@pytest.mark.parametrize("limit", [1, 4])
def test_a_call_whose_result_is_awaited_counts_among_those_in_flight(limit):
    one_too_many = threading.Event()
    calls = [lambda: one_too_many.wait(0.1), *[bool] * (limit - 1), one_too_many.set]
    assert list(in_order(calls, limit)) == [False] * limit + [None]


def test_results_that_are_there_come_together():
    done = [threading.Event() for _ in range(3)]

    def first():
        # The others are there before it.
        for event in done:
            assert event.wait(ENOUGH_S)
        return ["first"]

    def other(event):
        event.set()
        return ["other", "another"]

    calls = [first, *(lambda event=event: other(event) for event in done)]
    results = list(InFlight(2).begin(calls))
    assert [one for some in results for one in some] == ["first", *["other", "another"] * 3]
    assert len(results) < 4


def test_calls_are_under_way_before_their_results_are_asked_for():
    made = threading.Event()
    results = InFlight(2).begin([lambda: [made.set()]])
    assert made.wait(ENOUGH_S)
    assert list(results) == [[None]]


def test_whoever_asks_no_more_calls_are_in_flight_than_may_be():
    meeting = Meeting(2)
    in_flight = InFlight(2)
    begun = [in_flight.begin([meeting] * 4), in_flight.begin([meeting] * 4)]
    assert sum(one for results in begun for some in results for one in some) == 8
    assert meeting.most == 2


def test_with_one_at_a_time_nothing_is_called_before_its_result_is_asked_for():
    made = []
    results = InFlight(1).begin([lambda: [made.append(1)], lambda: [made.append(2)]])
    assert made == []
    next(results)
    assert made == [1]


def refuse():
    raise ValueError("no")


def test_a_call_that_fails_is_told_behind_the_results_before_it_and_ends_the_others():
    begun, go_on, made = threading.Event(), threading.Event(), []

    def under_way():
        begun.set()
        assert go_on.wait(ENOUGH_S)
        made.append("under way")
        return []

    def fail():
        assert begun.wait(ENOUGH_S)
        go_on.set()
        refuse()

    results = InFlight(2).begin([lambda: ["first"], fail, under_way, *[lambda: [made.append("late")]] * 50])
    assert next(results) == ["first"]
    with pytest.raises(ValueError, match="no"):
        next(results)
    assert "under way" in made
    assert made.count("late") < 50
    assert list(results) == []


def test_calls_not_under_way_are_not_made_once_they_are_let_go_of():
    go_on, made = threading.Event(), []
    results = InFlight(2).begin([*[lambda: [go_on.wait(ENOUGH_S)]] * 2, *[lambda: [made.append(1)]] * 50])
    threading.Timer(0.05, go_on.set).start()
    results.close()
    assert len(made) < 50


@pytest.mark.parametrize("limit", [1, 3])
def test_an_exception_comes_where_the_result_would_have_come(limit):
    made = []

    def call(number):
        made.append(number)
        if number == 5:
            raise ValueError("five")
        return number

    came = []
    with pytest.raises(ValueError, match="five"):
        came.extend(in_order((lambda number=number: call(number) for number in range(100)), limit))
    assert came == [0, 1, 2, 3, 4]
    assert len(made) < 100


def test_calls_not_begun_are_not_made_once_nobody_waits_for_results():
    made = []
    results = in_order((lambda number=number: made.append(number) for number in range(100)), 2)
    next(results)
    results.close()
    assert len(made) < 100
