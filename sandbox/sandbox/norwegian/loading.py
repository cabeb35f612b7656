"""Putting the sample data into the two systems, at the times at which people would have done so."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

from sandbox.customcrm import Customcrm
from sandbox.norwegian.companies import Company, companies
from sandbox.norwegian.goods import Product, products
from sandbox.norwegian.numbers import spaced, spelled
from sandbox.norwegian.people import Person, people
from sandbox.tripletex import Tripletex

BEGAN = datetime(2024, 1, 8, 7, 0, tzinfo=timezone.utc)
YEAR = timedelta(days=365)
# Companies that both systems have and that nothing tells to be one: the sync creates the other's record on each side,
# for it does not guess by names.
TWINS = ("Fjordblikk Begravelse AS", "Lysefjorden Kursverksted AS")


@dataclass
class Deed:
    """Something a user did at a time."""

    at: datetime
    do: Callable[[], None]


@dataclass
class Loader:
    """Gathers what the users of both systems did, and does it in order."""

    customcrm: Customcrm
    tripletex: Tripletex
    rng: Random
    deeds: dict[str, list[Deed]] = field(default_factory=lambda: {"customcrm": [], "tripletex": []})
    customcrm_ids: dict[int, str] = field(default_factory=dict)
    tripletex_ids: dict[int, int] = field(default_factory=dict)

    def company(self, company: Company) -> None:
        """A company's records."""
        if company.sides != "tripletex":
            self._later("customcrm", lambda: self._customcrm_company(company))
        if company.sides != "customcrm":
            self._later("tripletex", lambda: self._tripletex_company(company))

    def person(self, person: Person) -> None:
        """A person's records; made after all companies'."""
        mobile = person.mobile and spelled(self.rng, person.mobile, person.mobile_country)
        phone = person.phone and spelled(self.rng, person.phone, "NO")
        says_country = self.rng.random() < 0.9 or person.mobile_country != "NO"
        if person.sides != "tripletex":
            self._later("customcrm", lambda: self._customcrm_person(person, mobile, phone), YEAR)
        if person.sides != "customcrm":
            self._later("tripletex", lambda: self._tripletex_person(person, says_country=says_country), YEAR)

    def product(self, product: Product) -> None:
        """A product's record, and its contact."""
        values = {"Name": product.name, "Number": product.number}
        rest: dict[str, Any] = {"Price": product.price, "Description": product.description}
        self._later("customcrm", lambda: self._do(self.customcrm.create, "product", **values, **rest), YEAR)
        if product.is_contact:
            names = {"firstName": product.name, "lastName": product.number}
            self._later("tripletex", lambda: self._do(self.tripletex.create, "contact", **names), YEAR)

    def tripletex_product(self, product: Product) -> None:
        """A product of Tripletex' own, which no flow touches."""
        price = {"priceExcludingVatCurrency": product.price, "priceIncludingVatCurrency": product.price * 1.25}
        values = {"name": product.name, "number": product.number, **price}
        self._later("tripletex", lambda: self._do(self.tripletex.create, "product", **values), YEAR)

    def load(self) -> None:
        """Do all of it, each system's in the order of its times."""
        for system in (self.customcrm, self.tripletex):
            with system.transaction():
                for deed in sorted(self.deeds[system.name], key=lambda deed: deed.at):
                    with system.clock.at(deed.at):
                        deed.do()

    @staticmethod
    def _do(create: Callable[..., Any], resource: str, **values: Any) -> None:
        create(resource, **values)

    def _later(self, system: str, do: Callable[[], None], after: timedelta = timedelta()) -> None:
        at = BEGAN + after + timedelta(milliseconds=self.rng.randrange(int(YEAR.total_seconds()) * 1000))
        self.deeds[system].append(Deed(at, do))

    def _customcrm_company(self, company: Company) -> None:
        rng = Random(f"customcrm {company.key}")
        by_email = company.match == "email"
        email = company.email.capitalize() if by_email and rng.random() < 0.2 else company.email
        number = spaced(company.organization_number) if rng.random() < 0.5 else company.organization_number
        record = self.customcrm.create(
            "customer",
            Name=company.name,
            OrganizationNumber=None if by_email else number,
            Email=email if by_email or rng.random() < 0.9 else None,
            Phone=spelled(rng, company.phone, company.place.country) if rng.random() < 0.85 else None,
            Website=company.website,
            Description=company.description,
            StreetAddress1=company.street,
            StreetAddress2=company.second_line,
            ZipCode=company.place.postal_code,
            City=company.place.town.title() if rng.random() < 0.1 else company.place.town,
            Country=company.place.country,
        )
        self.customcrm_ids[company.key] = record["Id"]

    def _tripletex_company(self, company: Company) -> None:
        rng = Random(f"tripletex {company.key}")
        by_email = company.match == "email"
        address = {
            "addressLine1": company.street,
            "addressLine2": company.second_line,
            "postalCode": company.place.postal_code,
            "city": company.place.town,
            "country": {"id": self.tripletex.country_id(company.place.country)} if rng.random() < 0.9 else None,
        }
        swedish = company.place.country == "SE"
        values: dict[str, Any] = {
            "name": company.name,
            "organizationNumber": None if by_email and swedish else company.organization_number,
            "email": company.email if by_email or rng.random() < 0.9 else None,
            "invoiceEmail": f"faktura@{company.slug}.example.no" if rng.random() < 0.5 else None,
            "phoneNumber": f"+46{company.phone}" if swedish else company.phone,
            "website": company.website if rng.random() < 0.8 else None,
            "isInactive": company.inactive,
            "postalAddress": address,
        }
        if rng.random() < 0.4:
            values["physicalAddress"] = address
        if rng.random() < 0.3:
            values["deliveryAddress"] = {**address, "addressLine2": "Varemottak"}
        self.tripletex_ids[company.key] = self.tripletex.create("customer", **values)["id"]

    def _customcrm_person(self, person: Person, mobile: str | None, phone: str | None) -> None:
        self.customcrm.create(
            "contact",
            FirstName=person.first_name,
            LastName=person.last_name,
            Email=person.email,
            MobilePhone=mobile,
            Phone=phone,
            CustomerId=person.company and self.customcrm_ids.get(person.company.key),
        )

    def _tripletex_person(self, person: Person, *, says_country: bool) -> None:
        company = person.company and self.tripletex_ids.get(person.company.key)
        country = self.tripletex.country_id(person.mobile_country) if person.mobile and says_country else None
        self.tripletex.create(
            "contact",
            firstName=person.first_name,
            lastName=person.last_name,
            email=person.email,
            phoneNumberMobile=person.mobile,
            phoneNumberMobileCountry=country and {"id": country},
            phoneNumberWork=person.phone,
            customer=company and {"id": company},
        )


def load_norwegian(customcrm: Customcrm, tripletex: Tripletex, *, customers: int = 300, seed: int = 1) -> None:
    """Fill both systems; nothing in it is ambiguous or refused by the other side.

    Of the companies four tenths are on both sides (three matching by organisation number, written with spaces in
    Customcrm's half of the time, one by e-mail address only), the others on one. The two `TWINS` are on both with no
    key in common.
    """
    rng = Random(seed)
    loader = Loader(customcrm, tripletex, rng)
    known = list(companies(rng, customers))
    for company in known:
        loader.company(company)
    for person in people(rng, known):
        loader.person(person)
    goods = list(products(rng, max(20, customers // 8)))
    for product in goods:
        loader.product(product)
    for product in goods[:15]:
        loader.tripletex_product(product)
    loader.load()
    _load_twins(customcrm, tripletex)


def _load_twins(customcrm: Customcrm, tripletex: Tripletex) -> None:
    for number, name in enumerate(TWINS):
        with customcrm.clock.at(BEGAN + 2 * YEAR), tripletex.clock.at(BEGAN + 2 * YEAR):
            customcrm.create("customer", Name=name, Email=f"hei@tvilling{number}.example.com", City="BERGEN")
            tripletex.create("customer", name=name, email=f"faktura@tvilling{number}.example.com")
