"""No key, token or password is told to anybody, however much is logged and whatever goes wrong."""

import base64
from urllib.parse import quote_plus

import pytest
from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX, Lines
from sandbox.lines.secrets import (
    API_KEY,
    CONSUMER_TOKEN,
    EMPLOYEE_TOKEN,
    REFRESH_TOKEN,
    given_away,
    lock_with_odd_secrets,
    spellings,
)

from sandbox import Fault

WRONG = "wrong/but+secret=all&the=same"
PASSWORD = "hemmelig/pass+ord"
TAPS_AND_TARGETS = ("tap-customcrm", "tap-tripletex", "target-customcrm", "target-tripletex")
directions = pytest.mark.parametrize("direction", [TO_TRIPLETEX, TO_CUSTOMCRM], ids=lambda one: one.name)


@pytest.fixture
def lines(systems, tmp_path, starter, pytestconfig):
    lock_with_odd_secrets(systems)
    lines = Lines(systems, tmp_path, starter, pytestconfig.rootpath)
    lines.environment["LOGLEVEL"] = "DEBUG"
    return lines


@pytest.fixture
def session_tokens(systems):
    """Every session token that Tripletex gave out."""
    given = []
    new = systems.tripletex.sessions._new

    def remember(*args):
        session = new(*args)
        given.append(session.token)
        return session

    systems.tripletex.sessions._new = remember
    return given


def fill(systems):
    systems.customcrm.create("customer", Name="Alfa AS", OrganizationNumber="910 000 004")
    systems.tripletex.create("customer", name="Beta AS", organizationNumber="910000012")


def check(ran, *more):
    secrets = [API_KEY, CONSUMER_TOKEN, EMPLOYEE_TOKEN, REFRESH_TOKEN, WRONG, PASSWORD, *more]
    assert given_away(ran.log + ran.output, secrets) == []


def test_a_secret_is_found_in_any_spelling():
    for text in (
        EMPLOYEE_TOKEN,
        f"?employeeToken={quote_plus(EMPLOYEE_TOKEN)}",
        base64.b64encode(f"0:{EMPLOYEE_TOKEN}".encode()).decode(),
    ):
        assert given_away(f"PUT {text} HTTP/1.1", [EMPLOYEE_TOKEN]) != []
    assert given_away("PUT /v2/token/session/:create?…", [EMPLOYEE_TOKEN]) == []
    assert len(spellings(EMPLOYEE_TOKEN)) > 5


def use_kind(lines, systems, kind):
    """Let Tripletex's plugins make their sessions in one of the ways there are."""
    if kind == "an API token":
        for plugin in ("tap-tripletex", "target-tripletex"):
            settings = {name: one for name, one in lines.settings[plugin].items() if not name.endswith("_token")}
            lines.settings[plugin] = {**settings, "refresh_token": REFRESH_TOKEN}
    if kind == "the deprecated PUT":
        absent = Fault.answer(405, {"status": 405, "code": 4000, "message": "Method Not Allowed"})
        systems.tripletex.before = lambda seen: absent if (seen.method, seen.path[-7:]) == ("POST", ":create") else None


@pytest.mark.parametrize("kind", ["both tokens", "an API token", "the deprecated PUT"])
def test_runs_that_end_well_tell_no_secret_at_debug(lines, systems, session_tokens, kind):
    fill(systems)
    use_kind(lines, systems, kind)
    for ran in lines.cycle():
        assert "| DEBUG" in ran.logs[next(iter(ran.logs))]
        assert "/token/session/" in ran.log or "customers" in ran.log  # requests are told at this level
        check(ran, *session_tokens)
    assert len(session_tokens) == 2
    assert systems.tripletex.session_tokens == []  # both were ended
    assert b"Basic" not in b"".join(path.read_bytes() for path in lines.folder.glob("*.log"))


@directions
def test_wrong_credentials_are_not_told(lines, systems, direction):
    fill(systems)
    messages = lines.messages(direction)
    for plugin in (direction.tap, direction.target):
        for name in ("api_key", "consumer_token", "employee_token"):
            if name in lines.settings[plugin]:
                lines.settings[plugin] = {**lines.settings[plugin], name: WRONG}
    ran = lines.load(direction, messages)
    assert ran.codes == {direction.target: 1}
    check(ran)
    ran = lines.run(direction)
    assert ran.codes[direction.tap] == 1
    check(ran)


@directions
def test_a_page_of_html_and_a_broken_session_tell_no_secret(lines, systems, session_tokens, direction):
    fill(systems)
    messages = lines.messages(direction)
    own = {"customcrm": API_KEY, "tripletex": f"{CONSUMER_TOKEN} {EMPLOYEE_TOKEN}"}
    # APIs that repeat what they were sent: in a page, in a redirect, in their own words.
    for system in systems.both:
        secrets = own[system.name]
        page = f"<html><body>Not here: {secrets}</body></html>"
        location = {"location": f"http://127.0.0.1:9/?token={quote_plus(secrets)}"}
        words = {"status": 400, "message": f"bad token {secrets}", "title": f"bad key {secrets}"}
        for answer in (Fault.answer(200, page), Fault.answer(302, b"", location), Fault.answer(400, words)):
            system.before = lambda _, answer=answer: answer
            ran = lines.load(direction, messages) if system.name in direction.target else lines.run(direction)
            # A search that is refused keeps back its record alone.
            assert not ran.ok or "parked" in ran.log
            assert system.requests[-1].fault == "answer"
            check(ran, *session_tokens)


def test_an_unreachable_host_tells_no_secret_and_is_told_in_one_line(lines, systems):
    """All four at once, since each waits for a while whether the host comes."""
    fill(systems)
    messages = {direction.target: lines.messages(direction) for direction in (TO_TRIPLETEX, TO_CUSTOMCRM)}
    for plugin in TAPS_AND_TARGETS:
        lines.settings[plugin] = {**lines.settings[plugin], "api_url": "http://127.0.0.1:1/api"}
    lines.settings["target-customcrm"]["sync_name"] = "other"
    started = [lines.start_one(plugin) for plugin in ("tap-customcrm", "tap-tripletex")]
    started += [lines.start_target(one, messages[one.target]) for one in (TO_TRIPLETEX, TO_CUSTOMCRM)]
    for line in started:
        with line:
            ran = line.finish()
        (plugin,) = ran.codes
        assert ran.codes == {plugin: 1}
        told = [one for one in ran.logs[plugin].splitlines() if "| ERROR" in one]
        assert len(told) == 1
        assert "no connection to 127.0.0.1:1" in told[0]
        assert [message for message in ran.output.splitlines() if '"RECORD"' in message] == []
        check(ran)
    assert [seen for system in systems.both for seen in system.requests if seen.is_write] == []


@pytest.mark.parametrize(
    "links_url",
    [
        f"postgresql://bruker:{PASSWORD.replace('/', '%2F')}@127.0.0.1:1/links",
        f"mysql://bruker:{PASSWORD.replace('/', '%2F')}@127.0.0.1:1/links",
        f"{PASSWORD}://",
    ],
)
def test_the_link_stores_password_is_not_told(lines, systems, links_url):
    fill(systems)
    messages = lines.messages(TO_TRIPLETEX)
    lines.settings["target-tripletex"]["links_url"] = links_url
    ran = lines.load(TO_TRIPLETEX, messages)
    assert ran.codes == {"target-tripletex": 1}
    assert len([one for one in ran.log.splitlines() if "| ERROR" in one]) == 1
    check(ran)


def test_settings_that_are_wrong_are_told_without_secrets(lines):
    for plugin in TAPS_AND_TARGETS:
        secret = "api_key" if "customcrm" in plugin else "employee_token"
        lines.settings[plugin] = {**lines.settings[plugin], secret: f"{EMPLOYEE_TOKEN} {API_KEY}", "no_such": "x"}
        with lines.start_one(plugin) as line:
            ran = line.finish()
        assert ran.codes == {plugin: 1}
        assert secret in ran.log
        check(ran)
