"""Zoho CRM's API v8 as its documentation has it: modules, statuses for nothing, refusals in a list."""

import re
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from api_transport.testing import Asked, Said

from tests.backends.vendors.vendor import Row, Vendor, body_of, refuse

MODULES = {"Contacts": "contact", "Accounts": "customer", "Products": "product"}
FIELDS = {
    "contact": {"First_Name", "Last_Name", "Email", "Phone", "Mobile", "Account_Name", "Secondary_Email"},
    "customer": {
        "Account_Name",
        "Organization_Number",
        "Email",
        "Phone",
        "Website",
        "Description",
        "Billing_Street",
        "Billing_Code",
        "Billing_City",
        "Billing_Country",
    },
    "product": {"Product_Name", "Product_Code", "Description", "Unit_Price"},
}
OWN = {"id", "Created_Time", "Modified_Time"}
REQUIRED = {"contact": "Last_Name", "customer": "Account_Name", "product": "Product_Name"}
LISTED = {"fields", "ids", "per_page", "page_token", "sort_by", "sort_order"}
HERE = timezone(timedelta(hours=1))
PATH = "/crm/v8"


class Zoho(Vendor):
    """A Zoho account with the fields of our page added."""

    name = "zoho"
    key = "the-client-secret"
    settings: ClassVar = {
        "api_user": "the-client-id",
        "refresh_token": "the-refresh-token",
        "profile_variables": {"token_url": "/oauth/v2/token"},
    }
    base = PATH
    fields: ClassVar = {
        "contact": {
            "FirstName": "First_Name",
            "LastName": "Last_Name",
            "Email": "Email",
            "Phone": "Phone",
            "MobilePhone": "Mobile",
            "CustomerId": "Account_Name.id",
        },
        "customer": {
            "Name": "Account_Name",
            "OrganizationNumber": "Organization_Number",
            "Email": "Email",
            "Phone": "Phone",
            "Website": "Website",
            "Description": "Description",
            "StreetAddress1": "Billing_Street",
            "ZipCode": "Billing_Code",
            "City": "Billing_City",
            "Country": "Billing_Country",
        },
        "product": {
            "Name": "Product_Name",
            "Number": "Product_Code",
            "Description": "Description",
            "Price": "Unit_Price",
        },
    }

    def new_id(self, stream: str, row: Row) -> str:
        """A number of eighteen digits, as a text."""
        del stream
        row |= {"id": str(554023000000000000 + self.number()), "Created_Time": self.stamp()}
        return str(row["id"])

    def blank(self, stream: str) -> Row:
        """Every field is there, mostly null."""
        return dict.fromkeys(sorted(FIELDS[stream]))

    def touch(self, stream: str, row: Row) -> None:
        """Modified_Time moves with every change."""
        del stream
        row["Modified_Time"] = self.stamp()

    def stamp(self) -> str:
        """Seconds, in the account's zone."""
        return self.now().astimezone(HERE).isoformat(timespec="seconds")

    def put(self, stream: str, row: Row, name: str, value: Any) -> None:
        """A user chooses an account, or none."""
        if name == "CustomerId":
            row["Account_Name"] = None if value is None else self._account(value)
        else:
            super().put(stream, row, name, value)

    def _account(self, record_id: str) -> Row:
        return {"id": record_id, "name": self.rows["customer"][record_id]["Account_Name"]}

    def authorise(self, asked: Asked) -> None:
        """Zoho's own word before the token."""
        if asked.path.startswith("/crm/") and asked.headers.get("Authorization") != "Zoho-oauthtoken 1000.token":
            raise refused(401, "INVALID_TOKEN", "invalid oauth token")

    def answer(self, asked: Asked) -> Said:
        """The token, a list, a search, what was deleted, or a record."""
        if asked.path == "/oauth/v2/token" and asked.method == "POST":
            return self._token(asked)
        match = re.fullmatch(rf"{PATH}/(\w+)(?:/(\w+))?", asked.path)
        if match is None or match[1] not in MODULES:
            raise refused(400, "INVALID_MODULE", "the module name given seems to be invalid")
        stream, rest = MODULES[match[1]], match[2]
        if rest is not None and rest.isdecimal() and asked.method in ("PUT", "DELETE"):
            return self._one(asked, stream, rest)
        known = {("GET", None): self._list, ("GET", "search"): self._search, ("GET", "deleted"): self._deleted}
        known["POST", None] = self._create
        if (asked.method, rest) not in known:
            raise refused(404, "INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one")
        return known[asked.method, rest](asked, stream)

    def _token(self, asked: Asked) -> Said:
        known = {
            "grant_type": "refresh_token",
            "client_id": "the-client-id",
            "client_secret": self.key,
            "refresh_token": "the-refresh-token",
        }
        if dict(parse_qsl(asked.body.decode())) != known:
            return Said({"error": "invalid_client"})
        return Said({"access_token": "1000.token", "expires_in": 3600, "token_type": "Bearer"})

    def _list(self, asked: Asked, stream: str) -> Said:
        query = allowed(asked, LISTED)
        rows = list(self.rows[stream].values())
        if "ids" in query:
            ids = query["ids"].split(",")
            rows = [row for row in rows if row["id"] in ids]
        order = query.get("sort_by", "id")
        if order not in OWN or query.get("sort_order", "desc") not in ("asc", "desc"):
            raise refused(400, "INVALID_DATA", "sort_by is not valid")
        since = self._since(asked)
        changed = [row for row in rows if since is None or moment(row["Modified_Time"]) > since]
        if since is not None and not changed:
            return Said(None, 304)
        changed.sort(key=lambda row: (row[order], row["id"]), reverse=query.get("sort_order", "desc") == "desc")
        token = query.get("page_token", "t0")
        if not re.fullmatch(r"t\d+", token):
            raise refused(400, "INVALID_DATA", "page_token is not valid")
        return self._page(changed, int(token[1:]), self._names(query, stream))

    def _since(self, asked: Asked) -> datetime | None:
        said = asked.headers.get("If-Modified-Since")
        if said is not None and not re.fullmatch(r"[\d-]{10}T[\d:]{8}[+-]\d\d:\d\d", said):
            raise refused(400, "INVALID_DATA", "If-Modified-Since is no date-time")
        return None if said is None else moment(said)

    def _names(self, query: Row, stream: str) -> list[str]:
        names = str(query.get("fields") or "").split(",")
        if names == [""] or not set(names) <= FIELDS[stream] | OWN:
            raise refused(400, "REQUIRED_PARAM_MISSING", "fields")
        return names

    def _page(self, rows: list[Row], start: int, names: list[str]) -> Said:
        if not rows:
            return Said(None, 204)
        end = start + self.largest_page
        more = end < len(rows)
        info = {"count": len(rows[start:end]), "more_records": more, "next_page_token": f"t{end}" if more else None}
        return Said({"data": [{name: row[name] for name in names} for row in rows[start:end]], "info": info})

    def _search(self, asked: Asked, stream: str) -> Said:
        query = allowed(asked, {"criteria", "fields", "per_page", "page"})
        match = re.fullmatch(r"\((\w+):(equals|starts_with):((?:[^\\(),]|\\.)+)\)", query.get("criteria", ""))
        if match is None or match[1] not in FIELDS[stream]:
            raise refused(400, "INVALID_QUERY", "Invalid query formed")
        wanted = re.sub(r"\\(.)", r"\1", match[3]).casefold()
        rows = [row for row in self.rows[stream].values() if str(row[match[1]] or "").casefold() == wanted]
        return self._page(rows, (int(query.get("page", 1)) - 1) * self.largest_page, self._names(query, stream))

    def _deleted(self, asked: Asked, stream: str) -> Said:
        query = allowed(asked, {"type", "per_page", "page"})
        if query.get("type") not in ("all", "recycle", "permanent"):
            raise refused(400, "REQUIRED_PARAM_MISSING", "type")
        since = self._since(asked)
        rows = [
            {"id": row["id"], "deleted_time": row["Modified_Time"], "type": "recycle"}
            for row in self.gone[stream].values()
            if since is None or moment(row["Modified_Time"]) > since
        ]
        if not rows and since is not None:
            return Said(None, 304)
        start = (int(query.get("page", 1)) - 1) * self.largest_page
        return self._page(rows, start, ["id", "deleted_time", "type"])

    def _create(self, asked: Asked, stream: str) -> Said:
        said = self._checked(body_of(asked), stream)
        if not said.get(REQUIRED[stream]):
            raise refused_record(202, "MANDATORY_NOT_FOUND", "required field not found", REQUIRED[stream])
        return told(self.insert(stream, {**self.blank(stream), **said}), "record added", 201)

    def _one(self, asked: Asked, stream: str, record_id: str) -> Said:
        if record_id not in self.rows[stream]:
            raise refused_record(400, "INVALID_DATA", "the id given seems to be invalid", "id")
        if asked.method == "DELETE":
            self.delete(stream, record_id)
            return told(record_id, "record deleted", 200)
        row = self.rows[stream][record_id]
        row |= self._checked(body_of(asked), stream)
        self.touch(stream, row)
        return told(record_id, "record updated", 200)

    def _checked(self, body: Any, stream: str) -> Row:
        if not isinstance(body, dict) or set(body) != {"data"} or len(body["data"]) != 1:
            raise refused(400, "INVALID_DATA", "data")
        said: Row = body["data"][0]
        for name, value in said.items():
            is_link = stream == "contact" and name == "Account_Name"
            is_known = value is None or (
                isinstance(value, dict) and set(value) == {"id"} and value["id"] in self.rows["customer"]
                if is_link
                else isinstance(value, (int, float) if name == "Unit_Price" else str)
            )
            if name not in FIELDS[stream] or not is_known:
                raise refused_record(202, "INVALID_DATA", "invalid data", name)
            if is_link and value is not None:
                said = {**said, name: self._account(value["id"])}
        return {name: None if value == "" else value for name, value in said.items()}

    def is_write(self, asked: Asked) -> bool:
        """Everything but a GET and a token."""
        return asked.method != "GET" and "/oauth/" not in asked.path

    def beyond_the_limit(self) -> Said:
        """Too many at once."""
        words = "You have made too many requests. Please try again after some time"
        return Said({"code": "TOO_MANY_REQUESTS", "details": {}, "message": words, "status": "error"}, 429)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def allowed(asked: Asked, names: set[str]) -> Row:
    if set(asked.query) - names:
        raise refused(400, "EXTRA_PARAM_FOUND", "extra parameter found")
    return asked.query


def told(record_id: str, words: str, status: int) -> Said:
    one = {"code": "SUCCESS", "details": {"id": record_id}, "message": words, "status": "success"}
    return Said({"data": [one]}, status)


def refused(status: int, code: str, message: str) -> Exception:
    """A request that is wrong as a whole."""
    return refuse(status, {"code": code, "details": {}, "message": message, "status": "error"})


def refused_record(status: int, code: str, message: str, field: str) -> Exception:
    """A record that is refused, at times with a status of success."""
    one = {"code": code, "details": {"api_name": field}, "message": message, "status": "error"}
    return refuse(status, {"data": [one]})
