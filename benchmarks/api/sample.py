"""The companies in both systems: the same ones, so that a sync that has matched them has nothing to write."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from math import ceil

FIRST_ID = 10_000_001
SEEDED = datetime(2025, 3, 1, 8, 0, tzinfo=timezone.utc)
"""When the first company was entered; the others follow, a second apart."""
WINTER = timedelta(hours=1)
"""Oslo's clock is so much ahead of UTC when `SEEDED` is; all seeded times are read as winter times."""

CUSTOMER = (
    '{"id":%(id)d,"version":%(version)d,"url":"tripletex.no/v2/customer/%(id)d","name":"%(name)s",'
    '"organizationNumber":"%(number)09d","email":"post%(n)d@example.no","invoiceEmail":"","overdueNoticeEmail":"",'
    '"phoneNumber":"22%(phone)06d","phoneNumberMobile":null,"description":"Kunde siden 2025","language":"NO",'
    '"displayName":"%(name)s (%(n)d)","invoiceSendMethod":"EMAIL","emailAttachmentType":"LINK",'
    '"invoicesDueInType":"DAYS","invoiceSMSNotificationNumber":"","website":"https://firma%(n)d.example.no",'
    '"globalLocationNumber":0,"supplierNumber":0,"customerNumber":%(n)d,"invoicesDueIn":14,"discountPercentage":0.0,'
    '"isCustomer":true,"isSupplier":false,"isInactive":false,"isPrivateIndividual":false,'
    '"singleCustomerInvoice":false,"isFactoring":false,"invoiceSendSMSNotification":false,'
    '"isAutomaticSoftReminderEnabled":false,"isAutomaticReminderEnabled":false,'
    '"isAutomaticNoticeOfDebtCollectionEnabled":false,'
    '"postalAddress":{"id":%(address)d,"version":0,"addressLine1":"Storgata %(n)d","addressLine2":"",'
    '"postalCode":"%(zip)04d","city":"OSLO","country":{"id":161,"isoAlpha2Code":"NO"}},'
    '"physicalAddress":{"id":%(physical)d,"version":0,"addressLine1":"Storgata %(n)d","addressLine2":"",'
    '"postalCode":"%(zip)04d","city":"OSLO","country":{"id":161,"isoAlpha2Code":"NO"}},'
    '"deliveryAddress":null,"accountManager":null,"department":null,"category1":{"id":%(category)d},'
    '"category2":null,"category3":null,"currency":{"id":1},"ledgerAccount":{"id":301},'
    '"changes":[{"employeeId":7,"timestamp":"%(wall)s","changeType":"CREATE"}]}'
)
"""A customer of Tripletex, with the fields that tap-tripletex asks for."""

CONTACT = (
    '{"id":%(id)d,"version":%(version)d,"url":"tripletex.no/v2/contact/%(id)d","firstName":"Kari",'
    '"lastName":"Nordmann %(n)d","displayName":"Kari Nordmann %(n)d","email":"kari%(n)d@example.no",'
    '"phoneNumberMobile":"91%(phone)06d","phoneNumberWork":"","isInactive":false,'
    '"phoneNumberMobileCountry":{"id":161,"isoAlpha2Code":"NO"},"customer":{"id":%(id)d},"department":null,'
    '"changes":[{"employeeId":7,"timestamp":"%(wall)s","changeType":"CREATE"}]}'
)
"""A person who works for a customer of Tripletex."""

CRM_CUSTOMER = (
    '{"Id":"%(key)s","CreatedAt":"%(utc)s","UpdatedAt":"%(utc)s","Deleted":false,"Name":"%(name)s",'
    '"OrganizationNumber":"%(number)09d","Email":"post%(n)d@example.no","Phone":"+47 22 %(p1)02d %(p2)02d %(p3)02d",'
    '"Website":"https://firma%(n)d.example.no","Description":"Kunde siden 2025","StreetAddress1":"Storgata %(n)d",'
    '"StreetAddress2":null,"ZipCode":"%(zip)04d","City":"OSLO","Country":"NO"}'
)
"""The same one in the CRM."""

TOWNS = ("Bergen", "Bodø", "Hamar", "Molde", "Oslo", "Tromsø", "Vadsø", "Ålesund")
TRADES = ("Bakeri", "Bygg", "Elektro", "Fisk", "Frisør", "Regnskap", "Transport")


def first_since(wall: str) -> int:
    """The first company entered at that time by the clock on the wall, or after it."""
    return max(0, ceil((datetime.fromisoformat(wall) - (SEEDED + WINTER).replace(tzinfo=None)).total_seconds()))


def words(number: int) -> dict[str, str | int]:
    """What the two records of one company say."""
    moment = SEEDED + timedelta(seconds=number)
    phone = number % 1_000_000
    return {
        "n": number + 1,
        "id": FIRST_ID + number,
        "key": f"c{number:09d}",
        "version": 1,
        "name": f"{TOWNS[number % 8]} {TRADES[number % 7]} {number} AS",
        "number": 900_000_000 + number,
        "phone": phone,
        "p1": phone // 10_000,
        "p2": phone // 100 % 100,
        "p3": phone % 100,
        "zip": 150 + number % 9000,
        "address": 30_000_000 + number,
        "physical": 50_000_000 + number,
        "category": 1 + number % 5,
        "utc": f"{moment:%Y-%m-%dT%H:%M:%S}.000Z",
        "wall": f"{moment + WINTER:%Y-%m-%dT%H:%M:%S}",
    }
