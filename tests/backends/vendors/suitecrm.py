"""SuiteCRM's API V8 as its documentation has it: JSON:API, filters in the query, one address for all writes."""

import re
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from api_transport.testing import Asked, Said

from tests.backends.vendors.vendor import Row, Vendor, body_of, refuse

MODULES = {"Contacts": "contact", "Accounts": "customer", "AOS_Products": "product"}
FIELDS = {
    "contact": {"first_name", "last_name", "email1", "phone_work", "phone_mobile", "account_id"},
    "customer": {
        "name",
        "organization_number_c",
        "email1",
        "phone_office",
        "website",
        "description",
        "billing_address_street",
        "billing_address_postalcode",
        "billing_address_city",
        "country_code_c",
    },
    "product": {"name", "part_number", "description", "price"},
}
BASE = "/legacy/Api"
JSON_API = "application/vnd.api+json"


class SuiteCrm(Vendor):
    """A SuiteCRM 8 with the fields of our page added."""

    name = "suitecrm"
    key = "the-client-secret"
    settings: ClassVar = {"api_user": "the-client-id"}
    base = f"{BASE}/V8"
    fields: ClassVar = {
        "contact": {
            "FirstName": "attributes.first_name",
            "LastName": "attributes.last_name",
            "Email": "attributes.email1",
            "Phone": "attributes.phone_work",
            "MobilePhone": "attributes.phone_mobile",
            "CustomerId": "attributes.account_id",
        },
        "customer": {
            "Name": "attributes.name",
            "OrganizationNumber": "attributes.organization_number_c",
            "Email": "attributes.email1",
            "Phone": "attributes.phone_office",
            "Website": "attributes.website",
            "Description": "attributes.description",
            "StreetAddress1": "attributes.billing_address_street",
            "ZipCode": "attributes.billing_address_postalcode",
            "City": "attributes.billing_address_city",
            "Country": "attributes.country_code_c",
        },
        "product": {
            "Name": "attributes.name",
            "Number": "attributes.part_number",
            "Description": "attributes.description",
            "Price": "attributes.price",
        },
    }

    def put(self, stream: str, row: Row, name: str, value: Any) -> None:
        """Nothing is an empty text."""
        super().put(stream, row, name, "" if value is None else value)

    def new_id(self, stream: str, row: Row) -> str:
        """A GUID."""
        del stream
        row["id"] = f"{self.number():08x}-76ba-e02f-7d86-5e5e5c3b9d8e"
        row["attributes"]["date_entered"] = self.stamp()
        return str(row["id"])

    def blank(self, stream: str) -> Row:
        """Every field is there, mostly empty."""
        module = next(name for name, one in MODULES.items() if one == stream)
        return {"type": module, "attributes": dict.fromkeys(sorted(FIELDS[stream]), ""), "relationships": {}}

    def touch(self, stream: str, row: Row) -> None:
        """The time stands among the attributes."""
        del stream
        row["attributes"]["date_modified"] = self.stamp()

    def stamp(self) -> str:
        """Seconds, with a zone."""
        return self.now().isoformat(timespec="seconds")

    def authorise(self, asked: Asked) -> None:
        """A token of the client credentials grant."""
        if asked.path == f"{BASE}/access_token":
            return
        if asked.headers.get("Authorization") != "Bearer the-access-token":
            raise refuse(401, {"error": "access_denied", "message": "The resource owner or server denied the request."})
        if asked.headers.get("Accept") != JSON_API:
            raise refused("Accept is to be application/vnd.api+json", 406)

    def answer(self, asked: Asked) -> Said:
        """The token, a write, a list, or a deletion."""
        if asked.path == f"{BASE}/access_token":
            return self._token(asked)
        if asked.path == f"{self.base}/module":
            return self._write(asked)
        match = re.fullmatch(rf"{self.base}/module/(\w+)(?:/([\w-]+))?", asked.path)
        if match is None or match[1] not in MODULES:
            raise refused("Module is not found", 404)
        stream = MODULES[match[1]]
        if match[2] is None and asked.method == "GET":
            return self._list(asked, stream)
        if match[2] not in self.rows[stream]:
            raise refused(f"{match[1]} module with id {match[2]} is not found")
        if asked.method == "DELETE":
            self.delete(stream, match[2])
            return Said({"meta": {"message": f"Record with id {match[2]} is deleted"}, "data": []})
        if asked.method != "GET":
            raise refused("Method not allowed", 405)
        return Said({"data": self.rows[stream][match[2]]})

    def _token(self, asked: Asked) -> Said:
        known = {"grant_type": "client_credentials", "client_id": "the-client-id", "client_secret": self.key}
        if dict(parse_qsl(asked.body.decode())) != known:
            raise refuse(401, {"error": "invalid_client", "message": "Client authentication failed"})
        return Said({"token_type": "Bearer", "expires_in": 3600, "access_token": "the-access-token"})

    def _list(self, asked: Asked, stream: str) -> Said:
        query = dict(asked.query)
        size, number = int(query.pop("page[size]", "20")), int(query.pop("page[number]", "1"))
        sort = query.pop("sort", "id")
        rows = list(self.rows[stream].values())
        for name, value in query.items():
            match = re.fullmatch(r"filter\[(\w+)\]\[(eq|gte)\]", name)
            if match is None or match[1] not in FIELDS[stream] | {"id", "date_modified", "date_entered"}:
                raise refused(f"Filter field {name} is not found")
            rows = [row for row in rows if matches(row, match[1], match[2], value)]
        if size < 1 or number < 1 or sort not in ("id", "date_modified"):
            raise refused("page or sort is invalid")
        rows.sort(key=lambda row: (row["attributes"].get(sort, ""), row["id"]))
        some = rows[(number - 1) * size : number * size]
        # What it says of the pages of a filtered list is wrong.
        pages = 0 if query else -(-len(rows) // size)
        return Said(
            {**({"meta": {"total-pages": pages, "records-on-this-page": len(some)}} if some else {}), "data": some}
        )

    def _write(self, asked: Asked) -> Said:
        if asked.headers.get("Content-Type") != JSON_API or asked.query:
            raise refused("Content-Type is to be application/vnd.api+json", 415)
        said = body_of(asked)
        data = said.get("data", {})
        wanted = {"type", "attributes"} | ({"id"} if asked.method == "PATCH" else set())
        if set(said) != {"data"} or set(data) != wanted or data["type"] not in MODULES:
            raise refused("The body is no resource of JSON:API")
        stream = MODULES[data["type"]]
        attributes = self._checked(stream, data["attributes"])
        if asked.method == "POST":
            row = self.blank(stream)
            row["attributes"] |= attributes
            return Said({"data": self.rows[stream][self.insert(stream, row)]}, 201)
        if asked.method != "PATCH":
            raise refused("Method not allowed", 405)
        if data["id"] not in self.rows[stream]:
            raise refused(f"{data['type']} module with id {data['id']} is not found")
        row = self.rows[stream][data["id"]]
        row["attributes"] |= attributes
        self.touch(stream, row)
        return Said({"data": row}, 201)

    def _checked(self, stream: str, attributes: Row) -> Row:
        for name, value in attributes.items():
            if name not in FIELDS[stream]:
                raise refused(f"Property {name} in {stream} module is invalid")
            if not isinstance(value, str):
                raise refused(f"Property {name} is to be a text")
            if name == "account_id" and value and value not in self.rows["customer"]:
                raise refused("Account is not found")
        return attributes

    def is_write(self, asked: Asked) -> bool:
        """Everything but a GET and a token."""
        return asked.method != "GET" and not asked.path.endswith("/access_token")


def matches(row: Row, name: str, operator: str, value: str) -> bool:
    """A filter is a comparison of the database: without regard to case, times as it has them."""
    here = row["id"] if name == "id" else row["attributes"][name]
    if operator == "gte":
        if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", value):
            raise refused("no time of the database")
        return bool(here[:19].replace("T", " ") >= value)
    return bool(here.casefold() == value.casefold())


def refused(detail: str, status: int = 400) -> Exception:
    """In SuiteCRM's words."""
    return refuse(status, {"errors": {"status": status, "title": None, "detail": detail}})
