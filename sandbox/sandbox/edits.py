"""Edits that the two systems' users make in the story that `sandbox sync` tells."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.systems import Systems


@dataclass(frozen=True)
class Edit:
    """One property that a user changed, and where its value has to arrive."""

    side: str
    record: str
    edited: str
    carried: str
    before: Any
    after: Any
    expected: Any
    seen: Callable[[Systems], Any]
    """What the other side says now."""

    @property
    def other_side(self) -> str:
        """The side that has to say it too."""
        return "tripletex" if self.side == "customcrm" else "customcrm"

    def has_arrived(self, systems: Systems) -> bool:
        """Whether the other side says what it should."""
        return bool(self.seen(systems) == self.expected)


def edit_as_users(systems: Systems) -> list[Edit]:
    """Change a few records on both sides, as people at work would."""
    return [
        _new_phone_in_customcrm(systems),
        _new_name_in_tripletex(systems),
        _moved_in_customcrm(systems),
        _new_email_in_tripletex(systems),
        _renamed_product_in_tripletex(systems),
        _cleared_website_in_customcrm(systems),
    ]


def _customers_of_both(systems: Systems) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    by_number = {
        one["organizationNumber"]: one for one in systems.tripletex.all("customer") if one["organizationNumber"]
    }
    pairs = []
    for customer in systems.customcrm.all("customer"):
        number = "".join((customer["OrganizationNumber"] or "").split())
        if number in by_number:
            pairs.append((customer, by_number[number]))
    return pairs


def _new_phone_in_customcrm(systems: Systems) -> Edit:
    customer, other = _customers_of_both(systems)[3]
    after = "+47 22 33 44 55"
    systems.customcrm.edit("customer", customer["Id"], Phone=after)
    return Edit(
        "customcrm",
        customer["Name"],
        "Phone",
        "phoneNumber",
        customer["Phone"],
        after,
        "22334455",
        lambda now: (now.tripletex.get("customer", other["id"]) or {}).get("phoneNumber"),
    )


def _new_name_in_tripletex(systems: Systems) -> Edit:
    customer, other = _customers_of_both(systems)[8]
    after = f"{other['name'].rsplit(' ', 1)[0]} Holding AS"
    systems.tripletex.edit("customer", other["id"], name=after)
    return Edit(
        "tripletex",
        other["name"],
        "name",
        "Name",
        other["name"],
        after,
        after,
        lambda now: (now.customcrm.get("customer", customer["Id"]) or {}).get("Name"),
    )


def _moved_in_customcrm(systems: Systems) -> Edit:
    customer, other = _customers_of_both(systems)[12]
    after = "Ærfuglveien 7 B"
    systems.customcrm.edit("customer", customer["Id"], StreetAddress1=after)
    return Edit(
        "customcrm",
        customer["Name"],
        "StreetAddress1",
        "postalAddress.addressLine1",
        customer["StreetAddress1"],
        after,
        after,
        lambda now: ((now.tripletex.get("customer", other["id"]) or {}).get("postalAddress") or {}).get("addressLine1"),
    )


def _new_email_in_tripletex(systems: Systems) -> Edit:
    emails = [one["Email"] for one in systems.customcrm.all("contact")]
    contact = next(
        one
        for one in systems.customcrm.all("contact")
        if one["Email"] and emails.count(one["Email"]) == 1 and one["LastName"]
    )
    other = next(
        one
        for one in systems.tripletex.all("contact")
        if one["email"] and one["email"].casefold() == contact["Email"].casefold()
    )
    after = "ny.adresse@example.no"
    systems.tripletex.edit("contact", other["id"], email=after)
    return Edit(
        "tripletex",
        f"{other['firstName']} {other['lastName']}",
        "email",
        "Email",
        other["email"],
        after,
        after,
        lambda now: (now.customcrm.get("contact", contact["Id"]) or {}).get("Email"),
    )


def _renamed_product_in_tripletex(systems: Systems) -> Edit:
    product = systems.customcrm.all("product")[0]
    other = next(
        one
        for one in systems.tripletex.all("contact")
        if (one["firstName"], one["lastName"]) == (product["Name"], product["Number"])
    )
    after = f"{product['Name']}, ny modell"
    systems.tripletex.edit("contact", other["id"], firstName=after)
    return Edit(
        "tripletex",
        f"{product['Name']} {product['Number']} (a product)",
        "firstName",
        "Name",
        product["Name"],
        after,
        after,
        lambda now: (now.customcrm.get("product", product["Id"]) or {}).get("Name"),
    )


def _cleared_website_in_customcrm(systems: Systems) -> Edit:
    customer, other = next(pair for pair in _customers_of_both(systems) if pair[0]["Website"] and pair[1]["website"])
    systems.customcrm.edit("customer", customer["Id"], Website=None)
    return Edit(
        "customcrm",
        customer["Name"],
        "Website",
        "website",
        customer["Website"],
        None,
        None,
        lambda now: (now.tripletex.get("customer", other["id"]) or {}).get("website"),
    )
