"""HubSpot's CRM API as its documentation has it: objects v3 with their search, and associations v4."""

import re
from datetime import datetime
from typing import Any, ClassVar

from api_transport.testing import Asked, Said

from tests.backends.vendors.vendor import Row, Vendor, body_of, refuse

OBJECTS = {"contacts": "contact", "companies": "customer", "products": "product"}
FIELDS = {
    "contact": {"firstname", "lastname", "email", "phone", "mobilephone"},
    "customer": {
        "name",
        "organization_number",
        "company_email",
        "phone",
        "website",
        "description",
        "address",
        "address2",
        "zip",
        "city",
        "country_code",
    },
    "product": {"name", "hs_sku", "description", "price"},
}
READ_ONLY = {"createdate", "hs_object_id", "lastmodifieddate", "hs_lastmodifieddate", "associatedcompanyid"}
MODIFIED = {"contact": "lastmodifieddate", "customer": "hs_lastmodifieddate", "product": "hs_lastmodifieddate"}
PRIMARY = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]


class HubSpot(Vendor):
    """A HubSpot account with the properties of our page added."""

    name = "hubspot"
    key = "pat-eu1-of-the-imitation"
    fields: ClassVar = {
        "contact": {
            "FirstName": "properties.firstname",
            "LastName": "properties.lastname",
            "Email": "properties.email",
            "Phone": "properties.phone",
            "MobilePhone": "properties.mobilephone",
            "CustomerId": "properties.associatedcompanyid",
        },
        "customer": {
            "Name": "properties.name",
            "OrganizationNumber": "properties.organization_number",
            "Email": "properties.company_email",
            "Phone": "properties.phone",
            "Website": "properties.website",
            "Description": "properties.description",
            "StreetAddress1": "properties.address",
            "StreetAddress2": "properties.address2",
            "ZipCode": "properties.zip",
            "City": "properties.city",
            "Country": "properties.country_code",
        },
        "product": {
            "Name": "properties.name",
            "Number": "properties.hs_sku",
            "Description": "properties.description",
            "Price": "properties.price",
        },
    }
    largest_page = 100

    def __init__(self) -> None:
        super().__init__()
        self.companies: dict[str, set[str]] = {}
        """All companies of each contact, the primary one too."""

    def new_id(self, stream: str, row: Row) -> str:
        """Digits, in a text."""
        del stream
        row["id"] = str(512000 + self.number())
        row["createdAt"] = row["properties"]["createdate"] = self.stamp()
        row["archived"] = False
        return str(row["id"])

    def blank(self, stream: str) -> Row:
        """Everything is in `properties`."""
        return {"properties": dict.fromkeys(sorted(FIELDS[stream]))}

    def touch(self, stream: str, row: Row) -> None:
        """The time stands inside, and beside."""
        row["updatedAt"] = row["properties"][MODIFIED[stream]] = self.stamp()

    def delete(self, stream: str, record_id: str) -> None:
        """Into the recycle bin, with the time."""
        super().delete(stream, record_id)
        self.gone[stream][record_id] |= {"archived": True, "archivedAt": self.stamp()}

    def authorise(self, asked: Asked) -> None:
        """A private app's token."""
        if asked.headers.get("Authorization") != f"Bearer {self.key}":
            raise refused(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")

    def answer(self, asked: Asked) -> Said:
        """An association, a search, several, a list, or an object."""
        match = re.fullmatch(r"/crm/v4/objects/contacts/(\d+)/associations/companies/(\d+)", asked.path)
        if match:
            return self._associate(asked, match[1], match[2])
        match = re.fullmatch(r"/crm/v3/objects/(\w+)(/search|/batch/read|/\d+)?", asked.path)
        if match is None or match[1] not in OBJECTS:
            raise refused(404, "OBJECT_NOT_FOUND", "resource not found")
        stream = OBJECTS[match[1]]
        if match[2] == "/search":
            return self._search(asked, stream)
        if match[2] == "/batch/read":
            return self._batch(asked, stream)
        if match[2] is not None:
            return self._one(asked, stream, match[2][1:])
        return self._list(asked, stream) if asked.method == "GET" else self._create(asked, stream)

    def _list(self, asked: Asked, stream: str) -> Said:
        known(asked.query, {"limit", "after", "properties", "archived"})
        archived = asked.query.get("archived", "false")
        if archived not in ("true", "false") or not 1 <= int(asked.query.get("limit", "10")) <= 100:
            raise refused(400, "VALIDATION_ERROR", "invalid query parameter")
        rows = [*(self.gone if archived == "true" else self.rows)[stream].values()]
        rows = [row for row in rows if int(row["id"]) > int(asked.query.get("after", "0"))]
        some = sorted(rows, key=lambda row: int(row["id"]))[: int(asked.query.get("limit", "10"))]
        after = {"paging": {"next": {"after": some[-1]["id"], "link": "?"}}} if len(some) < len(rows) else {}
        names = asked.query.get("properties", "").split(",")
        return Said({"results": [self._shown(stream, row, names) for row in some], **after})

    def _search(self, asked: Asked, stream: str) -> Said:
        said = self._posted(asked, {"filterGroups", "sorts", "properties", "limit", "after"})
        limit, start = said["limit"], int(said.get("after", 0))
        if not 1 <= limit <= 200 or start + limit > 10000:
            raise refused(400, "VALIDATION_ERROR", "paging beyond what a search gives")
        rows = [row for row in self.rows[stream].values() if self._matches(row, stream, said["filterGroups"])]
        for sort in said.get("sorts", []):
            known(sort, {"propertyName", "direction"})
            self._known_property(stream, sort["propertyName"])
            rows.sort(key=lambda row: str(row["properties"].get(sort["propertyName"])))
        some, end = rows[start : start + limit], start + limit
        after = {"paging": {"next": {"after": str(end), "link": "?"}}} if end < len(rows) else {}
        shown = [self._shown(stream, row, said["properties"]) for row in some]
        return Said({"total": len(rows), "results": shown, **after})

    def _matches(self, row: Row, stream: str, groups: list[Any]) -> bool:
        ((one,),) = [group["filters"] for group in groups]
        known(one, {"propertyName", "operator", "value"})
        self._known_property(stream, one["propertyName"])
        here = row["properties"].get(one["propertyName"])
        if one["operator"] == "GTE":
            return bool(milliseconds(here) >= int(one["value"]))
        if one["operator"] != "EQ":
            raise refused(400, "VALIDATION_ERROR", "unknown operator")
        return here is not None and str(here).casefold() == one["value"].casefold()

    def _batch(self, asked: Asked, stream: str) -> Said:
        said = self._posted(asked, {"inputs", "properties"})
        if len(said["inputs"]) > 100 or any(set(one) != {"id"} for one in said["inputs"]):
            raise refused(400, "VALIDATION_ERROR", "wrong inputs")
        ids = [one["id"] for one in said["inputs"]]
        results = [
            self._shown(stream, self.rows[stream][one], said["properties"]) for one in ids if one in self.rows[stream]
        ]
        if len(results) == len(ids):
            return Said({"status": "COMPLETE", "results": results})
        missing = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": "Could not get some", "context": {}}
        return Said({"status": "COMPLETE", "results": results, "numErrors": 1, "errors": [missing]}, 207)

    def _posted(self, asked: Asked, names: set[str]) -> Any:
        if asked.method != "POST" or asked.query:
            raise refused(405, "METHOD_NOT_ALLOWED", "wrong method")
        said = body_of(asked)
        known(said, names)
        if not isinstance(said.get("properties"), list):
            raise refused(400, "VALIDATION_ERROR", "properties is a list")
        return said

    def _shown(self, stream: str, row: Row, names: list[str]) -> Row:
        """Names that nobody knows are passed over when reading; some properties always come."""
        always = {"createdate", "hs_object_id", MODIFIED[stream]}
        inner = {**row["properties"], "hs_object_id": row["id"]}
        return {**row, "properties": {name: inner.get(name) for name in {*names, *always}}}

    def _create(self, asked: Asked, stream: str) -> Said:
        known(asked.query, set())
        if asked.method != "POST":
            raise refused(405, "METHOD_NOT_ALLOWED", "wrong method")
        said = self._checked(asked, stream, {"properties", "associations"})
        associations = body_of(asked).get("associations", [])
        for one in associations:
            if set(one) != {"to", "types"} or one["types"] != PRIMARY or set(one["to"]) != {"id"}:
                raise refused(400, "VALIDATION_ERROR", "unknown association")
            if one["to"]["id"] not in self.rows["customer"]:
                raise refused(404, "OBJECT_NOT_FOUND", "One of the objects does not exist")
        row = self.blank(stream)
        row["properties"] |= said
        record_id = self.insert(stream, row)
        for one in associations:
            self.companies.setdefault(record_id, set()).add(one["to"]["id"])
            row["properties"]["associatedcompanyid"] = one["to"]["id"]
        return Said(self._shown(stream, self.rows[stream][record_id], list(said)), 201)

    def _one(self, asked: Asked, stream: str, record_id: str) -> Said:
        if asked.method == "DELETE":
            if record_id in self.rows[stream]:
                self.delete(stream, record_id)
            return Said(None, 204)
        if record_id not in self.rows[stream]:
            raise refuse(404, {"status": "error", "message": "resource not found", "category": "OBJECT_NOT_FOUND"})
        row = self.rows[stream][record_id]
        if asked.method == "GET":
            known(asked.query, {"properties", "archived", "associations"})
            return Said(self._shown(stream, row, asked.query.get("properties", "").split(",")))
        if asked.method != "PATCH":
            raise refused(405, "METHOD_NOT_ALLOWED", "wrong method")
        said = self._checked(asked, stream, {"properties"})
        row["properties"] |= said
        self.touch(stream, row)
        return Said(self._shown(stream, row, list(said)))

    def _checked(self, asked: Asked, stream: str, names: set[str]) -> Row:
        body = body_of(asked)
        known(body, names)
        said = body["properties"]
        for name, value in said.items():
            self._known_property(stream, name)
            if name in READ_ONLY:
                raise refused(400, "VALIDATION_ERROR", f"{name} is a read only property", name)
            if not isinstance(value, str):
                raise refused(400, "VALIDATION_ERROR", f"{name} is to be a text", name)
            if name == "email" and value and not re.fullmatch(r"[^@\s]+@[^@\s]+\.\w+", value):
                raise refused(400, "VALIDATION_ERROR", "Property values were not valid", name)
        mail = said.get("email")
        mine = asked.path.rpartition("/")[2]
        others = (row for row in self.rows[stream].values() if row["id"] != mine)
        if mail and any((row["properties"].get("email") or "").lower() == mail.lower() for row in others):
            raise refused(409, "CONFLICT", "Contact already exists.")
        return {**said, **({"email": mail.lower()} if mail else {})}

    def _known_property(self, stream: str, name: str) -> None:
        if name not in FIELDS[stream] | (READ_ONLY if stream == "contact" else READ_ONLY - {"lastmodifieddate"}):
            raise refused(400, "VALIDATION_ERROR", f'Property "{name}" does not exist', name)

    def _associate(self, asked: Asked, contact_id: str, company_id: str) -> Said:
        if contact_id not in self.rows["contact"] or company_id not in self.rows["customer"]:
            raise refused(404, "OBJECT_NOT_FOUND", "One of the objects does not exist")
        inner = self.rows["contact"][contact_id]["properties"]
        ours = self.companies.setdefault(contact_id, set())
        if asked.method == "PUT" and body_of(asked) == PRIMARY:
            ours.add(company_id)
            inner["associatedcompanyid"] = company_id
        elif asked.method == "DELETE" and not asked.body:
            ours.discard(company_id)
            if inner.get("associatedcompanyid") == company_id:
                inner["associatedcompanyid"] = None
        else:
            raise refused(400, "VALIDATION_ERROR", "unknown association")
        self.touch("contact", self.rows["contact"][contact_id])
        return Said(None, 204) if asked.method == "DELETE" else Said({"fromObjectId": int(contact_id), "labels": []})

    def is_write(self, asked: Asked) -> bool:
        """Searches and reads by ids are POSTs too."""
        return asked.method != "GET" and not asked.path.endswith(("/search", "/batch/read"))

    def beyond_the_limit(self) -> Said:
        """The requests of ten seconds are used up."""
        body = {
            "status": "error",
            "message": "You have reached your ten_secondly_rolling limit.",
            "errorType": "RATE_LIMIT",
            "policyName": "TEN_SECONDLY_ROLLING",
        }
        headers = {
            "X-HubSpot-RateLimit-Max": "190",
            "X-HubSpot-RateLimit-Remaining": "0",
            "X-HubSpot-RateLimit-Interval-Milliseconds": "1000",
        }
        return Said(body, 429, headers)


def milliseconds(text: str) -> int:
    """A time of HubSpot's as its filters have it."""
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def known(said: Any, names: set[str]) -> None:
    """Refuse what has other names."""
    if not isinstance(said, dict) or set(said) - names:
        raise refused(400, "VALIDATION_ERROR", "Invalid input: unknown name")


def refused(status: int, category: str, message: str, name: str | None = None) -> Exception:
    """In HubSpot's words."""
    errors = [{"message": message, "code": "INVALID", "context": {"propertyName": [name]}}] if name else []
    body = {"status": "error", "message": message, "correlationId": "0", "category": category, "errors": errors}
    return refuse(status, body)
