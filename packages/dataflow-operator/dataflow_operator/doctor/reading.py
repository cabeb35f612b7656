"""What lists tell, with nothing written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from typing import Any

from api_transport.errors import AccessDenied, ApiError, NotFound, Refused, UnexpectedAnswer
from tripletex_client import modified_at, to_local_for_changed_since
from tripletex_client.client import ASK
from tripletex_client.credentials import NOT_THERE
from tripletex_client.errors import TOO_LARGE
from tripletex_client.fields import DERIVED, FIELDS
from tripletex_client.paging import value_of
from tripletex_client.resources import halves
from tripletex_client.schema import SCHEMAS

from dataflow_operator.doctor.company import Company, Record, told
from dataflow_operator.doctor.findings import NOT_KNOWN, Found

RESOURCES = ("customer", "contact")
LISTED = (*RESOURCES, "country")
SEEN = 100
"""Records that are looked at."""
LONGEST_LIST = 10_000
"""Records in a list where there is a limit (reference: Tripletex API, As it really is)."""
LOOK_BACK = timedelta(minutes=5)
SECOND = timedelta(seconds=1)
NEEDED = frozenset({"id", "version", "changes"})
"""Properties without which no record is synchronised, whatever the tables say."""

Mapped = Mapping[str, frozenset[str]]
"""By resource the properties that the tables name; a resource that is missing here may be mapped whole."""

_OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$", re.ASCII)
_STATUSES = {"VAT_REGISTERED": "registered", "VAT_NOT_REGISTERED": "unregistered"}


def read(company: Company, mapped: Mapped) -> Iterator[tuple[str, Found]]:
    """Every question's name with its answer."""
    checks: dict[str, Callable[[], Found | None]] = {
        "access": lambda: access(company),
        "session": lambda: session(company),
        "suppliers": lambda: suppliers(company),
        "fields": lambda: fields(company, mapped),
        "vat": lambda: vat(company),
        "totals": lambda: totals(company),
        "list-limit": lambda: list_limit(company),
        "customer-list": lambda: customer_list(company),
        "time-offsets": lambda: time_offsets(changed(company)),
        "changed-since": lambda: changed_since(company, oldest(company)),
        "digests": lambda: digests(company),
        "inactive-contacts": lambda: inactive_contacts(company),
        "id-filter": lambda: id_filter(company, next(iter(company.list("customer", where={"isInactive": True})), None)),
        "rate-limit": lambda: rate_limit(company),
    }
    for name, check in checks.items():
        found = answered(check)
        if found is not None:
            yield name, found


def answered(check: Callable[[], Found | None]) -> Found | None:
    """The answer, or that there is none to go on with. An error says nothing of what was asked."""
    try:
        return check()
    except ApiError as error:
        return Found(NOT_KNOWN, f"no answer to go on with: {told(error)}")


def access(company: Company) -> Found:
    """Whether everything that is read may be read."""
    denied = []
    for resource in LISTED:
        try:
            company.list(resource)
        except AccessDenied as error:
            if error.status == 401:
                raise
            denied.append(resource)
        except Refused as error:
            # Whoever may not see a list is not told how long it is.
            if error.code != TOO_LARGE:
                raise
    return Found("denied", ", ".join(denied)) if denied else Found("all")


def suppliers(company: Company) -> Found:
    """Whether suppliers may be listed."""
    try:
        company.list("supplier")
    except (Refused, AccessDenied) as error:
        if error.status == 401:
            raise
        return Found("denied", told(error))
    return Found("listed")


def session(company: Company) -> Found:
    """How a session is made: asked without any token, which is refused wherever there is such an operation."""
    if company.settings.get("refresh_token"):
        return Found("api-token")
    try:
        company.stopping.check()
        company.client.transport.send("POST", "/token/session/:create", json={}, idempotent=True)
    except NotFound:
        return Found("put")
    except (Refused, AccessDenied, UnexpectedAnswer) as error:
        return Found("put" if error.status in NOT_THERE else "post")
    return Found("post")


def fields(company: Company, mapped: Mapped) -> Found | None:
    """Which of a record's properties are missing from the list that the tap reads."""
    missing: dict[str, bool] = {}
    seen = False
    for resource in RESOURCES:
        try:
            records = company.list(resource, FIELDS[resource])
        except Refused as error:
            if error.code == TOO_LARGE:
                continue
            return Found("refused", f"{resource}, {told(error)}")
        for record in records:
            seen = True
            for name in sorted({*SCHEMAS[resource]["properties"], *NEEDED} - record.keys() - DERIVED):
                missing[f"{resource}.{name}"] = resource not in mapped or name in mapped[resource] | NEEDED
    if not missing:
        return Found("shown") if seen else None
    missed = ", ".join(name for name, is_needed in missing.items() if is_needed)
    return Found("hidden", missed) if missed else Found("hidden-unused", ", ".join(missing))


def vat(company: Company) -> Found | None:
    """Whether the company is registered for VAT, as far as the employee may see it."""
    with suppress(Refused, AccessDenied, UnexpectedAnswer):
        answer = company.send("GET", "/ledger/vatSettings", params={"fields": "vatRegistrationStatus"})
        return Found(_STATUSES.get(value_of(answer).get("vatRegistrationStatus", ""), "other"))
    return None


def totals(company: Company) -> Found | None:
    """Whether `fullResultSize` knows of more than the record after the page."""
    for resource in RESOURCES:
        if company.list(resource, offset=2):
            asked = {"from": 0, "count": 1, "sorting": "id", "fields": "id"}
            size = company.send("GET", f"/{resource}", params=asked).body.get("fullResultSize")
            return Found("true" if isinstance(size, int) and size > 2 else "seen")
    return None


def list_limit(company: Company) -> Found | None:
    """Whether a list of more than 10,000 is refused."""
    for resource in RESOURCES:
        for half in halves(resource):
            try:
                if company.list(resource, offset=LONGEST_LIST, where=half):
                    return Found("off")
            except Refused as error:
                if error.code == TOO_LARGE:
                    return Found("on")
                raise
    return None


def customer_list(company: Company) -> Found:
    """Whether both halves of the customers are listed, however many there are."""
    for half in halves("customer"):
        try:
            company.list("customer", where=half)
        except Refused as error:
            return Found("refused", told(error))
    return Found("given")


def changed(company: Company) -> list[Record]:
    """Some active customers with their changes."""
    return company.list("customer", "id,changes", count=SEEN)


def time_offsets(customers: list[Record]) -> Found | None:
    """How times of changes are written."""
    times = [change.get("timestamp") for one in customers for change in one.get("changes") or ()]
    if not times:
        return Found("absent") if customers else None
    return Found("on" if _OFFSET.search(str(times[0])) else "off")


def oldest(company: Company) -> Record | None:
    """Of these customers the one that nobody has touched for longest: nobody will just now."""
    times = [(modified_at(one, company.timezone), one) for one in changed(company)]
    told_of = [(moment, one) for moment, one in times if moment is not None]
    return min(told_of, key=lambda pair: pair[0])[1] if told_of else None


def changed_since(company: Company, customer: Record | None) -> Found | None:
    """Whether the customer is found by the moment of its last change, and by the one after."""
    moment = None if customer is None else modified_at(customer, company.timezone)
    if customer is None or moment is None:
        return None

    def finds(since: timedelta) -> bool:
        bound = to_local_for_changed_since(moment + since, company.timezone)
        where = {"id": customer["id"], "changedSince": bound}
        return any(one["id"] == customer["id"] for one in company.list("customer", where=where))

    if finds(SECOND):
        return Found("ignored")
    if finds(timedelta(0)):
        return Found("inclusive")
    return Found("exclusive") if finds(-LOOK_BACK) else Found(NOT_KNOWN, "it does not find a change at all")


def digests(company: Company) -> Found | None:
    """Whether a page that was not changed is said to be so."""
    asked = {"from": 0, "count": SEEN, "sorting": "id", "fields": "id"}

    def page(digest: str) -> Any:
        return company.send("GET", "/contact", params=asked, headers={"If-None-Match": digest}, ok=(200, 304))

    first = page(ASK)
    if not first.body.get("values"):
        return None
    digest = first.body.get("versionDigest")
    if not isinstance(digest, str) or not digest:
        return Found("none")
    return Found("kept" if page(digest).status == 304 else "changing")


def inactive_contacts(company: Company) -> Found | None:
    """Whether the list holds an inactive contact; that it holds none says nothing."""
    pages = company.client.pages("contact", fields="id,isInactive")
    for page in islice(pages, 3):
        company.stopping.check()
        if any(one.get("isInactive") for one in page.values):
            return Found("listed")
    return None


def id_filter(company: Company, inactive: Record | None) -> Found | None:
    """Whether a list by ids holds a customer that is inactive."""
    if inactive is None:
        return None
    return Found("all" if company.list("customer", where={"id": inactive["id"]}) else "active")


def rate_limit(company: Company) -> Found:
    """Whether answers tell of what is left."""
    limit = company.client.rate_limit
    if limit is None:
        return Found("untold")
    return Found("told", "" if limit.limit is None else f"{limit.limit} in a period")
