"""The schemas of a Customcrm's streams."""

import subprocess
import sys

import pytest
from customcrm_client.loading import reference
from customcrm_client.schema import SCHEMAS, writable
from jsonschema import Draft202012Validator

import sandbox


def test_the_schemas_need_no_http_library():
    code = "import sys, customcrm_client.schema; sys.exit('requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("stream", SCHEMAS)
def test_a_record_has_what_its_schema_says_and_nothing_else(stream):
    with sandbox.running("empty") as systems:
        name = {"FirstName": "Kari"} if stream == "contact" else {"Name": "Firma"}
        record = systems.customcrm.create(stream, **name)
    schema = SCHEMAS[stream]
    assert set(record) == set(schema["properties"])
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(record)


def test_the_server_s_own_properties_are_not_writable():
    for name, stream in reference().streams.items():
        assert set(SCHEMAS[name]["properties"]) - writable(stream) == {"Id", "CreatedAt", "UpdatedAt", "Deleted"}
