"""Freshsales' API as its documentation has it: views, searches by POST, look-ups, a contact's accounts as a list."""

import re
from datetime import datetime
from typing import Any, ClassVar

from api_transport.testing import Asked, Said

from tests.backends.vendors.vendor import RefusedError, Row, Vendor, body_of, refuse

KINDS = {"contacts": "contact", "sales_accounts": "customer", "cpq/products": "product"}
SINGULAR = {"contact": "contact", "customer": "sales_account", "product": "product"}
VIEWS = {"contacts": "70", "sales_accounts": "71"}
OWN_FIELDS = {"cf_organization_number", "cf_email", "cf_description", "cf_country_code", "cf_segment"}
COLUMNS = {
    "contact": {"first_name", "last_name", "email", "work_number", "mobile_number", "sales_accounts", "job_title"},
    "customer": {"name", "phone", "website", "address", "city", "zipcode", "country", "custom_field"},
    "product": {"name", "product_code", "description"},
}
SEARCHED = {"contact": {"email", "name", "mobile_number"}, "sales_account": {"name", *OWN_FIELDS}}
PATH = "/crm/sales/api"


class Freshsales(Vendor):
    """An account with the fields of our page added."""

    name = "freshsales"
    settings: ClassVar = {"profile_variables": {"all_contacts": 70, "all_accounts": 71}}
    base = PATH
    fields: ClassVar = {
        "contact": {
            "FirstName": "first_name",
            "LastName": "last_name",
            "Email": "email",
            "Phone": "work_number",
            "MobilePhone": "mobile_number",
            "CustomerId": "sales_accounts",
        },
        "customer": {
            "Name": "name",
            "OrganizationNumber": "custom_field.cf_organization_number",
            "Email": "custom_field.cf_email",
            "Phone": "phone",
            "Website": "website",
            "Description": "custom_field.cf_description",
            "StreetAddress1": "address",
            "ZipCode": "zipcode",
            "City": "city",
            "Country": "custom_field.cf_country_code",
        },
        "product": {"Name": "name", "Number": "product_code", "Description": "description"},
    }

    def new_id(self, stream: str, row: Row) -> str:
        """A number."""
        del stream
        row |= {"id": 70000000000 + self.number(), "created_at": self.stamp()}
        return str(row["id"])

    def blank(self, stream: str) -> Row:
        """Every field is there, mostly null."""
        lists = {"contact": {"sales_accounts": []}, "customer": {"custom_field": dict.fromkeys(sorted(OWN_FIELDS))}}
        return {**dict.fromkeys(sorted(COLUMNS[stream])), **lists.get(stream, {})}

    def touch(self, stream: str, row: Row) -> None:
        """Moves updated_at with every change."""
        del stream
        row["updated_at"] = self.stamp()

    def stamp(self) -> str:
        """Seconds, with a zone."""
        return self.now().isoformat(timespec="seconds")

    def value(self, stream: str, row: Row, name: str) -> Any:
        """Of a contact's accounts the primary one."""
        if name == "CustomerId":
            return next((str(one["id"]) for one in row["sales_accounts"] if one["is_primary"]), None)
        return super().value(stream, row, name)

    def put(self, stream: str, row: Row, name: str, value: Any) -> None:
        """A user chooses the primary account, or takes it away."""
        if name == "CustomerId":
            others = [one for one in row["sales_accounts"] if not one["is_primary"]]
            row["sales_accounts"] = [*([] if value is None else [self._account(str(value), is_primary=True)]), *others]
        else:
            super().put(stream, row, name, value)

    def _account(self, record_id: str, *, is_primary: bool) -> Row:
        account = self.rows["customer"][record_id]
        return {"partial": True, "id": account["id"], "name": account["name"], "is_primary": is_primary}

    def authorise(self, asked: Asked) -> None:
        """A user's key."""
        if asked.headers.get("Authorization") != f"Token token={self.key}":
            raise refuse(401, {"login": "failed", "message": "Invalid credentials"})

    def answer(self, asked: Asked) -> Said:
        """A look-up, a search, a view, a new record, or a record."""
        path = asked.path.removeprefix(f"{PATH}/")
        if path == "lookup" and asked.method == "GET":
            return self._lookup(asked)
        if (match := re.fullmatch(r"filtered_search/(contact|sales_account)", path)) and asked.method == "POST":
            return self._search(asked, {"contact": "contacts", "sales_account": "sales_accounts"}[match[1]])
        if match := re.fullmatch(r"(contacts|sales_accounts)/view/(\d+)", path):
            if VIEWS[match[1]] != match[2]:
                raise refused(404, "no such view")
            return self._page(asked, match[1], list(self.rows[KINDS[match[1]]].values()))
        match = re.fullmatch(r"(contacts|sales_accounts|cpq/products)(?:/(\d+))?", path)
        if match is None:
            raise refused(404, "no such path")
        stream = KINDS[match[1]]
        if match[2] is None and asked.method == "GET" and stream == "product":
            return self._page(asked, "products", list(self.rows[stream].values()))
        if match[2] is None and asked.method == "POST":
            row = {**self.blank(stream), **self._checked(body_of(asked), stream)}
            self.insert(stream, row)
            return Said({SINGULAR[stream]: row}, 201 if stream == "customer" else 200)
        if match[2] not in self.rows[stream]:
            # Each record is read by itself: asking for one that is gone is no mistake.
            return refused(404, "not found").said
        return self._one(asked, stream, match[2])

    def _one(self, asked: Asked, stream: str, record_id: str) -> Said:
        row = self.rows[stream][record_id]
        if asked.method == "DELETE":
            self.delete(stream, record_id)
            return Said("true")
        if asked.method == "PUT":
            row |= self._checked(body_of(asked), stream)
            self.touch(stream, row)
        elif asked.method != "GET" or set(asked.query) - {"include"}:
            raise refused(400, "no such request")
        return Said({SINGULAR[stream]: self._shown(row, asked)})

    def _shown(self, row: Row, asked: Asked) -> Row:
        """A contact's accounts are told to those who ask for them."""
        hidden = () if asked.query.get("include") == "sales_accounts" else ("sales_accounts",)
        return {name: value for name, value in row.items() if name not in hidden}

    def _page(self, asked: Asked, name: str, rows: list[Row]) -> Said:
        query = asked.query
        if set(query) - {"page", "per_page", "include"} or not 1 <= int(query.get("per_page", 25)) <= 100:
            raise refused(400, "no such parameter")
        start = (int(query.get("page", 1)) - 1) * self.largest_page
        some = [self._shown(row, asked) for row in rows[start : start + self.largest_page]]
        return Said({name: some, "meta": {"total": len(rows)}})

    def _search(self, asked: Asked, name: str) -> Said:
        body = body_of(asked)
        rules = body.get("filter_rule")
        if set(body) != {"filter_rule"} or not isinstance(rules, list) or len(rules) != 1:
            raise refused(400, "filter_rule is wrong")
        rule = rules[0]
        if (rule.get("attribute"), rule.get("operator")) != ("updated_at", "is_after"):
            raise refused(400, "attribute or operator is wrong")
        since = datetime.fromisoformat(rule["value"].replace("Z", "+00:00"))
        rows = [one for one in self.rows[KINDS[name]].values() if datetime.fromisoformat(one["updated_at"]) > since]
        return self._page(asked, name, rows)

    def _lookup(self, asked: Asked) -> Said:
        query = asked.query
        kind, field = query.get("entities"), query.get("f")
        if set(query) != {"q", "f", "entities"} or field not in SEARCHED.get(str(kind), ()) or not query["q"]:
            raise refused(400, "q, f or entities is wrong")
        name = f"{kind}s"
        found = [
            {"id": row["id"]}
            for row in self.rows[KINDS[name]].values()
            if str(row.get("custom_field", {}).get(field) if field in OWN_FIELDS else row.get(field)).casefold()
            == query["q"].casefold()
        ]
        return Said({name: {name: found, "meta": {"total": len(found)}}})

    def _checked(self, body: Any, stream: str) -> Row:
        if not isinstance(body, dict) or set(body) != {SINGULAR[stream]}:
            raise refused(400, "the record is to stand under its name")
        said: Row = body[SINGULAR[stream]]
        for name, value in said.items():
            kind: Any = {"sales_accounts": list, "custom_field": dict}.get(name, str)
            if name not in COLUMNS[stream] or (value is not None and not isinstance(value, kind)):
                raise refused(400, f"{name} is invalid")
            if name == "custom_field" and not set(value) <= OWN_FIELDS:
                raise refused(400, "no such custom field")
        if "sales_accounts" in said:
            ids = [str(one.get("id")) for one in said["sales_accounts"]]
            if not set(ids) <= set(self.rows["customer"]):
                raise refused(400, "sales_accounts are invalid")
            flags = [one.get("is_primary") is True for one in said["sales_accounts"]]
            accounts = [self._account(one, is_primary=flag) for one, flag in zip(ids, flags, strict=True)]
            return {**said, "sales_accounts": accounts}
        return said

    def is_write(self, asked: Asked) -> bool:
        """Everything but a GET and a search."""
        return asked.method != "GET" and "/filtered_search/" not in asked.path

    def beyond_the_limit(self) -> Said:
        """A thousand an hour."""
        said = {"errors": {"code": 429, "message": ["You have exceeded the limit of requests per hour"]}}
        return Said(said, 429, {"Retry-After": "1"})


def refused(status: int, words: str) -> RefusedError:
    """In Freshsales' words."""
    return refuse(status, {"errors": {"code": status, "message": [words]}})
