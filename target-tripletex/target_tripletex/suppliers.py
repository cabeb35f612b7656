"""Firms that are suppliers only: among no customers, and yet the firm that would be made a second time.

They are in a list of their own, where one is made a customer too (reference: Tripletex API, As it really is). It is the
same object from then on, so the next run finds it among the customers, and links it by the table's rules.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from api_transport import AccessDenied, Conflict, NotFound, OutcomeUnknown, Refused, UnexpectedAnswer
from record_sync import system
from record_sync.values import Values
from tripletex_client import TripletexClient
from value_spelling.organisation_number import number_of

from target_tripletex.body import NUMBER

logger = logging.getLogger(__name__)

FIELDS = "id,version,organizationNumber,isCustomer"
NOT_SEEN = "Suppliers cannot be listed (%s): a firm that is a supplier only will be a customer a second time"
CLAIMED = "it was a supplier only, and is a customer too now (Tripletex id %d): the next run links it"
CHANGED = "it is a supplier (Tripletex id %d), which somebody was just changing: the next run makes it a customer"
SEVERAL = "several suppliers have its organisation number (Tripletex ids %s): make the right one a customer by hand"
FAILED = "it is a supplier only (Tripletex id %d), which could not be made a customer: do so by hand"

Record = dict[str, Any]


class Suppliers:
    """The company's suppliers that are no customers, read when the first new customer is about to be made."""

    def __init__(self, client: TripletexClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._known: Mapping[str, list[Record]] | None = None

    def claim(self, resource: str, values: Values) -> system.Result | None:
        """Make the supplier that a new record is a customer; why no record is made then, None where there is none."""
        number = number_of(str(values.get(NUMBER) or "")) if resource == "customer" else ""
        if not number:
            return None
        with self._lock:
            if self._known is None:
                self._known = self._read()
            firms = self._known.get(number, [])
            return self._claim(firms) if firms else None

    def _read(self) -> Mapping[str, list[Record]]:
        known: dict[str, list[Record]] = defaultdict(list)
        try:
            for page in self._client.pages("supplier", fields=FIELDS):
                for firm in page.values:
                    number = number_of(str(firm.get("organizationNumber") or ""))
                    if number and firm.get("isCustomer") is False:
                        known[number].append(firm)
        except (AccessDenied, Refused, UnexpectedAnswer) as error:
            if error.status is None or error.status == 401:
                raise
            logger.warning(NOT_SEEN, error)
        return known

    def _claim(self, firms: list[Record]) -> system.Result:
        if len(firms) > 1:
            return system.Refused(SEVERAL % ", ".join(str(firm["id"]) for firm in firms))
        (firm,) = firms
        if firm["isCustomer"]:
            return system.Refused(CLAIMED % firm["id"])
        body = {"id": firm["id"], "version": firm.get("version"), "isCustomer": True}
        try:
            self._client.update("supplier", firm["id"], body)
        except OutcomeUnknown as error:
            return system.Unknown(str(error))
        except (Conflict, NotFound):
            return system.Refused(CHANGED % firm["id"])
        except (Refused, AccessDenied) as error:
            if error.status == 401:
                raise
            return system.Refused(FAILED % firm["id"], (str(error),))
        firm["isCustomer"] = True
        return system.Refused(CLAIMED % firm["id"])
