"""What systems and users do that leads a sync astray: nobody is taken for somebody else, and nothing is lost."""

import pytest
from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX

from sandbox import Fault

DIRECTIONS = pytest.mark.parametrize("next_line", [TO_TRIPLETEX, TO_CUSTOMCRM], ids=lambda one: one.name)


def people(systems):
    """The first names of those named Dahl, on either side."""
    return (
        sorted(one["FirstName"] for one in systems.customcrm.all("contact")),
        sorted(one["firstName"] for one in systems.tripletex.all("contact")),
    )


def make_under_a_former_id(crm, record_id, **values):
    """A customer under the id of a deleted one, whose tombstone goes."""
    with crm.transaction():
        crm.register.tables["customers"].remove(record_id)
    crm.create("customer", Id=record_id, **values)


@DIRECTIONS
def test_a_person_whose_creation_never_arrived_is_not_taken_for_a_colleague_at_the_same_address(
    lines, systems, next_line
):
    crm, tripletex = systems.customcrm, systems.tripletex
    kari = crm.create("contact", FirstName="Kari", LastName="Dahl", Email="kontor@example.no")["Id"]
    tripletex.before = lambda seen: Fault.drop() if seen.is_write and "contact" in seen.path else None
    lines.well(TO_TRIPLETEX)
    assert tripletex.all("contact") == []
    tripletex.before = None
    ola = tripletex.create("contact", firstName="Ola", lastName="Dahl", email="kontor@example.no")["id"]
    lines.well(next_line)
    lines.cycle()
    assert tripletex.get("contact", ola)["firstName"] == "Ola"
    assert crm.get("contact", kari)["FirstName"] == "Kari"
    assert people(systems) == (["Kari", "Ola"], ["Kari", "Ola"])


def test_a_list_that_is_answered_in_another_order_doubles_and_mixes_up_nothing(lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    ids = [crm.create("customer", Name=f"Kunde {number}", Email=f"k{number}@example.no")["Id"] for number in range(5)]

    def turned_round(seen):
        if not seen.is_write:
            return None
        body = seen.response_body
        return Fault.answer(201, {**body, "values": body["values"][::-1]})

    tripletex.after = turned_round
    assert lines.well(TO_TRIPLETEX).counts["customer"] == {"parked": 5}
    tripletex.after = None
    lines.cycle()
    for number, record_id in enumerate(ids):
        crm.edit("customer", record_id, Description=f"den {number}.")
    lines.cycle()
    assert {one["name"]: one["description"] for one in tripletex.all("customer")} == {
        f"Kunde {number}": f"den {number}." for number in range(5)
    }
    assert len(tripletex.all("customer")) == len(crm.all("customer")) == 5


def test_a_record_that_is_answered_otherwise_than_it_was_sent_does_not_lose_its_counterpart_to_another(lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    alfa = crm.create("customer", Name="Alfa", OrganizationNumber="923609016", Email="post@alfa.example.no")["Id"]
    other = crm.create("customer", Name="Alfa AS")["Id"]

    def tidied(seen):
        if not seen.is_write:
            return None
        values = [{**one, "name": "Alfa AS"} for one in seen.response_body["values"]]
        return Fault.answer(201, {**seen.response_body, "values": values})

    tripletex.after = tidied
    lines.well(TO_TRIPLETEX)
    tripletex.after = None
    crm.edit("customer", alfa, Description="den med nummer")
    crm.edit("customer", other, Description="den uten")
    lines.cycle()
    lines.cycle()
    assert {one["organizationNumber"]: one["description"] for one in tripletex.all("customer")} == {
        "923609016": "den med nummer",
        None: "den uten",
    }
    assert crm.get("customer", other)["Email"] is None


def test_a_customer_that_is_restored_after_both_sides_let_go_of_it_is_created_again(lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    record_id = crm.create("customer", Name="Fjord AS", Email="post@fjord.example.no")["Id"]
    lines.cycle()
    crm.remove("customer", record_id)
    lines.well(TO_TRIPLETEX)
    (inactive,) = tripletex.all("customer")
    assert inactive["isInactive"]
    tripletex.remove("customer", inactive["id"])
    make_under_a_former_id(crm, record_id, Name="Fjord AS", Email="post@fjord.example.no")
    lines.well(TO_TRIPLETEX)
    assert [one["name"] for one in tripletex.all("customer")] == ["Fjord AS"]
    lines.well(TO_CUSTOMCRM, full_refresh=True)
    lines.well(TO_TRIPLETEX, full_refresh=True)
    lines.well(TO_CUSTOMCRM)
    assert [one["Name"] for one in crm.all("customer")] == ["Fjord AS"]


def test_a_company_that_is_given_the_id_of_a_deleted_one_does_not_overwrite_that_ones_counterpart(lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    crm.create("customer", Id="5", Name="Fjord AS", OrganizationNumber="974760673")
    lines.cycle()
    crm.remove("customer", "5")
    lines.cycle()
    make_under_a_former_id(crm, "5", Name="Fjell AS", OrganizationNumber="923609016")
    lines.cycle()
    assert {one["organizationNumber"]: (one["name"], one["isInactive"]) for one in tripletex.all("customer")} == {
        "974760673": ("Fjord AS", True),
        "923609016": ("Fjell AS", False),
    }


@pytest.mark.parametrize(
    ("number", "email"), [("923 60 90 16", None), (None, "Post@Alfa.example.no")], ids=["number", "e-mail"]
)
def test_a_refused_customer_that_the_accountant_makes_by_hand_is_not_doubled_in_the_crm(lines, systems, number, email):
    crm, tripletex = systems.customcrm, systems.tripletex
    crm.create("customer", Name="Alfa AS", OrganizationNumber=number, Email=email)
    refusal = Fault.answer(422, {"status": 422, "code": 18000, "message": "Ugyldig adresse"})
    tripletex.before = lambda seen: refusal if seen.is_write else None
    assert lines.well(TO_TRIPLETEX).counts["customer"] == {"parked": 1}
    tripletex.before = None
    tripletex.create(
        "customer", name="Alfa AS", organizationNumber=number and "923609016", email=email and email.lower()
    )
    lines.well(TO_CUSTOMCRM)
    lines.cycle()
    assert len(crm.all("customer")) == len(tripletex.all("customer")) == 1


FAILURES = {
    "forbidden": Fault.answer(403, {"status": 403, "message": "Ingen tilgang"}),
    "not found": Fault.answer(404, {"status": 404, "message": "Ukjent adresse"}),
    "another answer": Fault.answer(200, {"status": "ok"}),
    "a page": Fault.answer(200, "<html>Vedlikehold</html>"),
}


@pytest.mark.parametrize("direction", [TO_TRIPLETEX, TO_CUSTOMCRM], ids=lambda one: one.name)
@pytest.mark.parametrize("failure", FAILURES)
def test_a_look_up_that_fails_does_not_mean_that_there_is_no_such_record(lines, systems, direction, failure):
    crm, tripletex = systems.customcrm, systems.tripletex
    crm.create("customer", Name="Fjord AS", OrganizationNumber="974760673")
    tripletex.create("customer", name="Fjord AS", organizationNumber="974760673")
    target = tripletex if direction is TO_TRIPLETEX else crm
    searches = {"organizationNumber", "OrganizationNumber"}
    target.before = lambda seen: FAILURES[failure] if searches & set(seen.params) else None
    ran = lines.run(direction)
    assert "Traceback" not in ran.log
    assert [seen.path for seen in target.requests if searches & set(seen.params)]
    assert [
        f"{seen.method} {seen.path}" for seen in target.requests if seen.is_write and "token" not in seen.path
    ] == []
    target.before = None
    assert lines.well(direction, full_refresh=True).counts["customer"].keys() <= {"linked", "linked and updated"}
