"""Session tokens, companies and the request allowance of the sandbox's Tripletex."""

from datetime import datetime, timedelta, timezone

import pytest
import requests
from sandbox.caller import Caller

import sandbox
from sandbox import Variant

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def server():
    with sandbox.running(data="empty") as systems:
        yield systems


@pytest.fixture
def tlx(server):
    server.clear()
    server.tripletex.clock.freeze(NOON)
    return server.tripletex


def ask_for_token(tlx, method="POST", **changed):
    said = {
        "consumerToken": tlx.consumer_token,
        "employeeToken": tlx.employee_token,
        "expirationDate": "2026-03-04",
        **changed,
    }
    where = {"params": said} if method == "PUT" else {"json": said}
    return requests.request(method, f"{tlx.api_url}/token/session/:create", **where, timeout=60)


def ask_by_api_token(tlx, **changed):
    said = {"refreshToken": tlx.refresh_token, "ttlSeconds": 3600, **changed}
    return requests.post(f"{tlx.api_url}/token/session/:createFromRefreshToken", json=said, timeout=60)


def ask(tlx, company, token):
    return requests.get(f"{tlx.api_url}/token/session/>whoAmI", auth=(company, token), timeout=60)


@pytest.mark.parametrize(("method", "status"), [("POST", 201), ("PUT", 200)])
def test_a_session_needs_both_secrets_and_a_date_to_come(tlx, method, status):
    answer = ask_for_token(tlx, method)
    assert answer.status_code == status
    assert answer.json()["value"]["expirationDate"] == "2026-03-04"
    for secret in ("consumerToken", "employeeToken"):
        refused = ask_for_token(tlx, method, **{secret: "feil"})
        assert (refused.status_code, refused.json()["code"]) == (401, 3000)
        assert ask_for_token(tlx, method, **{secret: None}).status_code == 422
    for date in ("2026-03-02", "i morgen", "2026-02-30"):
        assert ask_for_token(tlx, method, expirationDate=date).status_code == 422


def test_a_session_by_post_takes_the_secrets_in_the_body_only(tlx):
    secrets = {"consumerToken": tlx.consumer_token, "employeeToken": tlx.employee_token, "expirationDate": "2026-03-04"}
    address = f"{tlx.api_url}/token/session/:create"
    assert requests.post(address, params=secrets, json={}, timeout=60).status_code == 422
    assert len(tlx.tolerated) == 3
    assert ask_for_token(tlx, farge="blå").json()["code"] == 16000


def test_a_session_of_an_api_token_lasts_as_long_as_was_asked_for(tlx):
    answer = ask_by_api_token(tlx, ttlSeconds=600)
    token = answer.json()["value"]["token"]
    assert answer.status_code == 201
    tlx.clock.advance(timedelta(seconds=599))
    assert ask(tlx, "0", token).status_code == 200
    tlx.clock.advance(timedelta(seconds=1))
    assert ask(tlx, "0", token).status_code == 401


@pytest.mark.parametrize(
    ("changed", "status"),
    [({"refreshToken": "feil"}, 401), ({"ttlSeconds": 299}, 422), ({"ttlSeconds": 28_801}, 422), ({"ttl": 1}, 422)],
)
def test_a_session_of_an_api_token_needs_the_token_and_a_time_that_is_allowed(tlx, changed, status):
    assert ask_by_api_token(tlx, **changed).status_code == status


@pytest.mark.parametrize("ask", [ask_for_token, ask_by_api_token])
def test_a_second_session_of_a_token_at_the_same_moment_may_be_refused_with_409(tlx, ask):
    tlx.sessions.apart = 600.0
    assert ask(tlx).status_code in (200, 201)
    refused = ask(tlx)
    assert (refused.status_code, refused.json()["code"]) == (409, 8000)
    assert len(tlx.session_tokens) == 1
    tlx.sessions.apart = 0.0
    assert ask(tlx).status_code in (200, 201)


def test_a_token_dies_at_its_date_in_norway(tlx):
    token = ask_for_token(tlx).json()["value"]["token"]
    tlx.clock.freeze(datetime(2026, 3, 3, 22, 59, 59, tzinfo=timezone.utc))
    assert ask(tlx, "0", token).status_code == 200
    tlx.clock.freeze(datetime(2026, 3, 3, 23, 0, tzinfo=timezone.utc))
    refused = ask(tlx, "0", token)
    assert (refused.status_code, refused.json()["code"]) == (401, 3000)


def test_a_session_ends_when_it_is_deleted_or_made_to(tlx):
    token, other = (ask_for_token(tlx).json()["value"]["token"] for _ in range(2))
    assert tlx.session_tokens == [token, other]
    address = f"{tlx.api_url}/token/session/{token}"
    assert requests.delete(address, auth=("0", token), timeout=60).status_code == 204
    assert ask(tlx, "0", token).status_code == 401
    assert ask(tlx, "0", other).status_code == 200
    tlx.expire_sessions()
    assert ask(tlx, "0", other).status_code == 401


def test_the_company_is_the_employees_own_or_403(tlx):
    token = ask_for_token(tlx).json()["value"]["token"]
    for company in ("", "0", str(tlx.company_id)):
        value = ask(tlx, company, token).json()["value"]
        assert (value["companyId"], value["employeeId"]) == (tlx.company_id, 2001)
    refused = ask(tlx, "77", token)
    assert (refused.status_code, refused.json()["code"]) == (403, 9000)
    companies = requests.get(f"{tlx.api_url}/company/>withLoginAccess", auth=("0", token), timeout=60).json()
    assert [each["id"] for each in companies["values"]] == [tlx.company_id]


@pytest.mark.parametrize("header", [None, "Bearer x", "Basic !!", "Basic AAAA", "Basic"])
def test_a_request_without_a_session_is_401(tlx, header):
    headers = {"Authorization": header} if header else {}
    refused = requests.get(f"{tlx.api_url}/customer", headers=headers, timeout=60)
    assert (refused.status_code, refused.json()["code"]) == (401, 3000)
    assert refused.headers["x-tlx-request-id"] == refused.json()["requestId"]


def test_the_headers_tell_how_many_requests_are_left(tlx):
    tlx.allowance.limit, tlx.allowance.period = 3, timedelta(seconds=60)
    api = Caller(tlx)
    api.call("GET", "/customer")
    tlx.clock.advance(timedelta(seconds=20))
    headers = api.call("GET", "/customer").headers
    told = [headers[f"X-Rate-Limit-{name}"] for name in ("Limit", "Remaining", "Reset")]
    assert told == ["3", "1", "40"]


def test_all_sessions_of_an_employee_token_share_a_hundred_requests_a_second(tlx):
    tlx.clock.run()
    one, other = Caller(tlx), Caller(tlx)
    headers = one.call("GET", "/customer").headers
    assert [headers[f"X-Rate-Limit-{name}"] for name in ("Limit", "Remaining", "Reset")] == ["100", "99", "1"]
    tlx.allowance.period = timedelta(seconds=60)
    tlx.allowance.limit = 3
    statuses = [api.call("GET", "/customer").status_code for api in (one, other, one, other)]
    assert statuses[-1] == 429
    token = ask_by_api_token(tlx).json()["value"]["token"]
    assert ask(tlx, "0", token).status_code == 200  # another token


def test_a_429_may_say_nothing_of_the_allowance(tlx):
    tlx.variant = Variant("rate-headers=untold")
    tlx.allowance.limit, tlx.allowance.period = 1, timedelta(seconds=60)
    api = Caller(tlx)
    told = [
        (answer.status_code, "X-Rate-Limit-Reset" in answer.headers)
        for answer in (api.call("GET", "/customer") for _ in range(2))
    ]
    assert told == [(200, True), (429, False)]


def test_past_the_limit_every_request_is_429_until_the_period_ends(tlx):
    tlx.allowance.limit, tlx.allowance.period = 1, timedelta(seconds=60)
    api = Caller(tlx)
    assert [api.call("GET", "/customer").status_code for _ in range(3)] == [200, 429, 429]
    refused = api.call("POST", "/customer", {"name": "A"})
    assert (refused.status_code, refused.json()["status"]) == (429, 429)
    assert refused.headers["X-Rate-Limit-Remaining"] == "0"
    assert tlx.count("customer") == 0
    tlx.clock.advance(timedelta(seconds=60))
    assert api.call("GET", "/customer").status_code == 200


def test_the_date_header_shows_the_systems_own_clock(tlx):
    api = Caller(tlx)
    tlx.clock.offset = timedelta(minutes=-7)
    assert api.call("GET", "/customer").headers["Date"] == "Mon, 02 Mar 2026 11:53:00 GMT"
