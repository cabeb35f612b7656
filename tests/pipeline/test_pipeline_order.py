"""Records that need each other, in whichever order they come."""

import json

import pytest
from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX, said


def streams(messages):
    order = []
    for line in messages.read_text(encoding="utf-8").splitlines():
        message = json.loads(line)
        if message["type"] == "RECORD":
            order.append(message["stream"])
    return order


def contacts_first(messages):
    """The messages with all of the customers behind the contacts, as another tap may send them."""
    lines = messages.read_bytes().splitlines(keepends=True)
    later = [one for one in lines if b'"type":"SCHEMA"' not in one and b'"stream":"customer"' in one]
    rest = [one for one in lines if one not in later]
    messages.write_bytes(b"".join([*rest[:-1], *later, rest[-1]]))
    return messages


def only(records):
    (one,) = records
    return one


def writes(systems):
    return [f"{seen.method} {seen.path}" for system in systems.both for seen in system.requests if seen.is_write]


def test_a_person_whose_customer_comes_later_in_the_stream_works_for_it_in_tripletex_after_one_run(lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    customer = crm.create("customer", Name="Sen Kunde AS", OrganizationNumber="910 000 004")
    crm.create("contact", FirstName="Tidlig", LastName="Ute", Email="tidlig@example.no", CustomerId=customer["Id"])
    messages = contacts_first(lines.messages(TO_TRIPLETEX))
    assert streams(messages) == ["contact", "customer"]
    ran = lines.load(TO_TRIPLETEX, messages)
    assert ran.counts == {"contact": {"created": 1}, "customer": {"created": 1}}
    person = only(tripletex.all("contact"))
    assert person["customer"]["id"] == only(tripletex.all("customer"))["id"]
    # It was made with its customer, not without and then again with it.
    assert person["version"] == 0


def test_a_person_whose_customer_comes_later_in_the_stream_works_for_it_in_customcrm_after_one_run(lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    customer = tripletex.create("customer", name="Sen Kunde AS", organizationNumber="910000004")
    tripletex.create("contact", firstName="Tidlig", lastName="Ute", customer={"id": customer["id"]})
    messages = contacts_first(lines.messages(TO_CUSTOMCRM))
    assert streams(messages) == ["product", "contact", "customer"]
    ran = lines.load(TO_CUSTOMCRM, messages)
    assert ran.counts["contact"] == {"created": 1}
    person = only(crm.all("contact"))
    assert person["CustomerId"] == only(crm.all("customer"))["Id"]
    assert person["CreatedAt"] == person["UpdatedAt"]


def test_a_person_who_moves_to_a_customer_that_is_new_too_is_brought_over_whole(lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    person = crm.create("contact", FirstName="Flytter", LastName="Ofte", Email="flytter@example.no")
    lines.cycle()
    customer = crm.create("customer", Name="Ny Arbeidsgiver AS", Email="post@nyarb.example.no")
    crm.edit("contact", person["Id"], CustomerId=customer["Id"], Phone="22 33 44 55")
    lines.well(TO_TRIPLETEX)
    moved = only(tripletex.all("contact"))
    assert (moved["customer"] or {}).get("id") == only(tripletex.all("customer"))["id"]
    assert moved["phoneNumberWork"] == "22334455"


def test_a_product_edited_as_a_contact_in_tripletex_changes_the_product_and_nothing_else(lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    product = crm.create("product", Name="Spade", Number="S-1", Price=100, Description="av stål")
    crm.create("product", Name="Rive", Number="R-1", Price=50)
    tripletex.create("contact", firstName="Rive", lastName="R-1")
    tripletex.create("contact", firstName="Ekte", lastName="Person", email="ekte@example.no")
    lines.cycle()
    assert [one["FirstName"] for one in crm.all("contact")] == ["Ekte"]
    assert len(tripletex.all("contact")) == 3

    contact = only(one for one in tripletex.all("contact") if one["firstName"] == "Spade")
    tripletex.edit("contact", contact["id"], firstName="Spade, lang", email="spade@example.no")
    _, to_customcrm = lines.cycle()
    assert to_customcrm.counts["product"]["updated"] == 1
    assert crm.get("product", product["Id"])["Name"] == "Spade, lang"
    assert crm.get("product", product["Id"])["Price"] == 100
    assert [one["FirstName"] for one in crm.all("contact")] == ["Ekte"]
    assert len(crm.all("product")) == 2
    assert len(tripletex.all("contact")) == 3

    before = said(systems)
    systems.clear_requests()
    lines.cycle()
    assert writes(systems) == []
    for direction in (TO_TRIPLETEX, TO_CUSTOMCRM):
        lines.well(direction, full_refresh=True)
    assert writes(systems) == []
    assert said(systems) == before


def test_a_product_that_comes_to_be_called_like_a_person_is_no_person(lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    crm.create("contact", FirstName="Kari", LastName="Nordmann", Email="kari@example.no")
    crm.create("product", Name="Spade", Number="S-1")
    lines.cycle()
    contact = only(one for one in tripletex.all("contact") if one["firstName"] == "Spade")
    tripletex.edit("contact", contact["id"], firstName="Kari", lastName="Nordmann", email="kari@example.no")
    lines.cycle()
    assert only(crm.all("contact"))["Email"] == "kari@example.no"
    assert only(crm.all("product"))["Name"] == "Kari"
    assert len(tripletex.all("contact")) == 2


def test_a_reference_is_the_same_whichever_digits_its_id_ends_in(lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    for number in range(10):
        customer = crm.create("customer", Name=f"Kunde {number} AS", Email=f"post@kunde{number}.example.no")["Id"]
        crm.create(
            "contact", FirstName="Person", LastName=str(number), Email=f"p{number}@example.no", CustomerId=customer
        )
        theirs = {"id": 20_000_000 + number * 10}
        tripletex.create("customer", name=f"Kunde {number} AS", email=f"post@kunde{number}.example.no", **theirs)
        person = {"firstName": "Person", "lastName": str(number), "email": f"p{number}@example.no"}
        tripletex.create("contact", customer=theirs, **person)
    for ran in lines.cycle():
        assert not {"updated", "linked and updated", "created"} & set(ran.counts["contact"])
    assert writes(systems) == []


@pytest.mark.parametrize("direction", [TO_TRIPLETEX, TO_CUSTOMCRM], ids=lambda one: one.name)
def test_customers_are_read_before_the_contacts_that_refer_to_them(lines, systems, direction):
    crm, tripletex = systems.customcrm, systems.tripletex
    customer = crm.create("customer", Name="Ås AS", OrganizationNumber="910000004")
    crm.create("contact", FirstName="Kari", Email="kari@example.no", CustomerId=customer["Id"])
    firm = tripletex.create("customer", name="Bø AS", organizationNumber="910000012")
    tripletex.create("contact", firstName="Ola", email="ola@example.no", customer={"id": firm["id"]})
    order = streams(lines.messages(direction))
    assert order.index("customer") < order.index("contact")
