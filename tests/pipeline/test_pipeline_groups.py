"""Addresses and names are one side's or the other's as a whole, and numbers are read in their record's country."""

from datetime import timedelta

from sandbox.lines import Lines

PARTS = ("StreetAddress1", "StreetAddress2", "ZipCode", "City", "Country")


def address_of(record):
    if "postalAddress" not in record:
        return tuple(record[part] or None for part in PARTS)
    told = record["postalAddress"] or {}
    parts = [told.get(part) or None for part in ("addressLine1", "addressLine2", "postalCode", "city")]
    return (*parts, (told.get("country") or {}).get("isoAlpha2Code"))


def by_email(system, kind, email):
    """The records with this e-mail address."""
    return [one for one in system.all(kind) if (one.get("Email") or one.get("email")) == email]


def test_at_first_match_each_address_is_one_that_somebody_had(lines: Lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    street = {"StreetAddress1": "Storgata 1", "ZipCode": "0155", "City": "Oslo"}
    box = {"addressLine1": "Postboks 7", "addressLine2": "c/o Dahl", "postalCode": "0101", "city": "Oslo"}
    tripletex.create("customer", name="Alfa AS", email="alfa@example.no", postalAddress=box)
    crm.create("customer", Name="Alfa AS", Email="alfa@example.no", **street)
    crm.create("customer", Name="Beta AS", Email="beta@example.no", **street)
    tripletex.clock.advance(timedelta(minutes=5))
    tripletex.create("customer", name="Beta AS", email="beta@example.no", postalAddress=box)
    tripletex.create("customer", name="Gamma AS", email="gamma@example.no", postalAddress=box)
    crm.create("customer", Name="Gamma AS", Email="gamma@example.no")
    lines.cycle()
    lines.cycle()
    for email, (line1, line2, zip_code) in {
        "alfa@example.no": ("Storgata 1", None, "0155"),
        "beta@example.no": ("Postboks 7", "c/o Dahl", "0101"),
        "gamma@example.no": ("Postboks 7", "c/o Dahl", "0101"),
    }.items():
        for system in systems.both:
            (one,) = by_email(system, "customer", email)
            assert address_of(one)[:4] == (line1, line2, zip_code, "Oslo"), (email, one)


def test_a_name_whole_on_one_side_is_the_same_person_and_no_name_is_doubled(lines: Lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    crm.create("contact", LastName="Kari Nordmann", Email="kari@example.no")
    tripletex.create("contact", firstName="Kari", lastName="Nordmann", email="kari@example.no")
    crm.create("contact", FirstName="Firma AS", Email="post@example.no")
    tripletex.create("contact", firstName="", lastName="Firma AS", email="post@example.no")
    lines.cycle()
    lines.cycle()
    (ours,), (theirs,) = (by_email(one, "contact", "kari@example.no") for one in systems.both)
    assert (ours["FirstName"] or None, ours["LastName"]) == (None, "Kari Nordmann")
    assert (theirs["firstName"], theirs["lastName"]) == ("Kari", "Nordmann")
    (ours,), (theirs,) = (by_email(one, "contact", "post@example.no") for one in systems.both)
    assert (ours["FirstName"], ours["LastName"] or None) == ("Firma AS", None)
    assert (theirs["firstName"] or None, theirs["lastName"]) == (None, "Firma AS")
    crm.edit("contact", ours["Id"], FirstName="Firma Norge AS")
    lines.cycle()
    (theirs,) = by_email(tripletex, "contact", "post@example.no")
    assert (theirs["firstName"], theirs["lastName"] or None) == ("Firma Norge AS", None)


def test_a_number_of_a_customer_abroad_is_never_taken_for_a_norwegian_one(lines: Lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    for name, code, phone in (("Odense ApS", "DK", "33121212"), ("Lion Pte", "SG", "61234567")):
        tripletex.create(
            "customer", name=name, phoneNumber=phone, postalAddress={"country": {"id": tripletex.country_id(code)}}
        )
    crm.create("customer", Name="Aarhus ApS", Phone="86 12 34 56", Country="DK", Email="a@example.com")
    lines.cycle()
    told = {one["Name"]: one["Phone"] for one in crm.all("customer")}
    assert told == {"Odense ApS": "+45 33 12 12 12", "Lion Pte": "+65 6123 4567", "Aarhus ApS": "86 12 34 56"}
    there = {one["name"]: one["phoneNumber"] for one in tripletex.all("customer")}
    assert there == {"Odense ApS": "33121212", "Lion Pte": "61234567", "Aarhus ApS": "+4586123456"}
