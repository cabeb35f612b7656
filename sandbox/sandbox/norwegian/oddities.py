"""Records that a sync must not settle by itself, or that one side refuses: for tests and for showing what happens."""

from dataclasses import dataclass
from datetime import datetime, timezone

from sandbox.customcrm import Customcrm
from sandbox.norwegian.numbers import check_digit
from sandbox.tripletex import Tripletex

MADE = datetime(2026, 2, 2, 12, 0, tzinfo=timezone.utc)
SHARED_EMAIL = "familien.dahl@example.no"
CONTESTED_EMAIL = "post@tonummer.example.no"
INVALID_EMAIL = "ring meg heller"


@dataclass(frozen=True)
class Oddities:
    """The odd records' ids, Customcrm's as text and Tripletex's as numbers."""

    sharing_customcrm: tuple[str, ...]  # Ola and Kari Dahl, contacts under one e-mail address
    sharing_tripletex: tuple[int, ...]  # Ola Dahl
    ambiguous_customcrm: str  # a customer whose organisation number ...
    ambiguous_tripletex: tuple[int, ...]  # ... two customers have
    contested_customcrm: str  # a customer with the same e-mail address as ...
    contested_tripletex: int  # ... this one, and another organisation number
    invalid_customcrm: str  # a contact whose e-mail address Tripletex refuses


def _number(eight_digits: str) -> str:
    return f"{eight_digits}{check_digit(eight_digits)}"


def load_oddities(customcrm: Customcrm, tripletex: Tripletex) -> Oddities:
    """Add them; they were made after all other sample data."""

    def crm(resource: str, **values: str) -> str:
        return str(customcrm.create(resource, **values)["Id"])

    def accounts(resource: str, **values: str) -> int:
        return int(tripletex.create(resource, **values)["id"])

    twice, first, second = _number("31999901"), _number("31999902"), _number("31999903")
    with customcrm.clock.at(MADE), tripletex.clock.at(MADE):
        return Oddities(
            sharing_customcrm=(
                crm("contact", FirstName="Ola", LastName="Dahl", Email=SHARED_EMAIL),
                crm("contact", FirstName="Kari", LastName="Dahl", Email=SHARED_EMAIL),
            ),
            sharing_tripletex=(accounts("contact", firstName="Ola", lastName="Dahl", email=SHARED_EMAIL),),
            ambiguous_customcrm=crm("customer", Name="Dobbeltgjenger Hotell AS", OrganizationNumber=twice),
            ambiguous_tripletex=(
                accounts("customer", name="Dobbeltgjenger Hotell AS", organizationNumber=twice),
                accounts("customer", name="Dobbeltgjenger Hotell AS avd. Nord", organizationNumber=twice),
            ),
            contested_customcrm=crm(
                "customer", Name="Tonummer Drift AS", Email=CONTESTED_EMAIL, OrganizationNumber=first
            ),
            contested_tripletex=accounts(
                "customer", name="Tonummer Eiendom AS", email=CONTESTED_EMAIL, organizationNumber=second
            ),
            invalid_customcrm=crm("contact", FirstName="Gry", LastName="Utenpost", Email=INVALID_EMAIL),
        )
