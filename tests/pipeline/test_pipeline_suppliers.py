"""A firm that Tripletex has as a supplier is the CRM's customer too, and no second record of it."""

import os
import signal
from datetime import datetime, timedelta, timezone

import pytest
from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX, Lines

import sandbox
from sandbox import Fault

NUMBER = "923609016"


@pytest.fixture
def supplier(systems: sandbox.Systems) -> int:
    """A firm that is only a supplier in Tripletex, and a customer in the CRM."""
    crm, tripletex = systems.both
    with tripletex.clock.at(datetime.now(timezone.utc) - timedelta(days=3)):
        said = {"name": "Grossisten AS", "organizationNumber": NUMBER, "phoneNumber": "22334455"}
        firm = tripletex.create("customer", **said)["id"]
        tripletex.set_roles(firm, customer=False, supplier=True)
    crm.create(
        "customer", Name="Grossisten AS", OrganizationNumber="NO 923 609 016 MVA", Website="https://g.example.no"
    )
    crm.create("customer", Name="Ny AS", OrganizationNumber="974 760 673")
    return int(firm)


def test_a_supplier_becomes_a_customer_too_and_is_linked(lines: Lines, systems, supplier):
    lines.cycle()
    lines.cycle()
    crm, tripletex = systems.both
    assert sorted(one["name"] for one in tripletex.all("customer")) == ["Grossisten AS", "Ny AS"]
    firm = tripletex.get("customer", supplier)
    assert (firm["isCustomer"], firm["isSupplier"]) == (True, True)
    assert (firm["website"], firm["phoneNumber"]) == ("https://g.example.no", "22334455")
    assert sorted((one["Name"], one["Phone"]) for one in crm.all("customer")) == [
        ("Grossisten AS", "+47 22 33 44 55"),
        ("Ny AS", None),
    ]
    systems.clear_requests()
    lines.well(TO_CUSTOMCRM, full_refresh=True)
    lines.well(TO_TRIPLETEX, full_refresh=True)
    assert [seen for system in systems.both for seen in system.requests if seen.is_write] == []
    assert [seen for seen in tripletex.requests if "/supplier" in seen.path] == []


@pytest.mark.parametrize("how", ["killed", "not answered"])
def test_a_run_that_ends_while_a_supplier_becomes_a_customer_is_made_good_by_the_next(lines, systems, supplier, how):
    crm, tripletex = systems.both
    with lines.start(TO_TRIPLETEX) as line:

        def end(request):
            if request.method != "PUT" or "/supplier" not in request.path:
                return None
            tripletex.after = None
            if how == "killed":
                os.kill(line.processes[TO_TRIPLETEX.target].pid, signal.SIGKILL)
            return Fault.drop_answer()

        tripletex.after = end
        line.finish()
    lines.cycle()
    lines.cycle()
    assert len(crm.all("customer")) == len(tripletex.all("customer")) == 2
    assert tripletex.get("customer", supplier)["website"] == "https://g.example.no"
    assert {one["Name"]: one["Phone"] for one in crm.all("customer")}["Grossisten AS"] == "+47 22 33 44 55"


def test_of_two_customers_with_a_suppliers_number_one_is_it_and_the_other_waits(lines, systems, supplier):
    crm, tripletex = systems.both
    crm.create("customer", Name="Grossisten avd. Nord", OrganizationNumber="923609016")
    for _ in range(2):
        lines.run(TO_TRIPLETEX)
        lines.run(TO_CUSTOMCRM)
    assert [one["id"] for one in tripletex.all("customer") if one["organizationNumber"] == NUMBER] == [supplier]
    assert len(crm.all("customer")) == 3


@pytest.fixture
def former(lines: Lines, systems: sandbox.Systems) -> tuple[str, int]:
    """A linked customer with a person, which an accountant has made a supplier only: both ids."""
    crm, tripletex = systems.both
    ours = crm.create("customer", Name="Alfa AS", OrganizationNumber=NUMBER)["Id"]
    crm.create("contact", FirstName="Kari", CustomerId=ours)
    lines.cycle()
    (theirs,) = tripletex.all("customer")
    tripletex.set_roles(theirs["id"], customer=False, supplier=True)
    return ours, theirs["id"]


def test_a_customer_that_is_made_a_supplier_only_is_not_deleted_in_the_crm(lines: Lines, systems, former):
    crm, tripletex = systems.both
    lines.well(TO_CUSTOMCRM, full_refresh=True)
    lines.cycle()
    lines.cycle()
    assert [one["Id"] for one in crm.all("customer")] == [former[0]]
    assert not tripletex.get("customer", former[1])["isCustomer"]
    tripletex.set_roles(former[1], customer=True, supplier=True)
    lines.cycle()
    lines.well(TO_CUSTOMCRM, full_refresh=True)
    assert [(one["Id"], one["Name"]) for one in crm.all("customer")] == [(former[0], "Alfa AS")]
    assert [one["CustomerId"] for one in crm.all("contact")] == [former[0]]


def test_an_edit_in_the_crm_makes_it_a_customer_again(lines: Lines, systems, former):
    crm, tripletex = systems.both
    lines.well(TO_CUSTOMCRM, full_refresh=True)
    crm.edit("customer", former[0], Phone="+47 22 33 44 55")
    lines.cycle()
    (after,) = tripletex.all("customer")
    assert (after["id"], after["isCustomer"], after["phoneNumber"]) == (former[1], True, "22334455")


def test_a_deletion_in_the_crm_leaves_the_supplier_as_it_is(lines: Lines, systems, former):
    crm, tripletex = systems.both
    lines.well(TO_CUSTOMCRM, full_refresh=True)
    crm.remove("contact", crm.all("contact")[0]["Id"])
    crm.remove("customer", former[0])
    lines.cycle()
    lines.cycle()
    (after,) = tripletex.all("customer")
    assert (after["isCustomer"], after["isSupplier"], after["isInactive"]) == (False, True, False)
    assert crm.all("customer") == []


def test_where_suppliers_may_not_be_seen_customers_are_created_all_the_same(lines: Lines, systems, supplier):
    def refuse(request):
        if "/supplier" in request.path:
            return Fault.answer(403, {"status": 403, "code": 9000, "message": "Nei"})
        return None

    systems.tripletex.before = refuse
    done = lines.well(TO_TRIPLETEX)
    assert sorted(one["name"] for one in systems.tripletex.all("customer")) == ["Grossisten AS"] * 2 + ["Ny AS"]
    assert "Suppliers cannot be listed" in done.log
    assert not systems.tripletex.get("customer", supplier)["isCustomer"]
