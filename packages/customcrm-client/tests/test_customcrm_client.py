"""The client against a Customcrm on this machine."""

from datetime import datetime, timedelta, timezone

import pytest
from api_transport.errors import AccessDenied, Conflict, NotFound, OutcomeUnknown, Refused, UnexpectedAnswer
from customcrm_client.client import CustomcrmClient

import sandbox
from sandbox import Fault


@pytest.fixture(scope="module")
def systems():
    with sandbox.running("empty") as systems:
        yield systems


@pytest.fixture
def crm(systems):
    systems.clear()
    return systems.customcrm


@pytest.fixture
def client(crm):
    with CustomcrmClient(crm.api_url, crm.api_key, page_size=2, max_elapsed=2) as client:
        yield client


def listed(pages):
    return [record["Id"] for page in pages for record in page.values]


def answers(crm, *bodies, status=200, headers=None):
    """Let the CRM give these answers, one after the other, the last one for ever."""
    left = list(bodies)

    def answer(_):
        if len(crm.requests) > 20:
            return Fault.answer(400, {"title": "this goes on for ever"})
        return Fault.answer(status, left.pop(0) if len(left) > 1 else left[0], headers)

    crm.before = answer


def page_of(*ids, link=None):
    return {"data": [{"Id": record_id} for record_id in ids], "links": {"next": link}}


def test_a_list_is_read_to_its_end_page_by_page(crm, client):
    made = [crm.create("contact", FirstName=f"Kari {number}")["Id"] for number in range(5)]
    before = datetime.now(timezone.utc)
    pages = list(client.pages("contact"))
    assert [len(page.values) for page in pages] == [2, 2, 1]
    assert listed(pages) == made
    assert before <= pages[0].sent_at <= pages[1].sent_at <= datetime.now(timezone.utc)
    assert pages[0].sent_at.tzinfo is not None


def test_a_list_of_changes_is_inclusive_and_may_hold_tombstones(crm, client):
    with crm.clock.at(datetime(2026, 1, 1, 12, 0, tzinfo=timezone.utc)):
        crm.create("product", Name="Gammel", Id="old")
    with crm.clock.at(datetime(2026, 1, 2, 12, 0, 0, 123_000, tzinfo=timezone.utc)):
        crm.create("product", Name="Ny", Id="new")
        crm.create("product", Name="Borte", Id="gone")
    crm.remove("product", "gone")
    since = datetime(2026, 1, 2, 13, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=1)))
    assert listed(client.pages("product", updated_since=since)) == ["new"]
    assert listed(client.pages("product", updated_since=since, include_deleted=True)) == ["new", "gone"]
    assert listed(client.pages("product", updated_since="2026-01-01T00:00:00Z")) == ["old", "new"]


@pytest.mark.parametrize("record_id", ["a/b?c", "0", "å b", "50%", "#1", "a+b", "a;b=c", "x,y"])
def test_an_id_may_hold_any_character(crm, client, record_id):
    crm.create("customer", Name="Firma AS", Id=record_id)
    assert client.get("customer", record_id)[0]["Id"] == record_id
    assert client.get_many("customer", [record_id])[record_id].record["Name"] == "Firma AS"
    _, etag, _ = client.get("customer", record_id)
    assert client.update("customer", record_id, {"City": "Oslo"}, etag)[0]["City"] == "Oslo"
    assert client.delete("customer", record_id) is True


@pytest.mark.parametrize("record_id", ["", ".", ".."])
def test_an_id_that_would_ask_for_something_else_is_refused(client, record_id):
    with pytest.raises(ValueError, match="not an id"):
        client.get("customer", record_id)


def test_what_is_not_there_or_deleted_is_none(crm, client):
    crm.create("customer", Name="Firma AS", Id="c1")
    crm.remove("customer", "c1")
    assert client.get("customer", "c1") is None
    assert client.get("customer", "c2") is None
    assert client.get_many("customer", ["c1", "c2", ""]) == {}


def test_many_ids_are_asked_for_in_few_requests_that_are_not_too_long(crm, client):
    ids = [crm.create("customer", Name=f"Firma {number}", Id=f"{number:03}-{'ø' * 20}")["Id"] for number in range(120)]
    assert sorted(client.get_many("customer", [*ids, *ids, "none"])) == sorted(ids)
    lengths = [len(request.query) for request in crm.requests]
    assert 9 <= len(lengths) <= 15
    assert max(lengths) < 1800


def test_a_search_asks_by_what_the_list_can_filter(crm, client):
    crm.create("customer", Name="Fjord AS", OrganizationNumber="911111111", City="Bergen", Id="c1")
    crm.create("customer", Name="Fjord AS", City="Oslo", Id="c2")
    for number in range(3):
        crm.create("customer", Name="Andre AS", Id=f"other {number}")
    found = client.search("customer", {"Name": "Fjord AS", "City": "oslo ", "Phone": None})
    assert [record["Id"] for record in found] == ["c2"]
    assert [request.params for request in crm.requests] == [{"per_page": ["500"], "Name": ["Fjord AS"]}]


@pytest.mark.parametrize("properties", [{"Name": "Berg, Dal og Co"}, {"City": "Bodø"}])
def test_a_search_by_what_cannot_be_asked_goes_through_the_list(crm, client, properties):
    crm.create("customer", **{"Name": "Annet", **properties}, Id="c1")
    crm.create("customer", Name="Berg", Id="c2")
    crm.create("customer", Name="Berg, Dal og Co", Id="c3", City="Bodø")
    crm.remove("customer", "c3")
    assert [record["Id"] for record in client.search("customer", properties)] == ["c1"]
    assert crm.requests[0].params == {"per_page": ["500"]}


@pytest.mark.parametrize("properties", [{}, {"Name": None}, {"Name": ""}])
def test_a_search_for_nothing_is_a_mistake(client, properties):
    with pytest.raises(ValueError, match="everything"):
        client.search("customer", properties)


@pytest.mark.parametrize("filters", [{"City": "Oslo"}, {"Name": "a,b"}, {"Number": "1"}])
def test_a_filter_that_the_list_has_not_is_a_mistake(client, filters):
    with pytest.raises(ValueError, match="cannot be filtered"):
        client.matching("customer", filters)


def test_a_stream_that_there_is_not_is_a_mistake(client):
    with pytest.raises(ValueError, match="no stream"):
        client.pages("orders")


def test_the_number_of_records_is_not_told(client):
    assert client.size("contact") is None


def test_a_created_record_comes_back_whole(crm, client):
    record, etag, _ = client.create("contact", {"FirstName": "Åse", "Email": "ase@example.no"})
    assert crm.get("contact", record["Id"]) == record
    assert client.get("contact", record["Id"])[:2] == (record, etag)


def test_an_update_over_a_version_that_is_not_the_last_is_a_conflict(crm, client):
    record, etag, _ = client.create("customer", {"Name": "Firma AS"})
    crm.edit("customer", record["Id"], Name="Firma ASA")
    with pytest.raises(Conflict):
        client.update("customer", record["Id"], {"City": "Oslo"}, etag)
    newer, etag, _ = client.update("customer", record["Id"], {"City": "Oslo"}, None)
    assert (newer["Name"], newer["City"]) == ("Firma ASA", "Oslo")
    assert client.update("customer", record["Id"], {"City": None}, etag)[0]["City"] is None


def test_a_deletion_over_a_version_that_is_not_the_last_is_a_conflict(crm, client):
    record, etag, _ = client.create("customer", {"Name": "Firma AS"})
    crm.edit("customer", record["Id"], Name="Firma ASA")
    with pytest.raises(Conflict):
        client.delete("customer", record["Id"], etag)
    newer, etag, _ = client.get("customer", record["Id"])
    assert newer["Name"] == "Firma ASA"
    assert client.delete("customer", record["Id"], etag) is True


def test_an_update_of_what_is_gone_and_a_second_delete(client):
    with pytest.raises(NotFound):
        client.update("customer", "c9", {"City": "Oslo"}, None)
    assert client.delete("customer", "c9") is False


def test_what_the_crm_refuses_is_told_in_its_words(client):
    with pytest.raises(Refused, match="Name: is required"):
        client.create("customer", {"City": "Oslo"})


def test_a_create_whose_answer_is_lost_is_sent_once(crm, client):
    crm.after = lambda _: Fault.drop_answer()
    with pytest.raises(OutcomeUnknown):
        client.create("customer", {"Name": "Firma AS"})
    assert len(crm.all("customer")) == 1


def test_a_create_answered_without_an_id_may_have_been_carried_out(crm, client):
    answers(crm, {"Name": "Firma AS"}, status=201)
    with pytest.raises(OutcomeUnknown):
        client.create("customer", {"Name": "Firma AS"})


def test_an_update_over_a_version_is_repeated_where_its_answer_is_lost(crm, client):
    record, etag, _ = client.create("customer", {"Name": "Firma AS"})
    crm.before = lambda _: Fault.drop() if len(crm.requests) < 3 else None
    assert client.update("customer", record["Id"], {"City": "Oslo"}, etag)[0]["City"] == "Oslo"


def test_a_wrong_key_is_told_without_telling_it(crm):
    with CustomcrmClient(crm.api_url, "wrong-key-nobody-sees") as client, pytest.raises(AccessDenied) as told:
        list(client.pages("contact"))
    assert "api_key" in str(told.value)
    assert "wrong-key" not in str(told.value)


@pytest.mark.parametrize(
    "body",
    [
        {"links": {"next": None}},
        {"data": None, "links": {}},
        {"data": {}},
        {"data": ["c1"]},
        {"data": [{"Name": "without Id"}]},
        {"data": [{"Id": ""}]},
        {"data": [{"Id": 7}]},
        {"data": [], "links": {"next": 7}},
        [],
        "<html><title>Welcome</title></html>",
    ],
)
def test_an_answer_that_is_no_list_is_never_taken_for_an_empty_one(crm, client, body):
    answers(crm, body)
    with pytest.raises(UnexpectedAnswer):
        list(client.pages("contact"))


def test_a_record_answered_with_another_id_is_gone_and_not_taken_for_the_one_asked_for(crm, client):
    answers(crm, {"Id": "c2", "Name": "The one that c1 was merged into"}, headers={"ETag": '"2"'})
    assert client.get("customer", "c1") is None
    assert client.get_many("customer", ["c1"], to_write=True) == {}
    with pytest.raises(NotFound, match="answers with another"):
        client.update("customer", "c1", {"Name": "A"}, '"1"')


@pytest.mark.parametrize("links", [{}, {"links": None}, {"links": {"next": ""}}])
def test_a_list_without_links_is_one_page(crm, client, links):
    answers(crm, {"data": [{"Id": "c1"}], **links})
    assert listed(client.pages("contact")) == ["c1"]


def test_a_next_link_that_differs_in_its_scheme_alone_is_followed_where_api_url_is(crm, client):
    host = crm.address.partition("://")[2]
    answers(crm, page_of("c1", link=f"https://{host}/api/v1/contacts?cursor=x"))
    with pytest.raises(UnexpectedAnswer, match="the same page came twice"):
        list(client.pages("contact"))
    assert len(crm.requests) == 2


@pytest.mark.parametrize("other", ["http://evil.example.com", "http://127.0.0.1:1", "http://a:b@{host}"])
def test_the_key_goes_to_no_other_host_or_port(crm, client, other):
    host = crm.address.partition("://")[2]
    answers(crm, page_of("c1", link=other.format(host=host) + "/api/v1/contacts?cursor=x"))
    with pytest.raises(UnexpectedAnswer, match="another host"):
        list(client.pages("contact"))
    assert len(crm.requests) == 1


@pytest.mark.parametrize("link", ["?cursor=2", "/api/v1/contacts?cursor=2", "{address}/api/v1/contacts?cursor=2"])
def test_a_link_may_be_absolute_or_relative(crm, client, link):
    answers(crm, page_of("c1", link=link.format(address=crm.address)), page_of("c2"))
    assert listed(client.pages("contact")) == ["c1", "c2"]
    assert (crm.requests[1].path, crm.requests[1].query) == ("/api/v1/contacts", "cursor=2")


def test_a_link_that_comes_again_does_not_go_on_for_ever(crm, client):
    one, two = (f"{crm.api_url}/contacts?cursor={number}" for number in (1, 2))
    answers(crm, page_of("c1", link=one), page_of("c2", link=two), page_of("c3", link=one))
    with pytest.raises(UnexpectedAnswer, match="link came twice"):
        list(client.pages("contact"))


def test_a_page_that_comes_again_does_not_go_on_for_ever(crm, client):
    answers(crm, *(page_of("c1", link=f"{crm.api_url}/contacts?cursor={number}") for number in range(30)))
    with pytest.raises(UnexpectedAnswer, match="page came twice"):
        list(client.pages("contact"))


@pytest.mark.parametrize(
    ("api_url", "identity"),
    [
        ("HTTPS://CRM.Example.com:443/api/v1/", "https://crm.example.com/api/v1"),
        ("http://crm.example.com:8080", "http://crm.example.com:8080"),
        ("http://[::1]:80/x", "http://[::1]/x"),
    ],
)
def test_a_crm_is_known_by_its_address_in_one_spelling(api_url, identity):
    with CustomcrmClient(api_url, "some-key") as client:
        assert client.identity() == f"Customcrm at {identity}"
