"""Upsales' API v2 as its documentation has it: an envelope for all, references as objects, own fields in a list."""

import re
from typing import Any, ClassVar

from api_transport.testing import Asked, Said

from tests.backends.vendors.vendor import Row, Vendor, body_of, refuse

TABLES = {"contacts": "contact", "accounts": "customer", "products": "product"}
EMAIL_FIELD = 11
PATH = "/api/v2"
BLANK: dict[str, Row] = {
    "contact": {"firstName": "", "lastName": "", "email": "", "phone": None, "cellPhone": None, "client": None},
    "customer": {
        "name": "",
        "orgNo": None,
        "phone": None,
        "webpage": None,
        "notes": None,
        "addresses": [],
        "custom": [],
    },
    "product": {"name": "", "articleNo": None, "description": None, "listPrice": 0},
}
ADDRESS = {"type", "address", "zipcode", "city", "country", "state"}
OWN = {"id", "regDate", "modDate", "active"}


class Upsales(Vendor):
    """An account with a field of its own for a company's e-mail."""

    name = "upsales"
    settings: ClassVar = {"profile_variables": {"customer_email": EMAIL_FIELD}}
    base = PATH
    fields: ClassVar = {
        "contact": {
            "FirstName": "firstName",
            "LastName": "lastName",
            "Email": "email",
            "Phone": "phone",
            "MobilePhone": "cellPhone",
            "CustomerId": "client.id",
        },
        "customer": {
            "Name": "name",
            "OrganizationNumber": "orgNo",
            "Email": "custom",
            "Phone": "phone",
            "Website": "webpage",
            "Description": "notes",
            "StreetAddress1": "addresses.address",
            "ZipCode": "addresses.zipcode",
            "City": "addresses.city",
            "Country": "addresses.country",
        },
        "product": {"Name": "name", "Number": "articleNo", "Description": "description", "Price": "listPrice"},
    }

    def value(self, stream: str, row: Row, name: str) -> Any:
        """Own fields and addresses are in lists; an id is a text to users."""
        path = self.fields[stream][name]
        if name == "CustomerId":
            return None if row["client"] is None else str(row["client"]["id"])
        if path == "custom":
            return next((one["value"] for one in row["custom"] if one["fieldId"] == EMAIL_FIELD), None) or None
        if path.startswith("addresses."):
            visit = next((one for one in row["addresses"] if one["type"] == "Visit"), {})
            return visit.get(path.partition(".")[2]) or None
        return super().value(stream, row, name)

    def put(self, stream: str, row: Row, name: str, value: Any) -> None:
        """As `value` reads it."""
        path = self.fields[stream][name]
        if name == "CustomerId":
            row["client"] = None if value is None else self._client(int(value))
        elif path == "custom":
            others = [one for one in row["custom"] if one["fieldId"] != EMAIL_FIELD]
            row["custom"] = [*others, {"fieldId": EMAIL_FIELD, "value": value}]
        elif path.startswith("addresses."):
            if not any(one["type"] == "Visit" for one in row["addresses"]):
                row["addresses"].append({**dict.fromkeys(sorted(ADDRESS)), "type": "Visit"})
            visit = next(one for one in row["addresses"] if one["type"] == "Visit")
            visit[path.partition(".")[2]] = value
        else:
            super().put(stream, row, name, value)

    def _client(self, number: int) -> Row:
        customer = self.rows["customer"].get(str(number))
        if customer is None:
            raise refused("Client does not exist")
        return {"id": number, "name": customer["name"], "users": []}

    def new_id(self, stream: str, row: Row) -> str:
        """A number."""
        row["id"] = self.number()
        row["active"] = 1
        if stream != "product":
            row["regDate"] = self.stamp()
        return str(row["id"])

    def blank(self, stream: str) -> Row:
        """Every field is there, empty."""
        return {name: value.copy() if isinstance(value, list) else value for name, value in BLANK[stream].items()}

    def touch(self, stream: str, row: Row) -> None:
        """Products do not tell."""
        if stream != "product":
            row["modDate"] = self.stamp()

    def delete(self, stream: str, record_id: str) -> None:
        """It is no longer active."""
        super().delete(stream, record_id)
        self.gone[stream][record_id]["active"] = 0

    def add_others(self, stream: str, record_id: str) -> dict[str, Row]:
        """A user fills in another own field, and another address."""
        added: dict[str, Row] = {
            "custom": {"fieldId": 3, "value": "2210"},
            "addresses": {"type": "Mail", "address": "Postboks 1", "zipcode": "0101", "city": "OSLO"},
        }
        for name, entry in added.items():
            self.rows[stream][record_id][name].append(entry)
        return added

    def authorise(self, asked: Asked) -> None:
        """The key stands in the address."""
        if asked.query.get("token") != self.key:
            raise refuse(401, {"error": {"key": "InvalidToken", "msg": "Invalid token"}, "data": None})

    def answer(self, asked: Asked) -> Said:
        """A list, or a record."""
        match = re.fullmatch(rf"{PATH}/(\w+)(?:/(\d+))?", asked.path)
        if match is None or match[1] not in TABLES:
            raise refuse(404, {"error": {"key": "NotFound", "msg": "Not found"}, "data": None})
        stream = TABLES[match[1]]
        if match[2] is not None:
            return self._one(asked, stream, match[2])
        if asked.method == "GET":
            return self._list(asked, stream)
        if asked.method != "POST":
            raise refused("Method not allowed")
        return self._said(self.rows[stream][self.insert(stream, self._with(asked, stream, self.blank(stream)))])

    def _said(self, data: Any, metadata: Row | None = None) -> Said:
        headers = {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "150", "X-RateLimit-Reset": "7"}
        return Said({"error": None, "metadata": metadata, "data": data}, headers=headers)

    def _list(self, asked: Asked, stream: str) -> Said:
        query = {name: value for name, value in asked.query.items() if name != "token"}
        limit, offset = int(query.pop("limit", "1000")), int(query.pop("offset", "0"))
        if query.pop("sort", "id") != "id" or limit > 2000:
            raise refused("Invalid sort or limit")
        rows = [*self.rows[stream].values(), *self.gone[stream].values()]
        for name, wanted in query.items():
            if name not in {*BLANK[stream], *OWN} - {"addresses", "custom", "client"}:
                raise refused(f"Invalid attribute {name}")
            rows = [row for row in rows if matches(row.get(name), wanted)]
        rows.sort(key=lambda row: row["id"])
        some = rows[offset : offset + min(limit, self.largest_page)]
        return self._said(some, {"total": len(rows), "limit": limit, "offset": offset})

    def _one(self, asked: Asked, stream: str, record_id: str) -> Said:
        row = self.rows[stream].get(record_id)
        if row is None or set(asked.query) != {"token"}:
            raise refuse(404, {"error": {"key": "NotFound", "msg": "Not found"}, "data": None})
        if asked.method == "GET":
            return self._said(row)
        if asked.method == "DELETE":
            self.delete(stream, record_id)
            return self._said(None)
        if asked.method != "PUT":
            raise refused("Method not allowed")
        self._with(asked, stream, row)
        self.touch(stream, row)
        return self._said(row)

    def _with(self, asked: Asked, stream: str, row: Row) -> Row:
        """The record with what a request says; lists are replaced."""
        said = body_of(asked)
        if set(said) - set(BLANK[stream]):
            raise refused(f"Unknown attribute {sorted(set(said) - set(BLANK[stream]))}")
        if "name" in BLANK[stream] and not {**row, **said}["name"]:
            raise refused("name is required")
        for one in said.get("custom", []):
            if set(one) != {"fieldId", "value"} or not isinstance(one["fieldId"], int):
                raise refused("custom is a list of fieldId and value")
        for one in said.get("addresses", []):
            if set(one) - ADDRESS or one.get("type") not in ("Visit", "Mail", "Postal", "Billing", "Delivery", "Other"):
                raise refused("Invalid address")
        if said.get("client") is not None:
            if set(said["client"]) != {"id"} or not isinstance(said["client"]["id"], int):
                raise refused("Client id is not a number")
            said["client"] = self._client(said["client"]["id"])
        row |= said
        return row

    def is_write(self, asked: Asked) -> bool:
        """Everything but a GET."""
        return asked.method != "GET"

    def beyond_the_limit(self) -> Said:
        """Two hundred requests in ten seconds."""
        headers = {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}
        return Said({"error": {"key": "RateLimit", "msg": "Too many requests"}, "data": None}, 429, headers)


def matches(here: Any, wanted: str) -> bool:
    """`gte:` and a value, or one of several."""
    if wanted.startswith("gte:"):
        return str(here) >= wanted.removeprefix("gte:")
    return str(here or "").casefold() in wanted.removeprefix("eq:").casefold().split(",")


def refused(message: str) -> Exception:
    """Upsales says no in an answer of success."""
    return refuse(200, {"error": {"key": "Invalid", "msg": message}, "metadata": None, "data": None})
