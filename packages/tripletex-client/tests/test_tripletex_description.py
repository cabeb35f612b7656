"""Schemas, fields and requests against the Tripletex API description."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from api_transport.testing import Said, serving
from tripletex_client import TripletexClient
from tripletex_client.fields import FIELDS
from tripletex_client.schema import SCHEMAS

DESCRIPTION = Path(__file__).parents[4] / "shared" / "reference" / "tripletex-openapi-2.74.json"
TYPES = {"contact": "Contact", "customer": "Customer", "product": "Product", "country": "Country"}
ADDRESS = {"id", "version", "addressLine1", "addressLine2", "postalCode", "city", "country"}


@pytest.fixture(scope="module")
def described():
    if not DESCRIPTION.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"the Tripletex API description is missing: {DESCRIPTION}")
        pytest.skip("the Tripletex API description is not on this machine")
    return json.loads(DESCRIPTION.read_text(encoding="utf-8"))


def type_of(leaf):
    kinds = [leaf["type"]] if isinstance(leaf["type"], str) else leaf["type"]
    return next(kind for kind in kinds if kind != "null")


def object_type(described, prop):
    return described["components"]["schemas"][prop["$ref"].rpartition("/")[2]]["properties"]


@pytest.mark.parametrize("stream", TYPES)
def test_a_schema_has_every_plain_property_and_every_reference_of_the_description(described, stream):
    theirs = described["components"]["schemas"][TYPES[stream]]["properties"]
    ours = dict(SCHEMAS[stream]["properties"])
    assert ours.pop("modifiedAt")["format"] == "date-time"
    wanted = {name: prop for name, prop in theirs.items() if prop.get("type") != "array"}
    assert set(ours) == set(wanted)
    for name, prop in wanted.items():
        assert type_of(ours[name]) == ("object" if "$ref" in prop else prop["type"]), name
        assert ours[name].get("readOnly", False) == prop.get("readOnly", False), name
        assert name == "id" or "null" in ours[name]["type"], name


@pytest.mark.parametrize("stream", TYPES)
def test_a_sub_object_has_properties_of_the_description(described, stream):
    theirs = described["components"]["schemas"][TYPES[stream]]["properties"]
    for name, ours in SCHEMAS[stream]["properties"].items():
        if "properties" in ours:
            compare_parts(described, ours["properties"], object_type(described, theirs[name]), name)


def compare_parts(described, ours, theirs, name):
    if name.endswith("Address"):
        assert set(ours) == ADDRESS
    elif name in ("country", "phoneNumberMobileCountry"):
        assert set(ours) == {"id", "isoAlpha2Code"}
    else:
        assert set(ours) == {"id"}
    for part, leaf in ours.items():
        if "properties" in leaf:
            compare_parts(described, leaf["properties"], object_type(described, theirs[part]), part)
        else:
            assert type_of(leaf) == theirs[part]["type"]


def parsed(expression):
    """`a,b(c)` as {"a": {}, "b": {"c": {}}}."""
    text = re.sub(r"(\w+)(?=[,)]|$)", r'"\1": {}', expression)
    return json.loads("{" + re.sub(r"(\w+)\(", r'"\1": {', text).replace(")", "}") + "}")


@pytest.mark.parametrize("stream", TYPES)
def test_fields_ask_for_what_the_schema_has_and_the_description_knows(described, stream):
    asked = parsed(FIELDS[stream])
    assert asked.pop("changes") == {}

    def compare(asked, ours, theirs):
        assert set(asked) == set(ours) - {"modifiedAt"}
        for name, inner in asked.items():
            assert name in theirs
            if inner:
                compare(inner, ours[name]["properties"], object_type(described, theirs[name]))

    compare(asked, SCHEMAS[stream]["properties"], described["components"]["schemas"][TYPES[stream]]["properties"])


def test_a_customers_addresses_are_asked_for_with_their_countries():
    assert (
        "postalAddress(id,version,addressLine1,addressLine2,postalCode,city,country(id,isoAlpha2Code))"
        in FIELDS["customer"]
    )
    assert "phoneNumberMobileCountry(id,isoAlpha2Code),customer(id)" in FIELDS["contact"]


def test_every_request_of_the_client_is_one_that_the_description_allows(described):
    def respond(asked):
        if asked.path.endswith(":create"):
            return Said({"value": {"token": "session-token"}})
        if asked.path.endswith("whoAmI"):
            return Said({"value": {"companyId": 1, "employeeId": 1}})
        if asked.method in ("POST", "PUT") and asked.path.endswith("/list"):
            return Said({"values": [{"id": n + 1} for n, _ in enumerate(asked.json)]})
        last = asked.path.rpartition("/")[2]
        if asked.method == "GET" and not last.isdecimal():
            return Said({"values": [], "fullResultSize": 0})
        return Said({"value": {"id": int(last) if last.isdecimal() else 1}})

    with serving(respond) as server:
        client = TripletexClient(server.url, "consumer-token", "employee-token")
        client.who_am_i()
        client.countries()
        for resource in ("contact", "customer", "product"):
            list(client.pages(resource, fields=FIELDS[resource]))
            client.page(resource, fields=FIELDS[resource], checksum="0")
            client.get(resource, 1, FIELDS[resource])
            client.get_many(resource, [1, 2], FIELDS[resource])
            client.search(resource, {"name" if resource == "product" else "email": "x"}, "id")
            client.size(resource)
            client.create(resource, {})
            client.create_many(resource, [{}, {}])
            client.update(resource, 1, {})
            client.delete(resource, 1)
        client.update_many("customer", [{"id": 1}])
        client.update_many("product", [{"id": 1}])
        client.update("deliveryAddress", 1, {})
        asked = list(server.asked)
    # A customer's e-mail address and a contact's are searched by; a product has none.
    for one in asked:
        templates = [one.path, re.sub(r"/\d+$", "/{id}", one.path)]
        operation = next(
            (described["paths"][t][one.method.lower()] for t in templates if t in described["paths"]), None
        )
        assert operation, f"{one.method} {one.path}"
        known = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"}
        assert set(one.query) <= known, f"{one.method} {one.path}: {set(one.query) - known}"
        required = {p["name"] for p in operation.get("parameters", []) if p.get("required") and p["in"] == "query"}
        assert required <= set(one.query)
        assert bool(one.body) == ("requestBody" in operation)


def test_schemas_and_fields_can_be_had_without_the_http_library():
    code = """if True:
        import sys, tripletex_client.schema, tripletex_client.fields
        print(sorted({"requests", "urllib3"} & set(sys.modules)))
    """
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_the_package_has_the_names_it_promises_and_no_others():
    import tripletex_client

    assert all(getattr(tripletex_client, name) for name in tripletex_client.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = tripletex_client.nothing
