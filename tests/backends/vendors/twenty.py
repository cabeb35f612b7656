"""Twenty's REST API as its documentation and its source have it: filters, cursors, fields of several parts."""

import re
from typing import Any, ClassVar

from api_transport.testing import Asked, Said

from tests.backends.vendors.vendor import Row, Vendor, body_of, refuse

OBJECTS = {"people": ("contact", "Person"), "companies": ("customer", "Company"), "products": ("product", "Product")}
LISTED = {"filter", "order_by", "limit", "starting_after", "depth"}
PARTS = {
    "contact": {
        "name": ("firstName", "lastName"),
        "emails": ("primaryEmail", "additionalEmails"),
        "phones": ("primaryPhoneNumber", "primaryPhoneCountryCode", "primaryPhoneCallingCode", "additionalPhones"),
    },
    "customer": {
        "domainName": ("primaryLinkLabel", "primaryLinkUrl", "secondaryLinks"),
        "address": ("addressStreet1", "addressStreet2", "addressCity", "addressPostcode", "addressCountry"),
    },
    "product": {},
}
PLAIN = {
    "contact": {"workPhone", "mobilePhone", "companyId", "jobTitle"},
    "customer": {"name", "organizationNumber", "email", "phone", "description", "countryCode"},
    "product": {"name", "number", "description", "price"},
}
OWN = {"id", "createdAt", "updatedAt", "deletedAt"}
MOST = 60


class Twenty(Vendor):
    """A workspace with the fields and the object of our page added."""

    name = "twenty"
    base = "/rest"
    fields: ClassVar = {
        "contact": {
            "FirstName": "name.firstName",
            "LastName": "name.lastName",
            "Email": "emails.primaryEmail",
            "Phone": "workPhone",
            "MobilePhone": "mobilePhone",
            "CustomerId": "companyId",
        },
        "customer": {
            "Name": "name",
            "OrganizationNumber": "organizationNumber",
            "Email": "email",
            "Phone": "phone",
            "Website": "domainName.primaryLinkUrl",
            "Description": "description",
            "StreetAddress1": "address.addressStreet1",
            "StreetAddress2": "address.addressStreet2",
            "ZipCode": "address.addressPostcode",
            "City": "address.addressCity",
            "Country": "countryCode",
        },
        "product": {"Name": "name", "Number": "number", "Description": "description", "Price": "price"},
    }

    def new_id(self, stream: str, row: Row) -> str:
        """A UUID."""
        del stream
        row |= {"id": f"20202020-0000-4000-8000-{self.number():012}", "createdAt": self.stamp()}
        return str(row["id"])

    def blank(self, stream: str) -> Row:
        """Texts are empty where nothing was said, lists and links null."""
        parts = {
            name: {part: None if part.startswith(("additional", "secondary")) else "" for part in some}
            for name, some in PARTS[stream].items()
        }
        empty = {name: None if name in ("companyId", "price") else "" for name in sorted(PLAIN[stream])}
        return {**empty, **parts, "deletedAt": None}

    def touch(self, stream: str, row: Row) -> None:
        """Moves updatedAt with every change."""
        del stream
        row["updatedAt"] = self.stamp()

    def put(self, stream: str, row: Row, name: str, value: Any) -> None:
        """A user empties a text."""
        super().put(stream, row, name, "" if value is None and name not in ("CustomerId", "Price") else value)

    def delete(self, stream: str, record_id: str) -> None:
        """Kept, with the time."""
        super().delete(stream, record_id)
        self.gone[stream][record_id]["deletedAt"] = self.stamp()

    def authorise(self, asked: Asked) -> None:
        """A key of the API."""
        if asked.headers.get("Authorization") != f"Bearer {self.key}":
            raise refused(401, "UnauthorizedException", "Token invalid.")

    def answer(self, asked: Asked) -> Said:
        """A list, a new record, or a record."""
        match = re.fullmatch(r"/rest/(\w+)(?:/([\w-]{36}))?", asked.path)
        if match is None or match[1] not in OBJECTS:
            raise refused(400, "BadRequestException", "object not found")
        (stream, one), record_id = OBJECTS[match[1]], match[2]
        if asked.method == "GET" and record_id is None:
            return self._list(asked, stream, match[1])
        if asked.method == "POST" and record_id is None:
            row = self.blank(stream)
            self._write(row, body_of(asked), stream)
            self.insert(stream, row)
            return Said({"data": {f"create{one}": row}}, 201)
        if record_id not in self.rows[stream]:
            raise refused(400, "BadRequestException", "Record not found")
        if asked.method == "DELETE":
            if asked.query != {"soft_delete": "true"}:
                raise refused(403, "ForbiddenException", "Records are to be kept")
            self.delete(stream, record_id)
            return Said({"data": {f"delete{one}": {"id": record_id}}})
        if asked.method != "PATCH" or asked.query:
            raise refused(400, "BadRequestException", "no such request")
        row = self.rows[stream][record_id]
        self._write(row, body_of(asked), stream)
        self.touch(stream, row)
        return Said({"data": {f"update{one}": row}})

    def _list(self, asked: Asked, stream: str, name: str) -> Said:
        query = asked.query
        if (
            set(query) - LISTED
            or not 1 <= int(query.get("limit", MOST)) <= MOST
            or query.get("depth") not in ("0", "1")
        ):
            raise refused(400, "BadRequestException", "limit or depth invalid")
        said = query.get("filter")
        rows = [row for row in self.rows[stream].values() if said is None or self._matches(row, stream, said)]
        if said is not None and said.startswith("deletedAt["):
            rows = [row for row in self.gone[stream].values() if self._matches(row, stream, said)]
        for order in reversed(query.get("order_by", "id[AscNullsFirst]").split(",")):
            match = re.fullmatch(r"(\w+)\[AscNullsFirst\]", order)
            if match is None or match[1] not in OWN:
                raise refused(400, "BadRequestException", f"'order_by' invalid: {order}")
            column = match[1]
            rows.sort(key=lambda row: str(row[column]))
        places = [row["id"] for row in rows]
        start = places.index(query["starting_after"]) + 1 if "starting_after" in query else 0
        some = rows[start : start + min(self.largest_page, int(query.get("limit", MOST)))]
        more = start + len(some) < len(rows)
        info = {"hasNextPage": more, "endCursor": some[-1]["id"] if some else None}
        return Said({"data": {name: some}, "pageInfo": info, "totalCount": len(rows)})

    def _matches(self, row: Row, stream: str, said: str) -> bool:
        """One condition; quotes around a value are taken away, and whatever is between them stays."""
        match = re.fullmatch(r"([\w.]+)\[(eq|gte|in)\]:(.+)", said)
        if match is None or said.count("(") != said.count(")"):
            raise refused(400, "BadRequestException", f"'filter' invalid for '{said}'. eg: price[gte]:10")
        field, comparator, value = match.groups()
        name, _, part = field.partition(".")
        if name not in PLAIN[stream] | OWN and part not in PARTS[stream].get(name, ()):
            raise refused(400, "BadRequestException", f"field {field} does not exist")
        found = row[name][part] if part else row[name]
        if comparator == "in":
            return found in value.removeprefix("[").removesuffix("]").split(",")
        if len(value) > 1 and value[0] in "\"'" and value[-1] in "\"'":
            value = value[1:-1]
        return bool(found == value) if comparator == "eq" else found is not None and str(found) >= value

    def _write(self, row: Row, said: Any, stream: str) -> None:
        if not isinstance(said, dict):
            raise refused(400, "BadRequestException", "no object")
        for name, value in said.items():
            parts = PARTS[stream].get(name)
            is_known = name in PLAIN[stream] or (isinstance(value, dict) and set(value) <= set(parts or ()))
            if not is_known or (name == "companyId" and value is not None and value not in self.rows["customer"]):
                raise refused(400, "BadRequestException", f"{name} is not known or not valid")
            if parts is not None:
                row[name] |= {part: "" if one is None else one for part, one in value.items()}
            else:
                row[name] = "" if value is None and name not in ("companyId", "price") else value

    def is_write(self, asked: Asked) -> bool:
        """Everything but a GET."""
        return asked.method != "GET"

    def beyond_the_limit(self) -> Said:
        """A hundred a minute."""
        words = "Limit reached (100 tokens per 60000 ms)"
        return Said({"statusCode": 429, "error": "TooManyRequests", "messages": [words]}, 429, {"Retry-After": "1"})


def refused(status: int, error: str, words: str) -> Exception:
    """In Twenty's words."""
    return refuse(status, {"statusCode": status, "error": error, "messages": [words]})
