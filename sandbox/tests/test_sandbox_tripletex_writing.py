"""Writing to the sandbox's Tripletex."""

import pytest
from sandbox.caller import Caller
from sandbox.tripletex import Tripletex, TripletexRefusal

import sandbox
from sandbox import Variant

SWEDEN = Tripletex().country_id("SE")


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


@pytest.fixture
def customer(tlx):
    address = {"addressLine1": "Storgata 1", "postalCode": "0150", "city": "OSLO"}
    values = {"phoneNumber": "22334455", "postalAddress": address, "deliveryAddress": {"city": "MOSS"}}
    return tlx.create("customer", name="Firma AS", **values)


def culprits(refused):
    return [(each["field"], each["path"]) for each in refused["validationMessages"]]


def test_a_new_object_is_answered_with_stubs_its_version_and_no_changes(api):
    body = {"name": "Firma AS", "postalAddress": {"city": "OSLO"}, "deliveryAddress": {"city": "MOSS"}}
    value = api.expect(201, "POST", "/customer", body)["value"]
    assert set(value["postalAddress"]) == set(value["deliveryAddress"]) == {"id", "url"}
    assert "changes" not in value
    assert (value["customerNumber"], value["isCustomer"], value["isInactive"]) == (10001, True, False)


def test_versions_begin_at_1_for_customers_and_at_0_for_others(api):
    made = {
        resource: api.expect(201, "POST", f"/{resource}", {name: "A"})["value"]["version"]
        for resource, name in (("customer", "name"), ("contact", "firstName"), ("product", "name"))
    }
    assert made == {"customer": 1, "contact": 0, "product": 0}


def test_a_new_customer_has_a_postal_and_a_physical_address_and_no_delivery_address(api, tlx):
    made = tlx.get("customer", api.expect(201, "POST", "/customer", {"name": "A"})["value"]["id"])
    for address in (made["postalAddress"], made["physicalAddress"]):
        assert (address["city"], address["country"]["isoAlpha2Code"]) == (None, "NO")
    assert made["deliveryAddress"] is None


def test_a_new_address_and_a_mobile_number_may_be_in_norway_where_nothing_is_said(api, tlx):
    tlx.variant = Variant("norway-default=on")
    made = tlx.get("customer", api.expect(201, "POST", "/customer", {"name": "A"})["value"]["id"])
    countries = [made[name]["country"]["isoAlpha2Code"] for name in ("postalAddress", "physicalAddress")]
    person = tlx.get("contact", api.expect(201, "POST", "/contact", {"firstName": "A"})["value"]["id"])
    assert [*countries, person["phoneNumberMobileCountry"]["isoAlpha2Code"]] == ["NO", "NO", "NO"]


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_change_is_partial_and_a_text_is_cleared_by_nothing(api, tlx, customer, nothing):
    path = f"/customer/{customer['id']}"
    changed = api.expect(200, "PUT", path, {"version": 1, "email": "a@example.no", "phoneNumber": nothing})["value"]
    assert (changed["version"], changed["email"], changed["phoneNumber"]) == (2, "a@example.no", "")
    assert changed["name"] == "Firma AS"
    assert "changes" not in changed


def test_a_change_of_nothing_makes_no_version(api, customer):
    path = f"/customer/{customer['id']}"
    assert api.expect(200, "PUT", path, {"name": "Firma AS", "customerNumber": None})["value"]["version"] == 1


def test_null_may_be_refused_for_a_text(api, tlx, customer):
    tlx.variant = Variant("null=refused")
    path, address = f"/customer/{customer['id']}", {"id": customer["postalAddress"]["id"], "city": None}
    refused = api.expect(422, "PUT", path, {"phoneNumber": None, "postalAddress": address, "accountManager": None})
    assert culprits(refused) == [("phoneNumber", "phoneNumber"), ("city", "postalAddress.city")]
    assert {each["message"] for each in refused["validationMessages"]} == {"Kan ikke være null."}
    assert api.expect(200, "PUT", path, {"phoneNumber": ""})["value"]["phoneNumber"] == ""


def test_a_new_company_may_be_refused_where_nothing_is_said_of_how_its_invoices_go(api, tlx):
    tlx.variant = Variant("ehf-default=on")
    refused = api.expect(422, "POST", "/customer", {"name": "A"})
    assert culprits(refused) == [("invoiceSendMethod", "invoiceSendMethod")]
    api.expect(201, "POST", "/customer", {"name": "A", "invoiceSendMethod": "MANUAL"})
    api.expect(201, "POST", "/customer", {"name": "A", "isPrivateIndividual": True})


@pytest.mark.parametrize("method", ["PUT", "PUT list"])
def test_what_is_read_only_is_passed_over_in_a_change_and_told_in_the_log(api, tlx, customer, method):
    body = {"id": customer["id"], "name": "Ny", "isCustomer": False, "postalAddress": {"city": "X", "displayName": "Y"}}
    if method == "PUT":
        changed = api.expect(200, "PUT", f"/customer/{customer['id']}", body)["value"]
    else:
        (changed,) = api.expect(200, "PUT", "/customer/list", [body])["values"]
    assert (changed["name"], changed["isCustomer"]) == ("Ny", True)
    assert tlx.requests[-1].tolerated == ["isCustomer is read-only", "displayName is read-only"] == tlx.tolerated


def test_another_version_is_409_and_no_version_wins(api, tlx, customer):
    path = f"/customer/{customer['id']}"
    tlx.edit("customer", customer["id"], name="Nytt AS")
    refused = api.expect(409, "PUT", path, {"version": 1, "name": "Gammelt AS"})
    assert refused["code"] == 8000
    assert tlx.get("customer", customer["id"])["name"] == "Nytt AS"
    assert api.expect(200, "PUT", path, {"name": "Sist AS"})["value"]["version"] == 3


def test_an_address_with_its_id_is_changed_and_its_customer_too(api, tlx, customer):
    postal = customer["postalAddress"]
    body = {"version": 1, "postalAddress": {"id": postal["id"], "version": 0, "city": "BERGEN"}}
    assert api.expect(200, "PUT", f"/customer/{customer['id']}", body)["value"]["version"] == 2
    after = tlx.get("customer", customer["id"])["postalAddress"]
    assert (after["id"], after["version"]) == (postal["id"], 1)
    assert (after["addressLine1"], after["city"]) == ("Storgata 1", "BERGEN")


def test_a_change_of_an_address_alone_may_be_none_of_its_customer(api, tlx, customer):
    tlx.register.addresses_count = False
    body = {"version": 1, "postalAddress": {"id": customer["postalAddress"]["id"], "city": "BERGEN"}}
    assert api.expect(200, "PUT", f"/customer/{customer['id']}", body)["value"]["version"] == 1
    after = tlx.get("customer", customer["id"])
    assert (after["postalAddress"]["city"], after["changes"]) == ("BERGEN", customer["changes"])
    body["postalAddress"]["city"] = "MOSS"
    assert api.expect(200, "PUT", f"/customer/{customer['id']}", {**body, "name": "Ny AS"})["value"]["version"] == 2


def test_an_address_without_its_id_replaces_the_old_one(api, tlx, customer):
    old = customer["postalAddress"]["id"]
    api.expect(200, "PUT", f"/customer/{customer['id']}", {"postalAddress": {"city": "BERGEN"}})
    after = tlx.get("customer", customer["id"])["postalAddress"]
    assert after["id"] != old
    assert (after["addressLine1"], after["city"]) == (None, "BERGEN")
    assert tlx.get("Address", old) is None


def test_an_address_at_another_version_or_with_another_id_is_refused(api, tlx, customer):
    path, postal = f"/customer/{customer['id']}", customer["postalAddress"]["id"]
    assert api.expect(409, "PUT", path, {"postalAddress": {"id": postal, "version": 7, "city": "X"}})["code"] == 8000
    refused = api.expect(422, "PUT", path, {"postalAddress": {"id": postal + 1, "city": "X"}})
    assert culprits(refused) == [("id", "postalAddress.id")]


def test_a_delivery_address_is_changed_through_its_customer_by_its_id_only(api, tlx, customer):
    path, delivery = f"/customer/{customer['id']}", customer["deliveryAddress"]["id"]
    for body in (None, {"city": "X"}):
        refused = api.expect(422, "PUT", path, {"deliveryAddress": body})
        assert culprits(refused) == [("deliveryAddress", "deliveryAddress")]
    api.expect(200, "PUT", path, {"deliveryAddress": {"id": delivery, "city": "X"}})
    after = tlx.get("customer", customer["id"])["deliveryAddress"]
    assert (after["id"], after["city"]) == (delivery, "X")


def test_a_delivery_address_is_changed_through_its_own_resource(api, tlx, customer):
    delivery = customer["deliveryAddress"]["id"]
    assert api.expect(200, "PUT", f"/deliveryAddress/{delivery}", {"city": "HAMAR"})["value"]["version"] == 1
    after = tlx.get("customer", customer["id"])
    assert (after["deliveryAddress"]["city"], after["version"]) == ("HAMAR", 1)


@pytest.mark.parametrize(
    ("path", "body", "culprit"),
    [
        ("/customer", {"name": "A", "farge": "blå"}, ("farge", "farge")),
        ("/customer", {"name": "A", "url": "x"}, ("url", "url")),
        ("/customer", {"name": "A", "displayName": "x"}, ("displayName", "displayName")),
        ("/customer", {"name": "A", "changes": []}, ("changes", "changes")),
        ("/customer", {"name": "A", "isCustomer": True}, ("isCustomer", "isCustomer")),
        ("/customer", {"name": 5}, ("name", "name")),
        ("/customer", {"name": "A", "isInactive": "true"}, ("isInactive", "isInactive")),
        ("/customer", {"name": "A", "postalAddress": {"by": "X"}}, ("by", "postalAddress.by")),
        ("/customer", {"name": "A", "postalAddress": {"country": 1}}, ("country", "postalAddress.country")),
        ("/contact", {"firstName": "A", "customer": 5}, ("customer", "customer")),
        (
            "/contact",
            {"firstName": "A", "phoneNumberMobileCountry": {"isoAlpha2Code": "NO"}},
            ("isoAlpha2Code", "phoneNumberMobileCountry.isoAlpha2Code"),
        ),
        ("/customer/list", [{"name": "A"}, {"name": "B", "farge": "blå"}], ("[1].farge", "[1].farge")),
    ],
)
def test_a_body_that_the_description_does_not_allow_is_422_with_code_16000(api, tlx, path, body, culprit):
    refused = api.expect(422, "POST", path, body)
    assert (refused["code"], culprits(refused)) == (16000, [culprit])
    assert tlx.count("customer") == tlx.count("contact") == 0


@pytest.mark.parametrize(
    ("path", "body", "culprit", "words"),
    [
        ("/customer", {"name": "A", "email": "ring meg"}, ("email", "email"), "Ugyldig e-postadresse."),
        ("/customer", {"name": "A", "email": "bjørn@example.no"}, ("email", "email"), "Ugyldig e-postadresse."),
        ("/customer", {"email": "a@example.no"}, ("name", "name"), "Feltet må fylles ut."),
        ("/customer", {"name": " "}, ("name", "name"), "Feltet må fylles ut."),
        ("/customer", {"name": "A" * 256}, ("name", "name"), "Maks 255 tegn."),
        ("/customer", {"name": "A", "email": f"{'a' * 250}@example.no"}, ("email", "email"), "Maks 254 tegn."),
        ("/customer", {"name": "A", "phoneNumber": "1" * 101}, ("phoneNumber", "phoneNumber"), "Maks 100 tegn."),
        ("/contact", {"firstName": "A" * 101}, ("firstName", "firstName"), "Maks 100 tegn."),
        ("/customer", {"name": "A", "postalAddress": {"city": "A" * 101}}, ("city", "postalAddress.city"), "Maks 100"),
        ("/product", {"name": "A", "ean": "1" * 15}, ("ean", "ean"), "Maks 14 tegn."),
        *(
            (
                "/customer",
                {"name": "A", "organizationNumber": number, **abroad},
                ("organizationNumber", "organizationNumber"),
                "Ugyldig organisasjonsnummer.",
            )
            for number, abroad in [
                ("NO310000006", {}),
                ("310 000 006", {}),
                ("31000000", {}),
                ("556677-8899", {}),
                ("556677-8899", {"postalAddress": {"country": {"id": SWEDEN}}}),
                ("556677-8899", {"physicalAddress": {"city": "MALMÖ"}}),
            ]
        ),
        (
            "/customer",
            {"name": "A", "invoiceEmail": "en@example.no; to"},
            ("invoiceEmail", "invoiceEmail"),
            "Ugyldig e-postadresse.",
        ),
        ("/customer", {"name": "A", "isInactive": None}, ("isInactive", "isInactive"), "Feltet kan ikke være tomt."),
        (
            "/customer",
            {"name": "A", "invoicesDueIn": 10_001},
            ("invoicesDueIn", "invoicesDueIn"),
            "Må være høyst 10000.",
        ),
        ("/customer", {"name": "A", "customerNumber": 10_001}, ("customerNumber", "customerNumber"), "er i bruk"),
        ("/customer", {"name": "A", "id": 5}, ("id", "id"), "Må ikke angis"),
        ("/customer", {"name": "A", "language": "SV"}, ("language", "language"), "Gyldige verdier: NO, EN."),
        (
            "/customer",
            {"name": "A", "postalAddress": {"country": {"id": 9999}}},
            ("id", "postalAddress.country.id"),
            "Finner ikke",
        ),
        ("/contact", {"email": "a@example.no"}, ("firstName", "firstName"), "Fornavn eller etternavn må fylles ut."),
        ("/contact", {"firstName": "A", "customer": {"id": 1}}, ("id", "customer.id"), "Finner ikke"),
        ("/contact", {"firstName": "A", "customer": {"name": "B"}}, ("customer", "customer"), "Kun id"),
        ("/contact", {"firstName": "A", "department": {}}, ("id", "department.id"), "Feltet må fylles ut."),
        ("/product", {"name": "Stol"}, ("name", "name"), "«Stol» er i bruk"),
    ],
)
def test_an_invalid_value_is_422_with_code_18000_in_norwegian(api, tlx, path, body, culprit, words):
    tlx.create("customer", name="Nummer 10001")
    tlx.create("product", name="Stol")
    refused = api.expect(422, "POST", path, body)
    assert (refused["code"], culprits(refused)) == (18000, [culprit])
    assert words in refused["validationMessages"][0]["message"]
    assert (tlx.count("customer"), tlx.count("contact"), tlx.count("product"), tlx.count("Address")) == (1, 0, 1, 2)


@pytest.mark.parametrize(
    ("path", "names", "longest"),
    [
        ("contact", ("firstName", "lastName", "phoneNumberMobile", "phoneNumberWork"), 100),
        ("customer", ("phoneNumber", "phoneNumberMobile"), 100),
        ("customer", ("postalAddress.postalCode", "postalAddress.city", "deliveryAddress.name"), 100),
        ("customer", ("name", "postalAddress.addressLine1", "physicalAddress.addressLine2"), 255),
        ("product", ("name", "orderLineDescription"), 255),
        ("product", ("number",), 100),
        ("product", ("hsnCode",), 20),
    ],
)
def test_texts_are_as_long_as_was_recorded_and_no_longer(api, tlx, path, names, longest):
    for name in names:
        for length, status in ((longest, 201), (longest + 1, 422)):
            outer, _, inner = name.partition(".")
            text = "1" * length
            said = {outer: {inner: text} if inner else text}
            body = {"lastName" if path == "contact" else "name": f"{name} {length}", **said}
            assert api.call("POST", f"/{path}", body).status_code == status, (name, length)


def test_a_foreign_organisation_number_brings_its_country_at_a_later_change_too(api, tlx):
    abroad = {"physicalAddress": {"country": {"id": SWEDEN}}}
    body = {"name": "A", "organizationNumber": "556677-8899", **abroad}
    path = f"/customer/{api.expect(201, 'POST', '/customer', body)['value']['id']}"
    api.expect(200, "PUT", path, {"name": "B"})
    refused = api.expect(422, "PUT", path, {"organizationNumber": "556677-8900"})
    assert culprits(refused) == [("organizationNumber", "organizationNumber")]
    api.expect(200, "PUT", path, {"organizationNumber": "556677-8900", **abroad})
    api.expect(200, "PUT", path, {"organizationNumber": ""})


def test_invoices_may_go_to_several_addresses(api):
    api.expect(201, "POST", "/customer", {"name": "A", "invoiceEmail": "en@example.no;to@example.no; tre@example.no"})


def test_customers_of_one_name_and_people_who_are_the_same_are_allowed(api, tlx):
    for _ in range(2):
        api.expect(201, "POST", "/customer", {"name": "A"})
        api.expect(201, "POST", "/contact", {"firstName": "A", "email": "a@example.no"})
    assert tlx.count("customer") == tlx.count("contact") == 2


def test_a_list_of_new_objects_is_stored_whole_or_not_at_all(api, tlx):
    bodies = [{"name": "A", "postalAddress": {"city": "X"}}, {"name": "B", "email": "feil"}, {"name": ""}]
    refused = api.expect(422, "POST", "/customer/list", bodies)
    assert culprits(refused) == [("[1].email", "[1].email"), ("[2].name", "[2].name")]
    assert tlx.count("customer") == tlx.count("Address") == 0
    stored = api.expect(201, "POST", "/customer/list", [{"name": "A"}, {"name": "B"}])["values"]
    assert [each["name"] for each in stored] == ["A", "B"]


def test_a_list_of_changes_is_stored_whole_or_not_at_all(api, tlx, customer):
    other = tlx.create("customer", name="Annet AS")["id"]
    changes = [{"id": customer["id"], "version": 1, "name": "Ny"}, {"id": other, "version": 9, "name": "Nyere"}]
    assert api.expect(409, "PUT", "/customer/list", changes)["code"] == 8000
    assert api.expect(404, "PUT", "/customer/list", [changes[0], {"id": 1, "name": "X"}])["code"] == 6000
    assert culprits(api.expect(422, "PUT", "/customer/list", [changes[0], {"name": "X"}])) == [("[1].id", "[1].id")]
    assert tlx.get("customer", customer["id"]) == customer
    changes[1]["version"] = 1
    assert [each["version"] for each in api.expect(200, "PUT", "/customer/list", changes)["values"]] == [2, 2]


def test_two_new_products_of_one_name_in_a_list_are_refused(api, tlx):
    refused = api.expect(422, "POST", "/product/list", [{"name": "Stol"}, {"name": "Stol"}])
    assert culprits(refused) == [("[1].name", "[1].name")]
    assert tlx.count("product") == 0


def test_contacts_are_deleted_by_list_all_or_none(api, tlx):
    ids = [tlx.create("contact", firstName=name)["id"] for name in "AB"]
    assert api.expect(404, "DELETE", "/contact/list", ids=f"{ids[0]},1")["code"] == 6000
    assert tlx.count("contact") == 2
    api.expect(204, "DELETE", "/contact/list", ids=f"{ids[0]},{ids[1]}")
    assert tlx.count("contact") == 0


def test_a_deleted_customer_takes_its_addresses_along_and_leaves_its_contacts(api, tlx, customer):
    contact = tlx.create("contact", firstName="Åse", customer={"id": customer["id"]})["id"]
    api.expect(204, "DELETE", f"/customer/{customer['id']}")
    assert api.expect(404, "GET", f"/customer/{customer['id']}")["code"] == 6000
    assert tlx.count("Address") == tlx.count("deliveryAddress") == 0
    left = tlx.get("contact", contact)
    assert (left["customer"], left["version"]) == (None, 1)


def test_a_contact_can_be_made_inactive(api, tlx):
    contact = tlx.create("contact", firstName="Åse")["id"]
    assert api.expect(200, "PUT", f"/contact/{contact}", {"isInactive": True})["value"]["isInactive"] is True


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("PUT", "/contact/list", 400), ("PATCH", "/customer/1", 405), ("GET", "/kunde", 404), ("GET", "/customer/x", 400)],
)
def test_what_the_api_does_not_have_is_refused_in_the_envelope(api, method, path, status):
    refused = api.call(method, path, {} if method == "PUT" else None)
    assert refused.status_code == refused.json()["status"] == status
    assert refused.headers["x-tlx-request-id"] == refused.json()["requestId"]


def test_a_body_that_is_no_json_is_422_with_code_22000(api):
    assert api.request("POST", f"{api.base}/customer", data=b"{", timeout=60).json()["code"] == 22000


def test_writes_heed_no_fields_parameter_and_tell_it_in_the_log(api, tlx):
    value = api.expect(201, "POST", "/customer", {"name": "A"}, fields="*,changes")["value"]
    assert "changes" not in value
    assert tlx.requests[-1].tolerated == ["query parameter 'fields' is unknown"]


def test_a_users_edit_changes_only_what_is_named(tlx, customer):
    edited = tlx.edit("customer", customer["id"], postalAddress={"city": "BERGEN"}, deliveryAddress={"city": "HAMAR"})
    assert edited["postalAddress"]["addressLine1"] == "Storgata 1"
    assert edited["postalAddress"]["id"] == customer["postalAddress"]["id"]
    assert edited["deliveryAddress"]["city"] == "HAMAR"
    assert edited["version"] == 2
    assert edited["changes"][-1]["employeeId"] != 2001


def test_a_users_edit_obeys_the_rules_and_is_in_no_log(tlx, customer):
    with pytest.raises(TripletexRefusal, match="Ugyldig e-postadresse"):
        tlx.edit("customer", customer["id"], email="feil", name="Nytt AS")
    assert tlx.get("customer", customer["id"])["name"] == "Firma AS"
    tlx.remove("customer", customer["id"])
    assert tlx.all("customer") == []
    assert tlx.requests == []


def test_the_server_may_normalise_what_it_is_sent(api, tlx):
    tlx.register.normalise = lambda _type, _name, text: text.strip()
    value = api.expect(201, "POST", "/customer", {"name": " A ", "postalAddress": {"city": " OSLO "}})["value"]
    assert value["name"] == "A"
    assert tlx.get("customer", value["id"])["postalAddress"]["city"] == "OSLO"
