"""What the mapper sends, message by message."""

import json
import signal
from decimal import Decimal
from functools import cache
from pathlib import Path

import fastjsonschema
import pytest
from dataflow.compiling import compile_flow
from dataflow.errors import StreamError
from dataflow.mapper import DataflowMapper
from dataflow.side import TO_CUSTOMCRM, TO_TRIPLETEX
from dataflow.tables import Dataflow
from hypothesis import given, settings
from hypothesis import strategies as st
from singer_edge.errors import RunFailed

ROOT = Path(__file__).resolve().parents[3]
TABLES = ["transforms/contact.yml", "transforms/customer.yml", "transforms/product.yml"]
NOW = "2026-11-22T10:00:00.123Z"


def text():
    return {"type": ["string", "null"]}


def whole():
    return {"type": ["integer", "null"]}


def thing(**properties):
    return {"type": ["object", "null"], "properties": properties}


def crm(*names, **more):
    own = {"Id": {"type": "string"}, "UpdatedAt": text(), "Deleted": {"type": ["boolean", "null"]}}
    return {"type": "object", "properties": {**own, **{name: text() for name in names}, **more}}


CRM = {
    "contact": crm("FirstName", "LastName", "Email", "Phone", "MobilePhone", "CustomerId"),
    "customer": crm(
        "Name", "OrganizationNumber", "Email", "Phone", "Website", "Description", "StreetAddress1", "StreetAddress2",
        "ZipCode", "City", "Country",
    ),
    "product": crm("Name", "Number", "Description", Price={"type": ["number", "null"]}),
}  # fmt: skip
TRIPLETEX_CONTACT = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "version": whole(),
        "modifiedAt": {"type": ["string", "null"], "format": "date-time"},
        **{name: text() for name in ("firstName", "lastName", "email", "phoneNumberMobile", "phoneNumberWork")},
        "phoneNumberMobileCountry": thing(id=whole(), isoAlpha2Code=text()),
        "customer": thing(id=whole()),
    },
}
TRIPLETEX_CUSTOMER = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "version": whole(),
        "modifiedAt": text(),
        "isInactive": {"type": ["boolean", "null"]},
        "customerNumber": whole(),
        **{name: text() for name in ("name", "organizationNumber", "email", "phoneNumber", "website", "description")},
        "postalAddress": thing(
            addressLine1=text(),
            addressLine2=text(),
            postalCode=text(),
            city=text(),
            country=thing(id=whole(), isoAlpha2Code=text()),
        ),
    },
}


class Mapped:
    """A mapper whose messages are kept instead of written."""

    def __init__(self, direction, tables=TABLES):
        self.mapper = DataflowMapper(config={"direction": direction, "tables": tables})

    def __call__(self, kind, **message):
        mapped = getattr(self.mapper, f"map_{kind.lower()}_message")({"type": kind, **message})
        return [one.to_dict() for one in mapped]

    def schema(self, stream, schema):
        return self("SCHEMA", stream=stream, schema=schema, key_properties=["Id"])

    def record(self, stream, record):
        return [one["record"] for one in self("RECORD", stream=stream, record=record)]


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch):
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(ROOT))
    handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    yield
    for one, handler in handlers.items():
        signal.signal(one, handler)


@pytest.fixture
def to_tripletex():
    mapped = Mapped("customcrm-to-tripletex")
    for stream, schema in CRM.items():
        mapped.schema(stream, schema)
    return mapped


@pytest.fixture
def to_customcrm():
    mapped = Mapped("tripletex-to-customcrm")
    mapped.schema("contact", TRIPLETEX_CONTACT)
    mapped.schema("customer", TRIPLETEX_CUSTOMER)
    return mapped


def leaf(source, compare, **more):
    return {"type": ["string", "null"], "x-from": [source], "x-compare": compare, **more}


SOURCE = {
    "type": "object",
    "required": ["id", "deleted"],
    "properties": {
        "id": {"type": "string"},
        "version": {"type": ["string", "null"]},
        "modified_at": {"type": ["string", "null"]},
        "deleted": {"type": "boolean"},
        "filtered": {"type": "boolean"},
        "values": {"type": "object"},
    },
}


def address(**more):
    return thing(
        addressLine1=leaf("StreetAddress1", "text", **more),
        addressLine2=leaf("StreetAddress2", "text", **more),
        postalCode=leaf("ZipCode", "text", **more),
        city=leaf("City", "text", **more),
        country=thing(isoAlpha2Code=leaf("Country", "country", **more)),
    )


def test_the_schema_tells_the_target_everything_about_a_customer():
    (message,) = Mapped("customcrm-to-tripletex").schema("customer", CRM["customer"])
    digest = message["schema"]["x-sync"].pop("digest")
    assert len(bytes.fromhex(digest)) == 16
    assert message == {
        "type": "SCHEMA",
        "stream": "customer",
        "key_properties": [],
        "schema": {
            "type": "object",
            "x-sync": {
                "flow": "customer",
                "from": "customcrm",
                "to": "tripletex",
                "resource": {"customcrm": "customer", "tripletex": "customer"},
                "match_on": [["organizationNumber"], ["email"]],
                "conflict": "latest",
                "create": True,
                "on_delete": "deactivate",
                "references": {},
                "after": [],
                "timeless": "tripletex",
            },
            "properties": {
                "name": leaf("Name", "text"),
                "organizationNumber": leaf("OrganizationNumber", "organisation_number"),
                "email": leaf("Email", "email"),
                "phoneNumber": leaf("Phone", "phone", **{"x-country": "postalAddress.country.isoAlpha2Code"}),
                "website": leaf("Website", "url"),
                "description": leaf("Description", "text"),
                "postalAddress": address(**{"x-group": "address"}),
                "physicalAddress": address(**{"x-when": "create"}),
                "deliveryAddress": address(**{"x-when": "create"}),
                "_source": SOURCE,
            },
        },
    }


def test_a_tripletex_contact_goes_to_the_products_first_and_then_to_the_contacts():
    mapped = Mapped("tripletex-to-customcrm")
    product, contact = mapped.schema("contact", TRIPLETEX_CONTACT)
    for message in (product, contact):
        del message["schema"]["x-sync"]["digest"]
    assert product["stream"] == "product"
    assert product["schema"]["x-sync"] == {
        "flow": "product",
        "from": "tripletex",
        "to": "customcrm",
        "resource": {"customcrm": "product", "tripletex": "contact"},
        "match_on": [["Name", "Number"]],
        "conflict": "latest",
        "create": False,
        "on_delete": "ignore",
        "references": {},
        "after": [],
        "timeless": "tripletex",
    }
    assert contact["stream"] == "contact"
    assert contact["schema"]["x-sync"]["after"] == ["product"]
    assert contact["schema"]["x-sync"]["references"] == {"CustomerId": "customer"}
    assert contact["schema"]["properties"]["MobilePhone"] == {
        "type": ["string", "null"],
        "x-from": ["phoneNumberMobile", "phoneNumberMobileCountry.isoAlpha2Code"],
        "x-compare": "phone",
    }
    records = mapped("RECORD", stream="contact", record={"id": 1}, version=17, time_extracted=NOW)
    assert [(one["stream"], one["version"], one["time_extracted"]) for one in records] == [
        ("product", 17, NOW),
        ("contact", 17, NOW),
    ]
    versions = mapped("ACTIVATE_VERSION", stream="contact", version=17)
    assert versions == [
        {"type": "ACTIVATE_VERSION", "stream": "product", "version": 17},
        {"type": "ACTIVATE_VERSION", "stream": "contact", "version": 17},
    ]


def test_a_customer_becomes_the_record_that_tripletex_has(to_tripletex):
    record = {
        "Id": "c-17",
        "UpdatedAt": NOW,
        "Deleted": False,
        "Name": "Blåbær & Sønn AS",
        "OrganizationNumber": "923 609 016",
        "Email": "Post@example.no",
        "Phone": "+47 22 33 44 55",
        "Website": None,
        "Description": "",
        "ZipCode": "0150",
        "Country": "no",
    }
    (message,) = to_tripletex("RECORD", stream="customer", record=record)
    assert message == {
        "type": "RECORD",
        "stream": "customer",
        "record": {
            "name": "Blåbær & Sønn AS",
            "organizationNumber": "923609016",
            "email": "Post@example.no",
            "phoneNumber": "22334455",
            "website": None,
            "description": None,
            **{
                one: {"postalCode": "0150", "country": {"isoAlpha2Code": "NO"}}
                for one in ("postalAddress", "physicalAddress", "deliveryAddress")
            },
            "_source": {
                "id": "c-17",
                "version": NOW,
                "modified_at": NOW,
                "deleted": False,
                "values": {key: value for key, value in record.items() if key not in ("Id", "UpdatedAt", "Deleted")},
            },
        },
    }


def test_a_contact_becomes_the_record_that_tripletex_has(to_tripletex):
    record = {"Id": "p-1", "UpdatedAt": NOW, "MobilePhone": "+46 70 123 45 67", "Phone": "tlf 1", "CustomerId": "c-17"}
    assert to_tripletex.record("contact", record) == [
        {
            "phoneNumberMobile": "701234567",
            "phoneNumberMobileCountry": {"isoAlpha2Code": "SE"},
            "phoneNumberWork": "tlf 1",
            "customer": {"id": "c-17"},
            "_source": {
                "id": "p-1",
                "version": NOW,
                "modified_at": NOW,
                "deleted": False,
                "values": {"MobilePhone": "+46 70 123 45 67", "Phone": "tlf 1", "CustomerId": "c-17"},
            },
        }
    ]


def test_a_tripletex_contact_becomes_the_records_that_customcrm_has(to_customcrm):
    record = {
        "id": 42,
        "version": 3,
        "modifiedAt": "2026-11-22T10:00:00Z",
        "firstName": "Åse",
        "phoneNumberMobile": "701234567",
        "phoneNumberMobileCountry": {"id": 1, "isoAlpha2Code": "SE"},
        "customer": {"id": 10000042},
    }
    source = {"id": "42", "version": "3", "modified_at": "2026-11-22T10:00:00Z", "deleted": False}
    assert to_customcrm.record("contact", record) == [
        {"Name": "Åse", "_source": {**source, "values": {"firstName": "Åse"}}},
        {
            "FirstName": "Åse",
            "MobilePhone": "+46 70 123 45 67",
            "CustomerId": "10000042",
            "_source": {
                **source,
                "values": {
                    "firstName": "Åse",
                    "phoneNumberMobile": "701234567",
                    "phoneNumberMobileCountry.isoAlpha2Code": "SE",
                    "customer.id": 10000042,
                },
            },
        },
    ]


def test_an_absent_property_is_unknown_and_a_null_one_is_cleared(to_customcrm, to_tripletex):
    made = to_customcrm.record("customer", {"id": 1, "version": 1, "name": None, "postalAddress": None})[0]
    assert made["Name"] is None
    assert made["City"] is None
    assert made["Country"] is None
    assert "Email" not in made
    parts = ("addressLine1", "addressLine2", "postalCode", "city", "country.isoAlpha2Code")
    assert set(made["_source"]["values"]) == {"name", *(f"postalAddress.{part}" for part in parts)}
    made = to_customcrm.record("customer", {"id": 1, "postalAddress": {"city": "Oslo", "country": {"id": 161}}})[0]
    assert made["City"] == "Oslo"
    assert "Country" not in made
    assert "ZipCode" not in made
    made = to_tripletex.record("contact", {"Id": "p-1", "MobilePhone": None, "CustomerId": None})[0]
    assert made["phoneNumberMobile"] is None
    assert made["phoneNumberMobileCountry"] == {"isoAlpha2Code": None}
    assert made["customer"] == {"id": None}
    assert "email" not in made


def test_half_of_a_mobile_number_is_unknown(to_customcrm):
    made = to_customcrm.record("contact", {"id": 1, "phoneNumberMobile": "701234567"})[1]
    assert "MobilePhone" not in made
    made = to_customcrm.record("contact", {"id": 1, "phoneNumberMobile": "91234567", "phoneNumberMobileCountry": None})
    assert made[1]["MobilePhone"] == "+47 91 23 45 67"


@pytest.mark.parametrize(("raw", "as_text"), [(0, "0"), (10000042, "10000042"), ("c-17", "c-17")])
def test_ids_are_text(to_customcrm, raw, as_text):
    made = to_customcrm.record("contact", {"id": raw, "version": 2, "customer": {"id": raw}})[1]
    assert made["_source"]["id"] == as_text
    assert made["_source"]["version"] == "2"
    assert made["CustomerId"] == as_text
    assert made["_source"]["values"]["customer.id"] == raw


@pytest.mark.parametrize(
    ("said", "passed"),
    [
        *((one, False) for one in (None, False, 0, "", "0", "false", "No")),
        *((one, True) for one in (True, 1, "1", "true", "Yes")),
        # Neither yes nor no: the target refuses the record.
        ("2026-03-01", "2026-03-01"),
        ("archived", "archived"),
        (2, 2),
    ],
)
def test_a_record_is_a_tombstone_where_its_flag_says_so_in_text_too(to_tripletex, said, passed):
    (made,) = to_tripletex.record("product", {"Id": "v-3", "UpdatedAt": NOW, "Deleted": said, "Name": "Skrue"})
    assert made["_source"]["deleted"] == passed
    assert type(made["_source"]["deleted"]) is type(passed)


def test_a_tombstone_passes_with_what_it_says(to_tripletex):
    made = to_tripletex.record("product", {"Id": "v-3", "UpdatedAt": NOW, "Deleted": True, "Name": "Skrue"})
    assert made == [
        {
            "firstName": "Skrue",
            "_source": {"id": "v-3", "version": NOW, "modified_at": NOW, "deleted": True, "values": {"Name": "Skrue"}},
        }
    ]


@pytest.mark.parametrize("odd", [17, True, ["x"], {"a": "b"}, Decimal("1.5")])
def test_a_value_of_the_wrong_type_passes_raw_and_fails_the_schema_so_that_the_target_sets_the_record_aside(odd):
    mapped = Mapped("customcrm-to-tripletex")
    (message,) = mapped.schema("contact", CRM["contact"])
    validate = fastjsonschema.compile(message["schema"])
    validate(mapped.record("contact", {"Id": "p-1", "FirstName": "Åse", "CustomerId": "c-1"})[0])
    for name in ("FirstName", "Email", "Phone", "MobilePhone"):
        (made,) = mapped.record("contact", {"Id": "p-1", name: odd})
        assert made["_source"]["values"] == {name: odd}
        with pytest.raises(fastjsonschema.JsonSchemaValueException):
            validate(made)
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        validate(mapped.record("contact", {"FirstName": "without an id"})[0])


@settings(deadline=None, max_examples=200)
@given(
    st.dictionaries(
        st.sampled_from([*TRIPLETEX_CONTACT["properties"], "postalAddress", "name"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(st.sampled_from(["id", "city", "isoAlpha2Code", "country"]), inner, max_size=2)
            ),
            max_leaves=5,
        ),
    )
)
def test_no_record_whatever_ends_the_run(record):
    for build in every_build():
        assert build(record)["_source"]["deleted"] is False


@cache
def every_build():
    dataflow = Dataflow.load(TABLES, ROOT)
    return [
        compile_flow(dataflow.legs(flow, direction), (), direction)
        for direction in (TO_CUSTOMCRM, TO_TRIPLETEX)
        for flow in dataflow.flows
    ]


# Filters


def filtered(tmp_path, condition, direction="customcrm-to-tripletex"):
    key = "to-tripletex" if direction == "customcrm-to-tripletex" else "to-customcrm"
    table = (ROOT / "transforms/customer.yml").read_text() + f"\nfilter: {{{key}: {condition}}}\n"
    (tmp_path / "customer.yml").write_text(table)
    mapped = Mapped(direction, [str(tmp_path / "customer.yml")])
    stream = CRM["customer"] if key == "to-tripletex" else TRIPLETEX_CUSTOMER
    mapped.schema("customer", stream)
    return mapped


@pytest.mark.parametrize(
    ("condition", "values", "passes"),
    [
        ("{Country: 'NO'}", {"Country": "NO"}, True),
        ("{Country: NO}", {"Country": " NO "}, True),
        ("{Country: NO}", {"Country": "SE"}, False),
        ("{Country: NO}", {"Country": None}, False),
        ("{Country: NO}", {}, False),
        ("{Country: [NO, SE]}", {"Country": "SE"}, True),
        ("{Country: {not: SE}}", {"Country": "SE"}, False),
        ("{Country: {not: [SE, DK]}}", {"Country": "NO"}, True),
        ("{Country: {not: [SE, DK]}}", {"Country": None}, True),
        ("{Email: {empty: false}}", {"Email": "a@example.no"}, True),
        ("{Email: {empty: false}}", {"Email": " "}, False),
        ("{Email: {empty: true}}", {"Email": None}, True),
        ("{Email: {empty: true}}", {}, True),
        ("{Email: {empty: true}}", {"Email": "a@example.no"}, False),
        ("{Country: NO, Email: {empty: false}}", {"Country": "NO"}, False),
        ("{Country: NO, Email: {empty: false}}", {"Country": "NO", "Email": "a@example.no"}, True),
        ("{Country: NO}", {"Country": ["NO"]}, False),
    ],
)
def test_a_filter_lets_through_what_meets_all_its_conditions(tmp_path, condition, values, passes):
    (made,) = filtered(tmp_path, condition).record("customer", {"Id": "c-1", "UpdatedAt": NOW, "Name": "A", **values})
    assert ("name" in made) is passes
    assert ("filtered" not in made["_source"]) is passes


def test_a_record_kept_out_passes_as_its_source_alone(tmp_path):
    mapped = filtered(tmp_path, "{Country: NO}")
    record = {"Id": "c-1", "UpdatedAt": NOW, "Deleted": False, "Name": "A", "Country": "SE"}
    (message,) = mapped("RECORD", stream="customer", record=record, version=17, time_extracted=NOW)
    assert message == {
        "type": "RECORD",
        "stream": "customer",
        "record": {"_source": {"id": "c-1", "version": NOW, "modified_at": NOW, "deleted": False, "filtered": True}},
        "version": 17,
        "time_extracted": NOW,
    }
    record["Deleted"] = True
    (tombstone,) = mapped.record("customer", record)
    assert tombstone["name"] == "A"
    assert tombstone["_source"]["deleted"] is True
    assert "filtered" not in tombstone["_source"]


@pytest.mark.parametrize(
    ("condition", "record", "passes"),
    [
        ("{isInactive: false}", {"isInactive": False}, True),
        ("{isInactive: false}", {"isInactive": True}, False),
        ("{customerNumber: [1, 2]}", {"customerNumber": 2}, True),
        ("{customerNumber: {not: 1}}", {"customerNumber": 1}, False),
        ("{postalAddress.country.isoAlpha2Code: [NO]}", {"postalAddress": {"country": {"isoAlpha2Code": "NO"}}}, True),
        ("{postalAddress.country.isoAlpha2Code: [NO]}", {"postalAddress": None}, False),
    ],
)
def test_a_filter_reads_numbers_booleans_and_nested_properties(tmp_path, condition, record, passes):
    (made,) = filtered(tmp_path, condition, "tripletex-to-customcrm").record("customer", {"id": 1, **record})
    assert ("filtered" not in made["_source"]) is passes


def test_a_filter_compares_numbers_exactly(tmp_path):
    (tmp_path / "product.yml").write_text(
        (ROOT / "transforms/product.yml").read_text() + "filter: {to-tripletex: {Price: [0.1, 12.5]}}\n"
    )
    mapped = Mapped("customcrm-to-tripletex", [str(tmp_path / "product.yml")])
    mapped.schema("product", CRM["product"])
    prices = {Decimal("0.1"): True, Decimal("12.50"): True, 12: False}
    for price, passes in prices.items():
        (made,) = mapped.record("product", {"Id": "v-1", "Price": price})
        assert ("filtered" not in made["_source"]) is passes


# What the tap sends, and does not


def without(schema, *names):
    return {**schema, "properties": {name: one for name, one in schema["properties"].items() if name not in names}}


def test_a_deselected_property_is_left_out_and_said_in_one_line(caplog):
    mapped = Mapped("tripletex-to-customcrm")
    _, message = mapped.schema("contact", without(TRIPLETEX_CONTACT, "phoneNumberMobileCountry", "customer"))
    assert set(message["schema"]["properties"]) == {"FirstName", "LastName", "Email", "Phone", "_source"}
    assert message["schema"]["x-sync"]["references"] == {}
    record = {"id": 1, "phoneNumberMobile": "91234567", "firstName": "Åse"}
    assert set(mapped.record("contact", record)[1]) == {"FirstName", "_source"}
    assert mapped.record("contact", record)[1]["_source"]["values"] == {"firstName": "Åse"}
    (line,) = [one.message for one in caplog.records if "phoneNumberMobileCountry" in one.message]
    assert line.startswith("transforms/contact.yml:")
    assert "so MobilePhone is left as it is. Select contact.phoneNumberMobileCountry.isoAlpha2Code in the tap" in line


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (without(CRM["customer"], "Id"), "The tap does not send Id of customer"),
        (without(CRM["customer"], "Email"), ": records are matched on email, but the tap"),
        (
            {**CRM["customer"], "properties": {**CRM["customer"]["properties"], "Phone": whole()}},
            "the tap sends Phone as integer, the table takes it as string.",
        ),
    ],
)
def test_a_stream_that_the_tables_cannot_do_without_is_refused_in_one_line(schema, said):
    with pytest.raises(StreamError) as caught:
        Mapped("customcrm-to-tripletex").schema("customer", schema)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_filter_on_a_property_that_the_tap_does_not_send_is_refused(tmp_path):
    mapped = filtered(tmp_path, "{Country: NO}")
    with pytest.raises(StreamError, match=r"the filter needs Country, which the tap does not send\."):
        mapped.schema("customer", without(CRM["customer"], "Country"))


def test_a_missing_version_or_time_is_said_and_null(caplog):
    mapped = Mapped("customcrm-to-tripletex")
    mapped.schema("product", without(CRM["product"], "UpdatedAt", "Deleted"))
    assert next(one.message for one in caplog.records if "later edits" in one.message).startswith(
        "The tap does not send UpdatedAt of product"
    )
    (made,) = mapped.record("product", {"Id": "v-1"})
    assert made["_source"] == {"id": "v-1", "version": None, "modified_at": None, "deleted": False, "values": {}}


def test_a_schema_of_open_types_is_taken_as_it_comes():
    mapped = Mapped("customcrm-to-tripletex")
    schema = json.loads(json.dumps(CRM["product"]))
    schema["properties"]["Name"] = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    mapped.schema("product", schema)
    assert mapped.record("product", {"Id": "v-1", "Name": "Skrue"})[0]["firstName"] == "Skrue"


def test_a_stream_in_no_table_is_dropped_and_said_once(caplog):
    caplog.set_level("INFO")
    mapped = Mapped("tripletex-to-customcrm")
    for _ in range(3):
        assert mapped.schema("country", {"properties": {"id": whole()}}) == []
        assert mapped("RECORD", stream="country", record={"id": 1}) == []
        assert mapped("ACTIVATE_VERSION", stream="country", version=1) == []
    assert len([one for one in caplog.records if "Stream country is in no table" in one.message]) == 1


# What belongs together


def test_a_group_is_told_at_each_of_its_properties_in_both_directions():
    for direction, schemas, names in (
        ("customcrm-to-tripletex", CRM, ("firstName", "lastName")),
        ("tripletex-to-customcrm", {"contact": TRIPLETEX_CONTACT}, ("FirstName", "LastName")),
    ):
        contact = Mapped(direction).schema("contact", schemas["contact"])[-1]["schema"]["properties"]
        assert [(contact[name]["x-group"], contact[name]["x-compare"]) for name in names] == [("name", "name")] * 2
        assert [name for name, one in contact.items() if "x-group" in one] == list(names)


def test_what_a_table_says_of_one_property_of_a_group_it_says_of_all(tmp_path):
    table = (ROOT / "transforms/customer.yml").read_text()
    (tmp_path / "customer.yml").write_text(
        table.replace("postalAddress.city, type: string", "postalAddress.city, type: string, conflict: manual")
    )
    mapped = Mapped("customcrm-to-tripletex", [str(tmp_path / "customer.yml")])
    properties = mapped.schema("customer", CRM["customer"])[0]["schema"]["properties"]
    *parts, country = properties["postalAddress"]["properties"].values()
    assert {one["x-conflict"] for one in (*parts, country["properties"]["isoAlpha2Code"])} == {"manual"}
    assert "x-conflict" not in properties["name"]
    assert "x-conflict" not in properties["physicalAddress"]["properties"]["city"]


def test_a_group_of_which_the_tap_sends_only_some_is_left_as_it_is(caplog):
    mapped = Mapped("customcrm-to-tripletex")
    with caplog.at_level("WARNING"):
        properties = mapped.schema("customer", without(CRM["customer"], "StreetAddress2"))[0]["schema"]["properties"]
    assert "postalAddress" not in properties
    assert "city" in properties["physicalAddress"]["properties"]
    (said,) = [one.message for one in caplog.records if "all of the group address is left as it is" in one.message]
    assert "the tap does not send StreetAddress2" in said
    assert "Select customer.StreetAddress2" in said


def test_a_group_that_records_are_matched_by_has_to_be_sent_whole():
    with pytest.raises(StreamError, match=r"matched on firstName, but the tap does not send FirstName"):
        Mapped("customcrm-to-tripletex").schema("contact", without(CRM["contact"], "FirstName"))


# Phone numbers of other countries


@pytest.mark.parametrize(
    ("phone", "country", "tripletex"),
    [
        ("33 12 12 12", "DK", "+4533121212"),
        ("6123 4567", "SG", "+6561234567"),
        ("22 33 44 55", "NO", "22334455"),
        ("22 33 44 55", None, "22334455"),
        ("22 33 44 55", "Norge", "22334455"),
        ("+47 22 33 44 55", "DK", "+4722334455"),
        ("22 33 44 55", "SG", "22 33 44 55"),
        ("33 12 12 12", "Danmark", "33 12 12 12"),
        ("+45 33 12 12 12", "Danmark", "+4533121212"),
    ],
)
def test_a_number_of_a_customer_abroad_is_one_of_its_country(to_tripletex, phone, country, tripletex):
    (made,) = to_tripletex.record("customer", {"Id": "c-1", "Phone": phone, "Country": country})
    assert made["phoneNumber"] == tripletex


@pytest.mark.parametrize(
    ("phone", "country", "customcrm"),
    [
        ("33121212", "DK", "+45 33 12 12 12"),
        ("61234567", "SG", "+65 6123 4567"),
        ("22334455", "SG", "22334455"),
        ("22334455", None, "+47 22 33 44 55"),
        ("22334455", "NO", "+47 22 33 44 55"),
        ("+4722334455", "DK", "+47 22 33 44 55"),
    ],
)
def test_a_number_of_a_customer_abroad_comes_back_with_the_prefix_of_its_country(
    to_customcrm, phone, country, customcrm
):
    address = {"country": {"isoAlpha2Code": country}}
    (made,) = to_customcrm.record("customer", {"id": 1, "phoneNumber": phone, "postalAddress": address})
    assert made["Phone"] == customcrm


def test_a_number_whose_country_the_tap_does_not_send_is_a_norwegian_one():
    mapped = Mapped("customcrm-to-tripletex")
    properties = mapped.schema("customer", without(CRM["customer"], "Country"))[0]["schema"]["properties"]
    assert "x-country" not in properties["phoneNumber"]
    (made,) = mapped.record("customer", {"Id": "c-1", "Phone": "22 33 44 55"})
    assert made["phoneNumber"] == "22334455"


def test_a_state_passes_untouched(to_customcrm):
    message = {"bookmarks": {"country": {"as_of": NOW, "digests": ["a", None]}}, "x": Decimal("1.10")}
    assert to_customcrm("STATE", value=message) == [{"type": "STATE", "value": message}]


def test_a_record_before_its_schema_is_refused():
    with pytest.raises(RunFailed, match="A RECORD of stream product comes before the stream's SCHEMA"):
        Mapped("customcrm-to-tripletex").record("product", {"Id": "v-1"})


def test_a_batch_is_refused(to_tripletex):
    with pytest.raises(RunFailed, match="BATCH files, which cannot be mapped"):
        to_tripletex("BATCH", stream="product")


def test_a_table_of_one_direction_leaves_the_other_alone(tmp_path):
    text_of = (ROOT / "transforms/product.yml").read_text().replace("type: string}", "direction: to-tripletex}")
    (tmp_path / "product.yml").write_text(text_of)
    mapped = Mapped("tripletex-to-customcrm", ["transforms/customer.yml", str(tmp_path / "product.yml")])
    assert mapped.schema("contact", TRIPLETEX_CONTACT) == []


@pytest.mark.parametrize("while_waiting", [True, False])
def test_a_signal_is_served_between_two_messages(while_waiting, capsysbinary):
    mapped = Mapped("customcrm-to-tripletex")
    schema = json.dumps({"type": "SCHEMA", "stream": "product", "schema": CRM["product"]})
    record = json.dumps({"type": "RECORD", "stream": "product", "record": {"Id": "v-1", "Name": "Skrue"}})

    def stop():
        mapped.mapper._handle_termination(signal.SIGTERM, None)

    def given():
        yield schema
        yield record
        if while_waiting:
            stop()
        yield record
        raise AssertionError

    if not while_waiting:
        build = mapped.mapper.map_record_message
        calls = iter([None, stop])

        def stop_at_the_second(message):
            yield from build(message)
            if (call := next(calls)) is not None:
                call()

        mapped.mapper.map_record_message = stop_at_the_second
    with pytest.raises(SystemExit) as left:
        mapped.mapper.listen(given())
    assert left.value.code == 143
    mapped.mapper.message_writer.flush()
    out = capsysbinary.readouterr().out
    types = [json.loads(line)["type"] for line in out.splitlines()]
    assert types == ["SCHEMA", "RECORD", *([] if while_waiting else ["RECORD"])]
