"""Pipedrive's API v2 as its documentation has it: cursors, lists of e-mails and phones, searches that tell ids."""

import re
from typing import Any, ClassVar

from api_transport.testing import Asked, Said

from tests.backends.vendors.vendor import Row, Vendor, body_of, refuse

LISTS = {"persons": "contact", "organizations": "customer", "products": "product"}
LISTED = {"ids", "cursor", "limit", "updated_since", "sort_by", "sort_direction"}
SEARCHED = {"term", "fields", "exact_match", "cursor", "limit"}
NAMES = ("number", "email", "phone", "website", "notes", "street", "street2", "zip", "city", "country")
KEYS = {name: f"{name.encode().hex():0<40}" for name in NAMES}
"""Keys of fields that a company added."""
PLAIN = {
    "contact": {"name": str, "org_id": int, "emails": list, "phones": list, "owner_id": int},
    "customer": {"name": str, "custom_fields": dict, "owner_id": int},
    "product": {"name": str, "code": str, "description": str, "prices": list, "owner_id": int},
}
ENTRIES = {
    "emails": {"value", "label", "primary"},
    "phones": {"value", "label", "primary"},
    "prices": {"product_id", "currency", "price", "cost", "direct_cost", "notes"},
}
FIELDS = {"contact": {"email", "name", "phone"}, "customer": {"name", "custom_fields"}, "product": {"name", "code"}}
MOST = 500
PATH = "/api/v2"


class Pipedrive(Vendor):
    """A company with the fields of our page added."""

    name = "pipedrive"
    settings: ClassVar = {
        "profile_variables": {
            "organization_number": KEYS["number"],
            "customer_email": KEYS["email"],
            "customer_phone": KEYS["phone"],
            "customer_website": KEYS["website"],
            "customer_description": KEYS["notes"],
            "street": KEYS["street"],
            "street2": KEYS["street2"],
            "zip_code": KEYS["zip"],
            "city": KEYS["city"],
            "country": KEYS["country"],
        }
    }
    base = PATH
    fields: ClassVar = {
        "contact": {
            "FirstName": "name",
            "LastName": "name",
            "Email": "emails",
            "Phone": "phones",
            "MobilePhone": "phones",
            "CustomerId": "org_id",
        },
        "customer": {
            "Name": "name",
            "OrganizationNumber": f"custom_fields.{KEYS['number']}",
            "Email": f"custom_fields.{KEYS['email']}",
            "Phone": f"custom_fields.{KEYS['phone']}",
            "Website": f"custom_fields.{KEYS['website']}",
            "Description": f"custom_fields.{KEYS['notes']}",
            "StreetAddress1": f"custom_fields.{KEYS['street']}",
            "StreetAddress2": f"custom_fields.{KEYS['street2']}",
            "ZipCode": f"custom_fields.{KEYS['zip']}",
            "City": f"custom_fields.{KEYS['city']}",
            "Country": f"custom_fields.{KEYS['country']}",
        },
        "product": {"Name": "name", "Number": "code", "Description": "description", "Price": "prices"},
    }

    def new_id(self, stream: str, row: Row) -> str:
        """A number."""
        del stream
        row |= {"id": self.number(), "add_time": self.stamp(), "is_deleted": False}
        return str(row["id"])

    def blank(self, stream: str) -> Row:
        """Every field is there, mostly null."""
        lists = {name: [] for name in ENTRIES if name in PLAIN[stream]}
        own = {"custom_fields": dict.fromkeys(KEYS.values())} if stream == "customer" else {}
        return {**dict.fromkeys(PLAIN[stream]), **lists, **own}

    def touch(self, stream: str, row: Row) -> None:
        """Moves update_time with every change."""
        del stream
        row["update_time"] = self.stamp()

    def stamp(self) -> str:
        """Seconds, UTC."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def value(self, stream: str, row: Row, name: str) -> Any:
        """Of a person's name a part, of a list the entry that is meant."""
        if name in ("FirstName", "LastName"):
            return parts(row["name"])[name] or None
        if stream == "contact" and name in ENTRY:
            entry = next((one for one in row[self.fields[stream][name]] if ENTRY[name].items() <= one.items()), {})
            return entry.get("value")
        if name == "Price":
            return next((one["price"] for one in row["prices"] if one["currency"] == "NOK"), None)
        found = super().value(stream, row, name)
        return str(found) if name == "CustomerId" and found is not None else found

    def put(self, stream: str, row: Row, name: str, value: Any) -> None:
        """A user writes into a field, or an entry of a list; what a name is made of comes in its order."""
        if name in ("FirstName", "LastName"):
            row["name"] = f"{row['name'] or ''} {value}".strip()
        elif stream == "contact" and name in ENTRY:
            entries = row[self.fields[stream][name]]
            entries[:] = [one for one in entries if not ENTRY[name].items() <= one.items()]
            if value is not None:
                label = "work" if name == "Email" else ENTRY[name]["label"]
                entries.append({"value": value, "primary": not entries, "label": label, **ENTRY[name]})
        elif name == "Price":
            others = [one for one in row["prices"] if one["currency"] != "NOK"]
            row["prices"] = [*others, {"currency": "NOK", "price": value, "cost": 0, "direct_cost": 0}]
        else:
            super().put(stream, row, name, int(value) if name == "CustomerId" and value else value)

    def authorise(self, asked: Asked) -> None:
        """A token in a header of its own."""
        if asked.headers.get("x-api-token") != self.key:
            raise refused(401, "unauthorized access")

    def answer(self, asked: Asked) -> Said:
        """A list, a search, a new record, or a record."""
        match = re.fullmatch(rf"{PATH}/(\w+)(?:/(\d+|search))?", asked.path)
        if match is None or match[1] not in LISTS:
            raise refused(404, "Unknown method")
        stream, rest = LISTS[match[1]], match[2]
        if asked.method == "GET" and rest is None:
            return self._list(asked, stream)
        if asked.method == "GET" and rest == "search":
            return self._search(asked, stream)
        if asked.query:
            raise refused(400, "Parameters are not allowed")
        if asked.method == "POST" and rest is None:
            row = {**self.blank(stream), **self._checked(body_of(asked), stream)}
            if not row["name"]:
                raise refused(400, "Name must be given.")
            self.insert(stream, row)
            return Said({"success": True, "data": row}, 201)
        if rest not in self.rows[stream]:
            raise refused(404, "not found")
        return self._one(asked, stream, rest)

    def _one(self, asked: Asked, stream: str, record_id: str) -> Said:
        row = self.rows[stream][record_id]
        if asked.method == "DELETE":
            self.delete(stream, record_id)
            return Said({"success": True, "data": {"id": int(record_id)}})
        if asked.method == "PATCH":
            said = self._checked(body_of(asked), stream)
            own = (
                {"custom_fields": {**row["custom_fields"], **said["custom_fields"]}} if "custom_fields" in said else {}
            )
            row |= {**said, **own}
            self.touch(stream, row)
        elif asked.method != "GET":
            raise refused(405, "Method not allowed")
        return Said({"success": True, "data": row})

    def _list(self, asked: Asked, stream: str) -> Said:
        query = asked.query
        rows = list(self.rows[stream].values())
        if set(query) - LISTED or query.get("sort_by", "id") not in ("id", "add_time", "update_time"):
            raise refused(400, "Parameter validation failed")
        if "ids" in query:
            rows = [row for row in rows if str(row["id"]) in query["ids"].split(",")]
        if "updated_since" in query:
            if not re.fullmatch(r"[\d-]{10}T[\d:]{8}Z", query["updated_since"]):
                raise refused(400, "updated_since must be RFC3339")
            rows = [row for row in rows if row["update_time"] >= query["updated_since"]]
        rows.sort(key=lambda row: row[query.get("sort_by", "id")], reverse=query.get("sort_direction") == "desc")
        return self._page(query, rows)

    def _page(self, query: Row, rows: list[Any], inside: str | None = None) -> Said:
        limit, start = int(query.get("limit", 100)), int(query.get("cursor", "c0")[1:])
        if not 1 <= limit <= MOST:
            raise refused(400, "limit is not valid")
        end = start + min(limit, self.largest_page)
        cursor = f"c{end}" if end < len(rows) else None
        some: Any = rows[start:end] if inside is None else {inside: rows[start:end]}
        return Said({"success": True, "data": some, "additional_data": {"next_cursor": cursor}})

    def _search(self, asked: Asked, stream: str) -> Said:
        query = asked.query
        is_known = not set(query) - SEARCHED and query.get("fields") in FIELDS[stream]
        if not is_known or query.get("exact_match") != "true" or not query.get("term"):
            raise refused(400, "Parameter validation failed")
        term = query["term"].casefold()
        rows = [row for row in self.rows[stream].values() if term in said_in(row, query["fields"])]
        hits = [{"result_score": 1.0, "item": {"id": row["id"], "type": stream, "name": row["name"]}} for row in rows]
        return self._page(query, hits, "items")

    def _checked(self, said: Any, stream: str) -> Row:
        if not isinstance(said, dict):
            raise refused(400, "no object")
        for name, value in said.items():
            kind = PLAIN[stream].get(name)
            if kind is None or not (isinstance(value, kind) or (value is None and kind not in (list, dict))):
                raise refused(400, f"{name} is not allowed or not valid")
            if name in ENTRIES and any(not isinstance(one, dict) or set(one) - ENTRIES[name] for one in value):
                raise refused(400, f"{name} is not valid")
            if name in ("emails", "phones") and not all(isinstance(one.get("value"), str) for one in value):
                raise refused(400, f"{name} must have values")
            if name == "custom_fields" and not set(value) <= set(KEYS.values()):
                raise refused(400, "no such custom field")
            if name == "org_id" and value is not None and str(value) not in self.rows["customer"]:
                raise refused(400, "org_id does not exist")
        return {name: self._entries(value) if name in ("emails", "phones") else value for name, value in said.items()}

    def _entries(self, entries: list[Row]) -> list[Row]:
        """The first is the primary one where none is said to be."""
        full = [{"label": "work", "primary": False, **one} for one in entries]
        if full and not any(one["primary"] for one in full):
            full[0]["primary"] = True
        return full

    def is_write(self, asked: Asked) -> bool:
        """Everything but a GET."""
        return asked.method != "GET"

    def beyond_the_limit(self) -> Said:
        """The two seconds' share is used up."""
        said = {"success": False, "error": "request over limit", "code": 429}
        return Said(said, 429, {"x-ratelimit-limit": "80", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"})


ENTRY: dict[str, Row] = {"Email": {"primary": True}, "Phone": {"label": "work"}, "MobilePhone": {"label": "mobile"}}
"""Which entry of its list a property is."""


def parts(name: str) -> Row:
    """How a person is shown here whose name is in one field: by the first word, and the others."""
    first, _, others = str(name).partition(" ")
    return {"FirstName": first, "LastName": others}


def said_in(row: Row, field: str) -> set[str]:
    """What a search by a field compares, whole."""
    if field in ("email", "phone"):
        return {one["value"].casefold() for one in row[f"{field}s"]}
    values = row["custom_fields"].values() if field == "custom_fields" else [row[field]]
    return {str(one).casefold() for one in values if one is not None}


def refused(status: int, error: str) -> Exception:
    """In Pipedrive's words."""
    return refuse(status, {"success": False, "error": error, "code": f"ERR_{status}"})
