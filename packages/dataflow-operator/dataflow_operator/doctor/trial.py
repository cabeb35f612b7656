"""The two records that are made to try the company's rules by, and their removal, whatever happens."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Any

from api_transport.errors import AccessDenied, ApiError, Refused
from tripletex_client.paging import value_of

from dataflow_operator.doctor.company import Company, Record
from dataflow_operator.doctor.findings import Found

PURPOSE = "Dataflow doctor"
"""With it begin the names of all that is made: of customers the name, of contacts the first name."""
NAMED = {"customer": "name", "contact": "firstName"}
SOUGHT_BY = {"customer": "customerName", "contact": "firstName"}
DELETED, DEACTIVATED, LEFT = "deleted", "deactivated", "left"


class Trial:
    """Makes records, and knows them until they are removed."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.mark = f"{PURPOSE} {secrets.token_hex(4)}"
        """Who reads it shall know what it is; nobody else's begins with it."""
        self._made: dict[str, set[int]] = {"contact": set(), "customer": set()}

    def create(self, resource: str, **body: Any) -> Record:
        """Make a record that bears the mark."""
        body = {NAMED[resource]: f"{self.mark} kan slettes", **body}
        record = value_of(self.company.send("POST", f"/{resource}", json=body, ok=(200, 201)))
        self._made[resource].add(record["id"])
        return record

    def remove(self) -> Found | None:
        """Delete all that was made, also what an answer was lost of, or set it inactive where that is refused.

        Whether all of it is gone is asked, not taken from the answers.
        """
        became = list(self._remove_all(self.mark))
        return Found(worst(became)) if became else None

    def sweep(self) -> None:
        """Delete what is left of trials that were killed."""
        list(self._remove_all(PURPOSE))

    def _remove_all(self, mark: str) -> Iterator[str]:
        # Contacts first: those of a customer that is gone would be found by their name alone.
        for resource, made in self._made.items():
            try:
                ids = made | self._found(resource, mark)
            except ApiError:
                ids = made
                yield LEFT
            for record_id in sorted(ids):
                became = self._remove(resource, record_id)
                if became == DELETED:
                    made.discard(record_id)
                yield became

    def _found(self, resource: str, mark: str) -> set[int]:
        """Ids of the records whose names begin so. The search is "containing": a name of somebody's may hold it."""
        name = NAMED[resource]
        found = self.company.client.search(resource, {SOUGHT_BY[resource]: mark}, f"id,{name}")
        return {one["id"] for one in found if str(one.get(name) or "").startswith(mark)}

    def _remove(self, resource: str, record_id: int) -> str:
        client = self.company.client
        try:
            client.delete(resource, record_id)
            if client.get(resource, record_id, "id") is None:
                return DELETED
        except (Refused, AccessDenied):
            pass
        except ApiError:
            return LEFT
        try:
            answer = client.update(resource, record_id, {"isInactive": True})
        except ApiError:
            return LEFT
        return DEACTIVATED if answer.get("isInactive") is True else LEFT


def worst(became: Sequence[str]) -> str:
    """What to tell of several."""
    return max(became, key=(DELETED, DEACTIVATED, LEFT).index)
