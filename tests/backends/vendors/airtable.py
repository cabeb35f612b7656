"""Airtable's Web API as its documentation has it: tables of cells, formulas, links as lists, batches of ten."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from api_transport.testing import Asked, Said

from tests.backends.vendors.vendor import COLUMNS, Row, Vendor, body_of, refuse

TABLES = {"Contacts": "contact", "Customers": "customer", "Products": "product"}
STRING = r'"((?:[^"\\]|\\.)*)"'
LISTED = {"filterByFormula", "pageSize", "offset", "sort[0][field]", "sort[0][direction]"}
BATCH = 10
PATH = "/v0/appVendors1234567"


class Airtable(Vendor):
    """A base with the tables of our page."""

    name = "airtable"
    base = PATH
    fields: ClassVar = {**COLUMNS, "contact": {**COLUMNS["contact"], "CustomerId": "Customer"}}

    def new_id(self, stream: str, row: Row) -> str:
        """Seventeen characters."""
        del stream
        row |= {"id": f"rec{self.number():014}", "createdTime": self.stamp()}
        return str(row["id"])

    def blank(self, stream: str) -> Row:
        """A record and its cells."""
        del stream
        return {"fields": {}}

    def touch(self, stream: str, row: Row) -> None:
        """A column of the kind "Last modified time"; another one is worked out."""
        row["fields"] |= {"Last modified": self.stamp(), "Record number": len(self.rows[stream])}

    def value(self, stream: str, row: Row, name: str) -> Any:
        """A cell; of links the first."""
        found = row["fields"].get(self.fields[stream][name])
        return found[0] if isinstance(found, list) else found

    def put(self, stream: str, row: Row, name: str, value: Any) -> None:
        """A user fills a cell, or empties it."""
        self._fill(row, self.fields[stream][name], [value] if name == "CustomerId" and value else value)

    def _fill(self, row: Row, column: str, value: Any) -> None:
        if value in (None, "", []):
            row["fields"].pop(column, None)
        else:
            row["fields"][column] = value

    def authorise(self, asked: Asked) -> None:
        """A personal access token."""
        if asked.headers.get("Authorization") != f"Bearer {self.key}":
            raise refused(401, "AUTHENTICATION_REQUIRED", "Authentication required")

    def answer(self, asked: Asked) -> Said:
        """A list, a batch, or a record."""
        match = re.fullmatch(rf"{PATH}/(\w+)(?:/(rec\w{{14}}))?", asked.path)
        if match is None or match[1] not in TABLES:
            words = "Invalid permissions, or the requested model was not found."
            raise refused(403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", words)
        stream, record_id = TABLES[match[1]], match[2]
        if record_id is not None and record_id not in self.rows[stream]:
            raise refuse(404, {"error": "NOT_FOUND"})
        if asked.method == "GET" and record_id is None:
            return self._list(asked, stream)
        if asked.query:
            raise refused(422, "INVALID_REQUEST_UNKNOWN", "Invalid request: parameter validation failed.")
        if asked.method == "DELETE" and record_id is not None:
            self.delete(stream, record_id)
            return Said({"id": record_id, "deleted": True})
        if asked.method not in ("POST", "PATCH") or (asked.method == "POST" and record_id is not None):
            raise refuse(404, {"error": "NOT_FOUND"})
        body = body_of(asked)
        if asked.method == "PATCH" and record_id is not None:
            body = {**body, "id": record_id}
        if "records" not in body:
            return Said(next(self._written(asked, stream, [body])))
        if set(body) != {"records"} or not 1 <= len(body["records"]) <= BATCH:
            raise refused(422, "INVALID_RECORDS", f"You must provide 1 to {BATCH} record objects.")
        return Said({"records": list(self._written(asked, stream, body["records"]))})

    def _list(self, asked: Asked, stream: str) -> Said:
        query = asked.query
        if set(query) - LISTED or not re.fullmatch(r"itr\d+", query.get("offset", "itr0")):
            raise refused(422, "INVALID_REQUEST_UNKNOWN", "Invalid request: parameter validation failed.")
        rows = [row for row in self.rows[stream].values() if self._matches(row, stream, query.get("filterByFormula"))]
        if "sort[0][field]" in query:
            column = self._column(query["sort[0][field]"], stream)
            rows.sort(key=lambda row: str(row["fields"].get(column, "")))
        start = int(query.get("offset", "itr0")[3:])
        end = start + self.largest_page
        more = {"offset": f"itr{end}"} if end < len(rows) else {}
        return Said({"records": rows[start:end], **more})

    def _column(self, name: str, stream: str) -> str:
        if name not in {*self.fields[stream].values(), "Last modified", "Record number"}:
            raise refused(422, "UNKNOWN_FIELD_NAME", f'Unknown field name: "{name}"')
        return name

    def _matches(self, row: Row, stream: str, formula: str | None) -> bool:
        if formula is None:
            return True
        if match := re.fullmatch(rf"FIND\(RECORD_ID\(\), {STRING}\)", formula):
            return row["id"] in match[1]
        if match := re.fullmatch(rf"NOT\(IS_BEFORE\({{([\w ]+)}}, {STRING}\)\)", formula):
            return str(row["fields"].get(self._column(match[1], stream), "")) >= match[2]
        match = re.fullmatch(rf"LOWER\({{([\w ]+)}}\) = LOWER\({STRING}\)", formula)
        if match is None:
            words = "The formula for filtering records is invalid: Invalid formula. Please check your formula text."
            raise refused(422, "INVALID_FILTER_BY_FORMULA", words)
        text = re.sub(r"\\(.)", r"\1", match[2])
        return str(row["fields"].get(self._column(match[1], stream), "")).lower() == text.lower()

    def _written(self, asked: Asked, stream: str, records: list[Any]) -> Iterator[Row]:
        keys = {"fields"} if asked.method == "POST" else {"id", "fields"}
        for record in records:
            if not isinstance(record, dict) or set(record) != keys:
                raise refused(422, "INVALID_REQUEST_MISSING_FIELDS", "Could not find field")
            if asked.method == "PATCH" and record["id"] not in self.rows[stream]:
                raise refused(422, "ROW_DOES_NOT_EXIST", "Record ID does not exist")
            self._check(record["fields"], stream)
        for record in records:
            row = self.blank(stream) if asked.method == "POST" else self.rows[stream][record["id"]]
            for column, value in record["fields"].items():
                self._fill(row, column, value)
            if asked.method == "POST":
                self.insert(stream, row)
            else:
                self.touch(stream, row)
            yield row

    def _check(self, cells: Row, stream: str) -> None:
        for column, value in cells.items():
            if self._column(column, stream) in ("Last modified", "Record number"):
                words = f'Field "{column}" cannot accept a value because the field is computed'
                raise refused(422, "INVALID_VALUE_FOR_COLUMN", words)
            kind: Any = {"Customer": list, "Price": (int, float)}.get(column, str)
            if value is not None and not isinstance(value, kind):
                raise refused(422, "INVALID_VALUE_FOR_COLUMN", f'Field "{column}" cannot accept the provided value')
            if column == "Customer" and not set(value or []) <= set(self.rows["customer"]):
                raise refused(422, "ROW_DOES_NOT_EXIST", "Record ID does not exist")

    def is_write(self, asked: Asked) -> bool:
        """Everything but a GET."""
        return asked.method != "GET"

    def beyond_the_limit(self) -> Said:
        """Five requests a second."""
        words = "Rate limit exceeded. Please try again later"
        return Said({"errors": [{"error": "RATE_LIMIT_REACHED", "message": words}]}, 429, {"Retry-After": "1"})


def refused(status: int, kind: str, words: str) -> Exception:
    """In Airtable's words."""
    return refuse(status, {"error": {"type": kind, "message": words}})
