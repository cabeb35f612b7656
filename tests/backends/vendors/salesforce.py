"""Salesforce's REST API as its documentation has it: SOQL, sobjects, the bin."""

import re
from typing import ClassVar

from api_transport.testing import Asked, Said

from tests.backends.vendors.vendor import Row, Vendor, body_of, refuse

OBJECTS = {"Contact": "contact", "Account": "customer", "Product2": "product"}
FIELDS = {
    "contact": {"FirstName", "LastName", "Email", "Phone", "MobilePhone", "AccountId"},
    "customer": {
        "Name",
        "OrganizationNumber__c",
        "Email__c",
        "Phone",
        "Website",
        "Description",
        "BillingStreet",
        "BillingPostalCode",
        "BillingCity",
        "BillingCountryCode",
    },
    "product": {"Name", "ProductCode", "Description", "IsActive"},
}
OWN = {"Id", "SystemModstamp", "CreatedDate", "IsDeleted"}
REQUIRED = {"contact": "LastName", "customer": "Name", "product": "Name"}
QUERY = re.compile(r"SELECT ([\w, ]+) FROM (\w+)(?: WHERE (.+?))?(?: ORDER BY ([\w, ]+))?")
STRING = r"'((?:[^'\\]|\\.)*)'"
PATH = "/services/data/v61.0"


class Salesforce(Vendor):
    """A Salesforce org with the fields of our page added."""

    name = "salesforce"
    key = "the-client-secret"
    settings: ClassVar = {"api_user": "the-client-id"}
    base = PATH
    fields: ClassVar = {
        "contact": {name: name for name in ("FirstName", "LastName", "Email", "Phone", "MobilePhone")}
        | {"CustomerId": "AccountId"},
        "customer": {
            "Name": "Name",
            "OrganizationNumber": "OrganizationNumber__c",
            "Email": "Email__c",
            "Phone": "Phone",
            "Website": "Website",
            "Description": "Description",
            "StreetAddress1": "BillingStreet",
            "ZipCode": "BillingPostalCode",
            "City": "BillingCity",
            "Country": "BillingCountryCode",
        },
        "product": {"Name": "Name", "Number": "ProductCode", "Description": "Description"},
    }

    def new_id(self, stream: str, row: Row) -> str:
        """Eighteen characters, the first three by the object."""
        prefix = {"contact": "003", "customer": "001", "product": "01t"}[stream]
        row["Id"] = f"{prefix}{self.number():015}"
        row["CreatedDate"] = self.stamp()
        return str(row["Id"])

    def blank(self, stream: str) -> Row:
        """Every field is there, mostly null."""
        return {**dict.fromkeys(sorted(FIELDS[stream])), "IsDeleted": False}

    def touch(self, stream: str, row: Row) -> None:
        """SystemModstamp moves with every change."""
        del stream
        row["SystemModstamp"] = self.stamp()

    def stamp(self) -> str:
        """Milliseconds, and a zone without a colon."""
        return self.now().isoformat(timespec="milliseconds").replace("+00:00", "+0000")

    def delete(self, stream: str, record_id: str) -> None:
        """Into the bin."""
        super().delete(stream, record_id)
        self.gone[stream][record_id]["IsDeleted"] = True

    def authorise(self, asked: Asked) -> None:
        """A token of the client credentials flow."""
        if asked.path == "/services/oauth2/token":
            return
        if asked.headers.get("Authorization") != "Bearer 00D-token":
            raise refused(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def answer(self, asked: Asked) -> Said:
        """The token, a query, or an object."""
        if asked.path == "/services/oauth2/token":
            return self._token(asked)
        path = asked.path.removeprefix(PATH)
        if path in ("/query", "/queryAll") and asked.method == "GET":
            return self._query(asked, with_deleted=path == "/queryAll")
        if match := re.fullmatch(r"/query(All)?/(\d+)-(\d+)", path):
            return self._page(int(match[2]), int(match[3]))
        match = re.fullmatch(r"/sobjects/(\w+)(?:/(\w+))?", path)
        if match is None or match[1] not in OBJECTS:
            raise refused(404, "NOT_FOUND", "The requested resource does not exist")
        stream = OBJECTS[match[1]]
        return self._create(asked, stream) if match[2] is None else self._one(asked, stream, match[2])

    def _token(self, asked: Asked) -> Said:
        form = dict(one.split("=") for one in asked.body.decode().split("&"))
        known = {"grant_type": "client_credentials", "client_id": "the-client-id", "client_secret": self.key}
        if form != known:
            raise refuse(400, {"error": "invalid_client", "error_description": "invalid client credentials"})
        return Said({"access_token": "00D-token", "instance_url": "https://example.com", "token_type": "Bearer"})

    def _query(self, asked: Asked, *, with_deleted: bool) -> Said:
        if set(asked.query) != {"q"}:
            raise refused(400, "MALFORMED_QUERY", "q is the only parameter")
        query = QUERY.fullmatch(asked.query["q"])
        if query is None or query[2] not in OBJECTS:
            raise refused(400, "MALFORMED_QUERY", "unexpected token")
        stream = OBJECTS[query[2]]
        names = query[1].split(",")
        for name in names:
            if name.strip() not in FIELDS[stream] | OWN:
                raise refused(400, "INVALID_FIELD", f"No such column '{name}' on entity '{query[2]}'")
        rows = list(self.rows[stream].values()) + (list(self.gone[stream].values()) if with_deleted else [])
        rows = [row for row in rows if self._matches(row, stream, query[3])]
        order = [name.strip() for name in (query[4] or "Id").split(",")]
        rows.sort(key=lambda row: [row[name] for name in order])
        shown = [
            {"attributes": {"type": query[2]}, **{name.strip(): row[name.strip()] for name in names}} for row in rows
        ]
        self._found.append(shown)
        return self._page(len(self._found) - 1, 0)

    @property
    def _found(self) -> list[list[Row]]:
        return self.__dict__.setdefault("found", [])

    def _page(self, number: int, start: int) -> Said:
        rows = self._found[number]
        some, end = rows[start : start + self.largest_page], start + self.largest_page
        more = {"nextRecordsUrl": f"{PATH}/query/{number}-{end}"} if end < len(rows) else {}
        return Said({"totalSize": len(rows), "done": not more, "records": some, **more})

    def _matches(self, row: Row, stream: str, condition: str | None) -> bool:
        if condition is None:
            return True
        if match := re.fullmatch(r"SystemModstamp >= ([\d:.TZ-]+)", condition):
            return str(row["SystemModstamp"]) >= match[1].replace("Z", "+0000")
        if match := re.fullmatch(rf"Id IN \({STRING}(?:,{STRING})*\)", condition):
            return row["Id"] in re.findall(STRING, condition)
        match = re.fullmatch(rf"(\w+) = {STRING}", condition)
        if match is None or match[1] not in FIELDS[stream] | OWN:
            raise refused(400, "MALFORMED_QUERY", "unexpected token")
        text = re.sub(r"\\(.)", r"\1", match[2])
        return str(row[match[1]] or "").casefold() == text.casefold()

    def _create(self, asked: Asked, stream: str) -> Said:
        if asked.method != "POST" or asked.query:
            raise refused(405, "METHOD_NOT_ALLOWED", "HTTP Method not allowed")
        said = self._checked(body_of(asked), stream)
        if not said.get(REQUIRED[stream]):
            raise refused(400, "REQUIRED_FIELD_MISSING", "Required fields are missing", [REQUIRED[stream]])
        return Said({"id": self.insert(stream, {**self.blank(stream), **said}), "success": True, "errors": []}, 201)

    def _one(self, asked: Asked, stream: str, record_id: str) -> Said:
        if record_id in self.gone[stream]:
            raise refused(404, "ENTITY_IS_DELETED", "entity is deleted")
        if record_id not in self.rows[stream]:
            raise refused(404, "NOT_FOUND", "The requested resource does not exist")
        row = self.rows[stream][record_id]
        if asked.method == "GET":
            names = asked.query.get("fields", "").split(",")
            if set(names) - FIELDS[stream] - OWN:
                raise refused(400, "INVALID_FIELD", "No such column")
            return Said({"attributes": {}, **{name: row[name] for name in names}})
        if asked.method == "DELETE":
            self.delete(stream, record_id)
            return Said(None, 204)
        if asked.method != "PATCH":
            raise refused(405, "METHOD_NOT_ALLOWED", "HTTP Method not allowed")
        row |= self._checked(body_of(asked), stream)
        self.touch(stream, row)
        return Said(None, 204)

    def _checked(self, said: Row, stream: str) -> Row:
        for name, value in said.items():
            if name not in FIELDS[stream]:
                raise refused(400, "INVALID_FIELD", f"No such column '{name}'", [name])
            if name == "AccountId" and value is not None and value not in self.rows["customer"]:
                raise refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [name])
        return {name: value if value != "" else None for name, value in said.items()}

    def is_write(self, asked: Asked) -> bool:
        """Everything but a GET and a token."""
        return asked.method != "GET" and "/oauth2/" not in asked.path

    def beyond_the_limit(self) -> Said:
        """The day's requests are used up."""
        return Said([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}], 403)


def refused(status: int, code: str, message: str, fields: list[str] | None = None) -> Exception:
    """In Salesforce's words."""
    return refuse(status, [{"errorCode": code, "message": message, "fields": fields or []}])
