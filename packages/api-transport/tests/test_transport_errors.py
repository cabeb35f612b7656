"""What an answer means, and how an error reads."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from api_transport import (
    AccessDenied,
    ApiError,
    ApiWords,
    Conflict,
    Detail,
    Hints,
    NotFound,
    OutcomeUnknown,
    RateLimit,
    RateLimited,
    Refused,
    ServerFailed,
    Transport,
    UnexpectedAnswer,
    Unreachable,
    segment,
    user_agent,
)
from api_transport.sessions import Sessions
from api_transport.testing import Said, serving

PAGE = "<html><head><title>Logg inn</title></head><body><p>Velkommen</p></body></html>"


def error_of(said, method="GET", path="/thing", **options):
    """The error that an answer is raised as; the server must have been asked exactly once."""
    with serving(lambda _: said) as server:
        transport = Transport(server.url, user_agent="test", max_elapsed=0, **options)
        with pytest.raises(ApiError) as caught:
            transport.send(method, path, **({"json": {}} if method in ("POST", "PATCH", "PUT") else {}))
        assert len(server.asked) == 1
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, AccessDenied),
        (403, AccessDenied),
        (404, NotFound),
        (405, Refused),
        (409, Conflict),
        (412, Conflict),
        (413, Refused),
        (422, Refused),
        (429, RateLimited),
        (500, ServerFailed),
        (503, ServerFailed),
    ],
)
def test_each_status_has_its_error(status, kind):
    error = error_of(Said({"message": "nei"}, status))
    assert type(error) is kind
    assert error.status == status
    assert error.message == "nei"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refused_post_was_surely_not_carried_out(status):
    assert not isinstance(error_of(Said({"message": "nei"}, status), "POST"), OutcomeUnknown)


def test_a_page_in_place_of_json_is_not_an_answer():
    error = error_of(Said(PAGE))
    assert type(error) is UnexpectedAnswer
    assert "Logg inn" in str(error)
    assert "check the address in api_url" in str(error)


def test_a_page_after_a_post_leaves_open_whether_it_was_carried_out():
    assert type(error_of(Said(PAGE), "POST")) is OutcomeUnknown


def test_a_page_that_says_not_found_does_not_mean_that_the_record_is_gone():
    assert type(error_of(Said(PAGE, 404))) is UnexpectedAnswer
    assert type(error_of(Said(PAGE, 404), "POST")) is UnexpectedAnswer
    assert type(error_of(Said(None, 404))) is NotFound


@pytest.mark.parametrize("body", ['{"a": NaN}', '{"a": 1', "\x00", "<>", "[" * 100_000])
def test_what_is_almost_json_is_not_an_answer(body):
    assert type(error_of(Said(body))) is UnexpectedAnswer


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_redirect_is_never_followed(method, status):
    with serving(lambda _: Said({"value": "elsewhere"})) as elsewhere:
        location = {"Location": f"{elsewhere.url}/login?session=verysecret"}
        error = error_of(Said(None, status, location), method)
        assert elsewhere.asked == []
    # "See other" is what is said after having done it.
    assert type(error) is (OutcomeUnknown if (method, status) == ("POST", 303) else UnexpectedAnswer)
    assert f"redirected to {elsewhere.url}/login " in str(error)
    assert "verysecret" not in str(error)


def test_a_success_nobody_asked_for_is_unexpected():
    assert type(error_of(Said({}, 202))) is UnexpectedAnswer
    assert type(error_of(Said({}, 202), "POST")) is OutcomeUnknown
    assert type(error_of(Said(None, 304))) is UnexpectedAnswer


def test_a_status_that_was_asked_for_is_an_answer():
    with serving(lambda _: Said(None, 304)) as server:
        answer = Transport(server.url, user_agent="test").send("GET", "/thing", ok=(200, 304))
    assert (answer.status, answer.body) == (304, None)


def test_an_error_is_one_line_that_says_where_what_and_what_to_do():
    body = {
        "title": "Feil\n i\tfeltet.",
        "errors": [{"field": "Name", "message": "må fylles ut"}, {"message": "og mer"}, "løst", 7],
    }
    error = error_of(Said(body, 422, {"X-Request-Id": "r-17"}), "POST", "/customers?email=ola@example.no")
    assert str(error) == (
        "POST /customers: refused 422: Feil i feltet; Name: må fylles ut; og mer; løst [request id r-17]"
    )
    assert error.details == [
        Detail("Name", "må fylles ut", None),
        Detail(None, "og mer", None),
        Detail(None, "løst", None),
    ]
    assert error.request_id == "r-17"


def test_an_error_without_any_words_has_a_text_and_never_two_lines():
    assert str(NotFound()) == "NotFound"
    assert "\n" not in str(UnexpectedAnswer("first\nsecond", path="/a\nb", todo="x\ny", request_id="r\n1"))


def test_the_words_of_an_api_are_cut_short():
    error = error_of(Said({"message": "x" * 10_000}, 400))
    assert len(str(error)) < 600
    assert len(error.message) == 10_000


@pytest.mark.parametrize(
    "body",
    [
        {"message": "nei"},
        {"detail": "nei"},
        {"error": "nei"},
        {"error": {"message": "nei"}},
        {"title": "nei", "message": "ja"},
        "<!DOCTYPE html><html><title>nei</title><p>Kari Nordmann</p></html>",
    ],
)
def test_the_usual_envelopes_are_understood(body):
    assert error_of(Said(body, 400)).message == "nei"


@pytest.mark.parametrize(
    "body", [None, [], 3, {"title": 3}, {"errors": "x"}, {"errors": [{"message": 3}]}, {"code": []}]
)
def test_an_unknown_envelope_does_no_harm(body):
    assert type(error_of(Said(body, 400))) is Refused


def test_an_api_may_bring_its_own_way_of_wording_errors():
    def read(status, body, headers):
        return ApiWords(code=status + body["n"], message="egne ord", request_id=headers["x-own-id"])

    error = error_of(Said({"n": 1}, 422, {"X-Own-Id": "abc"}), read_error=read)
    assert (error.code, error.message, error.request_id) == (423, "egne ord", "abc")
    assert "(code 423)" in str(error)


def test_the_hints_are_the_callers():
    hints = Hints(address="look at A", credentials="look at B", rights="look at C")
    assert str(error_of(Said({}, 401), hints=hints)).endswith("look at B")
    assert str(error_of(Said({}, 403), hints=hints)).endswith("look at C")
    assert str(error_of(Said(PAGE), hints=hints)).endswith("look at A")


def test_no_exception_of_the_http_library_hangs_behind_ours():
    transport = Transport("http://127.0.0.1:1", user_agent="test", max_elapsed=0)
    with pytest.raises(Unreachable) as caught:
        transport.send("GET", "/thing", params={"token": "verysecret"})
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "verysecret" not in str(caught.value)
    assert "no connection to 127.0.0.1:1" in str(caught.value)


@pytest.mark.parametrize(
    "address", ["", "tripletex.no/v2", "ftp://example.com", "https://", "https://[::1", "https://example.com/?a=b"]
)
def test_an_address_that_is_none_is_said_at_once(address):
    with pytest.raises(Unreachable, match=r"^api_url .* — write it like https://"):
        Transport(address, user_agent="test")


def test_a_password_in_the_address_is_refused_and_not_repeated():
    with pytest.raises(Unreachable, match="holds a user name or password") as caught:
        Transport("https://ola:hemmelig@example.com/", user_agent="test")
    assert "hemmelig" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://a b/", "http://.example.com/", f"http://{'a' * 70}.example.com"])
def test_a_host_name_that_cannot_be_is_said_at_once(address):
    transport = Transport(address, user_agent="test", max_elapsed=0)
    with pytest.raises(Unreachable, match="check the address"):
        transport.send("GET", "/")


def test_credentials_that_a_header_cannot_carry_are_named_and_not_repeated():
    with serving(lambda _: Said({})) as server:
        for secret in ("hemmelig\nnøkkel", "nøkkel-€-hemmelig"):
            transport = Transport(server.url, user_agent="t", auth=lambda s=secret: {"Authorization": s})
            with pytest.raises(AccessDenied, match="Authorization") as caught:
                transport.send("GET", "/")
            assert "hemmelig" not in str(caught.value)
        assert server.asked == []


def test_credentials_are_asked_for_at_every_attempt():
    tokens = iter(["one", "two"])
    answers = iter([Said(status=503), Said({})])
    with serving(lambda _: next(answers)) as server:
        auth = lambda: {"Authorization": f"Bearer {next(tokens)}"}  # noqa: E731 - a name for the line below
        Transport(server.url, user_agent="test", auth=auth, sleep=lambda _: None).send("GET", "/")
        assert [asked.headers["Authorization"] for asked in server.asked] == ["Bearer one", "Bearer two"]


def test_a_netrc_file_does_not_replace_the_credentials(tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login wrong password wrong\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(lambda _: Said({})) as server:
        Transport(server.url, user_agent="t", auth=lambda: {"Authorization": "Bearer right"}).send("GET", "/")
        Transport(server.url, user_agent="t").send("GET", "/")
        assert [asked.headers.get("Authorization") for asked in server.asked] == ["Bearer right", None]


def test_cookies_are_not_kept():
    with serving(lambda _: Said({}, headers={"Set-Cookie": "node=1; Path=/"})) as server:
        transport = Transport(server.url, user_agent="test")
        transport.send("GET", "/")
        transport.send("GET", "/")
        assert "Cookie" not in server.asked[1].headers


def test_parameters_are_written_as_apis_read_them():
    with serving(lambda _: Said({})) as server:
        params = {
            "a": True,
            "b": None,
            "fields": "id,x(*)",
            "email": "å+b@example.no",
            "ids": ["1", "2"],
            "u": "\ud800",
        }
        Transport(f"{server.url}/v2/", user_agent="test").send("GET", "/thing", params=params)
        assert server.asked[0].target == (
            "/v2/thing?a=true&fields=id,x(*)&email=%C3%A5%2Bb%40example.no&ids=1&ids=2&u=%3F"
        )


@pytest.mark.parametrize("text", ["a/b", "a?b=c", "a#b", "å %2F", "../x", "a,b", "…"])
def test_an_id_stays_one_segment_of_the_path(text):
    with serving(lambda _: Said({})) as server:
        Transport(server.url, user_agent="test").send("GET", f"/contacts/{segment(text)}")
        assert server.asked[0].path == f"/contacts/{text}"
        assert server.asked[0].query == {}


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_an_id_that_would_ask_for_something_else_is_refused(text):
    with pytest.raises(ValueError, match="not an id"):
        segment(text)


def test_a_link_of_the_api_is_followed_on_its_own_host_only():
    with serving(lambda _: Said({"n": 1})) as server, serving(lambda _: Said({})) as other:
        transport = Transport(server.url, user_agent="test", auth=lambda: {"Authorization": "Bearer x"})
        assert transport.send("GET", f"{server.url}/contacts?cursor=a").body == {"n": 1}
        assert server.asked[0].query == {"cursor": "a"}
        for link in (f"{other.url}/contacts?cursor=a", server.url.replace("http://", "http://ola:x@"), "https://[::1"):
            with pytest.raises(UnexpectedAnswer, match="another host"):
                transport.send("GET", link)
        assert other.asked == []


def test_a_body_is_json_with_numbers_as_numbers():
    with serving(lambda _: Said({})) as server:
        transport = Transport(server.url, user_agent="test")
        transport.send(
            "PUT", "/", json={"price": Decimal("19.90"), "count": Decimal(3), "name": "Åse \ud800", "no": None}
        )
        assert json.loads(server.asked[0].body) == {"price": 19.9, "count": 3, "name": "Åse \ud800", "no": None}
        assert server.asked[0].headers["Content-Type"] == "application/json; charset=utf-8"
        transport.send("PUT", "/", json=None)
        assert server.asked[1].body == b"null"
        transport.send("PUT", "/")
        assert server.asked[2].body == b""
        for wrong in (float("nan"), Decimal("NaN"), object()):
            with pytest.raises((ValueError, TypeError)):
                transport.send("PUT", "/", json={"price": wrong})


def test_an_empty_answer_has_no_body():
    with serving(lambda _: Said(None, 204)) as server:
        answer = Transport(server.url, user_agent="test").send("DELETE", "/thing")
    assert (answer.status, answer.body) == (204, None)


def test_what_an_answer_lacks_is_raised_as_what_it_means():
    with serving(lambda _: Said({}, headers={"X-Request-Id": "r-1"})) as server:
        transport = Transport(server.url, user_agent="test")
        read = transport.send("GET", "/thing?a=b").unexpected("no `data`")
        write = transport.send("POST", "/thing", json={}).unexpected("no `data`")
    assert str(read) == "GET /thing: no `data` 200 [request id r-1] — check the address"
    assert type(write) is OutcomeUnknown


def test_what_the_server_says_of_itself_is_kept():
    days = iter(["Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:27:00 GMT", "yesterday"])
    limits = iter([{"X-Rate-Limit-Limit": "100", "X-Rate-Limit-Remaining": "42", "X-Rate-Limit-Reset": "9"}, {}, {}])
    with serving(lambda _: Said({}, headers={"Date": next(days), **next(limits)})) as server:
        transport = Transport(server.url, user_agent=user_agent("tap-tripletex"))
        assert transport.server_clock is None
        assert transport.rate_limit is None
        for _ in range(3):
            transport.send("GET", "/")
        assert transport.server_clock.isoformat() == "2026-10-21T07:28:00+00:00"
        assert transport.rate_limit == RateLimit(limit=100, remaining=42, reset_seconds=9.0)
        assert transport.requests == 3
        assert server.asked[0].headers["User-Agent"] == "customcrm-tripletex/0.1 (+tap-tripletex)"


def test_several_threads_may_send_at_once():
    with (
        serving(lambda asked: Said({"n": asked.query["n"]})) as server,
        Transport(server.url, user_agent="t") as transport,
    ):
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: transport.send("GET", "/", params={"n": n}).body["n"], range(200)))
        assert answers == [str(n) for n in range(200)]
        assert transport.requests == 200


def test_a_session_is_never_lent_to_two_at_once_and_is_used_again():
    sessions = Sessions("http://127.0.0.1", {})
    with sessions.borrowed() as one, sessions.borrowed() as other:
        assert one is not other
    with sessions.borrowed() as again, sessions.borrowed() as another:
        assert {again, another} == {one, other}
    sessions.close()
    with sessions.borrowed() as fresh:
        assert fresh not in (one, other)


def test_the_http_library_is_not_patched():
    code = "from requests import Session as S; was = dict(vars(S)); import api_transport; print(was == vars(S))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "True"
