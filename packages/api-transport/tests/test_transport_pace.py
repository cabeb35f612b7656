"""What an API allows in a period is shared with others: it is spent ever more slowly, and never to the end."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from api_transport import Transport
from api_transport.pace import Pace
from api_transport.rate_limit import RateLimit
from api_transport.testing import Clock, Said, serving


class Api:
    """Allows so many requests in a period."""

    def __init__(self, clock, limit, period=60):
        self.clock, self.limit, self.period = clock, limit, period
        self.used = {}
        self.lock = threading.Lock()

    def __call__(self, _):
        with self.lock:
            number = int(self.clock() // self.period)
            self.used[number] = self.used.get(number, 0) + 1
            left = max(0, self.limit - self.used[number])
            reset = self.period - self.clock() % self.period
        headers = {
            "X-Rate-Limit-Limit": str(self.limit),
            "X-Rate-Limit-Remaining": str(left),
            "X-Rate-Limit-Reset": str(reset),
        }
        return Said({}, 429 if self.used[number] > self.limit else 200, headers)


@pytest.mark.parametrize("threads", [1, 6])
def test_the_last_tenth_of_a_period_is_left_to_others(threads):
    clock = Clock()
    api = Api(clock, 50)
    with serving(api) as server, ThreadPoolExecutor(threads) as pool:
        transport = Transport(server.url, user_agent="test", sleep=clock.sleep, clock=clock)
        answers = list(pool.map(lambda _: transport.send("GET", "/").status, range(120)))
    assert answers == [200] * 120
    assert sum(api.used.values()) == 120
    assert max(api.used.values()) == 45
    assert transport.pace.waited == transport.waited == sum(clock.slept) == 120
    assert transport.waits == len(clock.slept)


class Sparing(Api):
    """Allows so many requests in a period, tells nobody, and counts those that it refuses."""

    refused = 0

    def __call__(self, asked):
        said = super().__call__(asked)
        self.refused += said.status == 429
        return Said({}, said.status)


def test_a_limit_that_is_not_told_and_shared_with_others_raises_no_storm_and_loses_nothing():
    clock = Clock()
    api = Sparing(clock, 20, period=1)
    with serving(api) as server, ThreadPoolExecutor(8) as pool:
        # Three programs with one token, each with many requests to make at a time.
        transports = [
            Transport(server.url, user_agent="test", sleep=clock.sleep, clock=clock, max_elapsed=10_000)
            for _ in range(3)
        ]
        answers = list(pool.map(lambda number: transports[number % 3].send("GET", "/").status, range(120)))
    assert answers == [200] * 120
    assert api.refused < 40


def test_after_a_refusal_nobody_sends_for_a_while_then_fewer_at_a_time_then_more_again():
    clock = Clock()
    pace = Pace(clock.sleep, clock)
    with ExitStack() as under_way:
        for _ in range(8):
            under_way.enter_context(pace.turn())
        pace.refused(2.0)
        pace.refused(1.5)  # another of the same moment
    assert clock.slept == []
    with pace.turn():
        assert clock.slept == [2.0]
    assert pace._at_a_time(None) == 4
    for _ in range(5):
        pace.answered()
    assert pace._at_a_time(None) == 5


def test_nothing_waits_where_the_api_says_nothing():
    clock = Clock()
    with serving(lambda _: Said({})) as server:
        transport = Transport(server.url, user_agent="test", sleep=clock.sleep, clock=clock)
        for _ in range(30):
            transport.send("GET", "/")
    assert clock.slept == []


def test_a_period_that_has_ended_is_not_waited_for():
    clock = Clock()
    pace = Pace(clock.sleep, clock)
    pace.note(RateLimit(limit=100, remaining=0, reset_seconds=7))
    clock.now = 8
    with pace.turn():
        assert clock.slept == []


@pytest.mark.parametrize(("remaining", "at_a_time"), [(100, 20), (50, 6), (40, 5), (30, 3), (15, 1), (11, 1)])
def test_fewer_go_at_a_time_as_the_period_runs_out(remaining, at_a_time):
    clock = Clock()
    pace = Pace(clock.sleep, clock)
    pace.note(RateLimit(limit=100, remaining=remaining, reset_seconds=60))
    through, lock, done = [], threading.Lock(), threading.Event()

    def go(number):
        with pace.turn():
            with lock:
                through.append(number)
            done.wait(30)

    threads = [threading.Thread(target=go, args=(number,), daemon=True) for number in range(20)]
    for one in threads:
        one.start()
    # Those that got through stay until all others wait.
    for _ in range(3000):
        waiting = len(getattr(pace._changed, "_waiters", ()))
        if waiting + len(through) == 20:
            break
        done.wait(0.01)
    assert len(through) == at_a_time
    pace.note(RateLimit(limit=100, remaining=100, reset_seconds=60))
    done.set()
    for one in threads:
        one.join(30)
    assert len(through) == 20
