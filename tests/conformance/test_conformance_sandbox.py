"""The sandbox's Tripletex against the Tripletex API api_description."""

from collections.abc import Iterator

import pytest
from sandbox.caller import Caller
from sandbox.tripletex import types

import sandbox

EXPANDED = "*,changes,postalAddress(*,country(id,isoAlpha2Code)),physicalAddress(*),deliveryAddress(*,country(*))"

SESSION = {
    "consumerToken": "sandbox-consumer-token",
    "employeeToken": "sandbox-employee-token",
    "expirationDate": "2099-12-31",
}


@pytest.fixture(scope="module")
def systems() -> Iterator[sandbox.Systems]:
    with sandbox.running(customers=40) as systems:
        yield systems


def supplier(caller: Caller) -> int:
    """A firm that is a customer and a supplier."""
    body = {"name": "Grossisten AS", "organizationNumber": "923609016", "isSupplier": True}
    firm: int = caller.expect(201, "POST", "/customer", body)["value"]["id"]
    return firm


def every_operation(caller: Caller, country: int) -> None:
    caller.expect(201, "POST", "/token/session/:create", SESSION)
    caller.expect(200, "PUT", "/token/session/:create", **SESSION)
    api_token = {"refreshToken": "sandbox-refresh-token", "ttlSeconds": 3600}
    caller.expect(201, "POST", "/token/session/:createFromRefreshToken", api_token)
    caller.expect(200, "GET", "/token/session/>whoAmI")
    caller.expect(200, "GET", "/token/session/>whoAmI", fields="companyId,employee(id,firstName)")
    caller.expect(200, "GET", "/company/>withLoginAccess", fields="id,name")
    caller.expect(200, "GET", "/country", code="NO,SE", fields="*")
    caller.expect(200, "GET", f"/country/{country}")
    address = {"addressLine1": "Storgata 1", "postalCode": "0150", "city": "OSLO", "country": {"id": country}}
    new = {
        "name": "Ærlig Prøve AS",
        "email": "post@prove.example.no",
        "postalAddress": address,
        "deliveryAddress": address,
    }
    customer = caller.expect(201, "POST", "/customer", new)["value"]
    path = f"/customer/{customer['id']}"
    shown = caller.expect(200, "GET", path, fields=EXPANDED)["value"]
    postal = {"id": shown["postalAddress"]["id"], "city": "BERGEN"}
    caller.expect(200, "PUT", path, {"version": shown["version"], "phoneNumber": None, "postalAddress": postal})
    caller.expect(200, "PUT", f"/deliveryAddress/{shown['deliveryAddress']['id']}", {"city": "MOSS"})
    caller.expect(200, "GET", "/deliveryAddress", id=str(shown["deliveryAddress"]["id"]))
    caller.expect(200, "GET", f"/deliveryAddress/{shown['deliveryAddress']['id']}", fields="*,country(*)")
    more = caller.expect(201, "POST", "/customer/list", [{"name": "En AS"}, {"name": "To AS"}])["values"]
    changes = [{"id": each["id"], "version": each["version"], "isInactive": True} for each in more]
    caller.expect(200, "PUT", "/customer/list", changes)
    digest = caller.expect(200, "GET", "/customer", fields=EXPANDED, headers={"If-None-Match": "0"})["versionDigest"]
    caller.expect(304, "GET", "/customer", fields=EXPANDED, headers={"If-None-Match": digest})
    page = {"from": 5, "count": 5}
    caller.expect(200, "GET", "/customer", isInactive="true", changedSince="2024-01-01T00:00:00", sorting="id", **page)
    firm = supplier(caller)
    caller.expect(200, "GET", "/supplier", organizationNumber="923609016", fields="id,version,isCustomer,name")
    caller.expect(200, "GET", f"/supplier/{firm}", fields="*,changes,postalAddress(*,country(id,isoAlpha2Code))")
    caller.expect(200, "PUT", f"/supplier/{firm}", {"id": firm, "version": 1, "isCustomer": True})
    person = {"firstName": "Åse", "lastName": "Ås", "customer": {"id": customer["id"]}, "phoneNumberMobile": "41234567"}
    contact = caller.expect(201, "POST", "/contact", {**person, "phoneNumberMobileCountry": {"id": country}})["value"]
    caller.expect(200, "PUT", f"/contact/{contact['id']}", {"version": contact["version"], "isInactive": True})
    caller.expect(
        200, "GET", "/contact", email="example.no", fields="*,changes,phoneNumberMobileCountry(id,isoAlpha2Code)"
    )
    caller.expect(200, "GET", f"/contact/{contact['id']}")
    people = caller.expect(201, "POST", "/contact/list", [{"firstName": "A"}, {"firstName": "B"}])["values"]
    caller.expect(204, "DELETE", "/contact/list", ids=",".join(str(each["id"]) for each in people))
    product = caller.expect(201, "POST", "/product", {"name": "Stol", "number": "1", "priceExcludingVatCurrency": 5})[
        "value"
    ]
    caller.expect(200, "PUT", f"/product/{product['id']}", {"name": "Krakk"})
    caller.expect(200, "GET", f"/product/{product['id']}", fields="*,vatType(*),currency(code)")
    goods = caller.expect(201, "POST", "/product/list", [{"name": "Bord"}, {"name": "Benk"}])["values"]
    caller.expect(
        200, "PUT", "/product/list", [{"id": each["id"], "version": 0, "description": "Eik"} for each in goods]
    )
    caller.expect(200, "GET", "/product", productNumber=["1", "2"], isInactive="false")
    caller.expect(204, "DELETE", f"/product/{product['id']}")
    caller.expect(204, "DELETE", path)


def every_refusal(caller: Caller) -> None:
    customer = caller.expect(201, "POST", "/customer", {"name": "Avvist AS"})["value"]
    path = f"/customer/{customer['id']}"
    caller.expect(409, "PUT", path, {"version": 17, "name": "Nytt"})
    caller.expect(422, "PUT", path, {"email": "ugyldig"})
    caller.expect(422, "POST", "/customer", {"email": "post@prove.example.no"})
    caller.expect(422, "POST", "/customer/list", [{"name": "Ok AS"}, {"name": ""}])
    caller.expect(404, "GET", "/customer/1")
    caller.expect(400, "GET", "/customer", fields="finnesIkke")
    caller.expect(204, "DELETE", f"/token/session/{caller.auth[1]}")
    caller.expect(401, "GET", "/customer")


def test_every_operation_of_the_sandbox_agrees_with_the_description(systems, api_description):
    systems.clear_requests()
    caller = Caller(systems.tripletex)
    every_operation(caller, systems.tripletex.country_id("NO"))
    every_refusal(caller)
    assert api_description.violations(systems.tripletex.requests) == []


@pytest.mark.parametrize(
    ("method", "path", "params", "body", "expected"),
    [
        ("GET", "/customer", {"finnesIkke": "1"}, None, "undeclared query parameter"),
        ("GET", "/customer", {"from": "en"}, None, "from"),
        ("GET", "/kunde", {}, None, "Path not found"),
        ("PATCH", "/customer/1", {}, {}, "Operation"),
        ("PUT", "/contact/list", {}, [], "Path parameter error: id"),
        ("DELETE", "/contact/list", {}, None, "ids"),
        ("POST", "/customer", {}, {"finnesIkke": 1}, "finnesIkke"),
        ("POST", "/customer", {}, {"name": "A", "isCustomer": True}, "isCustomer"),
        ("POST", "/customer", {}, {"name": "A", "url": "x"}, "url"),
        ("POST", "/customer", {}, {"name": "A", "id": 5}, "new object with id"),
        ("POST", "/customer", {}, {"name": 5}, "name"),
        ("POST", "/customer", {"fields": "*"}, {"name": "A"}, "undeclared query parameter"),
        ("POST", "/contact", {}, {"firstName": "A", "customer": 5}, "customer"),
        ("POST", "/customer/list", {}, {"name": "A"}, "is not of type 'array'"),
        ("PUT", "/customer/list", {}, [{"name": "A"}], "without id"),
        ("POST", "/token/session/:create", {"employeeToken": "x"}, {}, "undeclared query parameter"),
        ("POST", "/token/session/:create", {}, {"refreshToken": "x"}, "refreshToken"),
        ("POST", "/token/session/:createFromRefreshToken", {}, {"refreshToken": "x", "ttlSeconds": 60}, "ttlSeconds"),
        ("PUT", "/customer/1", {}, {"postalAddress": {"country": {"isoAlpha2Code": "NO"}}}, "isoAlpha2Code"),
    ],
)
def test_what_the_description_does_not_allow_is_found(systems, api_description, method, path, params, body, expected):
    caller = Caller(systems.tripletex)
    systems.clear_requests()
    caller.call(method, path, body, **params)
    assert expected in " ".join(api_description.violations(systems.tripletex.requests))


def test_an_answer_that_the_description_does_not_allow_is_found(systems, api_description):
    caller = Caller(systems.tripletex)
    systems.clear_requests()
    systems.tripletex.after = lambda _: sandbox.Fault.answer(200, {"value": {"finnesIkke": 1}})
    try:
        caller.call("GET", "/customer/1")
    finally:
        systems.tripletex.after = None
    assert "finnesIkke" in " ".join(api_description.violations(systems.tripletex.requests))


def test_the_sandbox_knows_the_types_of_the_description(api_description):
    known = api_description.schemas
    kinds = {"boolean", "integer", "number", "string"}
    for object_type in types.object_types().values():
        properties = known[object_type.name]["properties"]
        assert list(object_type.properties) == list(properties)
        for name, prop in object_type.properties.items():
            said = properties[name]
            inner = said.get("items", said)
            kind = inner["$ref"].rpartition("/")[2] if "$ref" in inner else inner["type"]
            assert (prop.kind, prop.many) == (kind, "items" in said)
            assert prop.kind in kinds or prop.kind in known
            assert prop.allowed == tuple(each for each in said.get("enum", ()) if each is not None)
            if (object_type.name, name) not in types.READ_ONLY:
                assert prop.read_only == said.get("readOnly", False), (object_type.name, name)
