"""The read-only texts that Tripletex makes of an object's values."""

from collections.abc import Mapping
from typing import Any

from sandbox.store import Table
from sandbox.tripletex.rows import Row


def _joined(parts: list[Any], between: str) -> str:
    return between.join(str(part) for part in parts if part)


def computed(row: Row, tables: Mapping[str, Table[Row]]) -> dict[str, Any]:
    """The computed values of an object."""
    values = row.values
    if row.type_name == "Customer":
        return {"displayName": f"{values['name']} ({values['customerNumber']})"}
    if row.type_name == "Contact":
        return {"displayName": _joined([values["firstName"], values["lastName"]], " ")}
    if row.type_name == "Product":
        return {
            "displayName": _joined([values["number"], values["name"]], " "),
            "displayNumber": values["number"],
        }
    if row.type_name in ("Address", "DeliveryAddress"):
        country = tables["country"].rows.get(row.refs["country"]) if row.refs["country"] else None
        place = _joined([values["postalCode"], values["city"]], " ")
        land = country.values["name"] if country else None
        text = _joined([values["addressLine1"], values["addressLine2"], place, land], ", ")
        return {"displayName": text, "addressAsString": text, "displayNameInklMatrikkel": text}
    return {}
