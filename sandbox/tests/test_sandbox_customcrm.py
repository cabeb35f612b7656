"""The Customcrm contract as the sandbox serves it."""

from datetime import datetime, timedelta, timezone

import pytest
import requests
from sandbox.caller import Caller

import sandbox

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def server():
    with sandbox.running(data="empty") as systems:
        yield systems


@pytest.fixture
def crm(server):
    server.clear()
    return server.customcrm


@pytest.fixture
def api(crm):
    return Caller(crm)


def walk(api, path, **params):
    """All pages' records, following the links."""
    pages, answer = [], api.expect(200, "GET", path, **params)
    while True:
        pages.append(answer["data"])
        link = answer["links"]["next"]
        if link is None:
            return pages
        assert link.startswith(api.base)
        answer = api.get(link, timeout=60).json()


def test_a_missing_or_wrong_key_is_401(crm):
    for headers in ({}, {"Authorization": "Bearer feil"}):
        answer = requests.get(f"{crm.api_url}/customers", headers=headers, timeout=60)
        assert (answer.status_code, answer.json()["status"]) == (401, 401)


def test_a_record_is_created_read_changed_and_deleted(api):
    created = api.call("POST", "/customers", {"Name": "Æra AS", "City": "BODØ"})
    record = created.json()
    assert created.status_code == 201
    assert record["Name"] == "Æra AS"
    assert record["Phone"] is None
    assert record["Deleted"] is False
    assert record["CreatedAt"] == record["UpdatedAt"]
    path = f"/customers/{record['Id']}"
    read = api.call("GET", path)
    assert read.json() == record
    assert read.headers["ETag"] == created.headers["ETag"]
    changed = api.call("PATCH", path, {"City": None}, {"If-Match": read.headers["ETag"]})
    assert changed.json() == {**record, "City": None, "UpdatedAt": changed.json()["UpdatedAt"]}
    assert changed.headers["ETag"] != read.headers["ETag"]
    assert api.call("DELETE", path).status_code == 204
    assert api.call("GET", path).status_code == 404
    assert api.call("PATCH", path, {"City": "OSLO"}).status_code == 404


def test_a_record_changed_meanwhile_is_412_and_stays(api, crm):
    answer = api.call("POST", "/products", {"Name": "Stol"})
    path, etag = f"/products/{answer.json()['Id']}", answer.headers["ETag"]
    crm.edit("product", answer.json()["Id"], Name="Krakk")
    assert api.call("PATCH", path, {"Name": "Benk"}, {"If-Match": etag}).status_code == 412
    assert api.call("DELETE", path, headers={"If-Match": etag}).status_code == 412
    assert api.expect(200, "GET", path)["Name"] == "Krakk"


def test_every_change_of_a_record_moves_its_time_even_in_one_millisecond(crm):
    crm.clock.freeze(NOON)
    record = crm.create("customer", Name="A")
    assert record["UpdatedAt"] == "2026-03-02T12:00:00.000Z"
    assert crm.create("customer", Name="B")["UpdatedAt"] == record["UpdatedAt"]
    stamps = [crm.edit("customer", record["Id"], Name=name)["UpdatedAt"] for name in "CDE"]
    assert stamps == [f"2026-03-02T12:00:00.00{n}Z" for n in (1, 2, 3)]


def test_times_never_go_back_though_the_clock_does(crm):
    crm.clock.freeze(NOON)
    first = crm.create("customer", Name="A")
    crm.clock.advance(timedelta(hours=-1))
    assert crm.create("customer", Name="B")["UpdatedAt"] >= first["UpdatedAt"]


def test_tombstones_are_listed_only_when_asked_for(api, crm):
    crm.create("contact", FirstName="Åse")
    gone = crm.create("contact", FirstName="Gry")
    crm.remove("contact", gone["Id"])
    assert [each["FirstName"] for each in walk(api, "/contacts")[0]] == ["Åse"]
    tombstone = walk(api, "/contacts", include_deleted="true")[0][1]
    assert (tombstone["Deleted"], tombstone["FirstName"]) == (True, "Gry")
    assert tombstone["UpdatedAt"] > gone["UpdatedAt"]


def test_pages_hold_every_record_once_though_one_changes_meanwhile(api, crm):
    ids = [crm.create("customer", Name=f"Firma {n}")["Id"] for n in range(7)]
    first = api.expect(200, "GET", "/customers", per_page=3)
    crm.edit("customer", ids[4], City="MOSS")
    rest = api.get(first["links"]["next"], timeout=60).json()
    last = api.get(rest["links"]["next"], timeout=60).json()
    assert last["links"]["next"] is None
    found = [each["Id"] for page in (first, rest, last) for each in page["data"]]
    assert sorted(found) == sorted(ids)
    assert found[-1] == ids[4]


def test_a_full_last_page_has_no_next(api, crm):
    for n in range(4):
        crm.create("customer", Name=f"Firma {n}")
    assert [len(page) for page in walk(api, "/customers", per_page=2)] == [2, 2]


def test_updated_since_is_inclusive_and_takes_any_offset(api, crm):
    crm.clock.freeze(NOON)
    crm.create("customer", Name="A")
    crm.clock.advance(timedelta(milliseconds=1))
    crm.create("customer", Name="B")

    def names(since):
        return [each["Name"] for page in walk(api, "/customers", updated_since=since) for each in page]

    assert names("2026-03-02T12:00:00.001Z") == ["B"]
    assert names("2026-03-02T13:00:00+01:00") == ["A", "B"]
    assert names("2026-03-02T12:00:00.0001Z") == ["B"]
    assert names("0001-01-01T00:00:00+10:00") == ["A", "B"]


def test_filters_take_lists_and_stay_on_the_next_page(api, crm):
    for name in ("A", "B", "C", "A"):
        crm.create("customer", Name=name, Email=f"{name}@example.no")
    assert [each["Name"] for page in walk(api, "/customers", Name="A,C", per_page=1) for each in page] == [
        "A",
        "C",
        "A",
    ]
    assert walk(api, "/customers", Name="A", Email="B@example.no") == [[]]
    assert [each["Id"] for each in walk(api, "/customers", Id="c2,c9,c1")[0]] == ["c1", "c2"]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/customers", {"side": "2"}),
        ("/contacts", {"OrganizationNumber": "310000000"}),
        ("/customers", {"per_page": "0"}),
        ("/customers", {"per_page": "501"}),
        ("/customers", {"updated_since": "i går"}),
        ("/customers", {"updated_since": "2026-13-01T00:00:00Z"}),
        ("/customers", {"cursor": "tull"}),
        ("/customers", {"include_deleted": "ja"}),
    ],
)
def test_a_parameter_that_makes_no_sense_is_400(api, path, params):
    answer = api.expect(400, "GET", path, **params)
    assert answer["errors"][0]["field"] == next(iter(params))


@pytest.mark.parametrize(
    ("resource", "body", "field"),
    [
        ("customers", {"Name": "A", "Farge": "blå"}, "Farge"),
        ("customers", {"City": "OSLO"}, "Name"),
        ("customers", {"Name": "  "}, "Name"),
        ("customers", {"Name": "A", "Id": "c7"}, "Id"),
        ("customers", {"Name": "A", "UpdatedAt": "2026-01-01T00:00:00.000Z"}, "UpdatedAt"),
        ("customers", {"Name": "A", "Deleted": True}, "Deleted"),
        ("customers", {"Name": "A", "Phone": 22334455}, "Phone"),
        ("products", {"Name": "A", "Price": "12"}, "Price"),
        ("products", {"Name": "A", "Price": True}, "Price"),
        ("contacts", {"Email": "a@example.no"}, "FirstName"),
        ("contacts", {"FirstName": "A", "CustomerId": "c99"}, "CustomerId"),
    ],
)
def test_what_cannot_be_stored_is_422_with_the_field_named(api, crm, resource, body, field):
    answer = api.expect(422, "POST", f"/{resource}", body)
    assert [error["field"] for error in answer["errors"]] == [field]
    assert crm.all(resource) == []


def test_a_body_that_is_no_json_is_400(api):
    answer = api.request("POST", f"{api.base}/customers", data=b"{", timeout=60)
    assert answer.status_code == 400


def test_a_deleted_customer_is_no_reference_but_an_old_one_stays(api, crm):
    customer = crm.create("customer", Name="A")["Id"]
    contact = crm.create("contact", FirstName="Åse", CustomerId=customer)["Id"]
    crm.remove("customer", customer)
    api.expect(422, "POST", "/contacts", {"FirstName": "Gry", "CustomerId": customer})
    assert api.expect(200, "PATCH", f"/contacts/{contact}", {"Phone": "1"})["CustomerId"] == customer


def test_an_id_may_hold_what_an_address_must_quote(api, crm):
    crm.create("customer", Id="a/b?c", Name="A")
    assert api.expect(200, "GET", "/customers/a%2Fb%3Fc")["Name"] == "A"


def test_what_is_not_served_is_404_in_the_envelope(api):
    assert api.expect(404, "GET", "/orders")["status"] == 404


def test_the_server_may_normalise_what_it_is_sent(api, crm):
    crm.register.normalise = lambda _stream, _name, text: text.strip()
    assert api.expect(201, "POST", "/customers", {"Name": " A "})["Name"] == "A"
