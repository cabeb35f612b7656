"""What is sent again, what never is, and for how long."""

import socket
import time
from datetime import datetime, timedelta, timezone

import pytest
import requests
from api_transport import Conflict, OutcomeUnknown, RateLimited, ServerFailed, Transport, Unreachable
from api_transport.retry import PERIOD, Failure, failure_of, is_idempotent, waits
from api_transport.testing import DROP, HANG, Clock, Said, serving


def transport_to(url, clock, **options):
    return Transport(url, user_agent="test", sleep=clock.sleep, clock=clock, **options)


def answering(*answers):
    """Each answer once, the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


@pytest.mark.parametrize("trouble", [Said(status=502), Said(status=503), Said(status=504), DROP])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_idempotent_request_is_sent_again_after_passing_trouble(method, trouble):
    clock = Clock()
    with serving(answering(trouble, trouble, Said({"value": 1}))) as server:
        transport = transport_to(server.url, clock)
        answer = transport.send(method, "/thing")
    assert answer.body == {"value": 1}
    assert len(server.asked) == 3
    assert len(clock.slept) == transport.waits == 2
    assert transport.waited == sum(clock.slept)


@pytest.mark.parametrize("trouble", [Said(status=500), Said(status=502), Said(status=503), Said(status=504), DROP])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_write_that_may_have_been_carried_out_is_never_sent_again(method, trouble):
    clock = Clock()
    with serving(answering(trouble, Said({"value": 1}))) as server:
        with pytest.raises(OutcomeUnknown):
            transport_to(server.url, clock).send(method, "/thing", json={})
        assert len(server.asked) == 1
    assert clock.slept == []


def test_a_status_that_passes_for_this_request_is_waited_out_with_jitter():
    clock = Clock()
    with serving(answering(*[Said(status=409)] * 3, Said({"value": 1}))) as server:
        transport = transport_to(server.url, clock)
        assert transport.send("POST", "/thing", json={}, passing=(409,)).body == {"value": 1}
        assert len(server.asked) == 4
    assert len(set(clock.slept)) == 3
    with serving(answering(Said({"message": "no"}, 409))) as server:
        with pytest.raises(Conflict):
            transport_to(server.url, clock).send("POST", "/thing", json={}, passing=(409,))
        with pytest.raises(Conflict):
            transport_to(server.url, clock).send("PUT", "/thing", json={})
        assert len(server.asked) > 4


@pytest.mark.parametrize(
    ("trouble", "error"), [(Said(status=503), ServerFailed), (Said(status=429), RateLimited), (DROP, Unreachable)]
)
def test_a_request_to_be_sent_once_waits_for_nothing_and_is_not_sent_again(trouble, error):
    clock = Clock()
    used_up = {"X-Rate-Limit-Limit": "100", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "3600"}
    with serving(answering(Said({}, 200, used_up), trouble)) as server:
        transport = transport_to(server.url, clock)
        transport.send("GET", "/thing")
        with pytest.raises(error):
            transport.send("DELETE", "/thing", once=5)
        assert [asked.method for asked in server.asked] == ["GET", "DELETE"]
    assert clock.slept == []


def test_a_request_to_be_sent_once_has_so_many_seconds():
    with serving(lambda _: HANG) as server:
        began = time.monotonic()
        with pytest.raises(Unreachable):
            Transport(server.url, user_agent="test").send("DELETE", "/thing", once=1)
        assert time.monotonic() - began < 20


def test_a_post_whose_answer_does_not_come_in_time_is_never_sent_again():
    with serving(lambda _: HANG) as server:
        with pytest.raises(OutcomeUnknown):
            Transport(server.url, user_agent="test", timeout=(5, 0.1)).send("POST", "/thing", json={})
        assert len(server.asked) == 1


def test_a_post_on_a_kept_connection_that_the_server_closes_is_never_sent_again():
    with serving(answering(Said({}), DROP)) as server:
        transport = transport_to(server.url, Clock())
        transport.send("GET", "/thing")
        with pytest.raises(OutcomeUnknown):
            transport.send("POST", "/thing", json={})
        assert [asked.method for asked in server.asked] == ["GET", "POST"]


def test_a_post_that_found_nobody_listening_is_sent_again_and_arrives_once():
    port = free_port()
    clock = Clock()
    started = []

    def respond(_):
        return Said({"value": 1}, 201)

    class LateServer:
        def sleep(self, seconds):
            clock.sleep(seconds)
            if not started:
                started.append(serving(respond, port))
                self.server = started[0].__enter__()

    late = LateServer()
    answer = Transport(f"http://127.0.0.1:{port}", user_agent="test", sleep=late.sleep, clock=clock).send(
        "POST", "/thing", json={}
    )
    started[0].__exit__(None, None, None)
    assert answer.status == 201
    assert len(late.server.asked) == 1


def test_what_the_caller_says_about_repeating_counts_more_than_the_method():
    with serving(answering(Said(status=503), Said({}))) as server:
        transport_to(server.url, Clock()).send("PATCH", "/thing", json={}, idempotent=True)
        assert len(server.asked) == 2
    with serving(answering(Said(status=503), Said({}))) as server:
        with pytest.raises(OutcomeUnknown):
            transport_to(server.url, Clock()).send("PUT", "/thing", json={}, idempotent=False)
        assert len(server.asked) == 1
    assert not is_idempotent("post")
    assert is_idempotent("get")


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "7"},
        {"X-Rate-Limit-Reset": "7"},
        {"Retry-After": "7", "X-Rate-Limit-Reset": "99"},
        {"Retry-After": "Wed, 21 Oct 2026 07:28:07 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_too_many_requests_waits_as_long_as_the_server_asks(method, headers):
    clock = Clock()
    with serving(answering(Said(status=429, headers=headers), Said({}))) as server:
        transport_to(server.url, clock).send(method, "/thing")
        assert len(server.asked) == 2
    assert 7 <= clock.slept[0] <= 8


def test_a_wait_longer_than_the_time_allowed_is_not_waited_for():
    clock = Clock()
    with serving(lambda _: Said(status=429, headers={"Retry-After": "3600"})) as server:
        with pytest.raises(RateLimited, match="3600 s"):
            transport_to(server.url, clock).send("GET", "/thing")
        assert len(server.asked) == 1
    assert clock.slept == []


@pytest.mark.parametrize("nonsense", ["soon", "-5", "nan", "inf", "", "1e9"])
def test_a_wait_that_is_no_number_is_replaced_by_our_own(nonsense):
    clock = Clock()
    with serving(answering(Said(status=429, headers={"Retry-After": nonsense}), Said({}))) as server:
        transport_to(server.url, clock).send("GET", "/thing")
    # No sooner than in the API's next period, and not all at the same moment.
    assert PERIOD <= clock.slept[0] <= PERIOD + 1


def test_an_internal_error_is_not_sent_again():
    with serving(lambda _: Said({"message": "no luck"}, 500)) as server:
        with pytest.raises(ServerFailed, match="no luck"):
            transport_to(server.url, Clock()).send("GET", "/thing")
        assert len(server.asked) == 1


@pytest.mark.parametrize(("status", "error"), [(503, ServerFailed), (429, RateLimited)])
def test_trying_again_ends_when_the_time_allowed_is_over(status, error):
    clock = Clock()
    with serving(lambda _: Said(status=status)) as server:
        with pytest.raises(error):
            transport_to(server.url, clock, max_elapsed=100).send("GET", "/thing")
        assert len(server.asked) > 4
    assert clock.now <= 100
    assert max(clock.slept) <= 30


def test_trying_again_ends_even_where_sleeping_takes_no_time():
    with serving(lambda _: Said(status=503)) as server, pytest.raises(ServerFailed):
        Transport(server.url, user_agent="test", sleep=lambda _: None).send("GET", "/thing")


def test_a_server_that_never_answers_is_given_up_within_the_time_allowed():
    with serving(lambda _: HANG) as server:
        began = time.monotonic()
        with pytest.raises(Unreachable):
            Transport(server.url, user_agent="test", max_elapsed=0.3).send("GET", "/thing")
        assert time.monotonic() - began < 6


def test_a_body_that_breaks_off_is_no_answer():
    whole = Said({"values": []})
    half = Said('{"values": [', headers={"Content-Length": "40", "Connection": "close"})
    with serving(answering(half, whole)) as server:
        answer = transport_to(server.url, Clock(), timeout=(5, 0.2)).send("GET", "/thing")
        assert answer.body == {"values": []}
        assert len(server.asked) == 2


@pytest.fixture
def timeouts(monkeypatch):
    """The time-outs of each attempt, as the HTTP library is given them."""
    seen = []
    request = requests.Session.request

    def noted(self, *arguments, timeout, **options):
        seen.append(timeout)
        return request(self, *arguments, timeout=timeout, **options)

    monkeypatch.setattr(requests.Session, "request", noted)
    return seen


def test_a_write_that_must_not_be_repeated_is_not_cut_short_by_the_time_waited_before(timeouts):
    clock = Clock()
    with serving(answering(Said(status=429, headers={"Retry-After": "9"}), Said({}, 201))) as server:
        transport = transport_to(server.url, clock, max_elapsed=10)
        assert transport.send("POST", "/thing", json={}).status == 201
    assert timeouts == [(10, 60), (10, 60)]


def test_an_idempotent_request_gets_what_is_left_of_the_time_allowed(timeouts):
    clock = Clock()
    with serving(answering(Said(status=429, headers={"Retry-After": "6"}), Said({}))) as server:
        transport_to(server.url, clock, max_elapsed=10).send("PUT", "/thing", json={})
    assert timeouts[0] == (10, 10)
    assert 3 <= timeouts[1][1] <= 4


def test_an_address_that_never_answered_is_given_up_soon():
    clock = Clock()
    transport = transport_to(f"http://127.0.0.1:{free_port()}", clock)
    with pytest.raises(Unreachable, match="check the address in api_url"):
        transport.send("GET", "/thing")
    assert transport.requests > 2
    assert clock.now <= 15


def test_a_system_that_goes_down_is_waited_for_longer_than_an_address_that_never_answered():
    clock = Clock()
    with serving(lambda _: Said({})) as server:
        transport = transport_to(server.url, clock)
        transport.send("GET", "/thing")
        transport.close()
    with pytest.raises(Unreachable):
        transport.send("GET", "/thing")
    assert 100 < clock.now <= 300


def test_https_where_none_is_spoken_is_not_tried_again():
    with serving(lambda _: Said({})) as server:
        transport = transport_to(server.url.replace("http:", "https:"), Clock())
        with pytest.raises(Unreachable, match="does not speak HTTPS"):
            transport.send("POST", "/thing", json={})
    assert transport.requests == 1


def test_an_error_being_handled_by_the_caller_does_not_make_a_dropped_post_look_unsent():
    """Whatever the caller is just handling is the exception's context, and says nothing about this request."""
    with serving(lambda _: DROP) as server:
        transport = transport_to(server.url, Clock())
        try:
            requests.get(f"http://127.0.0.1:{free_port()}", timeout=5)
        except requests.ConnectionError:
            with pytest.raises(OutcomeUnknown):
                transport.send("POST", "/thing", json={})


def test_an_unknown_failure_counts_as_possibly_carried_out():
    assert failure_of(ConnectionResetError()) is Failure.DROPPED
    assert failure_of(RuntimeError()) is Failure.DROPPED


def test_waits_grow_and_are_jittered():
    rounds = [[next(series) for _ in range(12)] for series in (waits() for _ in range(50))]
    assert all(wait <= min(30, 0.5 * 2**step) for waited in rounds for step, wait in enumerate(waited))
    assert max(waited[-1] for waited in rounds) > 15
    assert len({waited[0] for waited in rounds}) > 10


def test_the_time_of_sending_is_that_of_the_attempt_that_was_answered():
    before = datetime.now(timezone.utc)
    with serving(answering(Said(status=503), Said({}))) as server:
        seen = []

        def sleep(_):
            seen.append(datetime.now(timezone.utc))

        answer = Transport(server.url, user_agent="test", sleep=sleep).send("GET", "/thing")
    assert before <= seen[0] <= answer.sent_at <= datetime.now(timezone.utc)
    assert answer.sent_at.utcoffset() == timedelta(0)
