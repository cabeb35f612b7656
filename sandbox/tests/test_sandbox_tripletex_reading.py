"""Reading from the sandbox's Tripletex."""

from datetime import datetime, timezone

import pytest
from sandbox.caller import Caller

import sandbox

NORWAY = {"isoAlpha2Code": "NO", "name": "Norge"}


@pytest.fixture(scope="module")
def server():
    with sandbox.running(data="empty") as systems:
        yield systems


@pytest.fixture
def tlx(server):
    server.clear()
    return server.tripletex


@pytest.fixture
def api(tlx):
    return Caller(tlx)


def values(api, path, **params):
    return api.expect(200, "GET", path, **params)["values"]


def names(api, path, **params):
    return [each["name"] for each in values(api, path, fields="name", **params)]


@pytest.fixture
def customer(tlx):
    address = {"addressLine1": "Storgata 1", "city": "OSLO", "country": {"id": tlx.country_id("NO")}}
    return tlx.create("customer", name="Æra AS", email="Post@aera.example.no", postalAddress=address)["id"]


def test_sub_objects_are_stubs_and_changes_are_hidden_unless_asked_for(api, tlx, customer):
    shown = api.expect(200, "GET", f"/customer/{customer}")["value"]
    assert set(shown["postalAddress"]) == {"id", "url"}
    assert shown["url"] == f"{tlx.host}/v2/customer/{customer}"
    assert "changes" not in shown
    assert shown["displayName"] == "Æra AS (10001)"


def test_fields_pick_and_expand(api, customer):
    fields = "id, name,changes(changeType),postalAddress(city,country(isoAlpha2Code,name))"
    shown = api.expect(200, "GET", f"/customer/{customer}", fields=fields)["value"]
    assert shown == {
        "id": customer,
        "name": "Æra AS",
        "changes": [{"changeType": "CREATE"}],
        "postalAddress": {"city": "OSLO", "country": NORWAY},
    }


def test_a_star_holds_all_but_changes_and_what_is_expanded_replaces_its_stub(api, customer):
    plain = api.expect(200, "GET", f"/customer/{customer}")["value"]
    shown = api.expect(200, "GET", f"/customer/{customer}", fields="postalAddress(city),*")["value"]
    assert shown == {**plain, "postalAddress": {"city": "OSLO"}}


@pytest.mark.parametrize(
    "fields", ["farge", "postalAddress(farge)", "name(id)", "postalAddress(city", "name,", "a)", "*)", "na-me", "*(id)"]
)
def test_fields_that_make_no_sense_are_400_with_code_11000(api, fields):
    assert api.expect(400, "GET", "/customer", fields=fields)["code"] == 11000


def test_changes_are_local_times_without_a_zone(tlx):
    tlx.clock.freeze(datetime(2026, 7, 1, 22, 30, 5, tzinfo=timezone.utc))
    created = tlx.create("contact", firstName="Åse")["id"]
    tlx.clock.freeze(datetime(2026, 12, 31, 23, 30, 5, tzinfo=timezone.utc))
    api = Caller(tlx)
    api.expect(200, "PUT", f"/contact/{created}", {"lastName": "Ås"})
    changes = api.expect(200, "GET", f"/contact/{created}", fields="changes")["value"]["changes"]
    assert [each["timestamp"] for each in changes] == ["2026-07-02T00:30:05", "2027-01-01T00:30:05"]
    assert [each["changeType"] for each in changes] == ["CREATE", "UPDATE"]
    assert changes[0]["employeeId"] != changes[1]["employeeId"]


def test_long_histories_keep_the_creation_and_the_newest_changes(tlx, customer):
    for number in range(30):
        tlx.edit("customer", customer, description=str(number))
    changes = tlx.get("customer", customer)["changes"]
    assert len(changes) == 20
    assert changes[0]["changeType"] == "CREATE"


def test_pages_go_by_index_in_a_stable_order(api, tlx):
    for number in range(5):
        tlx.create("customer", name=f"Firma {number}")
    envelope = api.expect(200, "GET", "/customer", sorting="id", **{"from": 1, "count": 2})
    assert (envelope["fullResultSize"], envelope["from"], envelope["count"]) == (4, 1, 2)
    assert [each["name"] for each in envelope["values"]] == ["Firma 1", "Firma 2"]
    assert names(api, "/customer", sorting="-id", count=1) == ["Firma 4"]
    assert names(api, "/customer", sorting="isInactive,-name", **{"from": 4}) == ["Firma 0"]


def test_the_full_result_size_is_no_total_and_says_only_whether_one_more_follows(api, tlx):
    for number in range(5):
        tlx.create("customer", name=f"Firma {number}")

    def told(start, count):
        return api.expect(200, "GET", "/customer", **{"from": start, "count": count})["fullResultSize"]

    assert [told(0, 1), told(0, 4), told(0, 5), told(4, 1), told(3, 1000)] == [2, 5, 5, 5, 5]


def test_inactive_customers_are_left_out_unless_asked_for(api, tlx, customer):
    asleep = tlx.create("customer", name="Sover AS", isInactive=True)["id"]
    assert names(api, "/customer") == ["Æra AS"]
    assert names(api, "/customer", isInactive="true") == ["Sover AS"]
    assert names(api, "/customer", id=f"{customer},{asleep}") == ["Æra AS"]
    assert names(api, "/customer", id=f"{customer},{asleep}", isInactive="true") == ["Sover AS"]
    assert api.expect(200, "GET", f"/customer/{asleep}")["value"]["name"] == "Sover AS"


def test_inactive_contacts_and_products_are_listed(api, tlx):
    tlx.create("contact", firstName="A", isInactive=True)
    tlx.create("product", name="A", isInactive=True)
    assert len(values(api, "/contact")) == len(values(api, "/product")) == 1


def test_customers_are_found_by_what_equals(api, tlx, customer):
    tlx.create("customer", name="To AS", organizationNumber="310000006", invoiceEmail="faktura@to.example.no")
    assert names(api, "/customer", email="post@AERA.example.no") == ["Æra AS"]
    assert names(api, "/customer", email="post@aera") == []
    assert names(api, "/customer", organizationNumber="310000006") == ["To AS"]
    assert names(api, "/customer", organizationNumber="310 000 006") == []
    assert names(api, "/customer", customerName="æra") == ["Æra AS"]
    assert names(api, "/customer", customerAccountNumber="10002,10003") == ["To AS"]
    assert names(api, "/customer", invoiceEmail="faktura@to.example.no") == ["To AS"]


def test_contacts_are_found_by_what_contains(api, tlx, customer):
    tlx.create("contact", firstName="Anne-Lise", lastName="Ås", email="anne@aera.example.no", customer={"id": customer})
    tlx.create("contact", firstName="Anne", lastName="Berg", email="anne@example.com")

    def found(**params):
        return [each["lastName"] for each in values(api, "/contact", fields="lastName", **params)]

    assert found(firstName="anne") == ["Ås", "Berg"]
    assert found(firstName="Anne", lastName="berg") == ["Berg"]
    assert found(email="nne@exa") == ["Berg"]
    assert found(customerId=str(customer)) == ["Ås"]


def test_changed_since_takes_local_times_and_offsets(api, tlx):
    tlx.clock.freeze(datetime(2026, 1, 5, 12, 0, tzinfo=timezone.utc))
    tlx.create("customer", name="A")
    tlx.clock.freeze(datetime(2026, 1, 6, 12, 0, tzinfo=timezone.utc))
    tlx.create("customer", name="B")
    assert names(api, "/customer", changedSince="2026-01-06T13:00:00") == ["B"]
    assert names(api, "/customer", changedSince="2026-01-06T13:00:01") == []
    assert names(api, "/customer", changedSince="2026-01-06T12:00:00Z") == ["B"]
    assert names(api, "/customer", changedSince="2026-01-05") == ["A", "B"]


def test_a_change_in_the_repeated_hour_hides_behind_the_first(api, tlx):
    tlx.clock.freeze(datetime(2026, 10, 25, 0, 50, tzinfo=timezone.utc))
    tlx.create("customer", name="02:50 summer time")
    tlx.clock.freeze(datetime(2026, 10, 25, 1, 10, tzinfo=timezone.utc))
    tlx.create("customer", name="02:10 winter time")
    assert names(api, "/customer", changedSince="2026-10-25T02:45:00") == ["02:50 summer time"]


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"farge": "blå"}, 400, 4000),
        ({"from": "-1"}, 422, 21000),
        ({"count": "alle"}, 422, 21000),
        ({"id": "1,to"}, 422, 21000),
        ({"isInactive": "True"}, 422, 21000),
        ({"changedSince": "i går"}, 422, 21000),
        ({"changedSince": "2026-02-30"}, 422, 21000),
        ({"sorting": "farge"}, 422, 17000),
    ],
)
def test_parameters_that_make_no_sense_are_refused(api, tlx, params, status, code):
    tlx.create("customer", name="A")
    assert api.expect(status, "GET", "/customer", **params)["code"] == code


def test_an_unchanged_list_is_304_and_a_changed_one_comes_whole(api, tlx, customer):
    def ask(known, **params):
        return api.call("GET", "/customer", headers={"If-None-Match": known}, **params)

    assert api.expect(200, "GET", "/customer")["versionDigest"] is None
    digest = ask("0").json()["versionDigest"]
    again = ask(digest)
    assert (again.status_code, again.content) == (304, b"")
    assert ask(digest, count=1).status_code == 200
    tlx.edit("customer", customer, description="ny")
    changed = ask(digest)
    assert changed.status_code == 200
    assert changed.json()["versionDigest"] != digest
    tlx.change_digests()
    assert ask(changed.json()["versionDigest"]).status_code == 200


def test_a_page_has_a_digest_of_its_own(api, tlx):
    ids = [tlx.create("contact", firstName=str(number))["id"] for number in range(4)]
    pages = [{"from": 0, "count": 2}, {"from": 2, "count": 2}]
    digests = [api.expect(200, "GET", "/contact", headers={"If-None-Match": "0"}, **p)["versionDigest"] for p in pages]
    tlx.edit("contact", ids[3], lastName="Ny")
    found = [
        api.call("GET", "/contact", headers={"If-None-Match": digest}, **page).status_code
        for digest, page in zip(digests, pages, strict=True)
    ]
    assert found == [304, 200]


def test_a_digest_does_not_see_changes_in_objects_of_other_resources(api, tlx, customer):
    tlx.create("contact", firstName="Åse", customer={"id": customer})
    fields = {"fields": "*,customer(name)"}
    digest = api.expect(200, "GET", "/contact", headers={"If-None-Match": "0"}, **fields)["versionDigest"]
    tlx.edit("customer", customer, name="Nytt Navn AS")
    assert api.call("GET", "/contact", headers={"If-None-Match": digest}, **fields).status_code == 304


def test_all_countries_are_there(api, tlx):
    countries = values(api, "/country", fields="id,isoAlpha2Code,isoAlpha3Code,name")
    assert len(countries) == 249
    norway = values(api, "/country", code="NO")[0]
    assert norway["id"] == tlx.country_id("NO")
    assert {name: norway[name] for name in NORWAY} == NORWAY
    assert [each["isoAlpha2Code"] for each in values(api, "/country", code="SE,DK")] == ["DK", "SE"]


def test_what_has_no_text_may_be_shown_as_empty_text(api, tlx, customer):
    tlx.unset_text = ""
    shown = api.expect(200, "GET", f"/customer/{customer}", fields="phoneNumber,globalLocationNumber,language")["value"]
    assert shown == {"phoneNumber": "", "globalLocationNumber": None, "language": "NO"}


def test_a_user_sees_everything(tlx, customer):
    shown = tlx.all("customer")[0]
    assert shown["postalAddress"]["country"]["isoAlpha2Code"] == "NO"
    assert shown["changes"][0]["changeType"] == "CREATE"
    assert tlx.get("customer", customer) == shown
    assert tlx.get("customer", 1) is None
    assert tlx.count("customer") == 1
