"""No secret in any log line at any level, nor in an error's text."""

import base64
import io
import logging
from urllib.parse import quote

import pytest
from api_transport import ApiError, RedactingFilter, Transport, Unreachable, clean, hide
from api_transport.testing import Said, serving

SECRET = "s3cret/with+odd=signs æ"


@pytest.fixture
def written():
    """All that is logged, through a plain handler at the very loggers and at the root, at DEBUG."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    loggers = [logging.getLogger(name) for name in ("", "urllib3.connectionpool", "api_transport")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield stream.getvalue
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


def test_no_secret_in_any_log_line_of_a_request(written, caplog):
    caplog.set_level(logging.DEBUG)
    hide(SECRET)
    basic = base64.b64encode(f"0:{SECRET}".encode()).decode()
    with serving(lambda _: Said({"message": f"bad token {SECRET}"}, 401)) as server:
        transport = Transport(server.url, user_agent="test", auth=lambda: {"Authorization": f"Basic {basic}"})
        with pytest.raises(ApiError) as caught:
            transport.send("PUT", "/token/session/:create", params={"employeeToken": SECRET, "x": SECRET})
    everything = written() + caplog.text + str(caught.value) + caught.value.message + repr(caught.value)
    assert "PUT /token/session/:create" in everything
    for form in (SECRET, quote(SECRET), quote(SECRET, safe=""), basic, basic[4:-4]):
        assert form not in everything
    assert "employeeToken" not in written()


def test_no_query_in_the_log_lines_of_the_http_library_whether_registered_or_not(written):
    with serving(lambda _: Said({})) as server:
        params = {"fields": "id,address(id)", "email": "ola@example.no", "sessionThing": "never-registered"}
        Transport(server.url, user_agent="test").send("GET", "/customer", params=params)
    assert '"GET /customer?… HTTP/1.1" 200' in written()
    assert "never-registered" not in written()
    assert "ola" not in written()


def test_no_query_in_the_log_lines_of_a_refused_connection(written, caplog):
    caplog.set_level(logging.DEBUG)
    transport = Transport("http://127.0.0.1:1", user_agent="test", max_elapsed=0)
    with pytest.raises(Unreachable):
        transport.send("GET", "/customer", params={"employeeToken": "never-registered"})
    assert "never-registered" not in written() + caplog.text


def logged(log):
    """What a handler with the filter writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    handler.setFormatter(logging.Formatter("%(message)s %(extra_thing)s", defaults={"extra_thing": ""}))
    logger = logging.getLogger("somewhere.else")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        log(logger)
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
    return stream.getvalue()


class Thing:
    def __str__(self):
        return f"thing with {SECRET}"


def failing(logger, text=SECRET):
    try:
        int(text)
    except ValueError:
        logger.exception("failed")


@pytest.mark.parametrize(
    "log",
    [
        lambda logger: logger.info("the key is %s", SECRET),
        lambda logger: logger.info(f"the key is {SECRET}"),  # noqa: G004 - that is the case
        lambda logger: logger.info("%(key)s", {"key": SECRET}),
        lambda logger: logger.info("%s", Thing()),
        lambda logger: logger.info("x", extra={"extra_thing": {"deep": [SECRET, (SECRET,)]}}),
        lambda logger: logger.info("too many %s", 1, SECRET),  # noqa: PLE1205 - that is the case
        failing,
    ],
)
def test_a_handler_with_the_filter_writes_no_secret(log):
    hide(SECRET)
    text = logged(log)
    assert "***" in text
    assert SECRET not in text


def test_a_traceback_without_a_secret_stays_as_it_is():
    assert "nothing special" in logged(lambda logger: failing(logger, "nothing special"))


def test_hiding_twice_is_hiding_once():
    for _ in range(3):
        hide("twice-hidden", None, "")
    assert clean("a twice-hidden b") == "a *** b"
    assert [type(f) for f in logging.getLogger("urllib3.connectionpool").filters].count(RedactingFilter) == 0
    assert len(logging.getLogger("urllib3.connectionpool").filters) == 1


def test_a_secret_that_contains_another_is_hidden_whole():
    hide("inner-one", "outer-inner-one-more", "inner-one-longer")
    assert clean("outer-inner-one-more inner-one inner-one-longer") == "*** *** ***"


def test_texts_too_short_for_a_secret_do_not_blot_out_the_log():
    hide("a", "", "  ", None)
    assert clean("a banana") == "a banana"


@pytest.mark.parametrize("user", ["0", "17", "123", "some-company"])
def test_a_secret_is_found_in_base64_behind_any_user_name(user):
    hide("session-token-9")
    header = base64.b64encode(f"{user}:session-token-9".encode()).decode()
    assert "***" in clean(f"sent {header}")
    assert header not in clean(f"sent {header}")


@pytest.mark.parametrize(
    "text",
    [
        "consumerToken=abc&x=1",
        "Authorization: Bearer abcdefghijklmnopqrst",
        "Authorization: Basic MDphYmNkZWZnaGlqa2xtbg==",
        "api_key=abc",
        "API-KEY=abc",
        "password=abc",
    ],
)
def test_what_looks_like_a_credential_is_hidden_unasked(text):
    assert "***" in clean(text)
    assert "abc" not in clean(text).replace("***", "")


def test_ordinary_words_are_left_alone():
    for text in ("Basic information", "the token is missing", "check the api_key", "Bearer of news", "what? yes"):
        assert clean(text) == text
