"""What happens in a two-way sync of one CRM and Tripletex, and what both then say: the same for every CRM.

A *sync* runs a cycle (`run(what, *arguments)`) and tells the writes that each side got. A *crm* is what its users see:
`create`, `edit`, `delete`, `all`, `get`, by the streams' properties; one without products says so (`has_products`).
"""

FLOWS = ("customer", "contact", "product")


def by(records, **wanted):
    """The one record that says so, and its id."""
    (found,) = [(key, one) for key, one in records.items() if all(one[name] == value for name, value in wanted.items())]
    return found


def theirs(systems, resource, **wanted):
    (found,) = [
        one for one in systems.tripletex.all(resource) if all(one[name] == value for name, value in wanted.items())
    ]
    return found


def has_products(crm):
    return getattr(crm, "has_products", True)


def count_of_products(crm):
    return 4 if has_products(crm) else 0


def fill(crm, tripletex):
    """A register on each side; Alfa AS is in both."""
    alfa = crm.create(
        "customer",
        Name="Alfa AS",
        OrganizationNumber="910000004",
        Email="post@alfa.example.no",
        Phone="+47 22 33 44 55",
        Website="https://alfa.example.no",
        StreetAddress1="Storgata 1",
        ZipCode="0155",
        City="OSLO",
        Country="NO",
    )
    beta = crm.create(
        "customer", Name="Beta Ærlig & Sønner AS", OrganizationNumber="910 000 012", Description="Ny kunde"
    )
    for name in ("Gamma AS", "Kappa AS", "Lambda AS"):
        crm.create("customer", Name=name, Email=f"post@{name.split()[0].lower()}.example.no")
    crm.create("contact", FirstName="Kari", LastName="Nordmann", Email="kari@alfa.example.no", CustomerId=alfa)
    crm.create("contact", FirstName="Ola", LastName="Berg", MobilePhone="+47 90 00 00 01", CustomerId=beta)
    crm.create("contact", FirstName="Per", LastName="Dahl", Email="per@example.no")
    crm.create("contact", FirstName="Siv", LastName="Eide", Email="siv@example.no")
    products = (("Skrue", "S-1"), ("Mutter", "M-1"), ("Skive", "S-2"), ("Bolt", "B-1"))
    for name, number in products if has_products(crm) else ():
        crm.create("product", Name=name, Number=number)

    tripletex.create("customer", name="Alfa AS", organizationNumber="910000004", invoiceEmail="faktura@alfa.example.no")
    delta = tripletex.create("customer", name="Delta AS", organizationNumber="910000020", phoneNumber="33445566")
    tripletex.create("customer", name="Epsilon AS", email="post@epsilon.example.no")
    tripletex.create(
        "contact", firstName="Nina", lastName="Foss", email="nina@delta.example.no", customer={"id": delta["id"]}
    )
    tripletex.create("contact", firstName="Lars", lastName="Gran", email="lars@example.no")
    if has_products(crm):
        tripletex.create("contact", firstName="Skive", lastName="S-2")


def come_together(crm, systems, sync):
    tripletex = systems.tripletex
    sync.run("the two come together")
    customers, contacts, products = told = [crm.all(stream) for stream in FLOWS]
    names = sorted(one["Name"] for one in customers.values())
    assert names == sorted(one["name"] for one in tripletex.all("customer"))
    assert [name.split()[0] for name in names] == ["Alfa", "Beta", "Delta", "Epsilon", "Gamma", "Kappa", "Lambda"]
    alfa = theirs(systems, "customer", name="Alfa AS")
    assert (alfa["phoneNumber"], alfa["postalAddress"]["city"], alfa["website"]) == (
        "22334455",
        "OSLO",
        "https://alfa.example.no",
    )
    delta_id, delta = by(customers, Name="Delta AS")
    assert (delta["OrganizationNumber"], delta["Phone"]) == ("910000020", "+47 33 44 55 66")
    assert len(contacts) == 6
    _, nina = by(contacts, FirstName="Nina")
    assert (nina["LastName"], nina["Email"], str(nina["CustomerId"])) == ("Foss", "nina@delta.example.no", delta_id)
    assert theirs(systems, "contact", firstName="Kari")["customer"]["id"] == alfa["id"]
    ola = theirs(systems, "contact", firstName="Ola")
    assert (ola["phoneNumberMobile"], ola["phoneNumberMobileCountry"]["id"]) == ("90000001", tripletex.country_id("NO"))
    # What is a product on both sides is no person.
    assert len(products) == count_of_products(crm)
    assert len(tripletex.all("contact")) == 6 + len(products)

    assert sync.run("nothing new") == ([], [])
    assert [crm.all(stream) for stream in FLOWS] == told


def edit_on_both_sides(crm, systems, sync):
    tripletex = systems.tripletex
    alfa_id, _ = by(crm.all("customer"), Name="Alfa AS")
    contacts = crm.all("contact")
    crm.edit("customer", alfa_id, Phone="+47 55 66 77 88", Website=None, City="BERGEN")
    if has_products(crm):
        crm.edit("product", by(crm.all("product"), Number="M-1")[0], Name="Mutter, sekskant")
    crm.edit("contact", by(contacts, FirstName="Per")[0], CustomerId=alfa_id)
    crm.edit("contact", by(contacts, FirstName="Ola")[0], MobilePhone=None)
    crm.create("customer", Name="Zeta AS", OrganizationNumber="910000039")
    alfa = theirs(systems, "customer", name="Alfa AS")
    # The same customer on both sides, other properties: both edits stay.
    tripletex.edit("customer", alfa["id"], email="nypost@alfa.example.no")
    tripletex.edit("customer", theirs(systems, "customer", name="Gamma AS")["id"], name="Gamma Holding AS")
    tripletex.edit("customer", theirs(systems, "customer", name="Delta AS")["id"], organizationNumber=None)
    tripletex.edit("contact", theirs(systems, "contact", firstName="Kari")["id"], email="kari.ny@alfa.example.no")
    tripletex.edit("contact", theirs(systems, "contact", firstName="Siv")["id"], lastName="Eide Moe")
    eta = {"id": tripletex.create("customer", name="Eta AS")["id"]}
    tripletex.create("contact", firstName="Tor", lastName="Holm", email="tor@eta.example.no", customer=eta)

    sync.run("edits and new records, both ways")
    alfa = theirs(systems, "customer", name="Alfa AS")
    assert (alfa["phoneNumber"], alfa["website"], alfa["postalAddress"]["city"], alfa["email"]) == (
        "55667788",
        None,
        "BERGEN",
        "nypost@alfa.example.no",
    )
    assert crm.get("customer", alfa_id)["Email"] == "nypost@alfa.example.no"
    if has_products(crm):
        assert theirs(systems, "contact", lastName="M-1")["firstName"] == "Mutter, sekskant"
    assert theirs(systems, "contact", firstName="Per")["customer"]["id"] == alfa["id"]
    assert not theirs(systems, "contact", firstName="Ola")["phoneNumberMobile"]
    assert theirs(systems, "customer", name="Zeta AS")["organizationNumber"] == "910000039"
    customers, contacts = crm.all("customer"), crm.all("contact")
    assert by(customers, Name="Gamma Holding AS")
    assert by(customers, Name="Delta AS")[1]["OrganizationNumber"] is None
    assert by(contacts, FirstName="Kari")[1]["Email"] == "kari.ny@alfa.example.no"
    assert by(contacts, FirstName="Siv")[1]["LastName"] == "Eide Moe"
    assert str(by(contacts, FirstName="Tor")[1]["CustomerId"]) == by(customers, Name="Eta AS")[0]
    count = count_of_products(crm)
    assert [len(crm.all(stream)) for stream in FLOWS] == [9, 7, count]
    assert [len(tripletex.all(resource)) for resource in ("customer", "contact")] == [9, 7 + count]

    assert sync.run("nothing new, all read again", "two-way", "--full-refresh") == ([], [])


def delete_on_both_sides(crm, systems, sync):
    tripletex = systems.tripletex
    crm.delete("contact", by(crm.all("contact"), FirstName="Siv")[0])
    crm.delete("customer", by(crm.all("customer"), Name="Zeta AS")[0])
    tripletex.remove("contact", theirs(systems, "contact", firstName="Lars")["id"])
    tripletex.remove("customer", theirs(systems, "customer", name="Epsilon AS")["id"])

    # What a full read did not bring is looked up by the next run towards its side, and passed on by the one after it.
    sync.run("deleted on both sides", "two-way", "--full-refresh")
    sync.run("passed on")
    assert theirs(systems, "contact", firstName="Siv")["isInactive"] is True
    assert theirs(systems, "customer", name="Zeta AS")["isInactive"] is True
    assert "Epsilon AS" not in [one["Name"] for one in crm.all("customer").values()]
    assert "Lars" not in [one["FirstName"] for one in crm.all("contact").values()]
    assert [len(crm.all(stream)) for stream in FLOWS] == [7, 5, count_of_products(crm)]

    assert sync.run("nothing new, all read again", "two-way", "--full-refresh") == ([], [])
