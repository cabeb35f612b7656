"""A firm that Tripletex has as a supplier is the CRM's customer too, and no second record of it."""

import pytest
from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX, Lines

import sandbox
from sandbox import Fault

NUMBER = "923609016"


@pytest.fixture
def supplier(systems: sandbox.Systems) -> int:
    """A firm that is only a supplier in Tripletex, and a customer in the CRM."""
    crm, tripletex = systems.both
    firm = tripletex.create("customer", name="Grossisten AS", organizationNumber=NUMBER, phoneNumber="22334455")["id"]
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
