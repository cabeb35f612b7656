"""The Tripletex of this machine."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.system import Record, System
from sandbox.traffic import SeenRequest
from sandbox.tripletex.app import OPERATIONS, tripletex_app
from sandbox.tripletex.fields import Renderer, Selection, selection
from sandbox.tripletex.fixtures import COMPANY_ID, USER_EMPLOYEE
from sandbox.tripletex.listing import LIMIT, Lists
from sandbox.tripletex.mapping import check
from sandbox.tripletex.register import Register
from sandbox.tripletex.rows import Row
from sandbox.tripletex.sessions import Allowance, Sessions
from sandbox.tripletex.types import OWNED, ObjectType, object_type
from sandbox.tripletex.variants import Variant

DEFAULT = Variant()
ADDRESS = "*,country(*)"
SHOWN = {
    "customer": f"*,changes,postalAddress({ADDRESS}),physicalAddress({ADDRESS}),deliveryAddress({ADDRESS})",
    "contact": "*,changes,phoneNumberMobileCountry(*)",
    "deliveryAddress": f"{ADDRESS},changes",
}


class Tripletex(System):
    """The accounting system of one invented company."""

    name = "tripletex"
    path_prefix = "/v2"
    consumer_token = "sandbox-consumer-token"  # noqa: S105  obviously none
    employee_token = "sandbox-employee-token"  # noqa: S105  obviously none
    refresh_token = "sandbox-refresh-token"  # noqa: S105  obviously none
    company_id = COMPANY_ID

    def __init__(self, path: Path | None = None, variant: Variant = DEFAULT) -> None:
        super().__init__()
        self.unset_text: str | None = ""
        self.hidden: frozenset[str] = frozenset()
        """Properties that the company's modules or the token's rights do not cover."""
        self.register = Register(self.clock, variant, path=path)
        self.sessions = Sessions(self.clock, self.register.zone)
        self.allowance = Allowance(self.clock)
        self.lists = Lists(variant)
        self._began_as = variant
        self.app = tripletex_app(self)

    @property
    def variant(self) -> Variant:
        """Which company of those that there may be."""
        return self.register.variant

    @variant.setter
    def variant(self, variant: Variant) -> None:
        with self.lock:
            self.register.variant = self.lists.variant = variant

    @property
    def host(self) -> str:
        """What objects' urls begin with."""
        return self.address.partition("://")[2]

    @property
    def session_tokens(self) -> list[str]:
        """The session tokens given out and not ended."""
        return list(self.sessions.alive)

    def expire_sessions(self) -> None:
        """Let every session token die now."""
        with self.lock:
            self.sessions.alive.clear()

    def change_digests(self) -> None:
        """Let every checksum change although nothing else did, as the API may."""
        with self.lock:
            self.lists.epoch += 1

    def renderer(self) -> Renderer:
        """Shows objects as the API does now; what has no text is shown as `unset_text`."""
        offsets = self.variant["time-offsets"] == "on"
        return Renderer(self.register.tables, self.host, self.unset_text, offsets=offsets, hidden=self.hidden)

    def country_id(self, code: str) -> int:
        """The id of a country by its ISO 3166 alpha-2 code. Raises LookupError."""
        for country_id in self.register.tables["country"].find("isoAlpha2Code", [code]):
            return int(country_id)
        raise LookupError(f"There is no country {code!r}.")

    def masked(self, path: str, query: str) -> tuple[str, str]:
        """Without tokens."""
        path = re.sub(r"(/token/session/)(?![:>])[^/]+", r"\1***", path)
        return path, re.sub(r"((?:consumer|employee)Token=)[^&]*", r"\1***", query, flags=re.IGNORECASE)

    def masked_body(self, path: str, body: bytes) -> bytes:
        """Without the tokens that a new session is made of."""
        if not path.startswith("/v2/token/session/:"):
            return body
        return re.sub(rb'("(?:consumer|employee|refresh)Token":\s*")(?:[^"\\]|\\.)*', rb"\1***", body)

    def masked_answer(self, seen: SeenRequest, body: bytes) -> bytes:
        """Without the token of a new session."""
        if not seen.path.startswith("/v2/token/session/:"):
            return body
        return re.sub(rb'("token":\s*")[^"]*', rb"\1***", body)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """User-like operations inside are kept together or not at all."""
        with self.lock, self.register.store.transaction():
            yield

    def create(self, resource: str, /, **values: Any) -> Record:
        """Make an object as a user would; an `id` given is taken. Raises TripletexRefusal."""
        owner, row_id = self._writable(resource), values.pop("id", None)
        with self._user():
            return self._shown(owner, self.register.create(owner, check(owner, values), row_id))

    def edit(self, resource: str, record_id: Any, /, **values: Any) -> Record:
        """Change an object as a user would: of an address only what is named changes. Raises TripletexRefusal."""
        owner = self._writable(resource)
        check(owner, values)
        with self._user(), self.register.store.transaction():
            row = self.register.row(owner, int(record_id))
            for name, value in list(values.items()):
                kind, current = owner.properties[name].kind, row.refs.get(name)
                if kind not in OWNED or value is None or current is None:
                    continue
                if kind == "DeliveryAddress":
                    self.edit("deliveryAddress", current, **values.pop(name))
                else:
                    values[name] = {"id": current, **value}
            return self._shown(owner, self.register.update(owner, row, values))

    def set_roles(self, record_id: Any, /, *, customer: bool, supplier: bool) -> Record:
        """Let a firm be a customer, a supplier, or both, as a user does."""
        owner = object_type("Customer")
        with self._user():
            row = self.register.tables[owner.table].rows[int(record_id)]
            return self._shown(
                owner, self.register.update(owner, row, {"isCustomer": customer, "isSupplier": supplier})
            )

    def remove(self, resource: str, record_id: Any, /) -> None:
        """Delete an object as a user would. Raises TripletexRefusal."""
        owner = self._writable(resource)
        with self._user():
            self.register.delete(owner, self.register.row(owner, int(record_id)))

    def get(self, resource: str, record_id: Any, /) -> Record | None:
        """One object with changes and addresses, or None."""
        owner = object_type(resource)
        with self.lock:
            row = self.register.tables[owner.table].rows.get(int(record_id))
            return None if row is None else self._shown(owner, row)

    def all(self, resource: str, /) -> list[Record]:
        """All objects, inactive ones too, with changes and addresses, in the order in which they were made."""
        owner = object_type(resource)
        with self.lock:
            return [self._shown(owner, row) for row in self.register.tables[owner.table].rows.values()]

    def count(self, resource: str, /) -> int:
        """How many objects of a resource there are, inactive ones included."""
        with self.lock:
            return len(self.register.tables[object_type(resource).table].rows)

    def clear(self) -> None:
        """Empty the system: no customers, contacts and products, no sessions; nothing set differently."""
        with self.lock:
            super().clear()
            self.unset_text, self.register.normalise = "", None
            self.hidden, self.register.addresses_count = frozenset(), True
            self.variant, self.lists.limit = self._began_as, LIMIT
            self.register.clock = self.sessions.clock = self.clock
            self.sessions.clear()
            self.allowance = Allowance(self.clock)
            self.register.store.clear()

    def close(self) -> None:
        """Close the file behind it."""
        super().close()
        with self.lock:
            self.register.store.close()

    def _writable(self, resource: str) -> ObjectType:
        if resource not in OPERATIONS or resource in ("country", "supplier"):
            raise LookupError(f"Tripletex has no {resource!r} that a user edits.")
        return object_type(resource)

    @contextmanager
    def _user(self) -> Iterator[None]:
        """The employee at the screens is who writes."""
        with self.lock:
            before, self.register.employee = self.register.employee, USER_EMPLOYEE
            try:
                yield
            finally:
                self.register.employee = before

    def _shown(self, owner: ObjectType, row: Row) -> Record:
        chosen: Selection = selection(owner, SHOWN.get(owner.table, "*,changes"))
        return Renderer(self.register.tables, self.host).show(row, chosen)
