"""Lime CRM's limeobject API as its documentation has it: HAL, links to the next page, relations by id."""

import re
from typing import Any, ClassVar
from urllib.parse import quote

from api_transport.testing import Asked, Said

from tests.backends.vendors.vendor import Row, Vendor, body_of, refuse

LIMETYPES = {"person": "contact", "company": "customer", "product": "product"}
FIELDS = {
    "contact": {"firstname", "lastname", "email", "phone", "mobilephone", "company"},
    "customer": {
        "name",
        "registrationno",
        "email",
        "phone",
        "www",
        "note",
        "postaladdress1",
        "postaladdress2",
        "postalzipcode",
        "postalcity",
        "countrycode",
    },
    "product": {"name", "articlenumber"},
}
PATH = "/basic/api/v1"


class Lime(Vendor):
    """An application with the names of the basic solution, and a field for a company's country."""

    name = "lime"
    settings: ClassVar = {"profile_variables": {"country": "countrycode"}}
    base = PATH
    fields: ClassVar = {
        "contact": {
            "FirstName": "firstname",
            "LastName": "lastname",
            "Email": "email",
            "Phone": "phone",
            "MobilePhone": "mobilephone",
            "CustomerId": "company",
        },
        "customer": {
            "Name": "name",
            "OrganizationNumber": "registrationno",
            "Email": "email",
            "Phone": "phone",
            "Website": "www",
            "Description": "note",
            "StreetAddress1": "postaladdress1",
            "StreetAddress2": "postaladdress2",
            "ZipCode": "postalzipcode",
            "City": "postalcity",
            "Country": "countrycode",
        },
        "product": {"Name": "name", "Number": "articlenumber"},
    }

    def value(self, stream: str, row: Row, name: str) -> Any:
        """An id is a text to users."""
        said = super().value(stream, row, name)
        return str(said) if name == "CustomerId" and said is not None else said

    def put(self, stream: str, row: Row, name: str, value: Any) -> None:
        """A text without a value is empty; a relation is a number."""
        if name == "CustomerId":
            row["company"] = None if value is None else int(value)
        else:
            super().put(stream, row, name, "" if value is None else value)

    def new_id(self, stream: str, row: Row) -> str:
        """A number."""
        del stream
        row["_id"] = 1000 + self.number()
        row["_createdtime"] = self.stamp()
        return str(row["_id"])

    def blank(self, stream: str) -> Row:
        """Every property is there."""
        return {name: None if name == "company" else "" for name in sorted(FIELDS[stream])}

    def touch(self, stream: str, row: Row) -> None:
        """The time of the last change."""
        del stream
        row["_timestamp"] = self.stamp()

    def stamp(self) -> str:
        """Microseconds, with a zone."""
        return self.now().isoformat(timespec="microseconds")

    def authorise(self, asked: Asked) -> None:
        """The key of an API user."""
        if asked.headers.get("X-Api-Key") != self.key:
            raise refuse(401, {"message": "Unauthorized"})
        if asked.headers.get("Accept") != "application/hal+json":
            raise refuse(406, {"message": "Not acceptable"})

    def answer(self, asked: Asked) -> Said:
        """A list, or an object; both addresses end in a slash."""
        match = re.fullmatch(rf"{PATH}/limeobject/(\w+)/(?:(\d+)/)?", asked.path)
        if match is None or match[1] not in LIMETYPES:
            raise refuse(404, {"message": "Not found"})
        stream = LIMETYPES[match[1]]
        if match[2] is not None:
            return self._one(asked, stream, match[2])
        if asked.method == "GET":
            return self._list(asked, stream)
        if asked.method != "POST" or asked.query:
            raise refuse(405, {"message": "Method not allowed"})
        row = {**self.blank(stream), **self._checked(body_of(asked), stream)}
        return Said(self._shown(self.rows[stream][self.insert(stream, row)]), 201)

    def _shown(self, row: Row) -> Row:
        return {**row, "_descriptive": "", "_links": {"self": {"href": "?"}}}

    def _list(self, asked: Asked, stream: str) -> Said:
        query = dict(asked.query)
        limit, offset = int(query.pop("_limit", "10")), int(query.pop("_offset", "0"))
        if limit > 50:
            raise refuse(400, {"message": "_limit is 50 at most"})
        rows = sorted(self.rows[stream].values(), key=lambda row: int(row["_id"]))
        for name, value in query.items():
            if name not in FIELDS[stream]:
                raise refuse(400, {"message": f"no property {name}"})
            rows = [row for row in rows if str(row[name] or "").casefold() == value.casefold()]
        size = min(limit, self.largest_page)
        some, end = rows[offset : offset + size], offset + size
        links: Row = {"self": {"href": "?"}}
        if end < len(rows):
            same = "".join(f"&{quote(name)}={quote(value)}" for name, value in query.items())
            address = f"{self.api_url}{asked.path.removeprefix(PATH)}"
            links["next"] = {"href": f"{address}?_limit={limit}&_offset={end}{same}"}
        return Said({"_links": links, "_embedded": {"limeobjects": [self._shown(row) for row in some]}})

    def _one(self, asked: Asked, stream: str, record_id: str) -> Said:
        row = self.rows[stream].get(record_id)
        if row is None:
            # Whether an object is still there may be asked.
            return Said({"message": "Not found"}, 404)
        if asked.method == "GET":
            return Said(self._shown(row))
        if asked.method == "DELETE":
            self.delete(stream, record_id)
            return Said(None, 204)
        if asked.method != "PUT":
            raise refuse(405, {"message": "Method not allowed"})
        row |= self._checked(body_of(asked), stream)
        self.touch(stream, row)
        return Said(None, 204)

    def _checked(self, said: Row, stream: str) -> Row:
        """Underscores are the system's; a text is a text, a relation a number."""
        for name, value in said.items():
            if name not in FIELDS[stream]:
                raise refuse(400, {"message": f"no property {name} that can be written"})
            if name == "company":
                if value is not None and (not isinstance(value, int) or str(value) not in self.rows["customer"]):
                    raise refuse(422, {"message": "company leads nowhere"})
            elif not isinstance(value, str):
                raise refuse(422, {"message": f"{name} is a text"})
        return said

    def is_write(self, asked: Asked) -> bool:
        """Everything but a GET."""
        return asked.method != "GET"
