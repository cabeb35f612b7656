"""EspoCRM's API v1 as its documentation has it: `where` in the query, a version in a header, a check for duplicates."""

import re
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from api_transport.testing import Asked, Said

from tests.backends.vendors.vendor import Row, Vendor, body_of, refuse

TABLES = {"Contact": "contact", "Account": "customer", "Product": "product"}
FIELDS = {
    "contact": {"firstName", "lastName", "emailAddress", "phoneNumber", "accountId"},
    "customer": {
        "name",
        "cOrganizationNumber",
        "emailAddress",
        "phoneNumber",
        "website",
        "description",
        "billingAddressStreet",
        "billingAddressPostalCode",
        "billingAddressCity",
        "cCountryCode",
    },
    "product": {"name", "partNumber", "description", "listPrice"},
}
OWN = {"id", "createdAt", "modifiedAt", "deleted", "versionNumber"}
REQUIRED = {"contact": "lastName", "customer": "name", "product": "name"}
PATH = "/api/v1"
WHERE = {"where[0][type]", "where[0][attribute]", "where[0][value]", "where[0][value][]"}


class EspoCrm(Vendor):
    """An EspoCRM with the Sales Pack, the fields of our page, and optimistic concurrency control turned on."""

    name = "espocrm"
    base = PATH
    fields: ClassVar = {
        "contact": {
            "FirstName": "firstName",
            "LastName": "lastName",
            "Email": "emailAddress",
            "MobilePhone": "phoneNumber",
            "CustomerId": "accountId",
        },
        "customer": {
            "Name": "name",
            "OrganizationNumber": "cOrganizationNumber",
            "Email": "emailAddress",
            "Phone": "phoneNumber",
            "Website": "website",
            "Description": "description",
            "StreetAddress1": "billingAddressStreet",
            "ZipCode": "billingAddressPostalCode",
            "City": "billingAddressCity",
            "Country": "cCountryCode",
        },
        "product": {"Name": "name", "Number": "partNumber", "Description": "description", "Price": "listPrice"},
    }

    def new_id(self, stream: str, row: Row) -> str:
        """Seventeen characters."""
        del stream
        row["id"] = f"64f{self.number():014x}"
        row["createdAt"] = self.stamp()
        row["versionNumber"] = 0
        return str(row["id"])

    def blank(self, stream: str) -> Row:
        """Every field is there, mostly null."""
        return {**dict.fromkeys(sorted(FIELDS[stream])), "deleted": False}

    def touch(self, stream: str, row: Row) -> None:
        """The version grows with every change."""
        del stream
        row["modifiedAt"] = self.stamp()
        row["versionNumber"] += 1

    def stamp(self) -> str:
        """Seconds, in UTC, which it does not say."""
        return self.now().strftime("%Y-%m-%d %H:%M:%S")

    def authorise(self, asked: Asked) -> None:
        """The key of an API user."""
        if asked.headers.get("X-Api-Key") != self.key:
            raise refuse(401, None)

    def answer(self, asked: Asked) -> Said:
        """A list, or a record."""
        match = re.fullmatch(rf"{PATH}/(\w+)(?:/(\w+))?", asked.path)
        if match is None or match[1] not in TABLES:
            raise refuse(404, None, {"X-Status-Reason": "Not found"})
        stream = TABLES[match[1]]
        if match[2] is not None:
            return self._one(asked, stream, match[2])
        return self._list(asked, stream) if asked.method == "GET" else self._create(asked, stream)

    def _list(self, asked: Asked, stream: str) -> Said:
        pairs = parse_qsl(urlsplit(asked.target).query)
        query = dict(pairs)
        if set(query) - WHERE - {"maxSize", "offset", "orderBy", "order", "select"}:
            raise refused(400, "unknown parameter")
        size, offset = int(query.get("maxSize", "200")), int(query.get("offset", "0"))
        if size > 200:
            raise refused(403, "Max size should should not exceed 200. Use offset and limit.")
        values = [value for name, value in pairs if name.startswith("where[0][value]")]
        rows = [row for row in self.rows[stream].values() if self._matches(row, stream, query, values)]
        if query.get("orderBy") not in ("createdAt", "modifiedAt") or query.get("order") != "asc":
            raise refused(400, "not imitated: another order")
        rows.sort(key=lambda row: (row[query["orderBy"]], row["id"]))
        return Said({"total": -1, "list": rows[offset : offset + size]})

    def _matches(self, row: Row, stream: str, query: dict[str, str], values: list[str]) -> bool:
        kind, name = query.get("where[0][type]"), query.get("where[0][attribute]", "")
        if kind is None:
            return True
        if name not in FIELDS[stream] | OWN:
            raise refused(400, f"Bad attribute {name}")
        here = str(row[name] or "")
        if kind == "greaterThanOrEquals" and re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", values[0]):
            return here >= values[0]
        if kind == "in" and "where[0][value][]" in query:
            return here in values
        if kind == "equals" and "where[0][value]" in query:
            return here.casefold() == values[0].casefold()
        raise refused(400, f"Bad where {kind}")

    def _create(self, asked: Asked, stream: str) -> Said:
        if asked.method != "POST" or asked.query:
            raise refused(405, "Method not allowed")
        row = {**self.blank(stream), **self._checked(body_of(asked), stream)}
        if not row[REQUIRED[stream]]:
            raise refuse(400, {"messageTranslation": {"label": "validationFailure", "scope": None, "data": {}}})
        alike = [one for one in self.rows[stream].values() if self.full_name(one) == self.full_name(row)]
        if alike and asked.headers.get("X-Skip-Duplicate-Check") != "true":
            raise refuse(409, alike, {"X-Status-Reason": "duplicate"})
        return Said(self.rows[stream][self.insert(stream, row)])

    def full_name(self, row: Row) -> list[Any]:
        """What duplicates have in common."""
        return [row.get(name) for name in ("name", "firstName", "lastName")]

    def _one(self, asked: Asked, stream: str, record_id: str) -> Said:
        row = self.rows[stream].get(record_id)
        if row is None:
            raise refuse(404, None, {"X-Status-Reason": "Record does not exist"})
        if asked.method == "GET":
            return Said(row)
        if asked.method == "DELETE":
            self.delete(stream, record_id)
            return Said("true", headers={"Content-Type": "application/json"})
        if asked.method not in ("PUT", "PATCH"):
            raise refused(405, "Method not allowed")
        said = self._checked(body_of(asked), stream)
        version = asked.headers.get("X-Version-Number")
        if version is not None and version != str(row["versionNumber"]):
            raise refuse(409, {"values": row, "versionNumber": row["versionNumber"]}, {"X-Status-Reason": "modified"})
        row |= said
        self.touch(stream, row)
        return Said(row)

    def _checked(self, said: Row, stream: str) -> Row:
        """Names that nobody knows would be passed over; here they are refused."""
        if set(said) - FIELDS[stream]:
            raise refused(400, f"unknown attributes {sorted(set(said) - FIELDS[stream])}")
        account = said.get("accountId")
        if account is not None and account not in self.rows["customer"]:
            raise refused(400, "no such account")
        return said

    def is_write(self, asked: Asked) -> bool:
        """Everything but a GET."""
        return asked.method != "GET"


def refused(status: int, reason: str) -> Exception:
    """EspoCRM says why in a header, and often nothing in the body."""
    return refuse(status, {"messageTranslation": None, "message": reason}, {"X-Status-Reason": reason})
