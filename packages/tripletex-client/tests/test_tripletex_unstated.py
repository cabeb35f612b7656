"""A country that nobody stated is none, whether a record is a dictionary or typed."""

import msgspec
import pytest
from tripletex_client.unstated import forget_unstated

NORWAY, SWEDEN = {"id": 161, "isoAlpha2Code": "NO"}, {"id": 216, "isoAlpha2Code": "SE"}
NOWHERE = {"addressLine1": "", "addressLine2": None, "postalCode": " ", "city": "", "country": NORWAY}


def struct(name, **fields):
    """A type as a stream's schema makes it: each property may be null, or not there."""
    kinds = [(field, kind | msgspec.UnsetType | None, msgspec.UNSET) for field, kind in fields.items()]
    return msgspec.defstruct(name, kinds)


Country = struct("Country", id=int, isoAlpha2Code=str)
Address = struct("Address", addressLine1=str, addressLine2=str, postalCode=str, city=str, country=Country)
Customer = struct("Customer", postalAddress=Address, phoneNumberMobile=str, phoneNumberMobileCountry=Country)


def forgotten(record, typed):
    if not typed:
        forget_unstated(record)
        return record
    made = msgspec.convert(record, Customer)
    forget_unstated(made)
    return msgspec.to_builtins(made)


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize(
    ("record", "country"),
    [
        (NOWHERE, None),
        ({**NOWHERE, "city": "OSLO"}, "NO"),
        ({**NOWHERE, "country": SWEDEN}, "SE"),
        ({**NOWHERE, "country": None}, None),
        ({"city": "", "country": NORWAY}, "NO"),  # whether there is a street was not asked for
    ],
)
def test_norway_alone_is_no_address(typed, record, country):
    after = forgotten({"postalAddress": dict(record)}, typed)["postalAddress"]
    assert (after["country"] or {}).get("isoAlpha2Code") == country
    assert {**after, "country": None} == {**record, "country": None}


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize(("number", "country"), [("", None), (None, None), ("22334455", "NO")])
def test_norway_alone_is_no_mobile_number(typed, number, country):
    after = forgotten({"phoneNumberMobile": number, "phoneNumberMobileCountry": NORWAY}, typed)
    assert (after["phoneNumberMobileCountry"] or {}).get("isoAlpha2Code") == country


@pytest.mark.parametrize("record", [{}, {"postalAddress": None}, {"postalAddress": {}}])
def test_what_is_not_there_stays_away(record):
    assert forgotten(dict(record), typed=False) == forgotten(dict(record), typed=True) == record
