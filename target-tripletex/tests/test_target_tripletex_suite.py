"""The SDK's standard target tests, on streams that Tripletex has (`streams/`), with a look at what arrived."""

import atexit
from contextlib import ExitStack
from pathlib import Path

from singer_sdk.testing import get_target_test_class
from singer_sdk.testing.suites import SingerTestSuite, target_tests
from singer_sdk.testing.templates import TargetFileTestTemplate
from target_tripletex.target import TargetTripletex

import sandbox

LEFT_OUT = {
    "special_chars_in_attributes": "no property of Tripletex is called so, and the API refuses unknown ones",
}
ARRIVED = {
    "array_data": {"customer": {1: {"bankAccounts": ["12345678903", "12345678911"]}, 2: {"bankAccounts": []}}},
    "camelcase": {"customer": {1: {"organizationNumber": "910000004"}, 2: {"organizationNumber": "910000012"}}},
    "camelcase_complex_schema": {
        "customer": {
            1: {"name": "Kunde 1", "description": "2026-11-22T10:00:00Z"},
            2: {
                "description": "ikke noen dato",
                "postalAddress": {"addressLine1": "Storgata 1", "city": "OSLO", "country": "NO"},
            },
        }
    },
    "duplicate_records": {"customer": {1: {"invoicesDueIn": 100}, 2: {"invoicesDueIn": 20}}},
    "encoded_string_data": {
        "customer": {
            1: {"name": "απλή συμβολοσειρά"},
            2: {"name": "ÆØÅ æøå «blåbær» 🫐"},
            3: {"name": '"\\"\'\u2028 \t tab'},
        }
    },
    "no_primary_keys": {"customer": {1: {"name": "Ny En"}, 2: {"name": "Ny To"}}},
    "optional_attributes": {
        "contact": {
            11: {"phoneNumberWork": "22334455"},
            12: {"phoneNumberWork": "55555555"},
            13: {"phoneNumberWork": None},
        },
    },
    "pk_updates": {"contact": {11: {"firstName": "Alice"}, 12: {"firstName": "Bob", "email": "bob@example.com"}}},
    "record_missing_fields": {"contact": {11: {"phoneNumberWork": "22334455"}, 12: {"phoneNumberWork": "55555555"}}},
    "record_before_schema": {"contact": {11: {"phoneNumberWork": "55555555"}, 12: {"phoneNumberWork": "55555555"}}},
    "record_missing_key_property": {"contact": {11: {"phoneNumberWork": "55555555"}}},
    "schema_no_properties": {
        "customer": {
            1: {"postalAddress": {"addressLine1": "Storgata 1", "city": "OSLO"}},
            2: {"postalAddress": {"addressLine1": "Lillegata 2", "city": "MOSS", "postalCode": "0155"}},
        }
    },
    "schema_updates": {
        "customer": {
            1: {"name": "Ny En", "isPrivateIndividual": False},
            2: {"name": "Ny To", "isPrivateIndividual": True},
            3: {"name": "Ny Tre", "postalAddress": {"addressLine1": "Storgata 1", "city": "BODØ", "country": "NO"}},
        }
    },
}

# The SDK makes its test class from a target that is configured when this file is read.
_open = ExitStack()
atexit.register(_open.close)
_tripletex = _open.enter_context(sandbox.running("empty")).tripletex


def _shown(found, values):
    """As much of a record as is asked for; a country as its code."""
    if not isinstance(values, dict):
        return found["isoAlpha2Code"] if isinstance(found, dict) else found
    return {name: _shown(found[name], value) for name, value in values.items()}


def _on_our_streams(standard: type[TargetFileTestTemplate]) -> type[TargetFileTestTemplate]:
    """A standard test that reads a file of ours and then looks into Tripletex."""

    class OnOurStreams(standard):  # type: ignore[valid-type,misc]
        singer_filepath = Path(__file__).parent / "streams" / f"{standard.name}.singer"

        def setup(self):
            _tripletex.clear()
            address = {"postalCode": "0155", "city": "OSLO", "country": {"id": _tripletex.country_id("NO")}}
            for number in (1, 2, 3):
                _tripletex.create("customer", id=number, name=f"Kunde {number}", postalAddress=address)
                _tripletex.create("contact", id=10 + number, firstName=f"Person {number}", phoneNumberWork="55555555")

        def validate(self):
            for resource, records in ARRIVED[self.name].items():
                for record_id, values in records.items():
                    assert _shown(_tripletex.get(resource, record_id), values) == values
            assert [_tripletex.count(resource) for resource in ("customer", "contact")] == [3, 3]

    return OnOurStreams


_suite = SingerTestSuite(
    kind="target",
    tests=[
        _on_our_streams(one) if one.name in ARRIVED else one for one in target_tests.tests if one.name not in LEFT_OUT
    ],
)

TestTargetTripletex = get_target_test_class(
    TargetTripletex,
    config={
        "api_url": _tripletex.api_url,
        "consumer_token": _tripletex.consumer_token,
        "employee_token": _tripletex.employee_token,
    },
    custom_suites=[_suite],
    include_target_tests=False,
    parse_env_config=False,
)


def test_every_standard_test_is_run_or_left_out_for_a_reason():
    names = {one.name for one in target_tests.tests}
    assert names == {"cli_prints", "invalid_schema"} | set(ARRIVED) | set(LEFT_OUT)
    assert not set(ARRIVED) & set(LEFT_OUT)
