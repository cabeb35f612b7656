"""How long texts may be, in characters (reference: Tripletex API, As it really is). Longer ones are refused."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_ADDRESS = {"addressLine1": 255, "addressLine2": 255, "postalCode": 100, "city": 100}

LENGTHS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "contact": dict.fromkeys(("firstName", "lastName", "email", "phoneNumberMobile", "phoneNumberWork"), 100),
        "customer": {
            "name": 255,
            **dict.fromkeys(("organizationNumber", "phoneNumber", "phoneNumberMobile"), 100),
            **dict.fromkeys(("email", "invoiceEmail", "overdueNoticeEmail"), 254),
            **{
                f"{address}.{part}": most
                for address in ("postalAddress", "physicalAddress", "deliveryAddress")
                for part, most in _ADDRESS.items()
            },
        },
        "product": {"name": 255, "orderLineDescription": 255, "number": 100, "ean": 14, "hsnCode": 20},
    }
)
"""By resource and property, nested ones dotted. What is not named here may be longer than anybody writes."""
