"""Firms that are suppliers only: among no customers, and yet the firm that would be made a second time.

They are in a list of their own, where one is made a customer too (reference: Tripletex API, As it really is). It is the
same object from then on, so the next run finds it among the customers, and links it by the table's rules. A linked
customer that somebody makes a supplier only is there all the same: it is not deleted, and an edit makes it a customer
again.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from api_transport import AccessDenied, Conflict, NotFound, OutcomeUnknown, Refused, UnexpectedAnswer
from api_transport.address import query
from record_sync import system
from record_sync.record import TargetRecord
from record_sync.values import Values
from tripletex_client import TripletexClient
from tripletex_client.resources import id_lists
from value_spelling.organisation_number import number_of

from target_tripletex.body import NUMBER, fields_for

logger = logging.getLogger(__name__)

FIELDS = "id,version,organizationNumber,isCustomer"
NOT_OF_SUPPLIERS = frozenset(
    {
        "department",
        "discountPercentage",
        "emailAttachmentType",
        "globalLocationNumber",
        "invoiceSMSNotificationNumber",
        "invoiceSendMethod",
        "invoiceSendSMSNotification",
        "invoicesDueIn",
        "invoicesDueInType",
        "isAutomaticNoticeOfDebtCollectionEnabled",
        "isAutomaticReminderEnabled",
        "isAutomaticSoftReminderEnabled",
        "isFactoring",
        "singleCustomerInvoice",
    }
)
"""Properties of customers that suppliers do not have (Tripletex API description)."""
NOT_SEEN = "Suppliers cannot be listed (%s): a firm that is a supplier only will be a customer a second time"
CLAIMED = "it was a supplier only, and is a customer too now (Tripletex id %d): the next run links it"
CHANGED = "it is a supplier (Tripletex id %d), which somebody was just changing: the next run makes it a customer"
SEVERAL = "several suppliers have its organisation number (Tripletex ids %s): make the right one a customer by hand"
FAILED = "it is a supplier only (Tripletex id %d), which could not be made a customer: do so by hand"

Record = dict[str, Any]


def is_supplier_only(current: TargetRecord) -> bool:
    """Whether a record was read as a supplier that is no customer."""
    return (current.handle or {}).get("isCustomer") is False


class Suppliers:
    """The company's suppliers that are no customers; all are read when the first new customer is about to be made."""

    def __init__(self, client: TripletexClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._known: Mapping[str, list[Record]] | None = None
        self._has_told = False

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

    def among(self, ids: Sequence[int], paths: frozenset[str]) -> dict[int, Record]:
        """Those of some customers' ids that are suppliers only, as far as suppliers have these properties."""
        of_suppliers = frozenset(path for path in paths if path.partition(".")[0] not in NOT_OF_SUPPLIERS)
        fields = fields_for(of_suppliers | {"isCustomer"})
        found: dict[int, Record] = {}
        for some in id_lists(ids, query({"id": "", "fields": fields})):
            found |= {one["id"]: one for one in self._listed(fields, {"id": ",".join(map(str, some))})}
        return {record_id: found[record_id] for record_id in ids if record_id in found}

    def make_customer_again(self, body: Record, current: TargetRecord) -> system.Result | None:
        """Before a write over a supplier: give it the role, and the body its version then; why not, where it fails."""
        if not is_supplier_only(current):
            return None
        try:
            answer = self._client.update(
                "supplier", body["id"], {"id": body["id"], "version": body["version"], "isCustomer": True}
            )
        except OutcomeUnknown as error:
            return system.Unknown(str(error))
        except (Conflict, NotFound) as error:
            return system.Moved(str(error))
        except (Refused, AccessDenied) as error:
            if error.status == 401:
                raise
            return system.Refused(FAILED % body["id"], (str(error),))
        body["version"] = answer.get("version")
        return None

    def _read(self) -> Mapping[str, list[Record]]:
        known: dict[str, list[Record]] = defaultdict(list)
        for firm in self._listed(FIELDS, {}):
            number = number_of(str(firm.get("organizationNumber") or ""))
            if number:
                known[number].append(firm)
        return known

    def _listed(self, fields: str, params: Mapping[str, str]) -> Iterator[Record]:
        """Those of a list that are no customers; none where the token's rights do not cover suppliers."""
        try:
            for page in self._client.pages("supplier", fields=fields, params=params):
                yield from (firm for firm in page.values if firm.get("isCustomer") is False)
        except (AccessDenied, Refused, UnexpectedAnswer) as error:
            if error.status is None or error.status == 401:
                raise
            if not self._has_told:
                logger.warning(NOT_SEEN, error)
            self._has_told = True

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
