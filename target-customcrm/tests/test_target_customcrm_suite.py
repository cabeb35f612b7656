"""The SDK's standard target tests, on streams that a Customcrm has (`streams/`), with a look at what arrived."""

import atexit
import io
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path

import pytest
from singer_edge.errors import RunFailed
from singer_sdk.testing import get_target_test_class, target_test_streams
from singer_sdk.testing.suites import SingerTestSuite, target_tests
from singer_sdk.testing.templates import TargetFileTestTemplate
from target_customcrm.target import TargetCustomcrm

import sandbox

LEFT_OUT = {
    "array_data": "no property of the contract is a list",
    "schema_no_properties": "no property of the contract is an object",
    "special_chars_in_attributes": "no property of the contract is called so, and the API refuses unknown ones",
}
ARRIVED = {
    "camelcase": {"customer": {"1": {"OrganizationNumber": "910000004"}, "2": {"OrganizationNumber": "910000012"}}},
    "camelcase_complex_schema": {
        "customer": {
            "1": {"Name": "Kunde 1", "Description": "2026-11-22T10:00:00Z"},
            "2": {"Description": "ikke noen dato", "StreetAddress1": "Storgata 1", "ZipCode": "0155"},
        }
    },
    "duplicate_records": {"product": {"1": {"Price": 100}, "2": {"Price": 20}}},
    "encoded_string_data": {
        "product": {
            "1": {"Name": "απλή συμβολοσειρά"},
            "2": {"Name": "ÆØÅ æøå «blåbær» 🫐"},
            "3": {"Name": '"\\"\'\u2028 \t tab'},
        }
    },
    "no_primary_keys": {"customer": {"1": {"Name": "Ny En"}, "2": {"Name": "Ny To"}}},
    "optional_attributes": {
        "contact": {"1": {"Phone": "22334455"}, "2": {"Phone": "55555555"}, "3": {"Phone": None}},
    },
    "pk_updates": {"contact": {"1": {"FirstName": "Alice"}, "2": {"FirstName": "Bob", "Email": "bob@example.com"}}},
    "record_missing_fields": {"contact": {"1": {"Phone": "22334455"}, "2": {"Phone": "55555555"}}},
    "record_before_schema": {"contact": {"1": {"Phone": "55555555"}, "2": {"Phone": "55555555"}}},
    "record_missing_key_property": {"contact": {"1": {"Phone": "55555555"}}},
    "schema_updates": {
        "customer": {
            "1": {"Name": "Ny En", "City": "OSLO"},
            "2": {"Name": "Ny To", "City": "MOSS"},
            "3": {"Name": "Ny Tre", "City": "BODØ", "Country": "NO"},
        }
    },
}

# The SDK makes its test class from a target that is configured when this file is read.
_open = ExitStack()
atexit.register(_open.close)
_crm = _open.enter_context(sandbox.running("empty")).customcrm


def _on_our_streams(standard: type[TargetFileTestTemplate]) -> type[TargetFileTestTemplate]:
    """A standard test that reads a file of ours and then looks into the CRM."""

    class OnOurStreams(standard):  # type: ignore[valid-type,misc]
        singer_filepath = Path(__file__).parent / "streams" / f"{standard.name}.singer"

        def setup(self):
            _crm.clear()
            for number in "123":
                _crm.create("customer", Id=number, Name=f"Kunde {number}", City="OSLO")
                _crm.create("contact", Id=number, FirstName=f"Person {number}", Phone="55555555")
                _crm.create("product", Id=number, Name=f"Vare {number}", Price=5)

        def validate(self):
            for resource, records in ARRIVED[self.name].items():
                for record_id, values in records.items():
                    found = _crm.get(resource, record_id)
                    assert {name: found[name] for name in values} == values
            assert [_crm.count(resource) for resource in ("customer", "contact", "product")] == [3, 3, 3]

    return OnOurStreams


_suite = SingerTestSuite(
    kind="target",
    tests=[
        _on_our_streams(one) if one.name in ARRIVED else one for one in target_tests.tests if one.name not in LEFT_OUT
    ],
)

TestTargetCustomcrm = get_target_test_class(
    TargetCustomcrm,
    config={"api_url": _crm.api_url, "api_key": _crm.api_key},
    custom_suites=[_suite],
    include_target_tests=False,
    parse_env_config=False,
)


def test_every_standard_test_is_run_or_left_out_for_a_reason():
    names = {one.name for one in target_tests.tests}
    assert names == {"cli_prints", "invalid_schema"} | set(ARRIVED) | set(LEFT_OUT)
    assert not set(ARRIVED) & set(LEFT_OUT)


@pytest.mark.parametrize("name", ["array_data", "schema_no_properties", "special_chars_in_attributes"])
def test_what_is_left_out_cannot_be_loaded_and_is_refused_in_one_line(name):
    target = TargetCustomcrm(config={"api_url": _crm.api_url, "api_key": _crm.api_key}, parse_env_config=False)
    messages = io.StringIO((files(target_test_streams) / f"{name}.singer").read_text(encoding="utf-8"))
    with pytest.raises(RunFailed, match="target-customcrm knows contact, customer, product"):
        target.listen(messages)
