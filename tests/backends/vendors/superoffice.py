"""SuperOffice's REST Web API as its documentation has it: archives for lists, entities for records, merge patches."""

import re
from copy import deepcopy
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from api_transport.testing import Asked, Said

from tests.backends.vendors.vendor import Row, Vendor, body_of, refuse

ENTITIES = {"Person": "contact", "Contact": "customer"}
KEYS = {"contact": "PersonId", "customer": "ContactId"}
LISTS = {"contact": {"Emails", "OfficePhones", "MobilePhones"}, "customer": {"Emails", "Phones", "Urls"}}
TEXTS = {"contact": {"Firstname", "Lastname", "Title"}, "customer": {"Name", "OrgNr", "Description", "Department"}}
COLUMNS = {
    "contact": {"personId": "PersonId", "email/emailAddress": "Emails"},
    "customer": {"contactId": "ContactId", "name": "Name", "orgnr": "OrgNr", "email/emailAddress": "Emails"},
}
CHANGED = {"contact": "personUpdatedDate", "customer": "updatedDate"}
LINE = dict.fromkeys(("Address1", "Address2", "Address3", "City", "County", "State", "Zipcode"), "")
STRING = r"'((?:[^']|'')*)'"
PATH = "/Cust26759/api/v1"
TOKEN_PATH = "/login/common/oauth/tokens"


class SuperOffice(Vendor):
    """A tenant of SuperOffice Online that lets a person be without a company. It has no products of its own."""

    name = "superoffice"
    key = "the-client-secret"
    settings: ClassVar = {
        "api_user": "the-client-id",
        "refresh_token": "the-refresh-token",
        "profile_variables": {"token_url": TOKEN_PATH},
    }
    base = PATH
    fields: ClassVar = {
        "contact": {
            "FirstName": "Firstname",
            "LastName": "Lastname",
            "Email": "Emails",
            "Phone": "OfficePhones",
            "MobilePhone": "MobilePhones",
            "CustomerId": "Contact.ContactId",
        },
        "customer": {
            "Name": "Name",
            "OrganizationNumber": "OrgNr",
            "Email": "Emails",
            "Phone": "Phones",
            "Website": "Urls",
            "Description": "Description",
            "StreetAddress1": "Address.Postal.Address1",
            "StreetAddress2": "Address.Postal.Address2",
            "ZipCode": "Address.Postal.Zipcode",
            "City": "Address.Postal.City",
        },
    }
    largest_page = 500

    def value(self, stream: str, row: Row, name: str) -> Any:
        """The first entry of a list; an id is a text to users."""
        path = self.fields[stream][name]
        if path in LISTS[stream]:
            return row[path][0]["Value"] if row[path] else None
        said = super().value(stream, row, name)
        return str(said) if name == "CustomerId" and said is not None else said

    def put(self, stream: str, row: Row, name: str, value: Any) -> None:
        """As `value` reads it."""
        path = self.fields[stream][name]
        if path in LISTS[stream]:
            row[path] = [*([entry(value)] if value else []), *row[path][1:]]
        elif name == "CustomerId":
            row["Contact"] = None if value is None else self._contact(int(value))
        elif name != "Country":
            super().put(stream, row, name, value or "")

    def theirs(self, stream: str, values: Any) -> Row:
        """A company's country is not synchronised."""
        return super().theirs(stream, {name: value for name, value in values.items() if name != "Country"})

    def _contact(self, number: Any) -> Row:
        company = self.rows["customer"].get(str(number))
        if company is None:
            raise refused(400, "SoArgumentException", "no such company")
        return {"ContactId": number, "Name": company["Name"], "OrgNr": company["OrgNr"]}

    def new_id(self, stream: str, row: Row) -> str:
        """A number."""
        row[KEYS[stream]] = self.number()
        row["CreatedDate"] = self.stamp()
        return str(row[KEYS[stream]])

    def blank(self, stream: str) -> Row:
        """Every field is there; a text without a value is empty."""
        lists: dict[str, Any] = {name: [] for name in sorted(LISTS[stream])}
        own = {"Contact": None} if stream == "contact" else {"Address": {"Postal": dict(LINE), "Street": dict(LINE)}}
        return {**dict.fromkeys(sorted(TEXTS[stream]), ""), **lists, **own}

    def touch(self, stream: str, row: Row) -> None:
        """The time of the last change is the version too."""
        del stream
        row["UpdatedDate"] = self.stamp()

    def stamp(self) -> str:
        """Seconds, UTC."""
        return self.now().isoformat(timespec="seconds").replace("+00:00", "Z")

    def add_others(self, stream: str, record_id: str) -> dict[str, Row]:
        """A user adds a second address and a second number."""
        added = {"Emails": entry("salg@alfa.example.no"), "Phones": entry("+47 99 88 77 66")}
        for name, one in added.items():
            self.rows[stream][record_id][name].append(one)
        return added

    def authorise(self, asked: Asked) -> None:
        """A token that is given for a refresh token."""
        if asked.path == TOKEN_PATH:
            return
        if asked.headers.get("Authorization") != "Bearer 8A:Cust26759.token":
            raise refused(401, "SoSessionException", "Authorization failed")
        if asked.headers.get("Accept") != "application/json":
            raise refuse(200, "<html>for people</html>", {"Content-Type": "text/html"})
        if "+" in urlsplit(asked.target).query:
            raise refused(400, "SoODataException", "a blank is %20")

    def answer(self, asked: Asked) -> Said:
        """The token, an archive, or an entity."""
        if asked.path == TOKEN_PATH:
            return self._token(asked)
        match = re.fullmatch(rf"{PATH}/(\w+)(?:/(\d+))?", asked.path)
        if match is None or match[1] not in ENTITIES:
            raise refused(404, "SoNotFoundException", "no such address")
        stream = ENTITIES[match[1]]
        if match[2] is not None:
            return self._one(asked, stream, match[2])
        if asked.method == "GET":
            return self._archive(asked, stream)
        row = self._merged(self.blank(stream), self._checked(asked, stream), stream)
        if not row.get("Name" if stream == "customer" else "Lastname") or asked.method != "POST":
            raise refused(400, "SoArgumentException", "a name is needed")
        return Said(self.rows[stream][self.insert(stream, row)], 201)

    def _token(self, asked: Asked) -> Said:
        known = {"grant_type": "refresh_token", "client_id": "the-client-id", "client_secret": self.key}
        if dict(parse_qsl(asked.body.decode())) != {**known, "refresh_token": "the-refresh-token"}:
            raise refuse(400, {"error": "invalid_grant", "error_description": "Invalid refresh token"})
        return Said({"token_type": "Bearer", "access_token": "8A:Cust26759.token", "expires_in": 3600})

    def _archive(self, asked: Asked, stream: str) -> Said:
        query = dict(asked.query)
        key = KEYS[stream][0].lower() + KEYS[stream][1:]
        if query.pop("$select", "") != key or query.pop("$orderBy", key) != key:
            raise refused(400, "SoODataException", "not imitated: other columns")
        top, skip, condition = int(query.pop("$top", "50")), int(query.pop("$skip", "0")), query.pop("$filter", "")
        if query:
            raise refused(400, "SoODataException", f"unknown {sorted(query)}")
        rows = [row for row in self.rows[stream].values() if self._matches(row, stream, condition)]
        some = sorted(rows, key=lambda row: int(row[KEYS[stream]]))[skip : skip + top]
        told = [{"PrimaryKey": row[KEYS[stream]], "EntityName": "?", key: row[KEYS[stream]]} for row in some]
        return Said({"odata.metadata": "?", "odata.nextLink": None, "value": told})

    def _matches(self, row: Row, stream: str, condition: str) -> bool:
        if match := re.fullmatch(r"(\w+)Id gt 0", condition):
            return True
        if match := re.fullmatch(rf"{CHANGED[stream]} after '(\d{{4}}-\d\d-\d\d)'", condition):
            return str(row["UpdatedDate"])[:10] > match[1]
        pairs = re.findall(rf"([\w/]+) eq {STRING}", condition)
        if not pairs or " and ".join(f"{name} eq '{value}'" for name, value in pairs) != condition:
            raise refused(400, "SoODataException", "the filter is not understood")
        for name, value in pairs:
            if name not in COLUMNS[stream]:
                raise refused(400, "SoODataException", f"no column {name}")
            here = row[COLUMNS[stream][name]]
            texts = [one["Value"] for one in here] if isinstance(here, list) else [str(here)]
            if value.replace("''", "'").casefold() not in [text.casefold() for text in texts]:
                return False
        return True

    def _one(self, asked: Asked, stream: str, record_id: str) -> Said:
        row = self.rows[stream].get(record_id)
        if row is None:
            # Whether a record is still there may be asked.
            return Said({"Error": True, "ErrorType": "SoNotFoundException", "ErrorMessage": "not found"}, 404)
        if asked.method == "GET":
            return Said(row)
        since = asked.headers.get("If-Unmodified-Since")
        if since is not None and parsedate_to_datetime(since).strftime("%Y-%m-%dT%H:%M:%SZ") < row["UpdatedDate"]:
            raise refused(412, "SoException", "the entity has changed")
        if asked.method == "DELETE":
            self.delete(stream, record_id)
            return Said(None, 204)
        if asked.method != "PATCH":
            raise refused(405, "SoException", "not imitated")
        row |= self._merged(row, self._checked(asked, stream), stream)
        self.touch(stream, row)
        return Said(row)

    def _checked(self, asked: Asked, stream: str) -> Row:
        said: Row = body_of(asked)
        unknown = set(said) - TEXTS[stream] - LISTS[stream] - {"Contact" if stream == "contact" else "Address"}
        if unknown:
            raise refused(400, "SoJsonException", f"no property {sorted(unknown)}")
        for name in LISTS[stream] & set(said):
            if not isinstance(said[name], list) or any(not one.get("Value") for one in said[name]):
                raise refused(400, "SoJsonException", f"{name} is a list of values")
        return said

    def _merged(self, row: Row, said: Row, stream: str) -> Row:
        """RFC 7396: objects are merged, anything else is replaced."""
        made = merged(deepcopy(row), said)
        for name in LISTS[stream]:
            made[name] = [
                {**entry(one["Value"]), "Description": one.get("Description", "")} for one in made[name] or []
            ]
        for name in TEXTS[stream]:
            made[name] = made.get(name) or ""
        if said.get("Contact") is not None:
            made["Contact"] = self._contact(said["Contact"]["ContactId"])
        elif stream == "contact":
            made.setdefault("Contact", None)
        return made

    def is_write(self, asked: Asked) -> bool:
        """Everything but a GET and a token."""
        return asked.method != "GET" and asked.path != TOKEN_PATH


def entry(value: str) -> Row:
    """An e-mail address, a number or an address of a page, as SuperOffice has it in its lists."""
    return {"Value": value, "StrippedValue": "".join(filter(str.isalnum, value)), "Description": ""}


def merged(row: Any, said: Any) -> Any:
    """A merge patch; null takes away."""
    if not isinstance(said, dict):
        return said
    made = dict(row) if isinstance(row, dict) else {}
    for name, value in said.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merged(made.get(name), value)
    return made


def refused(status: int, kind: str, message: str) -> Exception:
    """In SuperOffice's words."""
    return refuse(status, {"Error": True, "ErrorType": kind, "ErrorMessage": message})
