"""The three resources of the contract and their properties (reference: Customcrm, the reference REST contract)."""

from typing import Any, Literal

import msgspec

SERVER_OWNED = ("Id", "CreatedAt", "UpdatedAt", "Deleted")
FILTERS = ("Id", "Email", "OrganizationNumber", "Name", "Number")

Kind = Literal["string", "number"]


class Resource(msgspec.Struct, frozen=True):
    """A resource: its name in addresses, its properties, and of which of them one at least must have a value."""

    name: str
    stream: str
    id_prefix: str
    properties: dict[str, Kind]
    one_of: tuple[str, ...]

    @property
    def filters(self) -> tuple[str, ...]:
        """The equality filters that make sense here."""
        return tuple(name for name in FILTERS if name == "Id" or name in self.properties)


class Held(msgspec.Struct, frozen=True):
    """A stored record: what the API shows, and the revision that its ETag is made of."""

    record: dict[str, Any]
    revision: int

    @property
    def key(self) -> str:
        """The record's Id."""
        return str(self.record["Id"])

    @property
    def etag(self) -> str:
        """The entity tag of this state of the record."""
        return f'"r{self.revision}"'


def _strings(*names: str) -> dict[str, Kind]:
    return dict.fromkeys(names, "string")


CONTACTS = Resource(
    "contacts",
    "contact",
    "p",
    _strings("FirstName", "LastName", "Email", "Phone", "MobilePhone", "CustomerId"),
    ("FirstName", "LastName"),
)
CUSTOMERS = Resource(
    "customers",
    "customer",
    "c",
    _strings(
        "Name",
        "OrganizationNumber",
        "Email",
        "Phone",
        "Website",
        "Description",
        "StreetAddress1",
        "StreetAddress2",
        "ZipCode",
        "City",
        "Country",
    ),
    ("Name",),
)
PRODUCTS = Resource(
    "products", "product", "v", {**_strings("Name", "Number", "Description"), "Price": "number"}, ("Name",)
)
RESOURCES = {resource.name: resource for resource in (CONTACTS, CUSTOMERS, PRODUCTS)}


def resource_named(name: str) -> Resource:
    """The resource of that name, singular or plural. Raises LookupError."""
    for resource in RESOURCES.values():
        if name.lower() in (resource.name, resource.stream):
            return resource
    raise LookupError(f"Customcrm has no resource {name!r}; it has {', '.join(RESOURCES)}.")
