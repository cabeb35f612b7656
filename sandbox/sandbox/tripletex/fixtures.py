"""What every company in Tripletex has from the start and the API user only refers to: countries, a currency, people."""

import csv
from functools import cache
from importlib.resources import files
from typing import Any

from sandbox.store import Table
from sandbox.tripletex.rows import Row
from sandbox.tripletex.types import object_type

COMPANY_ID = 1001
COMPANY_NAME = "Eksempelbedriften AS"
# The API's own employee, whose token is used, and the one who sits at Tripletex's screens.
API_EMPLOYEE = 2001
USER_EMPLOYEE = 2002


def blank_values(type_name: str) -> dict[str, Any]:
    """Every plain property of a type, without a value."""
    hidden = ("id", "version", "url")
    return {each.name: None for each in object_type(type_name).scalars if each.name not in hidden}


def blank_refs(type_name: str) -> dict[str, int | None]:
    """Every reference of a type, to nothing."""
    return dict.fromkeys(each.name for each in object_type(type_name).references)


def _row(type_name: str, row_id: int, **values: Any) -> Row:
    return Row(row_id, type_name, 0, {**blank_values(type_name), **values}, blank_refs(type_name))


@cache
def countries() -> tuple[Row, ...]:
    """All of ISO 3166-1, with the names used in Norway."""
    text = files("sandbox.tripletex").joinpath("countries.csv").read_text(encoding="utf-8")
    return tuple(
        _row(
            "Country",
            number,
            name=line["name"],
            displayName=line["name"],
            isoAlpha2Code=line["alpha2"],
            isoAlpha3Code=line["alpha3"],
            isoNumericCode=line["numeric"],
        )
        for number, line in enumerate(csv.DictReader(text.splitlines(), delimiter=";"), start=1)
    )


def fixed_tables() -> dict[str, Table[Row]]:
    """The tables that no request changes."""
    rows = [
        *countries(),
        _row("Currency", 1, code="NOK", description="Norske kroner", factor=1, displayName="NOK", isDisabled=False),
        _row("VatType", 3, name="Utgående avgift, høy sats", number="3", displayName="25 %", percentage=25),
        _row("ProductUnit", 1, name="Stykk", nameShort="stk", displayName="Stykk", displayNameShort="stk"),
        _row("Department", 1, name="Administrasjon", departmentNumber="1", displayName="1 Administrasjon"),
        _row("Employee", API_EMPLOYEE, firstName="Synkronisering", lastName="API", displayName="Synkronisering API"),
        _row("Employee", USER_EMPLOYEE, firstName="Ragnhild", lastName="Regnskap", displayName="Ragnhild Regnskap"),
        _row("Company", COMPANY_ID, name=COMPANY_NAME, displayName=COMPANY_NAME, type="AS"),
    ]
    tables: dict[str, Table[Row]] = {"country": Table(Row, {"isoAlpha2Code": lambda row: row.values["isoAlpha2Code"]})}
    for row in rows:
        table = tables.setdefault(object_type(row.type_name).table, Table(Row))
        table.put(row)
        table.journal.clear()
    return tables


DEFAULTS: dict[str, dict[str, Any]] = {
    "Customer": {
        "isSupplier": False,
        "isCustomer": True,
        "isInactive": False,
        "bankAccounts": [],
        "language": "NO",
        "isPrivateIndividual": False,
        "singleCustomerInvoice": False,
        "invoiceSendMethod": "EMAIL",
        "emailAttachmentType": "ATTACHMENT",
        "invoicesDueIn": 14,
        "invoicesDueInType": "DAYS",
        "isFactoring": False,
        "invoiceSendSMSNotification": False,
        "isAutomaticSoftReminderEnabled": False,
        "isAutomaticReminderEnabled": False,
        "isAutomaticNoticeOfDebtCollectionEnabled": False,
        "discountPercentage": 0,
    },
    "Contact": {"isInactive": False},
    "Product": {
        "isInactive": False,
        "isStockItem": False,
        "isDeletable": False,
        "hasSupplierProductConnected": False,
        "isRoundPriceIncVat": False,
        "costExcludingVatCurrency": 0,
        "priceExcludingVatCurrency": 0,
        "priceIncludingVatCurrency": 0,
    },
    "Address": {},
    "DeliveryAddress": {},
}
DEFAULT_REFS: dict[str, dict[str, int | None]] = {
    "Customer": {"currency": 1},
    "Product": {"currency": 1, "vatType": 3},
}
