"""Odoo 19's JSON-2 API as its documentation has it: methods by POST, false for no value, pairs for references."""

import re
from typing import Any, ClassVar

from api_transport.testing import Asked, Said

from tests.backends.vendors.vendor import Row, Vendor, body_of, refuse

MODELS = {"res.partner": ("contact", "customer"), "product.template": ("product",)}
PARTNER = {
    "name",
    "email",
    "phone",
    "website",
    "company_registry",
    "street",
    "street2",
    "zip",
    "city",
    "comment",
    "x_country_code",
    "parent_id",
    "is_company",
    "active",
}
COLUMNS = {
    "res.partner": PARTNER,
    "product.template": {"name", "default_code", "description_sale", "list_price", "active"},
}
OWN = {"id", "create_date", "write_date"}
ARGUMENTS = {
    "search_read": {"domain", "fields", "offset", "limit", "order", "context"},
    "create": {"vals_list", "context"},
    "write": {"ids", "vals", "context"},
}
OPERATORS = ("=", "in", ">=", "=ilike")


class Odoo(Vendor):
    """A database with contacts and products."""

    name = "odoo"
    settings: ClassVar = {"profile_variables": {"database": "example", "country": "x_country_code"}}
    fields: ClassVar = {
        "contact": {
            "FirstName": "name",
            "LastName": "name",
            "Email": "email",
            "MobilePhone": "phone",
            "CustomerId": "parent_id",
        },
        "customer": {
            "Name": "name",
            "OrganizationNumber": "company_registry",
            "Email": "email",
            "Phone": "phone",
            "Website": "website",
            "Description": "comment",
            "StreetAddress1": "street",
            "StreetAddress2": "street2",
            "ZipCode": "zip",
            "City": "city",
            "Country": "x_country_code",
        },
        "product": {
            "Name": "name",
            "Number": "default_code",
            "Description": "description_sale",
            "Price": "list_price",
        },
    }

    def new_id(self, stream: str, row: Row) -> str:
        """A number of the table's; persons and companies are in one."""
        del stream
        row |= {"id": self.number(), "create_date": self.stamp()}
        return str(row["id"])

    def blank(self, stream: str) -> Row:
        """Every column is there, mostly false."""
        columns = sorted(COLUMNS["product.template" if stream == "product" else "res.partner"])
        own = {"list_price": 0.0} if stream == "product" else {"is_company": stream == "customer"}
        return {**dict.fromkeys(columns, False), **own, "active": True}

    def touch(self, stream: str, row: Row) -> None:
        """Moves write_date with every change."""
        del stream
        row["write_date"] = self.stamp()

    def stamp(self) -> str:
        """Seconds, UTC, with no zone."""
        return self.now().strftime("%Y-%m-%d %H:%M:%S")

    def value(self, stream: str, row: Row, name: str) -> Any:
        """False is no value; of a person's name a part."""
        found = row[self.fields[stream][name]]
        if name in ("FirstName", "LastName"):
            return parts(found)[name] or None
        if name == "CustomerId":
            return str(found[0]) if found else None
        return None if found is False or found == "" else found

    def put(self, stream: str, row: Row, name: str, value: Any) -> None:
        """A user writes into a field; what a name is made of comes in its order."""
        if name in ("FirstName", "LastName"):
            row["name"] = f"{row['name'] or ''} {value}".strip()
        elif name == "CustomerId":
            row["parent_id"] = self._pair(value)
        else:
            row[self.fields[stream][name]] = False if value is None else value

    def _pair(self, record_id: Any) -> Any:
        return [int(record_id), self.rows["customer"][str(record_id)]["name"]] if record_id else False

    def delete(self, stream: str, record_id: str) -> None:
        """A user archives a record; it stays what others refer to, but the reference is emptied here."""
        super().delete(stream, record_id)
        self.gone[stream][record_id]["active"] = False

    def authorise(self, asked: Asked) -> None:
        """A key, and the database."""
        if asked.headers.get("Authorization", "").lower() != f"bearer {self.key}".lower():
            raise refused(401, "werkzeug.exceptions.Unauthorized", "Invalid apikey")
        if asked.headers.get("X-Odoo-Database") != "example":
            raise refused(404, "werkzeug.exceptions.NotFound", "no such database")

    def answer(self, asked: Asked) -> Said:
        """A method of a model."""
        match = re.fullmatch(r"/json/2/([\w.]+)/(\w+)", asked.path)
        if match is None or match[1] not in MODELS or match[2] not in ARGUMENTS or asked.method != "POST":
            raise refused(404, "werkzeug.exceptions.NotFound", "the model or the method does not exist")
        model, method = match.groups()
        body = body_of(asked)
        if set(body) - ARGUMENTS[method] or asked.query:
            raise refused(422, "builtins.TypeError", "got an unexpected keyword argument")
        if method == "search_read":
            return Said(self._found(body, model))
        if method == "create":
            return Said([self._create(values, model) for values in body["vals_list"]])
        return Said(self._write(body["ids"], body["vals"], model))

    def _found(self, body: Row, model: str) -> list[Row]:
        rows = [row for stream in MODELS[model] for row in self.rows[stream].values()]
        if body.get("context", {}).get("active_test") is False:
            rows += [row for stream in MODELS[model] for row in self.gone[stream].values()]
        for condition in body["domain"]:
            rows = [row for row in rows if self._matches(row, condition, model)]
        for name in reversed(body.get("order", "id").split(",")):
            column = self._column(name.strip(), model)
            rows.sort(key=lambda row: row[column])
        names = [self._column(name, model) for name in body["fields"]]
        start = body.get("offset", 0)
        return [{name: row[name] for name in ["id", *names]} for row in rows[start : start + body.get("limit", 1000)]]

    def _column(self, name: str, model: str) -> str:
        if name not in COLUMNS[model] | OWN:
            raise refused(422, "builtins.ValueError", f"Invalid field '{name}' on '{model}'")
        return name

    def _matches(self, row: Row, condition: Any, model: str) -> bool:
        name, operator, wanted = condition
        found = row[self._column(name, model)]
        if operator not in OPERATORS or (operator == "in") != isinstance(wanted, list):
            raise refused(422, "builtins.ValueError", f"Invalid leaf {condition}")
        if name == "id" and not all(isinstance(one, int) for one in (wanted if operator == "in" else [wanted])):
            raise refused(422, "builtins.ValueError", "ids are numbers")
        if operator == "in":
            return found in wanted
        if operator == ">=":
            return bool(found >= wanted)
        if operator == "=":
            return bool(found == wanted)
        like = "".join({"%": ".*", "_": "."}.get(one, re.escape(one)) for one in wanted)
        return found is not False and re.fullmatch(like, found, re.IGNORECASE) is not None

    def _create(self, values: Row, model: str) -> int:
        stream = MODELS[model][-1] if model != "res.partner" or values.get("is_company") else "contact"
        if not values.get("name"):
            raise refused(422, "odoo.exceptions.ValidationError", "The operation cannot be completed: name is missing")
        return int(self.insert(stream, {**self.blank(stream), **self._checked(values, model)}))

    def _write(self, ids: list[int], values: Row, model: str) -> bool:
        for record_id in map(str, ids):
            stream = next((one for one in MODELS[model] if record_id in self.rows[one]), None)
            if stream is None or not isinstance(ids[0], int):
                raise refused(404, "odoo.exceptions.MissingError", "Record does not exist or has been deleted.")
            row = self.rows[stream][record_id]
            row |= self._checked(values, model)
            self.touch(stream, row)
            if row["active"] is False:
                self.delete(stream, record_id)
        return True

    def _checked(self, values: Row, model: str) -> Row:
        made = {}
        for name, value in values.items():
            kind: Any = {"parent_id": int, "list_price": (int, float), "active": bool, "is_company": bool}.get(
                name, str
            )
            is_none = value is None or value is False
            if self._column(name, model) in OWN or not (is_none or isinstance(value, kind)):
                raise refused(422, "builtins.ValueError", f"Wrong value for {model}.{name}")
            if name == "parent_id" and not is_none and str(value) not in self.rows["customer"]:
                raise refused(404, "odoo.exceptions.MissingError", "Record does not exist or has been deleted.")
            made[name] = self._pair(value) if name == "parent_id" else False if is_none else value
        return made

    def is_write(self, asked: Asked) -> bool:
        """Everything but a search."""
        return not asked.path.endswith("/search_read")

    def beyond_the_limit(self) -> Said:
        """Odoo Online's own."""
        return refused(429, "werkzeug.exceptions.TooManyRequests", "Too many requests").said


def parts(name: str) -> Row:
    """How a person is shown here whose name is in one field: by the first word, and the others."""
    first, _, others = str(name).partition(" ")
    return {"FirstName": first, "LastName": others}


def refused(status: int, name: str, message: str) -> Any:
    """In Odoo's words."""
    return refuse(status, {"name": name, "message": message, "arguments": [message], "context": {}, "debug": ""})
