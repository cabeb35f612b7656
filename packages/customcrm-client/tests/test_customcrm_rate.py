"""A CRM that tells its limit by headers and codes of its own."""

import pytest
from api_transport.errors import AccessDenied, RateLimited, Refused
from api_transport.rate_limit import RateHeaders
from api_transport.testing import Clock, Said
from customcrm_client.client import CustomcrmClient
from customcrm_client.loading import Fault, load
from customcrm_client.profile_rate import Rate
from customcrm_client.testing import KEY, profile_for, small_crm

LIMITED = {"error": {"message": "over the limit", "code": "REQUEST_LIMIT_EXCEEDED"}, "failed": True}


@pytest.fixture
def crm():
    with small_crm() as (crm, server):
        crm.add("Kari")
        yield crm, server, Clock()


def client_for(crm, *, code="error.code", **rate):
    _, server, clock = crm
    profile = profile_for()
    profile["errors"] |= {"code": code, "permanent": [500]}
    return CustomcrmClient(
        server.url, KEY, profile=load({**profile, "rate": rate}), sleep=clock.sleep, clock=clock, max_elapsed=100
    )


@pytest.mark.parametrize("status", [200, 400, 403, 429, 500])
def test_a_code_that_means_too_many_requests_is_waited_out_and_nothing_lost(crm, status):
    people, server, clock = crm
    client = client_for(crm, codes=["REQUEST_LIMIT_EXCEEDED"])
    for ask in (
        lambda: client.get("contact", "1").record["FirstName"],
        lambda: client.create("contact", {"FirstName": "Kari"}).record["FirstName"],
        lambda: next(client.pages("contact")).values[0]["FirstName"],
    ):
        answers = [Said(LIMITED, status), Said(LIMITED, status, {"Retry-After": "20"})]
        people.before = lambda _, answers=answers: answers.pop(0) if answers else None
        before = len(server.asked)
        assert ask() == "Kari"
        assert len(server.asked) == before + 3
        assert 20 <= clock.slept[-1] <= 21
    assert len(people.rows) == 2
    people.before = lambda _: Said(LIMITED, status)
    with pytest.raises(RateLimited, match="too many requests"):
        client.create("contact", {"FirstName": "Ola"})


@pytest.mark.parametrize(("said", "told"), [([429], 429), (["429"], 429), ([429], "429")])
def test_a_code_may_be_a_number_or_a_text(crm, said, told):
    people, _, _ = crm
    answers = [Said({"error": {"code": told}}, 400)]
    people.before = lambda _: answers.pop(0) if answers else None
    assert client_for(crm, codes=said).get("contact", "1") is not None


def test_any_other_code_is_what_it_is(crm):
    people, server, _ = crm
    client = client_for(crm, codes=["REQUEST_LIMIT_EXCEEDED"])
    for said, error in (
        (Said({"error": {"code": "INSUFFICIENT_ACCESS"}}, 403), AccessDenied),
        (Said({"error": {"code": "DUPLICATE"}, "failed": True}, 200), Refused),
        (Said("<html>REQUEST_LIMIT_EXCEEDED</html>", 403), AccessDenied),
    ):
        people.before = lambda _, said=said: said
        before = len(server.asked)
        with pytest.raises(error):
            client.create("contact", {"FirstName": "Kari"})
        assert len(server.asked) == before + 1
    people.before = lambda _: Said({"id": 1, "name": "REQUEST", "error": {"code": "REQUEST_LIMIT_EXCEEDED"}}, 200)
    assert client.get("contact", "1") is not None, "a record may say anything"


def test_the_limit_is_read_from_the_headers_that_the_profile_names(crm):
    people, _, _ = crm
    told = {"X-Hub-Max": "100", "X-Hub-Left": "5", "X-Hub-Interval": "10000"}
    people.before = lambda _: Said({"data": []}, headers=told)
    usual = client_for(crm)
    named = client_for(crm, limit="X-Hub-Max", remaining="X-Hub-Left", reset="X-Hub-Interval", reset_is="milliseconds")
    for client, waited in ((usual, 0), (named, 10)):
        for _ in range(2):
            next(client.pages("contact", ahead=False))
        assert client.transport.waited == pytest.approx(waited)


def test_the_usual_headers_are_those_that_every_api_is_read_by():
    usual = RateHeaders()
    assert {name: getattr(Rate(), name) for name in vars(usual)} == vars(usual)


@pytest.mark.parametrize("key", ["limit", "remaining", "reset"])
def test_what_is_no_name_of_a_header_is_refused(key):
    with pytest.raises(Fault, match="no name of a header"):
        load({**profile_for(), "rate": {key: "X-Left: "}})
