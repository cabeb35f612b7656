"""Stream type classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from naive_tap.client import CustomcrmStream, TripletexStream

SCHEMAS = Path(__file__).parent / "schemas"


class Customer(TripletexStream):
    """Tripletex's customers."""

    name = "customer"
    path = "/customer"
    primary_keys = ("id",)
    replication_key = None
    schema = json.loads((SCHEMAS / "tripletex_customer.json").read_text())

    def post_process(self, row: dict[str, Any], context: Any = None) -> dict[str, Any]:
        """The time of the last change in place of the changes."""
        row["modifiedAt"] = max(change["timestamp"] for change in row.pop("changes")) + "+01:00"
        return row


class CrmCustomer(CustomcrmStream):
    """The CRM's customers."""

    name = "customer"
    path = "/customers"
    primary_keys = ("Id",)
    replication_key = None
    schema = json.loads((SCHEMAS / "customcrm_customer.json").read_text())
