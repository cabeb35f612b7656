"""A signal ends a plug-in between two pieces of work, and never hides what went wrong."""

import pytest
from singer_edge.stop import Stop

TERM, CODE = 15, 143


def test_outside_of_work_it_leaves_at_once():
    with pytest.raises(SystemExit, match=str(CODE)):
        Stop().request(TERM)


def working(stop, work):
    with stop:
        work()


def test_work_is_done_to_its_end_and_what_is_under_way_is_finished():
    done = []
    stop = Stop(before_leaving=lambda: done.append("finished"))

    def work():
        working(stop, lambda: stop.request(TERM))
        done.append("worked")

    with pytest.raises(SystemExit, match=str(CODE)):
        working(stop, work)
    assert done == ["worked", "finished"]


def test_a_second_signal_is_not_waited_for():
    stop, done = Stop(), []

    def work():
        stop.request(TERM)
        stop.request(TERM)
        done.append("never")

    with pytest.raises(SystemExit, match=str(CODE)):
        working(stop, work)
    assert done == []


def test_an_error_of_the_work_goes_before_the_signal():
    stop = Stop(before_leaving=lambda: pytest.fail("nothing can be finished after an error"))

    def work():
        stop.request(TERM)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        working(stop, work)


def test_an_error_of_what_is_finished_goes_before_the_signal():
    def refused():
        raise ZeroDivisionError

    stop = Stop(before_leaving=refused)
    with pytest.raises(ZeroDivisionError):
        working(stop, lambda: stop.request(TERM))
