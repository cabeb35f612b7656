"""Who may see the page and act on it: hosts, origins, forms, the token, and what each answer's headers allow."""

from __future__ import annotations

import pytest
import requests
from dataflow_operator.page.app import ACTIONS, PAGES
from dataflow_operator.page.browser_sessions import LASTS_S, Visits
from dataflow_operator.page.guard import is_loopback, local_path
from dataflow_operator.testing.page import served

pytest_plugins = ["dataflow_operator.testing.fixtures"]

TOKEN = "a-token-for-this-test-only"


@pytest.fixture
def parked(world, dataflow):
    """A refused record that is not due for long: its number, and whether it is due."""
    world.tripletex.refuse = lambda _values: "Ugyldig"
    world.crm.put("customer", "c1", Name="Fjord AS")
    for _ in range(2):
        world.run("tripletex")

    def due():
        (row,) = dataflow("failures", "--json").told["failures"]
        return row["next_at"].startswith("1970")

    (row,) = dataflow("failures", "--json").told["failures"]
    assert not due()
    return str(row["id"]), due


@pytest.fixture
def page(world):
    with served(world.url) as page:
        yield page


def addresses():
    return [path.replace("{number:int}", "1") for path in PAGES] + ["/nonsense", "/style.css", "/icon.svg"]


def test_every_answer_forbids_all_but_the_page_s_own_style_sheet_and_is_kept_nowhere(world, page):
    world.pair()
    visitor = page.visitor()
    for path in addresses():
        headers = visitor.get(path).headers
        policy = dict(one.strip().partition(" ")[::2] for one in headers["Content-Security-Policy"].split(";"))
        assert policy == {
            "default-src": "'none'",
            "style-src": "'self'",
            "img-src": "'self'",
            "form-action": "'self'",
            "frame-ancestors": "'none'",
            "base-uri": "'none'",
        }
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == ("no-cache" if path in ("/style.css", "/icon.svg") else "no-store"), path
        assert "Server" not in headers


def test_no_page_has_what_the_policy_would_have_to_allow(world, page, parked):
    visitor = page.visitor()
    for path in addresses()[:-2]:
        text = visitor.get(path).text
        assert "<script" not in text
        assert " style=" not in text
        assert "javascript:" not in text
        assert "http://" not in text
        assert "https://" not in text


@pytest.mark.parametrize(
    "host", ["evil.example.com", "127.0.0.1.example.com", "10.0.0.7:8703", "", "[::1", "localhost.example.com"]
)
def test_a_name_that_was_bent_to_this_machine_is_told_nothing(page, host):
    answer = page.visitor().get("/", headers={"Host": host})
    assert answer.status_code in (400, 421)
    assert "<html" not in answer.text


@pytest.mark.parametrize("host", ["localhost:{}", "127.0.0.1:{}", "[::1]:{}", "LOCALHOST"])
def test_this_machine_s_own_names_are_answered(page, host, world):
    world.pair()
    port = page.address.rpartition(":")[2]
    assert page.visitor().get("/", headers={"Host": host.format(port)}).status_code == 200


@pytest.mark.parametrize(
    ("form", "origin"),
    [
        ("", "own"),
        ("0" * 64, "own"),
        ("æ", "own"),
        (None, None),
        (None, "null"),
        (None, "https://evil.example.com"),
        (None, "other port"),
    ],
)
def test_a_form_that_this_page_did_not_make_or_send_does_nothing(page, parked, form, origin):
    number, due = parked
    headers = {"own": {"Origin": page.address}, "other port": {"Origin": "http://127.0.0.1:1"}}.get(
        str(origin), {"Origin": origin}
    )
    visitor = page.visitor()
    visitor.get("/")
    answer = visitor.post("/failures/retry", form=form, headers=headers, number=number)
    assert answer.status_code == 403
    assert "nothing was done" in answer.text
    assert not due()


def test_a_form_of_one_visit_is_none_of_another(page, parked):
    number, due = parked
    stolen = page.visitor().form_token("/failures")
    assert stolen
    visitor = page.visitor()
    visitor.get("/")
    assert visitor.post("/failures/retry", form=stolen, number=number).status_code == 403
    without_cookie = requests.post(
        f"{page.address}/failures/retry",
        data={"form": stolen, "number": number},
        headers={"Origin": page.address},
        timeout=60,
    )
    assert without_cookie.status_code == 403
    assert not due()


def test_every_action_is_behind_the_form_s_token_and_none_can_be_asked_for_by_a_link(page, world):
    world.pair()
    visitor = page.visitor()
    visitor.get("/")
    for path in ACTIONS:
        address = path.replace("{number:int}", "1")
        assert visitor.post(address, form="0" * 64).status_code == 403, path
        if path not in PAGES:
            assert visitor.get(address).status_code in (404, 405), path


def test_other_bodies_and_other_methods_are_refused(page, parked):
    number, due = parked
    visitor = page.visitor()
    form = visitor.form_token("/failures")
    address, own = f"{page.address}/failures/retry", {"Origin": page.address}
    as_json = requests.Session.post(visitor, address, json={"form": form, "number": number}, headers=own, timeout=60)
    large = visitor.post("/failures/retry", form=form, number=number, filler="x" * 70_000)
    assert (as_json.status_code, large.status_code) == (413, 413)
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert visitor.request(method, address, headers=own, timeout=60).status_code == 405
    assert not due()
    assert visitor.post("/failures/retry", form=form, number=number).status_code == 303
    assert due()


def test_the_cookie_is_for_this_page_alone(page):
    cookie = page.visitor().get("/").headers["Set-Cookie"]
    port = page.address.rpartition(":")[2]
    assert cookie.startswith(f"dataflow-{port}=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert "Max-Age" not in cookie


# -- the token


@pytest.fixture
def closed(world):
    with served(world.url, TOKEN) as page:
        yield page


def test_without_the_token_nothing_is_told_and_nothing_done(world, closed, parked):
    number, due = parked
    visitor = closed.visitor()
    for path in addresses():
        answer = visitor.get(path)
        if path in ("/enter", "/style.css", "/icon.svg"):
            assert answer.status_code == 200
        else:
            assert (answer.status_code, answer.headers["Location"], answer.text) == (303, "/enter", "")
    answer = visitor.post("/failures/retry", form=visitor.form_token("/enter"), number=number)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/enter")
    assert not due()
    assert "default" not in visitor.get("/enter").text


def test_the_token_lets_a_browser_in_until_it_leaves(closed, parked, capsys):
    visitor = closed.visitor()
    form = visitor.form_token("/enter")
    before = dict(visitor.cookies)
    wrong = visitor.post("/enter", form=form, token="another-token-of-this-size")
    assert wrong.status_code == 403
    assert "That is not the token" in wrong.text
    assert "another-token" not in wrong.text
    assert visitor.get("/").status_code == 303
    right = visitor.post("/enter", form=form, token=TOKEN)
    assert (right.status_code, right.headers["Location"]) == (303, "/")
    assert "HttpOnly" in right.headers["Set-Cookie"]
    assert "SameSite=strict" in right.headers["Set-Cookie"]
    assert TOKEN not in right.headers["Set-Cookie"]
    assert dict(visitor.cookies) != before
    assert visitor.get("/").status_code == 200
    assert visitor.get("/", headers={"Host": "sync.example.com", "Cookie": visitor.cookie}).status_code == 200
    stolen = dict(visitor.cookies)
    visitor.post("/leave")
    assert visitor.get("/").status_code == 303
    assert closed.visitor().get("/", cookies=stolen).status_code == 303
    said = capsys.readouterr().err
    assert "127.0.0.1 gave a wrong token." in said
    assert "another-token" not in said


def test_a_cookie_that_was_put_there_before_is_worth_nothing_after(closed, world):
    world.pair()
    visitor = closed.visitor()
    name = f"dataflow-{closed.address.rpartition(':')[2]}"
    visitor.cookies.set(name, "known-to-somebody-else", domain="127.0.0.1", path="/")
    visitor.post("/enter", form=visitor.form_token("/enter"), token=TOKEN)
    assert visitor.get("/").status_code == 200
    assert closed.visitor().get("/", cookies={name: "known-to-somebody-else"}).status_code == 303


def test_behind_a_proxy_that_speaks_tls_the_cookie_goes_nowhere_else(closed):
    visitor = closed.visitor()
    form = visitor.form_token("/enter")
    headers = {"Origin": "https://sync.example.com", "Host": "sync.example.com", "Cookie": visitor.cookie}
    answer = visitor.post("/enter", form=form, headers=headers, token=TOKEN)
    assert answer.status_code == 303
    assert "Secure" in answer.headers["Set-Cookie"]


def test_a_visit_ends_by_itself_and_the_memory_of_visits_is_bounded():
    clock = [0.0]
    visits = Visits(TOKEN, now=lambda: clock[0])
    first = visits.enter(TOKEN)
    assert visits.may_see(first)
    clock[0] = LASTS_S + 1.0
    assert not visits.may_see(first)
    second = visits.enter(TOKEN)
    for _ in range(1000):
        visits.enter(TOKEN)
    assert not visits.may_see(second)
    assert visits.enter("") is None
    assert visits.enter("æ") is None


def test_loopback_is_this_machine_and_nothing_that_looks_like_it():
    assert all(is_loopback(name) for name in ("127.0.0.1", "127.8.8.8", "::1", "localhost", "LocalHost"))
    others = ("0.0.0.0", "::", "192.168.1.4", "localhost.example.com", "", "127.0.0.1.example.no")  # noqa: S104
    assert not any(is_loopback(name) for name in others)


@pytest.mark.parametrize(
    "path",
    [
        *("https://evil.example.com", "//evil.example.com", "/\\evil.example.com", "evil", ""),
        *("javascript:alert(1)", "/\r\nX: y", "/æ"),
    ],
)
def test_no_form_leads_away_from_the_page(path):
    assert local_path(path) == "/"


def test_a_form_leads_back_to_where_it_was_sent_from():
    assert local_path("/failures?flow=customer&page=2") == "/failures?flow=customer&page=2"
