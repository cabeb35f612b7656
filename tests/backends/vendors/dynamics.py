"""Dataverse's Web API as its documentation has it: OData v4 with ETags, annotations and preferences."""

import re
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote, urlsplit

from api_transport.testing import Asked, Said

from tests.backends.vendors.vendor import Row, Vendor, body_of, refuse

TABLES = {"contacts": "contact", "accounts": "customer", "products": "product"}
KEYS = {"contact": "contactid", "customer": "accountid", "product": "productid"}
COLUMNS = {
    "contact": {"firstname", "lastname", "emailaddress1", "telephone1", "mobilephone"},
    "customer": {
        "name",
        "new_organizationnumber",
        "emailaddress1",
        "telephone1",
        "websiteurl",
        "description",
        "address1_line1",
        "address1_line2",
        "address1_postalcode",
        "address1_city",
        "new_countrycode",
    },
    "product": {"name", "productnumber", "description", "price"},
}
PARENT, BIND = "_parentcustomerid_value", "parentcustomerid_account@odata.bind"
GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
STRING = r"'((?:[^']|'')*)'"
PATH = "/api/data/v9.2"
TOKEN_PATH = "/the-tenant/oauth2/v2.0/token"
SCOPE = "https://the-org.crm4.dynamics.com/.default"


class Dynamics(Vendor):
    """An environment with the columns of our page added."""

    name = "dynamics"
    key = "the-client-secret"
    settings: ClassVar = {
        "api_user": "the-application-id",
        "profile_variables": {"login": "", "tenant": "the-tenant", "scope": SCOPE},
    }
    base = PATH
    fields: ClassVar = {
        "contact": {
            "FirstName": "firstname",
            "LastName": "lastname",
            "Email": "emailaddress1",
            "Phone": "telephone1",
            "MobilePhone": "mobilephone",
            "CustomerId": PARENT,
        },
        "customer": {
            "Name": "name",
            "OrganizationNumber": "new_organizationnumber",
            "Email": "emailaddress1",
            "Phone": "telephone1",
            "Website": "websiteurl",
            "Description": "description",
            "StreetAddress1": "address1_line1",
            "StreetAddress2": "address1_line2",
            "ZipCode": "address1_postalcode",
            "City": "address1_city",
            "Country": "new_countrycode",
        },
        "product": {"Name": "name", "Number": "productnumber", "Description": "description", "Price": "price"},
    }

    def __init__(self) -> None:
        super().__init__()
        self.cookies: list[list[Row]] = []

    def new_id(self, stream: str, row: Row) -> str:
        """A GUID."""
        row[KEYS[stream]] = f"{self.number():08x}-51ab-ec11-8d20-000d3a2feca1"
        row["createdon"] = self.stamp()
        return str(row[KEYS[stream]])

    def blank(self, stream: str) -> Row:
        """Every column is there, mostly null."""
        return dict.fromkeys(sorted(COLUMNS[stream] | ({PARENT} if stream == "contact" else set())))

    def touch(self, stream: str, row: Row) -> None:
        """The ETag is the number of the row's version."""
        del stream
        row["modifiedon"] = self.stamp()
        row["@odata.etag"] = f'W/"{500000 + self.number()}"'

    def stamp(self) -> str:
        """Whole seconds, UTC."""
        return self.now().isoformat(timespec="seconds").replace("+00:00", "Z")

    def authorise(self, asked: Asked) -> None:
        """A token for this environment, and the headers of OData."""
        if asked.path == TOKEN_PATH:
            return
        if asked.headers.get("Authorization") != "Bearer the-access-token":
            raise refuse(401, None, {"WWW-Authenticate": "Bearer authorization_uri=https://login.microsoftonline.com"})
        if {asked.headers.get(name) for name in ("OData-Version", "OData-MaxVersion")} != {"4.0"}:
            raise refused(400, "0x0", "The header OData-Version is missing")
        if "+" in urlsplit(asked.target).query:
            raise refused(400, "0x0", "Syntax error: a blank is %20")

    def answer(self, asked: Asked) -> Said:
        """The token, a table, or a row of it."""
        if asked.path == TOKEN_PATH:
            return self._token(asked)
        match = re.fullmatch(rf"{PATH}/(\w+)(?:\(({GUID})\))?", asked.path)
        if match is None or match[1] not in TABLES:
            raise refused(404, "0x8006088a", "Resource not found for the segment")
        stream = TABLES[match[1]]
        if match[2] is not None:
            return self._one(asked, stream, match[2])
        return self._list(asked, stream) if asked.method == "GET" else self._create(asked, stream)

    def _token(self, asked: Asked) -> Said:
        known = {"grant_type": "client_credentials", "client_id": "the-application-id", "client_secret": self.key}
        if dict(parse_qsl(asked.body.decode())) != {**known, "scope": SCOPE}:
            raise refuse(401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret"})
        return Said({"token_type": "Bearer", "expires_in": 3599, "access_token": "the-access-token"})

    def _list(self, asked: Asked, stream: str) -> Said:
        query = dict(asked.query)
        size = re.fullmatch(r"odata\.maxpagesize=(\d+)", asked.headers.get("Prefer", ""))
        names = self._selected(query, stream)
        skip = re.fullmatch(r"(\d+)-(\d+)", query.pop("$skiptoken", ""))
        condition, order = query.pop("$filter", None), query.pop("$orderby", None)
        aliases = {name: query.pop(name) for name in ("@p1", "@p2") if name in query}
        if query or size is None:
            raise refused(400, "0x80060888", "The query parameter is not supported")
        if skip is None:
            rows = [row for row in self.rows[stream].values() if self._matches(row, stream, condition, aliases)]
            if order not in (None, "modifiedon asc"):
                raise refused(400, "0x0", "Could not find a property")
            self.cookies.append(sorted(rows, key=lambda row: (order and row["modifiedon"], row[KEYS[stream]])))
        number, start = (len(self.cookies) - 1, 0) if skip is None else (int(skip[1]), int(skip[2]))
        rows, end = self.cookies[number], start + min(int(size[1]), self.largest_page)
        more = {}
        if end < len(rows):
            same = "&".join(
                f"{quote(name)}={quote(value)}" for name, value in asked.query.items() if name != "$skiptoken"
            )
            more = {"@odata.nextLink": f"{self.api_url}{asked.path[len(PATH) :]}?{same}&$skiptoken={number}-{end}"}
        return Said({"@odata.context": "?", "value": [shown(row, names) for row in rows[start:end]], **more})

    def _selected(self, query: dict[str, str], stream: str) -> list[str]:
        names = query.pop("$select", "").split(",")
        for name in names:
            self._known(name, stream)
        return [*names, KEYS[stream]]

    def _known(self, name: str, stream: str) -> None:
        own = {KEYS[stream], "createdon", "modifiedon"} | ({PARENT} if stream == "contact" else set())
        if name not in COLUMNS[stream] | own:
            raise refused(400, "0x80060888", f"Could not find a property named '{name}'")

    def _matches(self, row: Row, stream: str, condition: str | None, aliases: dict[str, str]) -> bool:
        if condition is None:
            return True
        if condition == "Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)":
            if not re.fullmatch(rf"\[{STRING}(,{STRING})*\]", aliases["@p2"]):
                raise refused(400, "0x0", "Syntax error")
            return row[aliases["@p1"].strip("'")] in aliases["@p2"][2:-2].split("','")
        if match := re.fullmatch(r"modifiedon ge (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)", condition):
            return str(row["modifiedon"]) >= match[1]
        pairs = re.findall(rf"(\w+) eq {STRING}", condition)
        if " and ".join(f"{name} eq '{value}'" for name, value in pairs) != condition:
            raise refused(400, "0x0", "Syntax error")
        for name, _ in pairs:
            self._known(name, stream)
        return all(same(row[name], value.replace("''", "'")) for name, value in pairs)

    def _create(self, asked: Asked, stream: str) -> Said:
        if asked.method != "POST" or asked.query or asked.headers.get("Prefer") != "return=representation":
            raise refused(405, "0x0", "not what is imitated here")
        row = {**self.blank(stream), **self._checked(body_of(asked), stream)}
        return Said(self.rows[stream][self.insert(stream, row)], 201)

    def _one(self, asked: Asked, stream: str, record_id: str) -> Said:
        row = self.rows[stream].get(record_id)
        if row is None:
            raise refuse(404, {"error": {"code": "0x80040217", "message": "Does Not Exist"}})
        if asked.method == "GET":
            return Said(shown(row, self._selected(dict(asked.query), stream)))
        match = asked.headers.get("If-Match")
        if match is None:
            raise refused(400, "0x0", "without If-Match it would be an upsert")
        if match != row["@odata.etag"]:
            message = "The version of the existing record doesn't match the RowVersion property provided."
            raise refuse(412, {"error": {"code": "0x80060882", "message": message}})
        if asked.method == "DELETE":
            self.delete(stream, record_id)
            return Said(None, 204)
        if asked.method != "PATCH" or asked.headers.get("Prefer") != "return=representation":
            raise refused(405, "0x0", "not what is imitated here")
        row |= self._checked(body_of(asked), stream)
        self.touch(stream, row)
        return Said(row)

    def _checked(self, said: Row, stream: str) -> Row:
        written = {}
        for name, value in said.items():
            if stream == "contact" and name == BIND:
                written[PARENT] = self._bound(value)
            elif name in COLUMNS[stream] and (value is None or isinstance(value, (str, float, int))):
                written[name] = value if value != "" else None
            else:
                raise refused(400, "0x80048d19", f"Invalid property '{name}' was found in entity")
        return written

    def _bound(self, value: Any) -> str | None:
        if value is None:
            return None
        match = re.fullmatch(rf"/accounts\(({GUID})\)", value)
        if match is None or match[1] not in self.rows["customer"]:
            raise refused(400, "0x80048d19", "the reference leads nowhere")
        return match[1]

    def is_write(self, asked: Asked) -> bool:
        """Everything but a GET and a token."""
        return asked.method != "GET" and asked.path != TOKEN_PATH

    def beyond_the_limit(self) -> Said:
        """Six thousand requests in five minutes."""
        message = "Number of requests exceeded the limit of 6000 over the time window of 300 seconds."
        return Said({"error": {"code": "0x80072322", "message": message}}, 429, {"Retry-After": "1"})


def same(one: Any, text: str) -> bool:
    """Texts are compared without regard to case."""
    return str(one or "").casefold() == text.casefold()


def shown(row: Row, names: list[str]) -> Row:
    """The columns asked for, with the ETag."""
    return {name: row[name] for name in ("@odata.etag", *names)}


def refused(status: int, code: str, message: str) -> Exception:
    """In Dataverse's words."""
    return refuse(status, {"error": {"code": code, "message": message}})
