"""What it means where a CRM's record does not have a property."""

import pytest
from customcrm_client.loading import load
from customcrm_client.records import Shape

PROFILE = """
streams:
  contact:
    path: /contacts
    properties:
      FirstName: first_name
      Company: company.key
      Mobile: {path: extra.mobile, absent: empty}
      Fax: {path: fax, absent: empty}
"""


@pytest.fixture(scope="module")
def shape():
    return Shape(load(PROFILE).streams["contact"])


def test_what_a_record_does_not_have_is_unknown(shape):
    assert set(shape.read({"id": 1})) == {"Id", "Mobile", "Fax"}


def test_it_has_no_value_where_the_crm_leaves_out_what_was_cleared(shape):
    assert shape.read({"id": 1, "extra": {}})["Mobile"] is None
    assert shape.read({"id": 1})["Fax"] is None
    assert shape.read({"id": 1, "extra": {"mobile": "90000000"}, "fax": "1"}) == {
        "Id": "1",
        "Mobile": "90000000",
        "Fax": "1",
    }


def test_what_is_inside_of_null_is_null(shape):
    assert shape.read({"id": 1, "company": None})["Company"] is None
    assert "Company" not in shape.read({"id": 1, "company": {}})
    assert shape.read({"id": 1, "company": {"key": "c-1"}})["Company"] == "c-1"
