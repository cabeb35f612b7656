"""What stands between us and an API, and what servers get wrong: proxies, TLS, encodings, clocks."""

import gzip
import socket
import ssl
import threading
from contextlib import contextmanager, suppress

import pytest
from api_transport import ApiError, OutcomeUnknown, Refused, Transport, UnexpectedAnswer, Unreachable
from api_transport.rate_limit import http_date
from api_transport.testing import Clock, Said, serving

LIST = '{"data": [{"Name": "Kari Nordmann", "Email": "kari@example.no", "Phone": "90000000"}, {"Name": "Ola Berg"}]}'
PERSONAL = ("Kari", "Nordmann", "kari@example.no", "90000000", "Berg")


def transport_to(url, clock=None, **options):
    clock = clock or Clock()
    return Transport(url, user_agent="test", sleep=clock.sleep, clock=clock, **options)


# -- nobody's data in words


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [200, 302, 400, 403, 404, 500])
@pytest.mark.parametrize(
    "said",
    [
        LIST[:-20],
        LIST.encode("utf-16"),
        f"Duplicate entry: {LIST}",
        f"<html><body>{LIST}</body></html>",
        f"<?xml version='1.0'?><contacts><title>Kari Nordmann</title>{LIST}</contacts>",
        "<html><title>Kari Nordmann &lt;kari@example.no&gt;</title></html>",
        f"<html><title>{LIST * 5}</title></html>",
        '"Kari Nordmann"',
        [LIST],
    ],
)
def test_of_a_body_nothing_is_told_that_may_be_about_somebody(method, status, said):
    with serving(lambda _: Said(said, status)) as server:
        transport = transport_to(server.url, max_elapsed=0)
        with pytest.raises(ApiError) as caught:
            transport.send(method, "/contacts", json={}, ok=(201,))
    error = caught.value
    assert not [one for one in PERSONAL if one in f"{error} {error.message} {error.details}"]
    assert "\n" not in str(error)


@pytest.mark.parametrize("key", ["title", "message", "detail", "error"])
def test_a_success_that_was_not_asked_for_says_nothing_of_the_record_in_it(key):
    with serving(lambda _: Said({key: "Kari Nordmann", "code": "K-17"}, 202)) as server:
        with pytest.raises(UnexpectedAnswer) as caught:
            transport_to(server.url).send("GET", "/contacts/1")
        assert "Kari" not in str(caught.value)
        assert "K-17" not in str(caught.value)


# -- encodings


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252", "utf-16"])
def test_an_answer_in_another_encoding_that_says_so_is_read(encoding):
    body, content = (
        '{"Name": "Blåbær & Sønn"}'.encode(encoding),
        {"Content-Type": f"application/json; charset={encoding}"},
    )
    with serving(lambda asked: Said(body, 422 if asked.path == "/no" else 200, content)) as server:
        transport = transport_to(server.url)
        assert transport.send("GET", "/").body == {"Name": "Blåbær & Sønn"}


def test_a_refusal_in_another_encoding_is_read():
    body = '{"message": "må fylles ut"}'.encode("latin-1")
    with (
        serving(lambda _: Said(body, 422, {"Content-Type": "application/json; charset=iso-8859-1"})) as server,
        pytest.raises(Refused, match="må fylles ut"),
    ):
        transport_to(server.url).send("GET", "/")


@pytest.mark.parametrize("charset", ["iso-8859-1", "no-such", "utf-8", "hex"])
def test_utf_8_is_read_whatever_it_is_said_to_be(charset):
    with serving(
        lambda _: Said('{"Name": "Blåbær"}', headers={"Content-Type": f"application/json; charset={charset}"})
    ) as server:
        assert transport_to(server.url).send("GET", "/").body == {"Name": "Blåbær"}


def test_an_encoding_that_does_not_fit_is_told_in_one_line():
    with serving(lambda _: Said(b'{"Name": "Bl\xe5b\xe6r"}', headers={"Content-Type": "application/json"})) as server:
        with pytest.raises(UnexpectedAnswer, match="not JSON") as caught:
            transport_to(server.url).send("GET", "/")
        assert "Bl" not in str(caught.value)


@pytest.mark.parametrize("body", [LIST.encode(), b"\x1f\x8b and no gzip after all"], ids=["plain", "broken"])
def test_a_body_that_is_not_encoded_as_its_header_says_is_told_at_once(body):
    clock = Clock()
    with serving(lambda _: Said(body, headers={"Content-Encoding": "gzip"})) as server:
        transport = transport_to(server.url, clock)
        with pytest.raises(Unreachable, match="not encoded as its Content-Encoding says"):
            transport.send("GET", "/")
        assert clock.slept == []
        with pytest.raises(OutcomeUnknown, match="Content-Encoding"):
            transport.send("POST", "/", json={})


def test_an_answer_that_is_cut_in_its_compressed_form_is_told_at_once_and_without_what_it_held():
    clock = Clock()
    body = gzip.compress(LIST.encode() * 500, 0)
    with serving(lambda _: Said(body[: len(body) // 2], headers={"Content-Encoding": "gzip"})) as server:
        with pytest.raises(UnexpectedAnswer, match="not JSON") as caught:
            transport_to(server.url, clock).send("GET", "/")
        assert not [one for one in PERSONAL if one in str(caught.value)]
    assert clock.slept == []


# -- TLS


@contextmanager
def speaking_tls():
    """A server that speaks TLS and nothing else; without a certificate it refuses, in TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    context.wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_http_to_a_server_that_speaks_https_is_told_at_once():
    clock = Clock()
    with speaking_tls() as port:
        for method in ("GET", "POST"):
            with pytest.raises(Unreachable, match=r"speaks HTTPS, and was asked by HTTP — begin api_url with https://"):
                transport_to(f"http://127.0.0.1:{port}", clock).send(method, "/", json={})
    assert clock.slept == []


def test_a_server_that_has_only_ever_dropped_connections_is_given_up_soon():
    clock = Clock()
    with serving(lambda _: "drop") as server, pytest.raises(Unreachable, match="no whole answer"):
        transport_to(server.url, clock).send("GET", "/")
    assert clock.now <= 15


def test_a_link_that_differs_in_its_scheme_only_is_followed_where_the_api_is():
    with serving(lambda _: Said({})) as server:
        port = server.url.rpartition(":")[2]
        transport = transport_to(server.url)
        transport.send("GET", f"https://127.0.0.1:{port}/contacts?cursor=a%20b#end")
        assert server.asked[0].target == "/contacts?cursor=a%20b"
        for other in (f"https://localhost:{port}/", "https://127.0.0.1/", f"ftp://127.0.0.1:{port}/"):
            with pytest.raises(UnexpectedAnswer, match="another host"):
                transport.send("GET", other)
    usual = Transport("https://crm.example.com/api", user_agent="test").address
    assert usual.url("http://crm.example.com/api/x?page=2") == "https://crm.example.com/api/x?page=2"
    assert usual.url("http://crm.example.com:80/api/x") == "https://crm.example.com/api/x"
    for other in ("http://crm.example.com:8080/api/x", "http://example.com/api/x"):
        with pytest.raises(UnexpectedAnswer, match="another host"):
            usual.url(other)


# -- proxies


@pytest.fixture
def proxy(monkeypatch):
    """A proxy that the environment names, which lets nothing through."""
    for name in ("no_proxy", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving(lambda _: Said("<html><title>Blocked</title></html>", 403)) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, server.url.replace("//", "//user:hemmelig@"))
        yield server


def test_this_machine_is_asked_without_a_proxy(proxy):
    with serving(lambda _: Said({"n": 1})) as server:
        for url in (server.url, server.url.replace("127.0.0.1", "localhost")):
            assert transport_to(url).send("GET", "/").body == {"n": 1}
    assert proxy.asked == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_where_a_proxy_is_in_the_way_it_is_named(proxy, scheme):
    with pytest.raises(ApiError, match="by way of the proxy 127.0.0.1:") as caught:
        transport_to(f"{scheme}://crm.example.com", max_elapsed=0).send("GET", "/")
    assert "hemmelig" not in str(caught.value)


def test_a_proxy_that_is_not_there_is_blamed_and_not_the_address(monkeypatch):
    for name in ("no_proxy", "NO_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    clock = Clock()
    with pytest.raises(Unreachable, match=r"by way of the proxy 127.0.0.1:1 — check HTTP_PROXY") as caught:
        transport_to("http://crm.example.com", clock).send("GET", "/")
    assert "api_url" not in str(caught.value)
    assert clock.now <= 15


# -- the rest


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 9999 23:59:59 -1000",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
    ],
)
def test_an_absurd_date_is_none(date):
    assert http_date(date) is None
    with serving(lambda _: Said({}, headers={"Date": date})) as server:
        transport = transport_to(server.url)
        transport.send("GET", "/")
        assert transport.server_clock is None
    with serving(lambda _: Said({}, 429, {"Date": date, "Retry-After": date})) as server, pytest.raises(ApiError):
        transport_to(server.url, max_elapsed=0).send("GET", "/")


def test_a_blank_in_a_parameter_is_written_so_that_every_server_reads_it():
    with serving(lambda _: Said({})) as server:
        transport_to(server.url).send("GET", "/", params={"$filter": "name eq 'A + B'", "a b": "c"})
        assert server.asked[0].target == "/?%24filter=name%20eq%20%27A%20%2B%20B%27&a%20b=c"
