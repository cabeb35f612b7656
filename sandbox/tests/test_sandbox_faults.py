"""The request log, the fault hooks, and what the sandbox offers beside the APIs."""

import threading

import pytest
import requests
from sandbox.caller import Caller

import sandbox
from sandbox import Fault


@pytest.fixture(scope="module")
def server():
    with sandbox.running(data="empty") as systems:
        yield systems


@pytest.fixture
def tlx(server):
    server.clear()
    return server.tripletex


@pytest.fixture
def api(tlx):
    caller = Caller(tlx)
    tlx.clear_requests()
    return caller


def writes(seen):
    return seen.method == "POST"


def test_every_request_and_its_answer_are_logged(api, tlx):
    api.call("POST", "/customer", {"name": "Æra AS"})
    api.call("GET", "/customer", fields="id", count=5)
    post, get = tlx.requests
    assert (post.method, post.path, post.status, post.body) == ("POST", "/v2/customer", 201, {"name": "Æra AS"})
    assert post.response_body["value"]["name"] == "Æra AS"
    assert post.response_headers["x-tlx-request-id"]
    assert (post.is_write, get.is_write, get.carried_out, get.fault) == (True, False, True, None)
    assert (get.query, get.params) == ("fields=id&count=5", {"fields": ["id"], "count": ["5"]})
    assert post.number < get.number
    assert post.started_at <= get.started_at


def test_the_log_holds_no_secrets(tlx):
    tlx.clear_requests()
    api = Caller(tlx)
    secret = api.auth[1]
    api.call("GET", "/customer")
    api.call("DELETE", f"/token/session/{secret}")
    api.call("PUT", "/token/session/:create", consumerToken=tlx.consumer_token, employeeToken=tlx.employee_token)
    api.call("POST", "/token/session/:createFromRefreshToken", {"refreshToken": tlx.refresh_token, "ttlSeconds": 600})
    told = requests.get(f"{tlx.address}/_sandbox/requests", timeout=60).text
    assert len(tlx.requests) == 5
    for word in (secret, tlx.consumer_token, tlx.employee_token, tlx.refresh_token, *tlx.session_tokens, "Basic M"):
        assert word not in told
    assert not any(seen.is_write for seen in tlx.requests)


def test_a_request_dropped_before_was_not_carried_out(api, tlx):
    tlx.before = lambda seen: Fault.drop() if writes(seen) else None
    with pytest.raises(requests.ConnectionError):
        api.call("POST", "/customer", {"name": "A"})
    assert api.expect(200, "GET", "/customer")["values"] == []
    assert (tlx.requests[0].status, tlx.requests[0].carried_out, tlx.requests[0].fault) == (None, False, "drop")


@pytest.mark.parametrize("hook", ["before", "after"])
def test_an_answer_dropped_afterwards_leaves_the_request_carried_out(api, tlx, hook):
    setattr(tlx, hook, lambda seen: Fault.drop_answer() if writes(seen) else None)
    with pytest.raises(requests.ConnectionError):
        api.call("POST", "/customer", {"name": "A"})
    assert tlx.count("customer") == 1
    assert (tlx.requests[0].status, tlx.requests[0].carried_out) == (None, True)


def test_another_answer_comes_instead_or_after_the_deed(api, tlx):
    tlx.before = lambda seen: Fault.answer(503, {"oh": "no"}, {"Retry-After": "3"}) if writes(seen) else None
    answer = api.call("POST", "/customer", {"name": "A"})
    assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (503, {"oh": "no"}, "3")
    assert tlx.count("customer") == 0
    tlx.before, tlx.after = None, tlx.before
    assert api.call("POST", "/customer", {"name": "A"}).status_code == 503
    assert tlx.count("customer") == 1
    assert tlx.requests[-1].status == 503
    tlx.after = lambda _: Fault.answer(200, "<html>hei</html>")
    page = api.call("GET", "/customer")
    assert (page.text, page.headers["Content-Type"]) == ("<html>hei</html>", "text/html; charset=utf-8")


def test_a_delay_holds_a_request_until_it_is_let_go(api, tlx):
    arrived, let_go = threading.Event(), threading.Event()

    def hold(seen):
        if not writes(seen):
            return None
        arrived.set()
        return Fault.delay(let_go)

    tlx.before = hold
    thread = threading.Thread(target=api.call, args=("POST", "/customer", {"name": "A"}))
    thread.start()
    assert arrived.wait(10)
    assert Caller(tlx).expect(200, "GET", "/customer")["values"] == []
    let_go.set()
    thread.join(10)
    assert tlx.count("customer") == 1


def test_a_delay_may_be_followed_by_another_fault(api, tlx):
    event = threading.Event()
    event.set()
    tlx.after = lambda _: Fault.delay(event, then=Fault.drop_answer())
    with pytest.raises(requests.ConnectionError):
        api.call("POST", "/customer", {"name": "A"})
    assert tlx.count("customer") == 1


def test_a_hook_may_use_the_system_while_the_request_waits(api, tlx):
    """As when a user edits a record between a read and the write that follows."""
    customer = api.expect(201, "POST", "/customer", {"name": "A"})["value"]["id"]
    other = Caller(tlx)

    def edit(seen):
        if seen.method == "PUT":
            other.expect(200, "GET", f"/customer/{customer}")
            tlx.edit("customer", customer, name="B")

    tlx.before = edit
    assert api.expect(409, "PUT", f"/customer/{customer}", {"version": 0, "name": "C"})["code"] == 8000


def test_users_operations_go_over_http_too_and_are_in_no_log(api, tlx):
    control = f"{tlx.address}/_sandbox/records/customer"
    made = requests.post(control, json={"name": "A"}, timeout=60).json()
    edited = requests.patch(f"{control}/{made['id']}", json={"name": "B"}, timeout=60)
    assert edited.json()["version"] == 2
    assert requests.get(control, timeout=60).json() == tlx.all("customer")
    refused = requests.patch(f"{control}/{made['id']}", json={"email": "feil"}, timeout=60)
    assert (refused.status_code, "Ugyldig e-postadresse" in refused.text) == (422, True)
    assert requests.delete(f"{control}/{made['id']}", timeout=60).status_code == 204
    assert requests.get(f"{tlx.address}/_sandbox/records/kunde", timeout=60).status_code == 400
    assert tlx.requests == []
    assert tlx.count("customer") == 0


def test_the_log_is_read_and_cleared_over_http(api, tlx):
    api.call("GET", "/customer")
    control = f"{tlx.address}/_sandbox/requests"
    assert [each["path"] for each in requests.get(control, timeout=60).json()] == ["/v2/customer"]
    assert requests.post(f"{control}/clear", timeout=60).status_code == 204
    assert requests.get(control, timeout=60).json() == []


def test_requests_from_many_threads_are_atomic(tlx):
    customer = tlx.create("customer", name="A")["id"]
    tlx.allowance.limit = 100_000

    def add():
        caller = Caller(tlx)
        for _ in range(10):
            while True:
                seen = caller.expect(200, "GET", f"/customer/{customer}")["value"]
                body = {"version": seen["version"], "invoicesDueIn": seen["invoicesDueIn"] + 1}
                if caller.call("PUT", f"/customer/{customer}", body).status_code == 200:
                    break

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = tlx.get("customer", customer)
    assert (after["invoicesDueIn"], after["version"]) == (14 + 40, 41)
