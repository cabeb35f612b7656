"""How an API tells what it allows: by headers of any name, with the next period told in any of four ways."""

import time

import pytest
from api_transport import RateHeaders, RateLimited, Transport
from api_transport.error_text import read_error
from api_transport.errors import AccessDenied
from api_transport.rate_limit import RateLimit, asked_wait, rate_limit
from api_transport.retry import TOO_MANY
from api_transport.testing import Clock, Said, serving
from api_transport.verdict import Hints, Judge

DATE = {"Date": "Wed, 21 Oct 2026 07:28:00 GMT"}
NOW = 1_792_567_680


def named(reset_is):
    return RateHeaders("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", reset_is)


@pytest.mark.parametrize(
    ("reset_is", "said", "wait"),
    [
        ("seconds", "7", 7),
        ("seconds", " 1.5 ", 1.5),
        ("milliseconds", "10000", 10),
        ("epoch", str(NOW + 7), 7),
        ("epoch", f"{NOW + 7}.0", 7),
        ("epoch", str(NOW - 7), 0),
        ("epoch_ms", str(1000 * NOW + 250), 0.25),
        ("seconds", str(NOW), None),
        ("epoch", str(1000 * NOW), None),
        ("seconds", "soon", None),
        ("epoch", "-5", None),
        ("epoch_ms", "", None),
    ],
)
def test_the_next_period_is_told_in_any_of_four_ways(reset_is, said, wait):
    headers = {"X-RateLimit-Limit": "80", "X-RateLimit-Remaining": "3", "X-RateLimit-Reset": said, **DATE}
    assert rate_limit(headers, named(reset_is)) == RateLimit(80, 3, wait)
    assert asked_wait(headers, named(reset_is)) == wait
    assert asked_wait({**headers, "Retry-After": "3"}, named(reset_is)) == 3
    assert rate_limit(headers) is None


def test_a_time_is_measured_by_our_clock_where_the_server_tells_none():
    wait = asked_wait({"X-RateLimit-Reset": str(time.time() + 100)}, named("epoch"))
    assert wait is not None
    assert 90 < wait <= 100


@pytest.mark.parametrize("rate", [None, named("seconds")])
def test_a_limit_under_other_names_is_kept_to(rate):
    """Of ten a minute one is left to others; without the names all ten are spent."""
    clock, used = Clock(), []

    def respond(_):
        period = int(clock() // 60)
        used.append(period)
        told = (10, 10 - used.count(period), 60 - clock() % 60)
        names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
        return Said({}, headers=dict(zip(names, map(str, told), strict=True)))

    with serving(respond) as server:
        options = {} if rate is None else {"rate": rate}
        transport = Transport(server.url, user_agent="test", sleep=clock.sleep, clock=clock, **options)
        for _ in range(10):
            transport.send("GET", "/")
    assert max(used.count(period) for period in used) == (10 if rate is None else 9)


@pytest.mark.parametrize("status", [200, 400, 403, 500, 503])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_that_says_not_now_in_its_own_way_is_waited_out_like_429(method, status):
    clock = Clock()
    judge = Judge(read_error, Hints(), frozenset({500}), lambda reply: reply.status == TOO_MANY or b"BUSY" in reply.raw)
    busy = Said({"code": "BUSY"}, status, {"Retry-After": "9"})
    answers = [busy, busy, Said({"done": True})]
    with serving(lambda _: answers.pop(0)) as server:
        transport = Transport(server.url, user_agent="test", sleep=clock.sleep, clock=clock)
        assert transport.send(method, "/", json={}, judge=judge).body == {"done": True}
        assert len(server.asked) == 3
    assert all(9 <= slept <= 10 for slept in clock.slept)
    with serving(lambda _: busy) as server:
        transport = Transport(server.url, user_agent="test", sleep=clock.sleep, clock=clock, max_elapsed=20)
        with pytest.raises(RateLimited, match="too many requests, the API asks to wait 9 s") as told:
            transport.send(method, "/", json={}, judge=judge)
        assert told.value.status == status
        if status == 403:
            with pytest.raises(AccessDenied):
                transport.send(method, "/", json={})
