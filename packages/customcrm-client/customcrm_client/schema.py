"""JSON schemas of the streams contact, customer and product (Customcrm reference REST contract)."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def _text(description: str = "") -> Schema:
    described = {"description": description} if description else {}
    return {"type": ["string", "null"], **described}


def _record(**properties: Schema) -> Schema:
    own: dict[str, Schema] = {
        "Id": {"type": "string", "description": "Given by the server, never used again"},
        "CreatedAt": {"type": ["string", "null"], "format": "date-time"},
        "UpdatedAt": {"type": ["string", "null"], "format": "date-time"},
        "Deleted": {"type": ["boolean", "null"], "description": "True: a tombstone"},
    }
    return {"type": "object", "properties": own | properties}


CONTACT = _record(
    FirstName=_text(),
    LastName=_text(),
    Email=_text(),
    Phone=_text(),
    MobilePhone=_text(),
    CustomerId=_text("The customer the person works for"),
)

CUSTOMER = _record(
    Name=_text(),
    OrganizationNumber=_text(),
    Email=_text(),
    Phone=_text(),
    Website=_text(),
    Description=_text(),
    StreetAddress1=_text(),
    StreetAddress2=_text(),
    ZipCode=_text(),
    City=_text(),
    Country=_text("ISO 3166 alpha-2"),
)

PRODUCT = _record(
    Name=_text(),
    Number=_text(),
    Description=_text(),
    Price={"type": ["number", "null"]},
)

SCHEMAS: dict[str, Schema] = {"contact": CONTACT, "customer": CUSTOMER, "product": PRODUCT}
"""By stream."""

RESOURCES: dict[str, str] = {"contact": "contacts", "customer": "customers", "product": "products"}
"""The API's resource of each stream."""

WRITABLE: dict[str, frozenset[str]] = {
    stream: frozenset(schema["properties"]) - {"Id", "CreatedAt", "UpdatedAt", "Deleted"}
    for stream, schema in SCHEMAS.items()
}
"""The properties of each stream that can be written; the others are the server's own."""
