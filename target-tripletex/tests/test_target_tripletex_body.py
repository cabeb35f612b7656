"""Request bodies and `fields` expressions."""

import pytest
from target_tripletex.body import InvalidValueError, body_of, fields_for


class Countries:
    def id_of(self, code):
        return {"NO": 167, "SE": 216}.get(code)


def body(values, over=None):
    return body_of(values, Countries(), over)


POSTAL = {
    "id": 5,
    "version": 3,
    "addressLine1": "Storgata 1",
    "addressLine2": None,
    "postalCode": "0155",
    "city": "OSLO",
    "country": {"id": 167, "isoAlpha2Code": "NO"},
    "displayName": "Storgata 1, 0155 OSLO",
}


def test_plain_values_are_sent_as_they_are():
    assert body({"name": "Alfa AS", "invoicesDueIn": 14, "isInactive": False}) == {
        "name": "Alfa AS",
        "invoicesDueIn": 14,
        "isInactive": False,
    }


def test_a_text_is_cleared_by_an_empty_one_and_anything_else_by_null():
    values = dict.fromkeys(["name", "website", "firstName", "phoneNumberWork", "language", "invoicesDueIn"])
    assert body({**values, "customer.id": None, "postalAddress.city": None}) == {
        "name": "",
        "website": "",
        "firstName": "",
        "phoneNumberWork": "",
        "language": None,
        "invoicesDueIn": None,
        "customer": None,
        "postalAddress": {"city": ""},
    }


POSTAL_ABROAD = {"postalAddress": {"id": 5, "city": "MALMÖ", "country": {"id": 216}}}
PHYSICAL = {"id": 6, "addressLine1": "Gatan 1", "city": None, "country": None}


@pytest.mark.parametrize(
    ("values", "over", "physical"),
    [
        ({}, {}, None),
        (
            {},
            {"physicalAddress": {"id": 6, "city": "LUND", "country": {"id": 216}}},
            {"id": 6, "city": "LUND", "country": {"id": 216}},
        ),
        ({}, POSTAL_ABROAD, {"country": {"id": 216}}),
        ({"postalAddress.country.isoAlpha2Code": "SE"}, {}, {"country": {"id": 216}}),
        (
            {"physicalAddress.city": "LUND", "postalAddress.country.isoAlpha2Code": "SE"},
            {},
            {"city": "LUND", "country": {"id": 216}},
        ),
        ({"physicalAddress.country.isoAlpha2Code": "NO"}, POSTAL_ABROAD, {"country": {"id": 167}}),
        (
            {},
            {**POSTAL_ABROAD, "physicalAddress": PHYSICAL},
            {"id": 6, "addressLine1": "Gatan 1", "city": "", "country": {"id": 216}},
        ),
    ],
)
def test_a_foreign_organisation_number_brings_its_country_in_the_physical_address(values, over, physical):
    assert body({"organizationNumber": "556677-8899", **values}, over).get("physicalAddress") == physical


@pytest.mark.parametrize("number", ["923609016", None, ""])
def test_a_norwegian_organisation_number_brings_no_country(number):
    assert "physicalAddress" not in body({"organizationNumber": number}, {**POSTAL_ABROAD, "physicalAddress": PHYSICAL})


def test_a_reference_is_an_object_with_an_id():
    assert body({"customer.id": "10000042"}) == {"customer": {"id": 10000042}}
    assert body({"customer.id": 10000042}) == {"customer": {"id": 10000042}}


def test_a_cleared_reference_is_null():
    assert body({"customer.id": None, "phoneNumberMobileCountry.isoAlpha2Code": None}) == {
        "customer": None,
        "phoneNumberMobileCountry": None,
    }


@pytest.mark.parametrize("code", ["SE", "se", " se "])
def test_a_country_code_becomes_a_reference(code):
    assert body({"phoneNumberMobileCountry.isoAlpha2Code": code}) == {"phoneNumberMobileCountry": {"id": 216}}


@pytest.mark.parametrize("code", ["XX", "Norge", "N" * 300])
def test_an_unknown_country_code_is_named(code):
    with pytest.raises(InvalidValueError, match="knows no country") as raised:
        body({"postalAddress.country.isoAlpha2Code": code})
    assert "postalAddress.country" in str(raised.value)
    assert len(str(raised.value)) < 150


@pytest.mark.parametrize("wrong", ["c-17", "", "1.5", "-3"])
def test_a_reference_that_is_no_id_is_named(wrong):
    with pytest.raises(InvalidValueError, match=r"customer\.id"):
        body({"customer.id": wrong})


def test_of_a_reference_only_the_id_can_be_written():
    with pytest.raises(InvalidValueError, match="customer: only its id can be written, not name"):
        body({"customer.name": "Alfa AS"})


def test_a_new_address_has_what_is_said_of_it():
    assert body({"postalAddress.city": "OSLO", "postalAddress.country.isoAlpha2Code": "NO"}) == {
        "postalAddress": {"city": "OSLO", "country": {"id": 167}}
    }


def test_a_changed_address_is_sent_with_its_id_and_all_its_parts():
    assert body({"postalAddress.addressLine1": "Lillegata 2"}, {"postalAddress": POSTAL}) == {
        "postalAddress": {
            "id": 5,
            "addressLine1": "Lillegata 2",
            "addressLine2": "",
            "postalCode": "0155",
            "city": "OSLO",
            "country": {"id": 167},
        }
    }


def test_a_cleared_part_of_an_address_is_empty_and_the_others_stay():
    sent = body({"postalAddress.city": None, "postalAddress.country.isoAlpha2Code": None}, {"postalAddress": POSTAL})[
        "postalAddress"
    ]
    assert (sent["city"], sent["country"]) == ("", None)
    assert (sent["addressLine1"], sent["postalCode"]) == ("Storgata 1", "0155")


def test_an_address_where_there_was_none_is_new():
    assert body({"postalAddress.city": "MOSS"}, {"postalAddress": None}) == {"postalAddress": {"city": "MOSS"}}


def test_an_unchanged_address_is_not_sent():
    assert body({"name": "Alfa AS"}, {"postalAddress": POSTAL}) == {"name": "Alfa AS"}


def test_fields_ask_for_the_paths_and_for_what_a_write_needs():
    assert fields_for(frozenset({"name", "email"})) == "id,version,changes,email,name"
    assert fields_for(frozenset({"customer.id"})) == "id,version,changes,customer(id)"


def test_fields_ask_for_addresses_whole():
    told = fields_for(frozenset({"postalAddress.city"}))
    assert told == (
        "id,version,changes,"
        "postalAddress(id,version,addressLine1,addressLine2,postalCode,city,country(id,isoAlpha2Code))"
    )


def test_fields_ask_for_the_country_of_a_foreign_organisation_number_where_addresses_are_read():
    assert "physicalAddress(" in fields_for(frozenset({"organizationNumber", "postalAddress.city"}))
    assert fields_for(frozenset({"organizationNumber"})) == "id,version,changes,organizationNumber"


def test_fields_ask_for_a_countrys_id_with_its_code():
    assert (
        fields_for(frozenset({"phoneNumberMobileCountry.isoAlpha2Code"}))
        == "id,version,changes,phoneNumberMobileCountry(id,isoAlpha2Code)"
    )
