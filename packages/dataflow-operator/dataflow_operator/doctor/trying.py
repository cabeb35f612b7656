"""What only writing tells: the company's rules, tried on a customer and a contact made for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from api_transport.errors import AccessDenied, Conflict, Refused
from target_tripletex.creation import AUTOMATIC, METHOD, PRIVATE, NewCustomers
from tripletex_client import created_at
from tripletex_client.lengths import LENGTHS

from dataflow_operator.doctor.company import Company, Record, told
from dataflow_operator.doctor.findings import Found
from dataflow_operator.doctor.reading import LOOK_BACK, answered, changed_since, id_filter, time_offsets
from dataflow_operator.doctor.trial import NAMED, Trial

ADDRESS = "*,country(id,isoAlpha2Code)"
WHOLE = f"*,changes,postalAddress({ADDRESS}),physicalAddress({ADDRESS})"
PHONES = {"customer": "phoneNumber", "contact": "phoneNumberWork"}
ONE_PHONE, OTHER_PHONE = "22334455", "22334456"
MEASURED: Mapping[str, tuple[str, ...]] = {
    "customer": ("name", "phoneNumber", "postalAddress.addressLine1", "postalAddress.city"),
    "contact": ("firstName", "lastName", "phoneNumberWork"),
}
"""Properties whose lengths are tried: texts of which only the length can be wrong."""

Check = Callable[[], Found | None]


class Trying:
    """The questions, in an order in which each finds the records as it needs them."""

    def __init__(self, company: Company, trial: Trial) -> None:
        self._company = company
        self._trial = trial
        self._ids: dict[str, int] = {}
        self._new: Record = {}

    def run(self) -> Iterator[tuple[str, Found]]:
        """Every question's name with its answer."""
        yield from self._create_customer()
        if "customer" in self._ids:
            yield from _answers(self._as_created())
            yield from _answers({"contact": self._create_contact})
            yield from _answers(self._changed())
            yield from _answers(self._set_inactive())

    # -- creating

    def _create_customer(self) -> Iterator[tuple[str, Found]]:
        """As somebody does who says nothing, as the sync does, and as it can be told to."""
        settings = self._company.settings
        told_to = NewCustomers(
            settings.get("new_customer_invoices", AUTOMATIC), bool(settings.get("new_customer_is_private"))
        )
        refusals: list[str] = []
        for body in ({}, told_to.completed("customer", {}), {PRIVATE: False, METHOD: "MANUAL"}):
            try:
                self._new = self._trial.create("customer", **body)
            except (Refused, AccessDenied) as error:
                refusals.append(told(error))
            else:
                self._ids["customer"] = self._new["id"]
                break
        yield "customer", Found("taken") if len(refusals) < 2 else Found("refused", refusals[1])
        if "customer" in self._ids:
            yield "ehf-default", Found("on" if refusals else "off")

    def _create_contact(self) -> Found:
        try:
            made = self._trial.create("contact", customer={"id": self._ids["customer"]})
        except (Refused, AccessDenied) as error:
            return Found("refused", told(error))
        self._ids["contact"] = made["id"]
        return Found("taken")

    # -- what is answered of a new customer

    def _as_created(self) -> Mapping[str, Check]:
        self._new = self._company.get("customer", self._ids["customer"], WHOLE) or self._new
        new = self._new
        return {
            "timezone": self._timezone,
            "unset-text": lambda: _unset(new, PHONES["customer"]),
            "norway-default": lambda: _in_norway(new.get("postalAddress")),
            "time-offsets": lambda: time_offsets([new]),
            "changed-since": lambda: changed_since(self._company, new),
        }

    def _timezone(self) -> Found | None:
        made, now = created_at(self._new, self._company.timezone), self._company.client.transport.server_clock
        if made is None or now is None:
            return None
        return Found("right" if abs(now - made) < LOOK_BACK else "wrong")

    # -- what becomes of changes

    def _changed(self) -> Mapping[str, Check]:
        customer = self._ids["customer"]
        before = self._new
        after: Record = {}

        def change() -> Found:
            after.update(self._put("customer", phoneNumber=ONE_PHONE, version=before["version"]))
            return Found("raised" if after["version"] > before["version"] else "kept")

        def change_nothing() -> Found | None:
            if not after:
                return None
            again = self._put("customer", phoneNumber=ONE_PHONE, version=after["version"])
            return Found("kept" if again["version"] == after["version"] else "raised")

        def change_what_was() -> Found | None:
            if not after or after["version"] == before["version"]:
                return None
            refusal = self._company.refusal("customer", customer, phoneNumber=OTHER_PHONE, version=before["version"])
            if refusal is None:
                return Found("taken")
            return Found("refused", "" if isinstance(refusal, Conflict) else told(refusal))

        return {
            "version": change,
            "partial": lambda: Found("kept" if after["name"] == before["name"] else "lost") if after else None,
            "version-unchanged": change_nothing,
            "old-version": change_what_was,
            "null": self._null,
            "empty": self._empty,
            "lengths": self._lengths,
        }

    def _put(self, resource: str, **body: Any) -> Record:
        return self._company.put(resource, self._ids[resource], **body)

    def _null(self) -> Found:
        """Refused where any of them is."""
        for resource, record_id in self._ids.items():
            self._put(resource, **{PHONES[resource]: ONE_PHONE})
            refusal = self._company.refusal(resource, record_id, **{PHONES[resource]: None})
            if refusal is not None:
                return Found("refused", told(refusal))
        return Found("taken")

    def _empty(self) -> Found:
        """Cleared where all of them are."""
        for resource in self._ids:
            self._put(resource, **{PHONES[resource]: ONE_PHONE})
            try:
                left = self._put(resource, **{PHONES[resource]: ""}).get(PHONES[resource])
            except (Refused, AccessDenied) as error:
                return Found("refused", f"{resource}.{PHONES[resource]}, {told(error)}")
            if left:
                return Found("ignored", f"{resource}.{PHONES[resource]}")
        return Found("clears")

    def _lengths(self) -> Found:
        found: dict[str, list[str]] = {"cut": [], "shorter": [], "longer": []}
        for resource in self._ids:
            for path in MEASURED[resource]:
                became = self._length(resource, path, LENGTHS[resource][path])
                if became is not None:
                    found[became].append(f"{resource}.{path}")
        return next((Found(became, ", ".join(paths)) for became, paths in found.items() if paths), Found("as-known"))

    def _length(self, resource: str, path: str, longest: int) -> str | None:
        """What is otherwise with a text that is as long as it may be, and with one that is longer."""
        head = f"{self._trial.mark} kan slettes " if path == NAMED[resource] else "1"
        as_long, longer = (self._keeps(resource, path, head.ljust(size, "1")) for size in (longest, longest + 1))
        if as_long is None:
            return "shorter"
        if as_long is False or longer is False:
            return "cut"
        return "longer" if longer else None

    def _keeps(self, resource: str, path: str, text: str) -> bool | None:
        """Whether a text is kept as it was sent; None where it is refused."""
        outer, _, inner = path.partition(".")
        address = self._new.get(outer) if inner else None
        body = {outer: {**({"id": address["id"]} if address else {}), inner: text} if inner else text}
        refusal = self._company.refusal(resource, self._ids[resource], **body)
        if refusal is not None:
            return None
        record = self._company.get(resource, self._ids[resource], WHOLE if resource == "customer" else "*") or {}
        kept = record.get(outer)
        if inner:
            # An address that is sent without an id is a new one.
            self._new[outer] = kept
            kept = (kept or {}).get(inner)
        return bool(kept == text)

    # -- what becomes of what is set inactive

    def _set_inactive(self) -> Mapping[str, Check]:
        inactive: set[str] = set()
        customer = self._ids["customer"]

        def deactivate(resource: str) -> Found | None:
            if resource not in self._ids:
                return None
            try:
                answer = self._put(resource, isInactive=True)
            except (Refused, AccessDenied) as error:
                return Found("refused", told(error))
            if answer.get("isInactive") is not True:
                return Found("ignored")
            inactive.add(resource)
            return Found("taken")

        def look_up_contact() -> Found | None:
            if "contact" not in inactive:
                return None
            return Found("gone" if self._company.get("contact", self._ids["contact"], "id") is None else "found")

        def list_contact() -> Found | None:
            return Found("listed" if self._lists_contact() else "hidden") if "contact" in inactive else None

        def list_customer() -> Found | None:
            if "customer" not in inactive:
                return None
            return Found(
                "found" if self._company.list("customer", where={"id": customer, "isInactive": True}) else "gone"
            )

        def list_by_id() -> Found | None:
            return id_filter(self._company, {"id": customer}) if "customer" in inactive else None

        return {
            "contact-inactive": lambda: deactivate("contact"),
            "contact-lookup": look_up_contact,
            "inactive-contacts": list_contact,
            "customer-inactive": lambda: deactivate("customer"),
            "customer-lookup": list_customer,
            "id-filter": list_by_id,
        }

    def _lists_contact(self) -> bool:
        listed = self._company.list("contact", count=2, where={"customerId": self._ids["customer"]})
        return any(one["id"] == self._ids["contact"] for one in listed)


def _answers(checks: Mapping[str, Check]) -> Iterator[tuple[str, Found]]:
    for name, check in checks.items():
        found = answered(check)
        if found is not None:
            yield name, found


def _unset(record: Record, name: str) -> Found:
    if name not in record:
        return Found("absent")
    return Found("null" if record[name] is None else "empty")


def _in_norway(address: Record | None) -> Found:
    country = (address or {}).get("country") or {}
    return Found("on" if country.get("isoAlpha2Code") == "NO" else "off")
