"""The facts of the reference contract, in one place: paths, parameters, envelope, what a record always has.

Source of all of them: the Customcrm reference REST contract.
"""

from __future__ import annotations

from dataclasses import dataclass

from api_transport.address import segment

ID_LISTS_AT_MOST = 100
"""Ids in one request: more would make addresses that web servers refuse."""


RESOURCES: dict[str, str] = {"contact": "contacts", "customer": "customers", "product": "products"}
"""The API's resource of each stream."""


@dataclass(frozen=True)
class Contract:
    """What the client must know of a CRM's interface. The defaults are the reference contract."""

    resources: tuple[str, ...] = ("contacts", "customers", "products")

    # A list's parameters
    updated_since: str = "updated_since"
    include_deleted: str = "include_deleted"
    per_page: str = "per_page"
    per_page_at_most: int = 500
    filters: frozenset[str] = frozenset({"Id", "Email", "OrganizationNumber", "Name", "Number"})
    """Properties that a list can be filtered by, where the resource has them; an unknown parameter is a 400."""
    separator: str = ","
    """Between the values of a filter, which therefore cannot hold it themselves."""

    # A list's envelope
    records: str = "data"
    links: str = "links"
    next: str = "next"

    # What every record has; the server's own
    id: str = "Id"
    updated_at: str = "UpdatedAt"
    deleted: str = "Deleted"

    def list_path(self, resource: str) -> str:
        """The path of a resource's list. Raises ValueError for a resource there is not."""
        if resource not in self.resources:
            raise ValueError(f"there is no resource {resource!r}, only {', '.join(self.resources)}")
        return f"/{resource}"

    def record_path(self, resource: str, record_id: str) -> str:
        """The path of one record; the id may hold any character. Raises ValueError for an id that names none."""
        return f"{self.list_path(resource)}/{segment(record_id)}"


REFERENCE = Contract()
