"""The object types of the Tripletex API description that the sandbox knows, read from `types.txt`.

Each line there is `name kind [allowed|values] [least..most] [read-only]`. A kind with a capital is another type.
"""

import re
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

SCALARS = ("string", "integer", "number", "boolean")
# Beyond the description: what the API's prose says.
READ_ONLY = {("Customer", "displayName"), ("Contact", "displayName")}
# Where objects of a type are found: the path of their `url`, which names the sandbox's table, too.
PATHS = {
    "Customer": "customer",
    # One object with two roles; as a supplier it is shown with other properties.
    "Supplier": "customer",
    "Contact": "contact",
    "Product": "product",
    "Country": "country",
    "Address": "address",
    "DeliveryAddress": "deliveryAddress",
    "Client": "company",
    "Company": "company",
    "Currency": "currency",
    "Department": "department",
    "Employee": "employee",
    "ProductUnit": "product/unit",
    "VatType": "ledger/vatType",
}
OWNED = ("Address", "DeliveryAddress")


class Property(msgspec.Struct, frozen=True):
    """One property of a type."""

    name: str
    kind: str
    many: bool
    allowed: tuple[str, ...]
    least: int | None
    most: int | None
    read_only: bool

    @property
    def is_reference(self) -> bool:
        """Whether its value is an object of another type."""
        return self.kind not in SCALARS

    def fits(self, value: Any) -> bool:
        """Whether a scalar has the right JSON type; null does."""
        if value is None:
            return True
        if self.many:
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        if self.kind == "string":
            return isinstance(value, str)
        if self.kind == "boolean":
            return isinstance(value, bool)
        if isinstance(value, bool):
            return False
        return isinstance(value, int if self.kind == "integer" else (int, float))


class ObjectType(msgspec.Struct, frozen=True):
    """A type and its properties."""

    name: str
    properties: dict[str, Property]

    @property
    def table(self) -> str:
        """The sandbox's table of such objects, which may not exist."""
        return PATHS.get(self.name, self.name)

    @property
    def scalars(self) -> list[Property]:
        """Plain values and lists of them."""
        return [each for each in self.properties.values() if not each.is_reference]

    @property
    def references(self) -> list[Property]:
        """Properties that hold one object of another type."""
        return [each for each in self.properties.values() if each.is_reference and not each.many]


def _property(type_name: str, line: str) -> Property:
    name, kind, *rest = line.split(" ")
    read_only = "read-only" in rest
    if (type_name, name) in READ_ONLY:
        read_only = True
    allowed: tuple[str, ...] = ()
    least = most = None
    for word in rest:
        if limits := re.fullmatch(r"(\d*)\.\.(\d*)", word):
            least, most = (int(limit) if limit else None for limit in limits.groups())
        elif word != "read-only":
            allowed = tuple(word.split("|"))
    return Property(name, kind.removesuffix("[]"), kind.endswith("[]"), allowed, least, most, read_only)


@cache
def object_types() -> dict[str, ObjectType]:
    """All types by name."""
    text = files("sandbox.tripletex").joinpath("types.txt").read_text(encoding="utf-8")
    types = {}
    for block in text.strip().split("\n\n"):
        head, *lines = block.split("\n")
        name = head.strip("[]")
        types[name] = ObjectType(name, {each.name: each for each in (_property(name, line) for line in lines)})
    return types


def object_type(name: str) -> ObjectType:
    """The type of that name, or of that table. Raises LookupError."""
    types = object_types()
    if name in types:
        return types[name]
    for type_name, path in PATHS.items():
        if path == name:
            return types[type_name]
    raise LookupError(f"The sandbox's Tripletex has no {name!r}.")
