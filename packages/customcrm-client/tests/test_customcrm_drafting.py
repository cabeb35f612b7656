"""A draft of a profile, made of an OpenAPI description: it loads, and what is a guess is marked."""

import json
import os
from pathlib import Path

import pytest
from customcrm_client.drafting import drafted
from customcrm_client.loading import load
from customcrm_client.profile_auth import Basic, HeaderKey
from customcrm_client.profile_paging import CursorPaging, OffsetPaging, PagePaging

PERSON = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "given_name": {"type": "string"},
        "last_name": {"type": "string"},
        "emails": {
            "type": "array",
            "items": {
                "properties": {"value": {"type": "string"}, "email": {"type": "string"}, "primary": {"type": "boolean"}}
            },
        },
        "mobile": {"type": "string"},
        "company": {"$ref": "#/components/schemas/Company"},
        "updated_at": {"type": "string", "format": "date-time"},
        "created_at": {"type": "string", "format": "date-time"},
    },
}
COMPANY = {
    "allOf": [
        {"properties": {"id": {"type": "integer"}, "name": {"type": "string"}, "vat_number": {"type": "string"}}},
        {
            "properties": {
                "address": {"properties": {"street": {"type": "string"}, "zip": {}, "city": {}, "country": {}}}
            }
        },
    ]
}


def listed(schema, **more):
    body = {"properties": {"items": {"type": "array", "items": {"$ref": schema}}, **more}}
    return {"responses": {"200": {"content": {"application/json": {"schema": body}}}}}


def asked(*names, **more):
    return [{"name": name, "in": "query", "schema": more.get(name, {"type": "string"})} for name in names]


def described():
    one = {"responses": {"200": {"content": {"application/json": {"schema": {"properties": {"data": PERSON}}}}}}}
    total = {"meta": {"properties": {"total": {"type": "integer"}}}}
    return {
        "openapi": "3.0.0",
        "servers": [{"url": "https://crm.example.com/api"}],
        "components": {
            "schemas": {"Person": PERSON, "Company": COMPANY},
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}},
        },
        "paths": {
            "/persons": {
                "get": {
                    **listed("#/components/schemas/Person", **total),
                    "parameters": asked("page", "per_page", "updated_since", "ids", per_page={"maximum": 200}),
                },
                "post": one,
            },
            "/persons/{id}": {"get": one, "patch": one, "delete": {"responses": {"204": {}}}},
            "/companies": {
                "get": {**listed("#/components/schemas/Company"), "parameters": asked("offset", "limit", "name")}
            },
            "/companies/{key}": {"get": {"responses": {"200": {}}}, "put": {"responses": {"200": {}}}},
        },
    }


def test_lists_records_paging_changes_and_ids_are_found():
    text = drafted(described())
    profile = load(text)
    assert isinstance(profile.auth, HeaderKey)
    contact, customer = profile.streams["contact"], profile.streams["customer"]
    assert (contact.path, contact.read.records, contact.get.record) == ("/persons", ("items",), "data")
    assert isinstance(contact.read.paging, PagePaging)
    assert (contact.read.paging.size_at_most, contact.read.paging.end.total) == (200, "meta.total")
    assert contact.read.increments.params == ({"updated_since": "{since}"},)
    assert contact.get_many.params == {"ids": "{ids}"}
    assert (contact.write.update.method, contact.write.update.record) == ("PATCH", "data")
    assert isinstance(customer.read.paging, OffsetPaging)
    assert (customer.write.create, customer.write.update.method, customer.write.delete) == (None, "PUT", None)
    assert customer.search.properties == ("Name",)
    assert "product" not in profile.streams


def test_properties_are_guessed_by_name_and_place():
    profile = load(drafted(described()))
    said = {name: getattr(one, "path", one) for name, one in profile.streams["contact"].properties.items()}
    assert said == {
        "FirstName": "given_name",
        "LastName": "last_name",
        "Email": "emails[?primary].email",
        "Phone": False,
        "MobilePhone": "mobile",
        "CustomerId": "company.id",
    }
    assert profile.streams["contact"].properties["CustomerId"].crm_type == "integer"
    said = profile.streams["customer"].properties
    assert (said["OrganizationNumber"], said["City"], said["Country"]) == (
        "vat_number",
        "address.city",
        "address.country",
    )


def test_what_is_a_guess_is_marked_and_what_is_not_is_not():
    lines = drafted(described()).splitlines()
    marked = {line.split(":")[0].strip(" #?") for line in lines if "# ?" in line}
    assert {"FirstName", "Email", "Phone", "CustomerId", "increments", "get_many", "paging", "update"} <= marked
    assert {"LastName", "path", "records", "id"}.isdisjoint(marked)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "no OpenAPI description"),
        ([], "no OpenAPI description"),
        ({"paths": {"/pets": {"get": {}}}}, "none of its lists is called"),
        ({"paths": {"/contacts": {"get": {"responses": {"200": {"$ref": "#/nowhere"}}}}}}, None),
    ],
)
def test_a_description_that_says_too_little_is_told_or_drafted_with_marks(said, words):
    if words is None:
        assert "the answer's form is not told" in drafted(said)
        load(drafted(said))
        return
    with pytest.raises(ValueError, match=words):
        drafted(said)


def test_a_reference_that_leads_to_itself_ends():
    loop = {"$ref": "#/components/schemas/A"}
    said = {
        "paths": {"/contacts": {"get": {"responses": {"200": {"schema": loop}}}}},
        "components": {"schemas": {"A": loop}},
    }
    load(drafted(said))


def test_a_published_description_gives_a_profile_that_loads():
    """Tripletex's own: large, with references that lead round."""
    path = Path(__file__).parents[4] / "shared/reference/tripletex-openapi-2.74.json"
    if not path.exists():
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("the published description is not here")
    text = drafted(json.loads(path.read_text(encoding="utf-8")))
    profile = load(text)
    assert isinstance(profile.auth, Basic)
    customer = profile.streams["customer"]
    assert (customer.path, customer.read.records, customer.get.record) == ("/customer", ("values",), "value")
    assert customer.properties["Country"] == "postalAddress.country.isoAlpha2Code"
    assert profile.streams["contact"].properties["CustomerId"].path == "customer.id"
    assert not isinstance(customer.read.paging, CursorPaging)
    assert text.count("# ?") > 20


PAGE = {"name": "page", "in": "query"}


@pytest.mark.parametrize(
    ("place", "odd"),
    [
        (("servers",), 1),
        (("servers",), [None]),
        (("components",), [None]),
        (("components", "securitySchemes"), "x"),
        (("components", "schemas", "Person", "properties"), [1]),
        (("components", "schemas", "Person"), {"allOf": []}),
        (("components", "schemas", "Person"), {"allOf": None}),
        (("paths", "/contacts", "get", "parameters"), [PAGE, {**PAGE, "name": "limit", "schema": {"maximum": 1e999}}]),
    ],
)
def test_a_description_of_another_form_is_refused_in_one_line(place, odd):
    said = odd_description()
    holder = said
    for name in place[:-1]:
        holder = holder[name]
    holder[place[-1]] = odd
    with pytest.raises(ValueError, match="no OpenAPI description"):
        drafted(said)


def test_a_record_that_is_a_part_of_itself_is_drafted():
    said = odd_description()
    schemas = said["components"]["schemas"]
    schemas["Person"]["properties"] |= {
        f"other{number}": {"$ref": "#/components/schemas/Person"} for number in range(40)
    }
    schemas["Loop"] = {"allOf": [{"$ref": "#/components/schemas/Loop"}, {"$ref": "#/components/schemas/Loop"}]}
    schemas["Person"]["properties"]["loop"] = {"$ref": "#/components/schemas/Loop"}
    assert "Email: mail" in drafted(said)


def odd_description():
    person = {"type": "object", "properties": {"id": {"type": "integer"}, "mail": {"type": "string"}}}
    answer = {"type": "array", "items": {"$ref": "#/components/schemas/Person"}}
    listed = {"responses": {"200": {"content": {"application/json": {"schema": answer}}}}}
    return {
        "servers": [{"url": "https://crm.example.no"}],
        "components": {"schemas": {"Person": person}, "securitySchemes": {}},
        "paths": {"/contacts": {"get": listed}},
    }
