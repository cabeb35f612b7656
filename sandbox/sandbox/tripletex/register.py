"""Tripletex's objects and the rules by which they are written (reference: Tripletex API, Writing)."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.clock import Clock
from sandbox.store import Store, Table
from sandbox.tripletex.display import computed
from sandbox.tripletex.fixtures import API_EMPLOYEE, DEFAULT_REFS, DEFAULTS, blank_refs, blank_values, fixed_tables
from sandbox.tripletex.refusal import Message, TripletexRefusal, invalid
from sandbox.tripletex.rows import Change, Row, wall_time
from sandbox.tripletex.types import OWNED, ObjectType, object_type, object_types
from sandbox.tripletex.validation import NO_EHF, NORWAY, number_messages, value_messages, whole_messages
from sandbox.tripletex.variants import Variant

FIRST_ID = 10_000_001
FIRST_CUSTOMER_NUMBER = 10_001
ROLES = {"Customer": "isCustomer", "Supplier": "isSupplier"}
"""What an object must be to be found as one of these."""
FIRST_VERSIONS = {"Customer": 1}
NOT_FOUND = "Finner ikke objektet det refereres til."
ONLY_ID = "Kun id kan angis i en referanse."
NOT_HERE = "Leveringsadressen må angis med sin id."
ID_ON_NEW = "Må ikke angis for nye objekter."
ID_NEEDED = "Feltet må fylles ut."

Normalise = Callable[[str, str, str], str]


def _values(name: str, *, folded: bool = False) -> Callable[[Row], Any]:
    if folded:
        return lambda row: (row.values[name] or "").casefold() or None
    return lambda row: row.values[name]


def _refs(name: str) -> Callable[[Row], Any]:
    return lambda row: row.refs[name]


class Register:
    """All objects of the company; whoever calls holds the system's lock.

    `employee` is who writes. `normalise(type, property, text)` is what the server makes of a text it is sent. Where
    `addresses_count` is not set, a change of a customer's address alone is no change of the customer.
    """

    def __init__(self, clock: Clock, variant: Variant, timezone: str = "Europe/Oslo", path: Path | None = None) -> None:
        self.clock = clock
        self.variant = variant
        self.zone = ZoneInfo(timezone)
        self.employee = API_EMPLOYEE
        self.normalise: Normalise | None = None
        self.addresses_count = True
        kept = {
            "customer": Table(
                Row,
                {
                    "email": _values("email", folded=True),
                    "invoiceEmail": _values("invoiceEmail", folded=True),
                    "organizationNumber": _values("organizationNumber"),
                    "customerNumber": _values("customerNumber"),
                    "isInactive": _values("isInactive"),
                    "isCustomer": _values("isCustomer"),
                    "isSupplier": _values("isSupplier"),
                },
            ),
            "contact": Table(Row, {"customer": _refs("customer")}),
            "product": Table(Row, {"name": _values("name"), "number": _values("number"), "ean": _values("ean")}),
            "address": Table(Row),
            "deliveryAddress": Table(Row),
        }
        self.tables: dict[str, Table[Row]] = {**kept, **fixed_tables()}
        self.store = Store(kept, path)

    def row(self, owner: ObjectType, row_id: int) -> Row:
        """The object, which must exist. Raises TripletexRefusal 404."""
        row = self.tables[owner.table].rows.get(row_id)
        if row is None or not row.values.get(ROLES.get(owner.name, ""), True):
            raise TripletexRefusal(6000, f"{owner.name} {row_id} does not exist")
        return row

    def create(self, owner: ObjectType, body: Mapping[str, Any], row_id: int | None = None) -> Row:
        """Make an object of a checked body. Raises TripletexRefusal 422, code 18000."""
        values = {**blank_values(owner.name), **DEFAULTS[owner.name]}
        refs = {**blank_refs(owner.name), **DEFAULT_REFS.get(owner.name, {}), **self._in_norway(owner)}
        messages = [Message(name, ID_ON_NEW, name) for name in ("id", "version") if body.get(name) is not None]
        if self.variant["ehf-default"] == "on" and self._goes_by_ehf(owner, body):
            messages.append(Message("invoiceSendMethod", NO_EHF, "invoiceSendMethod"))
        with self.store.transaction():
            new_id = self.store.next("id", FIRST_ID) if row_id is None else row_id
            row = Row(new_id, owner.name, FIRST_VERSIONS.get(owner.name, 0), values, refs, (self._change("CREATE"),))
            row = self._applied(owner, row, body, messages)
            if owner.name == "Customer":
                for name in ("postalAddress", "physicalAddress"):
                    if row.refs[name] is None:
                        row.refs[name] = self.create(object_type("Address"), {}).id
            if owner.name == "Customer" and row.values["customerNumber"] is None:
                row.values["customerNumber"] = self._customer_number()
            return self._put(row)

    def update(self, owner: ObjectType, row: Row, body: Mapping[str, Any]) -> Row:
        """Change what a checked body names. Raises TripletexRefusal: 409 (8000) at another version, 422 (18000)."""
        wanted = body.get("version")
        if wanted is not None and wanted != row.version:
            raise TripletexRefusal(8000, f"Version {wanted} was sent, {row.version} is current")
        messages = []
        if body.get("id") is not None and body["id"] != row.id:
            messages.append(Message("id", "Stemmer ikke med adressen.", "id"))
        with self.store.transaction():
            owned_before = self._owned_versions(row)
            after = self._applied(owner, row, body, messages)
            moved = self.addresses_count and self._owned_versions(after) != owned_before
            if after.values == row.values and after.refs == row.refs and not moved:
                return row
            return self._put(row.revised(after.values, after.refs, self._change("UPDATE")))

    def create_from(self, owner: ObjectType, body: Mapping[str, Any]) -> Row:
        """One element of a list of new objects."""
        return self.create(owner, body)

    def update_from(self, owner: ObjectType, body: Mapping[str, Any]) -> Row:
        """One element of a list of changes: it names its object. Raises TripletexRefusal."""
        if body.get("id") is None:
            raise invalid("id", ID_NEEDED)
        return self.update(owner, self.row(owner, body["id"]), body)

    def delete(self, owner: ObjectType, row: Row) -> None:
        """Remove an object; a removed customer's contacts stay, working for nobody."""
        with self.store.transaction():
            self.tables[owner.table].remove(row.id)
            if owner.name != "Customer":
                return
            for key in self.tables["contact"].find("customer", [row.id]):
                contact = self.tables["contact"].rows[key]
                refs = {**contact.refs, "customer": None}
                self._put(contact.revised(contact.values, refs, self._change("UPDATE")))
            for prop in owner.references:
                if prop.kind in OWNED and row.refs[prop.name] is not None:
                    self.tables[object_type(prop.kind).table].remove(row.refs[prop.name])

    def _applied(self, owner: ObjectType, row: Row, body: Mapping[str, Any], messages: list[Message]) -> Row:
        """The object with the body's values, its addresses written. Raises TripletexRefusal 422, code 18000."""
        # A customer always has a number: where none is said it keeps its own, or is given one.
        unsaid = ["id", "version", *(["customerNumber"] if body.get("customerNumber") is None else [])]
        body = {name: value for name, value in body.items() if name not in unsaid}
        messages += value_messages(owner, body, null_texts=self._user_writes or self.variant["null"] == "taken")
        # What has no text is kept as such, and shown as "".
        body = {name: None if value == "" else value for name, value in body.items()}
        if self.normalise is not None:
            body = {
                name: self.normalise(owner.name, name, value) if isinstance(value, str) else value
                for name, value in body.items()
            }
        values, refs = dict(row.values), dict(row.refs)
        for name, value in body.items():
            prop = owner.properties[name]
            if not prop.is_reference:
                values[name] = value
            elif prop.kind in OWNED:
                refs[name] = self._owned(owner, row, name, value, messages)
            elif not prop.many:
                refs[name] = self._reference(prop.kind, name, value, messages)
        after = Row(row.id, owner.name, row.version, values, refs, row.changes)
        messages += whole_messages(after)
        if body.get("organizationNumber") and owner.name == "Customer":
            messages += number_messages(values["organizationNumber"], self._country_said(after, body))
        messages += self._taken(after)
        if messages:
            root = row.id if row.id in self.tables[owner.table].rows else None
            raise TripletexRefusal(
                18000, "VALIDATION_ERROR", tuple(Message(m.field, m.message, m.path, root) for m in messages)
            )
        return after

    def _reference(self, kind: str, name: str, value: dict[str, Any] | None, messages: list[Message]) -> int | None:
        if value is None:
            return None
        path = f"{name}.id"
        if set(value) - {"id", "version"}:
            messages.append(Message(name, ONLY_ID, name))
        elif value.get("id") is None:
            messages.append(Message("id", ID_NEEDED, path))
        else:
            known = object_types().get(kind)
            table = None if known is None else self.tables.get(known.table)
            found: int = value["id"]
            if table is not None and found in table.rows:
                return found
            messages.append(Message("id", NOT_FOUND, path))
        return None

    def _owned(
        self, owner: ObjectType, row: Row, name: str, value: dict[str, Any] | None, messages: list[Message]
    ) -> int | None:
        """Write an address through its customer: with its id it is changed, without it is replaced by a new one."""
        kind = object_type(owner.properties[name].kind)
        current = row.refs[name]
        exists = row.id in self.tables[owner.table].rows
        if kind.name == "DeliveryAddress" and exists and (value is None or value.get("id") is None):
            messages.append(Message(name, NOT_HERE, name))
            return current
        try:
            if value is None:
                written = None
            elif value.get("id") is None:
                written = self.create(kind, value).id
            elif value["id"] != current:
                messages.append(Message("id", NOT_FOUND, f"{name}.id"))
                return current
            else:
                return self.update(kind, self.row(kind, value["id"]), value).id
        except TripletexRefusal as refusal:
            if refusal.code != 18000:
                raise
            messages += [each.under(name) for each in refusal.messages]
            return current
        if current is not None:
            self.tables[kind.table].remove(current)
        return written

    @property
    def _user_writes(self) -> bool:
        """Whether somebody sits at the screens, where a form holds all there is to say."""
        return self.employee != API_EMPLOYEE

    def _in_norway(self, owner: ObjectType) -> dict[str, int | None]:
        """The country of an address or a mobile number of which nothing is said."""
        name = {"Address": "country", "DeliveryAddress": "country", "Contact": "phoneNumberMobileCountry"}
        if owner.name not in name or self.variant["norway-default"] == "off":
            return {}
        return {name[owner.name]: next(iter(self.tables["country"].find("isoAlpha2Code", [NORWAY])))}

    def _goes_by_ehf(self, owner: ObjectType, body: Mapping[str, Any]) -> bool:
        said = (body.get("invoiceSendMethod"), body.get("isPrivateIndividual"))
        return owner.name == "Customer" and not self._user_writes and said[0] is None and not said[1]

    def _country_said(self, customer: Row, body: Mapping[str, Any]) -> str:
        """The country by which an organisation number is judged: Norway's, unless the write itself says another."""
        address = self.tables["address"].rows.get(customer.refs["physicalAddress"])
        said = self._user_writes or (body.get("physicalAddress") or {}).get("country")
        country = address and said and self.tables["country"].rows.get(address.refs["country"])
        return country.values["isoAlpha2Code"] if country else NORWAY

    def _owned_versions(self, row: Row) -> list[tuple[int, int]]:
        """The versions of the addresses that are written through an object: their change is its change."""
        return [
            (ref, self.tables["address"].rows[ref].version)
            for name, ref in row.refs.items()
            if ref is not None and name in ("postalAddress", "physicalAddress")
        ]

    def _taken(self, row: Row) -> list[Message]:
        unique = {"Customer": ("customerNumber",), "Product": ("name", "number")}.get(row.type_name, ())
        table = self.tables[object_type(row.type_name).table]
        return [
            Message(name, f"Verdien «{row.values[name]}» er i bruk.", name)
            for name in unique
            if row.values[name] not in (None, "") and table.find(name, [row.values[name]]) - {row.id}
        ]

    def _customer_number(self) -> int:
        while True:
            number = self.store.next("customer number", FIRST_CUSTOMER_NUMBER)
            if not self.tables["customer"].find("customerNumber", [number]):
                return number

    def _change(self, change_type: str) -> Change:
        now = self.clock.now().astimezone(self.zone)
        return Change(wall_time(now), self.employee, change_type, f"{now:%z}")

    def _put(self, row: Row) -> Row:
        row.values.update(computed(row, self.tables))
        self.tables[object_type(row.type_name).table].put(row)
        return row
