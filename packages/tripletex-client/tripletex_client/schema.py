"""JSON schemas of the streams contact, customer, product and country, as tap-tripletex emits them.

Taken from the Tripletex API description (2.74.00): every plain property of the resource, the customer's addresses with
their parts, other references as `{id}`. Lists are left out. Instead of `changes` a record has `modifiedAt`.
`readOnly` is the description's word.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def _plain(kind: str, *names: str, read_only: bool = False, **more: Any) -> Schema:
    """Properties of one plain type, each of which may be null."""
    marked = {"readOnly": True} if read_only else {}
    return {name: {"type": [kind, "null"], **marked, **more} for name in names}


def _object(properties: Schema, **more: Any) -> Schema:
    return {"type": ["object", "null"], "properties": properties, **more}


def _references(*names: str) -> Schema:
    return {name: _object(_plain("integer", "id")) for name in names}


def _country(name: str) -> Schema:
    return {name: _object(_plain("integer", "id") | _plain("string", "isoAlpha2Code"))}


def _addresses(*names: str) -> Schema:
    parts = (
        _plain("integer", "id", "version")
        | _plain("string", "addressLine1", "addressLine2", "postalCode", "city")
        | _country("country")
    )
    return {name: _object(parts) for name in names}


def _record(*properties: Schema) -> Schema:
    """A record: what all have, then its own."""
    every: Schema = {
        "id": {"type": "integer"},
        "version": {"type": ["integer", "null"], "description": "Revision; a write over an older one is refused"},
        "modifiedAt": {
            "type": ["string", "null"],
            "format": "date-time",
            "readOnly": True,
            "description": "Time of the last change, UTC; made of `changes`",
        },
        **_plain("string", "url", read_only=True),
    }
    for some in properties:
        every |= some
    return {"type": "object", "properties": every}


CONTACT = _record(
    _plain("string", "firstName", "lastName", "displayName", "email", "phoneNumberMobile", "phoneNumberWork"),
    _plain("boolean", "isInactive"),
    _country("phoneNumberMobileCountry"),
    _references("customer", "department"),
)

CUSTOMER = _record(
    _plain(
        "string",
        "name",
        "organizationNumber",
        "email",
        "invoiceEmail",
        "overdueNoticeEmail",
        "phoneNumber",
        "phoneNumberMobile",
        "description",
        "language",
        "displayName",
        "invoiceSendMethod",
        "emailAttachmentType",
        "invoicesDueInType",
        "invoiceSMSNotificationNumber",
        "website",
    ),
    _plain("integer", "globalLocationNumber", "supplierNumber", "customerNumber", "invoicesDueIn"),
    _plain("number", "discountPercentage"),
    _plain("boolean", "isCustomer", read_only=True),
    _plain(
        "boolean",
        "isSupplier",
        "isInactive",
        "isPrivateIndividual",
        "singleCustomerInvoice",
        "isFactoring",
        "invoiceSendSMSNotification",
        "isAutomaticSoftReminderEnabled",
        "isAutomaticReminderEnabled",
        "isAutomaticNoticeOfDebtCollectionEnabled",
    ),
    _addresses("postalAddress", "physicalAddress", "deliveryAddress"),
    _references(
        "accountManager",
        "department",
        "category1",
        "category2",
        "category3",
        "currency",
        "ledgerAccount",
    ),
)

PRODUCT = _record(
    _plain("string", "name", "number", "description", "orderLineDescription", "ean"),
    _plain("string", "weightUnit", "volumeUnit", "hsnCode"),
    _plain("string", "displayNumber", "displayName", "elNumber", "nrfNumber", read_only=True),
    _plain("number", "costExcludingVatCurrency", "expenses", "priceExcludingVatCurrency", "priceIncludingVatCurrency"),
    _plain("number", "weight", "volume", "minStockLevel"),
    _plain(
        "number",
        "expensesInPercent",
        "costPrice",
        "profit",
        "profitInPercent",
        "stockOfGoods",
        "availableStock",
        "incomingStock",
        "outgoingStock",
        "discountPrice",
        "markupListPercentage",
        "markupNetPercentage",
        "priceInTargetCurrency",
        "purchasePriceCurrency",
        read_only=True,
    ),
    _plain("boolean", "isInactive", "isStockItem", "isDeletable", "hasSupplierProductConnected"),
    _plain("boolean", "isRoundPriceIncVat", read_only=True),
    _references(
        "discountGroup",
        "productUnit",
        "vatType",
        "currency",
        "department",
        "account",
        "supplier",
        "resaleProduct",
        "image",
        "mainSupplierProduct",
    ),
)

COUNTRY = _record(
    _plain("string", "name", "displayName", "isoAlpha2Code", "isoAlpha3Code", "isoNumericCode", read_only=True),
)

SCHEMAS: dict[str, Schema] = {"contact": CONTACT, "customer": CUSTOMER, "product": PRODUCT, "country": COUNTRY}
"""By stream, which is also the API's name of the resource."""
