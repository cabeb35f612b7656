"""NocoDB's API v2 as its documentation has it: flat records with their ids, links by requests of their own."""

import re
from typing import Any, ClassVar

from api_transport.testing import Asked, Said

from tests.backends.vendors.vendor import COLUMNS, Row, Vendor, body_of, refuse

TABLES = {"m0contacts": "contact", "m0customers": "customer", "m0products": "product"}
LINK = "c0customer"
LISTED = {"where", "limit", "offset", "sort"}
OWN = {"Id", "CreatedAt", "UpdatedAt"}
MOST = 1000
PATH = "/api/v2"


class NocoDB(Vendor):
    """A base with the tables of our page."""

    name = "nocodb"
    settings: ClassVar = {
        "profile_variables": {
            "contacts": "m0contacts",
            "customers": "m0customers",
            "products": "m0products",
            "customer_link": LINK,
        }
    }
    base = PATH
    fields: ClassVar = {**COLUMNS, "contact": {**COLUMNS["contact"], "CustomerId": "Customer.Id"}}

    def new_id(self, stream: str, row: Row) -> str:
        """A number of the table's."""
        del stream
        row |= {"Id": self.number(), "CreatedAt": self.stamp(), "UpdatedAt": None}
        return str(row["Id"])

    def blank(self, stream: str) -> Row:
        """Every column is there, mostly null."""
        return dict.fromkeys(name.partition(".")[0] for name in self.fields[stream].values())

    def touch(self, stream: str, row: Row) -> None:
        """UpdatedAt stays null until the first edit."""
        del stream
        row["UpdatedAt"] = self.stamp() if "UpdatedAt" in row and row.get("_made") else None
        row["_made"] = True

    def stamp(self) -> str:
        """Seconds, with a blank and a zone."""
        return self.now().isoformat(sep=" ", timespec="seconds")

    def value(self, stream: str, row: Row, name: str) -> Any:
        """The id of a link as a text."""
        found = super().value(stream, row, name)
        return str(found) if name == "CustomerId" and found is not None else found

    def put(self, stream: str, row: Row, name: str, value: Any) -> None:
        """A user chooses a customer, or none."""
        if name == "CustomerId":
            row["Customer"] = None if value is None else self._linked(str(value))
        else:
            super().put(stream, row, name, value)

    def _linked(self, record_id: str) -> Row:
        customer = self.rows["customer"][record_id]
        return {"Id": customer["Id"], "Name": customer["Name"]}

    def authorise(self, asked: Asked) -> None:
        """A token in a header of its own."""
        if asked.headers.get("xc-token") != self.key:
            raise refused(401, "AUTHENTICATION_REQUIRED", "Authentication required - Invalid token")

    def answer(self, asked: Asked) -> Said:
        """A list, a record, writes of records, or their links."""
        match = re.fullmatch(rf"{PATH}/tables/(\w+)/(records|links/{LINK}/records)(?:/(\d+))?", asked.path)
        if match is None or match[1] not in TABLES:
            raise refused(404, "TABLE_NOT_FOUND", "Table not found")
        stream, record_id = TABLES[match[1]], match[3]
        if asked.method == "GET" and record_id is None:
            return self._list(asked, stream)
        if asked.query:
            raise refused(400, "INVALID_REQUEST", "no parameters here")
        if record_id is not None and record_id not in self.rows[stream]:
            raise refused(404, "RECORD_NOT_FOUND", f"Record '{record_id}' not found")
        if match[2] != "records":
            return self._link(asked, self.rows[stream][record_id or ""])
        if asked.method == "GET":
            return Said(shown(self.rows[stream][record_id or ""]))
        if record_id is not None:
            raise refused(404, "NOT_FOUND", "Cannot be asked so")
        return self._write(asked, stream)

    def _list(self, asked: Asked, stream: str) -> Said:
        query = asked.query
        limit, start = int(query.get("limit", 25)), int(query.get("offset", 0))
        if set(query) - LISTED or not 1 <= limit <= MOST:
            raise refused(400, "INVALID_REQUEST", "no such parameter")
        rows = [row for row in self.rows[stream].values() if self._matches(row, stream, query.get("where"))]
        for name in reversed(query.get("sort", "Id").split(",")):
            column = self._column(name, stream)
            rows.sort(key=lambda row: (row[column] is not None, row[column]))
        some = rows[start : start + min(limit, self.largest_page)]
        info = {"totalRows": len(rows), "pageSize": limit, "isLastPage": start + len(some) >= len(rows)}
        return Said({"list": [shown(row) for row in some], "pageInfo": info})

    def _column(self, name: str, stream: str) -> str:
        if name not in {one for one in self.fields[stream].values() if "." not in one} | OWN:
            raise refused(422, "FIELD_NOT_FOUND", f"Field '{name}' not found")
        return name

    def _matches(self, row: Row, stream: str, said: str | None) -> bool:
        if said is None:
            return True
        match = re.fullmatch(r'\(([\w ]+),(eq|in|gte,exactDate),("(?:[^"\\]|\\.)*"|[^"()]+)\)', said)
        if match is None:
            raise refused(422, "INVALID_FILTER", "Invalid filter expression")
        found, value = row[self._column(match[1], stream)], match[3]
        if match[2] == "in":
            return str(found) in value.split(",")
        if match[2] == "eq":
            return str(found) == (re.sub(r"\\(.)", r"\1", value[1:-1]) if value[0] == '"' else value)
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            raise refused(422, "INVALID_FILTER", "no date")
        return found is not None and str(found)[:10] >= value

    def _write(self, asked: Asked, stream: str) -> Said:
        said = body_of(asked)
        if not isinstance(said, dict):
            raise refused(400, "INVALID_REQUEST", "one record at a time here")
        if asked.method == "POST":
            row = {**self.blank(stream), **self._checked(said, stream)}
            return Said({"Id": int(self.insert(stream, row))})
        if not isinstance(said.get("Id"), int) or str(said["Id"]) not in self.rows[stream]:
            raise refused(404, "RECORD_NOT_FOUND", f"Record '{said.get('Id')}' not found")
        record_id = str(said.pop("Id"))
        if asked.method == "DELETE" and not said:
            self.delete(stream, record_id)
        elif asked.method == "PATCH":
            row = self.rows[stream][record_id]
            row |= self._checked(said, stream)
            self.touch(stream, row)
        else:
            raise refused(400, "INVALID_REQUEST", "no such request")
        return Said({"Id": int(record_id)})

    def _checked(self, said: Row, stream: str) -> Row:
        for name, value in said.items():
            kind: Any = (int, float) if name == "Price" else str
            if self._column(name, stream) in OWN or (value is not None and not isinstance(value, kind)):
                raise refused(400, "INVALID_REQUEST", f"Invalid value for '{name}'")
        return said

    def _link(self, asked: Asked, row: Row) -> Said:
        """A contact has one customer: another one takes its place, and unlinking any leaves it without."""
        said = body_of(asked)
        ids = [one.get("Id") for one in said] if isinstance(said, list) else []
        if len(ids) != 1 or not isinstance(ids[0], int) or str(ids[0]) not in self.rows["customer"]:
            raise refused(404, "RECORD_NOT_FOUND", "Record not found")
        if asked.method not in ("POST", "DELETE"):
            raise refused(404, "NOT_FOUND", "Cannot be asked so")
        row["Customer"] = self._linked(str(ids[0])) if asked.method == "POST" else None
        self.touch("contact", row)
        return Said(body="true", status=201 if asked.method == "POST" else 200)

    def is_write(self, asked: Asked) -> bool:
        """Everything but a GET."""
        return asked.method != "GET"

    def beyond_the_limit(self) -> Said:
        """Five requests a second, in the cloud."""
        return Said({"error": "TOO_MANY_REQUESTS", "message": "Too many requests"}, 429, {"Retry-After": "1"})


def shown(row: Row) -> Row:
    return {name: value for name, value in row.items() if not name.startswith("_")}


def refused(status: int, code: str, words: str) -> Exception:
    """In NocoDB's words."""
    return refuse(status, {"error": code, "message": words})
