"""Tripletex's own rules about values, in Norwegian as a Norwegian company sees them."""

import re
from typing import Any

from sandbox.tripletex.refusal import Message
from sandbox.tripletex.rows import Row
from sandbox.tripletex.types import ObjectType

EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
)
ORGANIZATION_NUMBER = re.compile(r"[0-9][0-9 -]*")
LONGEST = {"description": 65_535, "orderLineDescription": 65_535}
LONGEST_TEXT = 255

INVALID_EMAIL = "Ugyldig e-postadresse."
INVALID_ORGANIZATION_NUMBER = "Ugyldig organisasjonsnummer."
REQUIRED = "Feltet må fylles ut."
NOT_NULL = "Feltet kan ikke være tomt."
NO_NAME = "Fornavn eller etternavn må fylles ut."


def _text_faults(name: str, value: str) -> list[str]:
    if len(value) > LONGEST.get(name, LONGEST_TEXT):
        return [f"Maks {LONGEST.get(name, LONGEST_TEXT)} tegn."]
    if not value:
        return []
    if name in ("email", "invoiceEmail", "overdueNoticeEmail") and not EMAIL.fullmatch(value):
        return [INVALID_EMAIL]
    if name == "organizationNumber" and not ORGANIZATION_NUMBER.fullmatch(value):
        return [INVALID_ORGANIZATION_NUMBER]
    return []


def value_messages(owner: ObjectType, body: dict[str, Any]) -> list[Message]:
    """What is wrong with the plain values of a body."""
    found = []
    for prop in owner.scalars:
        if prop.name not in body or prop.name in ("id", "version"):
            continue
        value = body[prop.name]
        if value is None:
            problems = [NOT_NULL] if prop.kind == "boolean" or prop.allowed else []
        elif prop.kind == "string" and not prop.many:
            problems = _text_faults(prop.name, value)
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
