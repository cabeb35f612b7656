"""Reading from the sandbox's Tripletex."""

from datetime import datetime, timezone
from itertools import combinations, product

import pytest
from sandbox.caller import Caller
from sandbox.tripletex.variants import DIMENSIONS, covering, singly

import sandbox
from sandbox import Variant

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


def test_a_parameter_that_there_is_not_is_passed_over_and_told_in_the_log(api, tlx, customer):
    assert names(api, "/customer", kundenavn="finnes ikke") == ["Æra AS"]
    api.expect(200, "GET", f"/customer/{customer}", farge="blå")
    assert [seen.tolerated for seen in tlx.requests if "customer" in seen.path] == [
        ["query parameter 'kundenavn' is unknown"],
        ["query parameter 'farge' is unknown"],
    ]
    tlx.clear_requests()
    assert len(tlx.tolerated) == 2


def test_a_list_by_ids_may_bring_inactive_customers_unasked(api, tlx, customer):
    tlx.variant = Variant("id-filter=all")
    asleep = tlx.create("customer", name="Sover AS", isInactive=True)["id"]
    assert names(api, "/customer", id=f"{customer},{asleep}") == ["Æra AS", "Sover AS"]
    assert names(api, "/customer", id=f"{customer},{asleep}", isInactive="false") == ["Æra AS"]
    assert names(api, "/customer") == ["Æra AS"]


@pytest.mark.parametrize("ids", ["active", "all"])
def test_inactive_contacts_may_be_in_no_list_but_are_there(api, tlx, ids):
    tlx.variant = Variant("inactive-contacts=hidden", f"id-filter={ids}")
    person = tlx.create("contact", firstName="A", isInactive=True)["id"]
    assert values(api, "/contact") == values(api, "/contact", firstName="A") == []
    assert len(values(api, "/contact", id=str(person))) == (ids == "all")
    assert api.expect(200, "GET", f"/contact/{person}")["value"]["isInactive"] is True


@pytest.mark.parametrize(
    ("variant", "found"), [("inclusive", ["B", "C"]), ("exclusive", ["C"]), ("ignored", ["A", "B", "C"])]
)
def test_changed_since_may_mean_several_things(api, tlx, variant, found):
    tlx.variant = Variant(f"changed-since={variant}")
    for day, name in enumerate("ABC", 5):
        tlx.clock.freeze(datetime(2026, 1, day, 12, 0, tzinfo=timezone.utc))
        tlx.create("customer", name=name)
    assert names(api, "/customer", changedSince="2026-01-06T13:00:00") == found


def test_a_list_that_is_too_long_may_be_refused_however_little_is_asked_for(api, tlx):
    tlx.variant, tlx.lists.limit = Variant("list-limit=on"), 3
    for number in range(4):
        tlx.create("customer", name=f"Firma {number}", email=f"post@firma{number % 2}.example.no")
    for page in ({}, {"count": 1}, {"from": 3}):
        refused = api.expect(422, "GET", "/customer", **page)
        assert (refused["code"], refused["developerMessage"]) == (23000, "Result set too large. Limit of 3 reached")
    assert len(names(api, "/customer", email="post@firma1.example.no")) == 2


def test_times_may_carry_their_offset(tlx):
    tlx.variant = Variant("time-offsets=on")
    tlx.clock.freeze(datetime(2026, 7, 1, 22, 30, 5, tzinfo=timezone.utc))
    created = tlx.create("contact", firstName="Åse")["id"]
    tlx.clock.freeze(datetime(2026, 10, 25, 1, 10, tzinfo=timezone.utc))
    api = Caller(tlx)
    api.expect(200, "PUT", f"/contact/{created}", {"lastName": "Ås"})
    changes = api.expect(200, "GET", f"/contact/{created}", fields="changes")["value"]["changes"]
    assert [each["timestamp"] for each in changes] == ["2026-07-02T00:30:05+02:00", "2026-10-25T02:10:00+01:00"]


def test_a_variant_that_there_is_not_is_told_with_those_that_there_are():
    with pytest.raises(ValueError, match=r"no variant 'null=never'. There are .*null=taken\|refused"):
        Variant("null=never")


def test_few_variants_hold_every_pair_of_values():
    found = covering()
    for one, other in combinations(DIMENSIONS, 2):
        pairs = {(variant[one], variant[other]) for variant in found}
        assert pairs == set(product(DIMENSIONS[one], DIMENSIONS[other]))
    assert len(found) <= 12
    assert len(singly()) == sum(len(values) - 1 for values in DIMENSIONS.values())
    assert all(Variant(*variant.said) == variant for variant in found)


def test_a_system_made_anew_is_as_it_began(tlx):
    tlx.variant, tlx.lists.limit = Variant("list-limit=on"), 3
    tlx.clear()
    assert (tlx.variant, tlx.lists.limit) == (Variant(), 10_000)


def test_a_checksum_that_nobody_asked_for_is_a_sentence(api):
    digest = api.expect(200, "GET", "/customer")["versionDigest"]
    assert " " in digest
    assert "If-None-Match" in digest


def test_an_unchanged_list_is_304_and_a_changed_one_comes_whole(api, tlx, customer):
    def ask(known, **params):
        return api.call("GET", "/customer", headers={"If-None-Match": known}, **params)

    # A sentence, where nobody asks for a checksum.
    assert "If-None-Match" in api.expect(200, "GET", "/customer")["versionDigest"]
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


def test_what_has_no_text_is_shown_as_empty_text_and_some_numbers_as_0(api, tlx, customer):
    asked = {"fields": "phoneNumber,globalLocationNumber,language,postalAddress(postalCode,knr)"}
    shown = api.expect(200, "GET", f"/customer/{customer}", **asked)["value"]
    address = {"postalCode": "", "knr": None}
    assert shown == {"phoneNumber": "", "globalLocationNumber": 0, "language": "NO", "postalAddress": address}
    # The register itself knows better.
    assert (tlx.get("customer", customer)["phoneNumber"], tlx.all("customer")[0]["supplierNumber"]) == (None, None)


def test_what_rights_and_modules_do_not_cover_is_simply_absent(api, tlx, customer):
    tlx.hidden = frozenset({"organizationNumber", "currency"})
    for fields in ("", "*", "id,organizationNumber,currency(code)"):
        shown = api.expect(200, "GET", f"/customer/{customer}", fields=fields)["value"]
        assert "id" in shown
        assert not shown.keys() & tlx.hidden
    assert "organizationNumber" in tlx.get("customer", customer)


def test_a_firm_that_is_only_a_supplier_is_no_customer_and_becomes_one_too(api, tlx, customer):
    tlx.edit("customer", customer, organizationNumber="923609016")
    tlx.set_roles(customer, customer=False, supplier=True)
    assert values(api, "/customer") == []
    assert values(api, "/customer", id=customer, organizationNumber="923609016") == []
    for method, body in (("GET", None), ("PUT", {"name": "Ny AS"}), ("DELETE", None)):
        assert api.call(method, f"/customer/{customer}", body).status_code == 404
    (firm,) = values(api, "/supplier", organizationNumber="923609016")
    assert (firm["id"], firm["isSupplier"], firm["isCustomer"]) == (customer, True, False)
    body = {"id": customer, "version": firm["version"], "isCustomer": True}
    after = api.expect(200, "PUT", f"/supplier/{customer}", body)["value"]
    assert (after["version"], after["isCustomer"], after["name"]) == (firm["version"] + 1, True, "Æra AS")
    assert [one["id"] for one in values(api, "/customer")] == [customer]
    assert api.call("PUT", f"/supplier/{customer}", {"isSupplier": False}).status_code == 200
    assert tlx.get("customer", customer)["isSupplier"]


def test_a_user_sees_everything(tlx, customer):
    shown = tlx.all("customer")[0]
    assert shown["postalAddress"]["country"]["isoAlpha2Code"] == "NO"
    assert shown["changes"][0]["changeType"] == "CREATE"
    assert tlx.get("customer", customer) == shown
    assert tlx.get("customer", 1) is None
    assert tlx.count("customer") == 1
