"""Tripletex's own rules about values, in Norwegian as a Norwegian company sees them."""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.tripletex.refusal import Message
from sandbox.tripletex.rows import Row
from sandbox.tripletex.types import ObjectType

EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
)
NORWEGIAN_NUMBER = re.compile(r"[0-9]{9}")
FOREIGN_NUMBER = re.compile(r"[0-9A-Za-z][0-9A-Za-z .-]*")
NORWAY = "NO"
_HUNDRED = {"phoneNumber": 100, "phoneNumberMobile": 100, "phoneNumberWork": 100}
LONGEST: Mapping[str, Mapping[str, int]] = {
    "Contact": {**_HUNDRED, "firstName": 100, "lastName": 100, "email": 100},
    "Customer": {
        **_HUNDRED,
        "organizationNumber": 100,
        "email": 254,
        "invoiceEmail": 254,
        "overdueNoticeEmail": 254,
        "description": 65_535,
    },
    "Product": {"number": 100, "ean": 14, "hsnCode": 20, "description": 65_535},
    "Address": {"postalCode": 100, "city": 100},
    "DeliveryAddress": {"postalCode": 100, "city": 100, "name": 100},
}
LONGEST_TEXT = 255
EMAILS = ("email", "invoiceEmail", "overdueNoticeEmail")

INVALID_EMAIL = "Ugyldig e-postadresse."
INVALID_ORGANIZATION_NUMBER = "Ugyldig organisasjonsnummer."
REQUIRED = "Feltet må fylles ut."
NOT_NULL = "Feltet kan ikke være tomt."
NO_NULL = "Kan ikke være null."
NO_EHF = "Kunden kan ikke motta EHF."
NO_NAME = "Fornavn eller etternavn må fylles ut."


def _text_faults(type_name: str, name: str, value: str) -> list[str]:
    longest = LONGEST.get(type_name, {}).get(name, LONGEST_TEXT)
    if len(value) > longest:
        return [f"Maks {longest} tegn."]
    # Invoices may go to several.
    several = value.split(";") if name == "invoiceEmail" else [value]
    if value and name in EMAILS and not all(EMAIL.fullmatch(one.strip()) for one in several):
        return [INVALID_EMAIL]
    return []


def number_messages(number: str | None, country: str) -> list[Message]:
    """What is wrong with an organisation number: those of Norway have nine digits, whoever has another is abroad."""
    pattern = NORWEGIAN_NUMBER if country == NORWAY else FOREIGN_NUMBER
    if not number or pattern.fullmatch(number):
        return []
    return [Message("organizationNumber", INVALID_ORGANIZATION_NUMBER, "organizationNumber")]


def value_messages(owner: ObjectType, body: dict[str, Any], *, null_texts: bool) -> list[Message]:
    """What is wrong with the plain values of a body; `null_texts` is whether a text may be null."""
    found = []
    for prop in owner.scalars:
        if prop.name not in body or prop.name in ("id", "version"):
            continue
        value = body[prop.name]
        if value is None:
            problems = [NOT_NULL] if prop.kind == "boolean" or prop.allowed else []
            if prop.kind == "string" and not null_texts:
                problems = [NO_NULL]
        elif prop.kind == "string" and not prop.many:
            problems = _text_faults(owner.name, prop.name, value)
            if prop.allowed and value not in prop.allowed:
                problems = [f"Ugyldig verdi. Gyldige verdier: {', '.join(prop.allowed)}."]
        elif prop.least is not None and value < prop.least:
            problems = [f"Må være minst {prop.least}."]
        elif prop.most is not None and value > prop.most:
            problems = [f"Må være høyst {prop.most}."]
        else:
            problems = []
        found += [Message(prop.name, problem, prop.name) for problem in problems]
    return found


def whole_messages(row: Row) -> list[Message]:
    """What is wrong with an object as it would be stored: what is required."""
    values = row.values
    if row.type_name in ("Customer", "Product") and not (values["name"] or "").strip():
        return [Message("name", REQUIRED, "name")]
    if row.type_name == "Contact" and not ((values["firstName"] or "") + (values["lastName"] or "")).strip():
        return [Message("firstName", NO_NAME, "firstName")]
    return []
