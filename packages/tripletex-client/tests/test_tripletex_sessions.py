"""How sessions are made, kept, shared and ended, with each kind of credentials."""

import base64
import gc
import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from api_transport import AccessDenied, ApiError, Refused, Transport, UnexpectedAnswer
from api_transport.testing import DROP, Said
from tripletex_client import TripletexClient, WhoAmI
from tripletex_client.credentials import ApiToken, EmployeeTokens
from tripletex_client.session import Session
from tripletex_client.testing import CONSUMER, DEAD_TOKEN, EMPLOYEE, GONE, REFRESH, envelope, running

PAGE = "<html><title>502 Bad Gateway</title></html>"
ME = Said({"value": {"companyId": 4, "employeeId": 5}})
TOKENS = EmployeeTokens(CONSUMER, EMPLOYEE)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)

KINDS = {
    "by POST": ({}, None),
    "by the deprecated PUT": ({}, envelope(405, 4000)),
    "by API token": ({"refresh_token": REFRESH}, None),
}
"""What a client is given, and what a server answers to the POST of the two tokens."""


@pytest.fixture
def tripletex():
    """A Tripletex that tells who is there."""
    with running(lambda _: ME) as tripletex:
        yield tripletex


@pytest.fixture(params=KINDS)
def client(request, tripletex):
    """A client of it, with each kind of credentials."""
    given, answer = KINDS[request.param]
    tripletex.api.before = lambda asked: answer if (asked.method, asked.path[-8:]) == ("POST", "/:create") else None
    return tripletex.client(**given)


def made(tripletex):
    """How sessions were asked for."""
    return [(one.method, one.path.rpartition("/")[2]) for one in tripletex.asked if "/:" in one.path]


# How a session is made


def test_the_first_request_makes_a_session_and_the_others_use_it(tripletex):
    client = tripletex.client()
    assert client.who_am_i() == client.who_am_i() == WhoAmI(4, 5)
    assert [(one.method, one.path) for one in tripletex.asked] == [
        ("POST", "/v2/token/session/:create"),
        ("GET", "/v2/token/session/>whoAmI"),
        ("GET", "/v2/token/session/>whoAmI"),
    ]
    assert client.transport.requests == 3
    assert tripletex.api.user == "0"
    assert tripletex.asked[0].headers["User-Agent"] == "customcrm-tripletex/0.1 (+tripletex-client)"


def test_the_company_is_the_user_name(tripletex):
    tripletex.client(company_id=77, agent="tap-x").who_am_i()
    assert tripletex.api.user == "77"
    assert tripletex.asked[0].headers["User-Agent"] == "customcrm-tripletex/0.1 (+tap-x)"


def test_the_secrets_travel_in_the_body_of_a_post(tripletex):
    tripletex.client().who_am_i()
    first = tripletex.asked[0]
    assert (first.method, first.target) == ("POST", "/v2/token/session/:create")
    assert {name: first.json[name] for name in ("consumerToken", "employeeToken")} == {
        "consumerToken": CONSUMER,
        "employeeToken": EMPLOYEE,
    }
    assert set(first.json) == {"consumerToken", "employeeToken", "expirationDate"}


@pytest.mark.parametrize("answer", [envelope(404, 6000), envelope(405, 4000), Said(PAGE, 404), Said(None, 405)])
def test_the_deprecated_put_is_used_where_there_is_no_post(tripletex, answer):
    tripletex.api.before = lambda asked: answer if asked.method == "POST" else None
    assert tripletex.client().who_am_i() == WhoAmI(4, 5)
    assert made(tripletex) == [("POST", ":create"), ("PUT", ":create")]
    assert set(tripletex.asked[1].query) == {"consumerToken", "employeeToken", "expirationDate"}


@pytest.mark.parametrize("answer", [envelope(401, 3000), envelope(403, 9000), envelope(422, 15000), Said(PAGE, 400)])
def test_the_secrets_go_into_no_address_where_the_post_is_there(tripletex, answer):
    tripletex.api.before = lambda asked: answer if asked.method == "POST" else None
    with pytest.raises(AccessDenied):
        tripletex.client().who_am_i()
    assert made(tripletex) == [("POST", ":create")]


def test_an_api_token_makes_a_session_of_its_own_kind(tripletex):
    client = tripletex.client(refresh_token=REFRESH)
    assert client.who_am_i() == WhoAmI(4, 5)
    assert made(tripletex) == [("POST", ":createFromRefreshToken")]
    said = tripletex.asked[0].json
    assert said["refreshToken"] == REFRESH
    assert set(said) == {"refreshToken", "ttlSeconds"}
    assert 300 <= said["ttlSeconds"] <= 28_800


def test_an_api_token_goes_before_other_tokens(tripletex):
    tripletex.client("another", "another", refresh_token=REFRESH).who_am_i()
    assert made(tripletex) == [("POST", ":createFromRefreshToken")]


def test_a_tripletex_that_knows_no_sessions_at_all_is_no_tripletex(tripletex, client):
    tripletex.api.before = lambda _: GONE
    with pytest.raises(UnexpectedAnswer, match="check api_url") as caught:
        client.who_am_i()
    assert not isinstance(caught.value, Refused)


# A session that others hinder


@pytest.mark.parametrize("given", [{}, {"refresh_token": REFRESH}], ids=["employee token", "API token"])
def test_a_session_refused_because_others_are_being_made_is_asked_for_again_after_waits_of_chance(tripletex, given):
    left = [envelope(409, 8000, "Revision")] * 3
    tripletex.api.before = lambda asked: left.pop() if "/:" in asked.path and left else None
    slept = []
    client = tripletex.client(**given, sleep=slept.append)
    assert client.who_am_i() == WhoAmI(4, 5)
    assert len(made(tripletex)) == 4
    assert len(set(slept)) == 3


def test_sessions_that_stay_refused_are_not_blamed_on_the_tokens_nor_on_a_record(tripletex):
    tripletex.api.before = lambda asked: envelope(409, 8000, "Revision") if "/:" in asked.path else None
    with pytest.raises(UnexpectedAnswer, match="try again later") as caught:
        tripletex.client().create("customer", {"name": "Alfa AS"})
    assert "check consumer_token" not in str(caught.value)
    assert not isinstance(caught.value, Refused)


def test_a_session_whose_answer_was_lost_is_asked_for_again(tripletex, client):
    lost = [DROP, Said(PAGE, 503)]
    first = tripletex.api.before
    tripletex.api.before = lambda asked: lost.pop() if "/:" in asked.path and lost else first(asked)
    assert client.who_am_i() == WhoAmI(4, 5)


@pytest.mark.parametrize(
    "answer",
    [
        envelope(401, 3000, "Ugyldig"),
        envelope(403, 9000, "Ugyldig"),
        envelope(422, 15000, "Ugyldig", [{"field": "employeeToken", "message": f"Ugyldig: {EMPLOYEE} {REFRESH}"}]),
        envelope(400, 4000, "Ugyldig"),
    ],
)
def test_tokens_that_tripletex_does_not_take_are_access_denied(tripletex, client, answer):
    first = tripletex.api.before
    tripletex.api.before = lambda asked: first(asked) or answer
    with pytest.raises(AccessDenied, match=r"no session .*Ugyldig.*check (consumer_token and employee|refresh)_token"):
        client.who_am_i()


@pytest.mark.parametrize("answer", [Said({}), Said({"value": None}), Said({"value": {}}), Said(PAGE), Said([])])
def test_an_answer_without_a_session_token_is_unexpected(tripletex, client, answer):
    first = tripletex.api.before
    tripletex.api.before = lambda asked: first(asked) or answer
    with pytest.raises(UnexpectedAnswer):
        client.who_am_i()


# Renewing


def test_a_rejected_session_token_is_renewed_once(tripletex):
    client = tripletex.client()
    client.who_am_i()
    tripletex.api.live.clear()
    assert client.who_am_i() == WhoAmI(4, 5)
    assert len(tripletex.api.tokens) == 2
    assert len(tripletex.asked_otherwise) == 3


def test_a_token_that_is_rejected_again_is_an_error(tripletex, client):
    tripletex.api.respond = lambda _: DEAD_TOKEN
    with pytest.raises(AccessDenied, match="check (consumer_token and employee_token|refresh_token)") as caught:
        client.get("contact", 1, "id")
    assert caught.value.code == 3000
    assert len(tripletex.asked_otherwise) == 2


def test_a_post_with_a_rejected_token_is_sent_once_more_and_carried_out_once(tripletex):
    done = []

    def respond(asked):
        done.append(asked.json["firstName"])
        return Said({"value": {"id": 1, "version": 0}}, 201)

    tripletex.api.respond = respond
    client = tripletex.client()
    client.create("contact", {"firstName": "Kari"})
    tripletex.api.live.clear()
    client.create("contact", {"firstName": "Per"})
    assert done == ["Kari", "Per"]


def test_threads_with_a_rejected_token_make_one_new_session_together(tripletex):
    client = tripletex.client()
    client.who_am_i()
    tripletex.api.live.clear()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: client.who_am_i(), range(16))) == [WhoAmI(4, 5)] * 16
    assert len(tripletex.api.tokens) == 2


def test_a_token_that_another_thread_has_replaced_is_not_thrown_away(tripletex):
    transport = Transport(tripletex.url, user_agent="test")
    session = Session(TOKENS)
    old = session.token(transport)
    session.drop(old)
    new = session.token(transport)
    session.drop(old)
    assert session.token(transport) == new != old


@pytest.mark.parametrize(
    ("credentials", "lasts"),
    [(ApiToken(REFRESH), timedelta(hours=1)), (TOKENS, timedelta(hours=35))],
    ids=["API token", "employee token"],
)
def test_a_session_is_renewed_some_minutes_before_it_ends(tripletex, credentials, lasts):
    now = NOON
    session = Session(credentials, now=lambda: now)
    transport = Transport(tripletex.url, user_agent="test")
    first = session.token(transport)
    now = NOON + lasts - timedelta(minutes=6)
    assert session.token(transport) == first
    now = NOON + lasts - timedelta(minutes=5)
    assert session.token(transport) != first


@pytest.mark.parametrize(
    ("now", "date"),
    [
        ("2026-01-31T22:59:59+00:00", "2026-02-02"),
        ("2026-01-31T23:00:00+00:00", "2026-02-03"),
        ("2026-06-30T21:59:59+00:00", "2026-07-02"),
        ("2026-06-30T22:00:00+00:00", "2026-07-03"),
    ],
)
def test_a_session_of_an_employee_token_lives_for_a_whole_norwegian_day_at_least(tripletex, now, date):
    transport = Transport(tripletex.url, user_agent="test")
    Session(TOKENS, now=lambda: datetime.fromisoformat(now)).token(transport)
    assert tripletex.asked[0].json["expirationDate"] == date


def test_missing_rights_are_not_taken_for_a_dead_token(tripletex):
    tripletex.api.respond = lambda _: envelope(403, 9000, "Ingen tilgang")
    with pytest.raises(AccessDenied, match=r"Ingen tilgang.*check company_id, and the entitlements"):
        list(tripletex.client().pages("contact", fields="id"))
    assert len(tripletex.asked_otherwise) == 1


# Sharing and ending


def test_clients_of_a_process_share_a_session_and_the_last_one_ends_it(tripletex):
    one, other = tripletex.client(), tripletex.client(company_id=77)
    one.who_am_i()
    other.who_am_i()
    assert len(tripletex.api.tokens) == 1
    one.close()
    assert tripletex.api.live == set(tripletex.api.tokens)
    other.close()
    other.close()
    assert tripletex.api.live == set()
    assert (tripletex.asked[-1].method, tripletex.asked[-1].path) == ("DELETE", "/v2/token/session/session-token-0")


def test_other_credentials_have_a_session_of_their_own(tripletex):
    tripletex.client().who_am_i()
    tripletex.client(refresh_token=REFRESH).who_am_i()
    assert len(tripletex.api.tokens) == 2


def test_a_client_that_asked_nothing_has_no_session_to_end(tripletex):
    tripletex.client().close()
    assert tripletex.asked == []


def test_a_session_is_made_anew_after_the_last_client_was_closed(tripletex):
    with tripletex.client() as client:
        client.who_am_i()
    with tripletex.client() as client:
        client.who_am_i()
    assert len(tripletex.api.tokens) == 2
    assert tripletex.api.live == set()


@pytest.mark.parametrize("answer", [DROP, Said(PAGE, 503), DEAD_TOKEN, GONE, Said(None, 429)])
def test_a_session_that_cannot_be_ended_is_left_to_expire_without_a_word(tripletex, answer, caplog):
    slept = []
    client = tripletex.client(sleep=slept.append)
    client.who_am_i()
    tripletex.api.before = lambda _: answer
    client.close()
    assert [one.method for one in tripletex.asked].count("DELETE") == 1
    assert slept == []
    assert caplog.records == []


def test_a_client_that_is_collected_as_garbage_leaves_its_session_to_nobody(tripletex):
    def use():
        with_its_own = TripletexClient(tripletex.url, CONSUMER, EMPLOYEE)
        with_its_own.who_am_i()

    use()
    gc.collect()
    assert tripletex.asked[-1].method == "GET"
    use()
    assert len(tripletex.api.tokens) == 2


def test_a_request_that_is_still_under_way_when_the_session_ends_makes_no_other(tripletex):
    under_way, ended = threading.Event(), threading.Event()

    def respond(_):
        under_way.set()
        assert ended.wait(20)
        return DEAD_TOKEN

    tripletex.api.respond = respond
    client = tripletex.client()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(client.who_am_i)
        assert under_way.wait(20)
        client.close()
        ended.set()
        with pytest.raises(RuntimeError, match="ended"):
            asking.result()
    assert len(tripletex.api.tokens) == 1


PROGRAM = """if True:
    import sys
    from tripletex_client import TripletexClient
    client = TripletexClient(sys.argv[1], *sys.argv[2:4])
    client.who_am_i()
    if sys.argv[4:] == ["fails"]:
        raise ValueError
"""


@pytest.mark.parametrize("ending", [[], ["fails"]])
def test_a_program_ends_its_session_when_it_ends(tripletex, ending):
    arguments = [sys.executable, "-c", PROGRAM, tripletex.url, CONSUMER, EMPLOYEE, *ending]
    subprocess.run(arguments, check=not ending, capture_output=True)
    assert len(tripletex.api.tokens) == 1
    assert tripletex.api.live == set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_makes_a_session_of_its_own_and_leaves_its_parents_alone(tripletex):
    code = """if True:
        import os, sys
        from tripletex_client import TripletexClient
        client = TripletexClient(sys.argv[1], *sys.argv[2:4])
        client.who_am_i()
        if os.fork():
            os.wait()
            client.who_am_i()
            client.transport.requests == 3 or sys.exit(7)
        else:
            TripletexClient(sys.argv[1], *sys.argv[2:4]).who_am_i()
    """
    subprocess.run([sys.executable, "-c", code, tripletex.url, CONSUMER, EMPLOYEE], check=True, capture_output=True)
    assert len(tripletex.api.tokens) == 2
    assert tripletex.api.live == set()


# Secrets


def test_a_token_that_tripletex_repeats_in_its_words_is_hidden(tripletex, client):
    tripletex.api.respond = lambda _: envelope(400, 4000, f"Token {tripletex.api.tokens[-1]} er feil")
    with pytest.raises(Refused, match=r"Token \*\*\* er feil"):
        client.get("contact", 1, "id")


def test_no_secret_in_any_log_line_or_error_text(tripletex, client, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    answers = [GONE, DEAD_TOKEN, DROP, ME]
    tripletex.api.respond = lambda _: answers.pop()
    client.who_am_i()
    assert client.get("contact", 1, "id") is None
    assert len(tripletex.api.tokens) == 2
    shown = [repr(one) for one in (client, vars(client), vars(client._connection), client._share.session._credentials)]
    client.close()
    texts = [record.getMessage() + repr(record.args) + repr(record.__dict__) for record in caplog.records]
    everything = "\n".join([*texts, caplog.text, *shown])
    assert "POST /token/session/:create" in everything
    assert "DELETE /token/session/***: 204" in everything
    assert '"GET /v2/contact/1?… HTTP/1.1" 404' in everything
    for secret in (CONSUMER, EMPLOYEE, REFRESH, *tripletex.api.tokens):
        basic = base64.b64encode(f"0:{secret}".encode()).decode()
        for form in (secret, basic):
            assert form not in everything
    assert "Token=" not in everything


def test_no_secret_in_an_address_but_that_of_the_deprecated_put(tripletex, client):
    client.who_am_i()
    addresses = [one.target for one in tripletex.asked if one.method != "PUT"]
    assert not any(secret in target for secret in (CONSUMER, EMPLOYEE, REFRESH) for target in addresses)


@pytest.mark.parametrize("given", [{}, {"refresh_token": REFRESH}], ids=["employee token", "API token"])
def test_no_secret_in_the_error_of_an_unreachable_tripletex(given, caplog):
    caplog.set_level(logging.DEBUG)
    tokens = () if given else (CONSUMER, EMPLOYEE)
    client = TripletexClient("http://127.0.0.1:1/v2", *tokens, **given, max_elapsed=0)
    with pytest.raises(ApiError, match=r"POST /token/session/:create\w*: no connection to 127.0.0.1:1") as caught:
        client.who_am_i()
    told = str(caught.value) + caplog.text
    assert not any(secret in told for secret in (CONSUMER, EMPLOYEE, REFRESH))
    assert "Token=" not in told


def test_an_unknown_time_zone_is_said_at_once():
    with pytest.raises(ValueError, match="'Norge' is not known; write it like Europe/Oslo"):
        TripletexClient("http://127.0.0.1:1/v2", CONSUMER, EMPLOYEE, timezone="Norge")
