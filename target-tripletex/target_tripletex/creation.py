"""What is said of a new customer beside what the tables say.

Tripletex may be set to send a new company's invoices by EHF, and refuses one that cannot receive it unless something
else is said (reference: Tripletex API, As it really is).
"""

from __future__ import annotations

from typing import Any

import msgspec
from record_sync.values import Values
from singer_sdk import typing as th

METHOD, PRIVATE = "invoiceSendMethod", "isPrivateIndividual"
AUTOMATIC, COMPANY = "automatic", "company"
METHODS = ("EMAIL", "EHF", "EFAKTURA", "AVTALEGIRO", "VIPPS", "PAPER", "MANUAL")

CREATION_SETTINGS: tuple[th.Property[Any], ...] = (
    th.Property(
        "new_customer_invoices",
        th.StringType(allowed_values=[AUTOMATIC, COMPANY, *METHODS], nullable=False),
        default=AUTOMATIC,
        title="Invoices of new customers",
        description=(
            "How a new customer gets its invoices where the tables do not say (invoiceSendMethod). automatic: EMAIL "
            "where it has an e-mail address, else MANUAL; company: as Tripletex is set"
        ),
    ),
    th.Property(
        "new_customer_is_private",
        th.BooleanType(nullable=False),
        default=False,
        title="New customers are private",
        description="Whether a new customer is a private individual where the tables do not say (isPrivateIndividual)",
    ),
)


class NewCustomers(msgspec.Struct, frozen=True):
    """How new customers are, as far as their values do not say."""

    invoices: str = AUTOMATIC
    is_private: bool = False

    def completed(self, resource: str, values: Values) -> Values:
        """The values that create a record; `values` are those that say something."""
        if resource != "customer":
            return values
        said: Values = {PRIVATE: self.is_private}
        if self.invoices == AUTOMATIC:
            said[METHOD] = "EMAIL" if "email" in values or "invoiceEmail" in values else "MANUAL"
        elif self.invoices != COMPANY:
            said[METHOD] = self.invoices
        return {**said, **values}
