"""Several calls in flight."""

from __future__ import annotations

import threading

import pytest
from api_transport.concurrency import as_ready, in_order

ENOUGH_S = 20


@pytest.mark.parametrize("limit", [1, 2, 8])
def test_results_come_in_the_order_of_the_calls(limit):
    assert list(in_order([lambda number=number: number for number in range(50)], limit)) == list(range(50))


def test_as_many_calls_are_in_flight_as_may_be_and_no_more():
    together = threading.Barrier(4, timeout=ENOUGH_S)
    lock, inside, most = threading.Lock(), 0, 0

    def call():
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        together.wait()
        with lock:
            inside -= 1

    assert len(list(in_order([call] * 12, 4))) == 12
    assert most == 4


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
        return "first"

    def other(event):
        event.set()
        return "other"

    calls = [first, *(lambda event=event: other(event) for event in done)]
    results = list(as_ready(calls, 2))
    assert [one for some in results for one in some] == ["first", *["other"] * 3]
    assert len(results) < 4


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
    assert not [one for one in threading.enumerate() if one.name.startswith("in-flight")]
