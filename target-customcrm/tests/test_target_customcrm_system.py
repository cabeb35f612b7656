"""Reading and writing a Customcrm for record-sync, against the sandbox's."""

from datetime import timedelta

import msgspec
import pytest
from customcrm_client.client import CustomcrmClient
from record_sync.canonical import search_form
from record_sync.system import CreateRequest, Moved, Refused, RemoveRequest, Unknown, UpdateRequest, Written
from record_sync.testing.results import removed
from target_customcrm.system import CustomcrmSystem

import sandbox
from sandbox import Fault

NAMES = frozenset({"Name", "Email"})


@pytest.fixture(scope="module")
def shared():
    with sandbox.running("empty") as systems:
        yield systems.customcrm


@pytest.fixture
def crm(shared):
    shared.clear()
    return shared


@pytest.fixture
def system(crm):
    return CustomcrmSystem(CustomcrmClient(crm.api_url, crm.api_key))


def writes(crm):
    return [f"{seen.method} {seen.path.removeprefix('/api/v1')}" for seen in crm.requests if seen.is_write]


def create(system, *records):
    requests = [CreateRequest(str(number), values) for number, values in enumerate(records)]
    return [result for results in system.create("customer", requests, NAMES) for result in results]


def test_records_are_created_one_by_one_and_a_refused_one_keeps_nobody_back(system, crm):
    results = create(system, {"Name": "Alfa AS"}, {"Email": "navnløs@example.no"}, {"Name": "Gamma AS"})
    assert [type(one) for one in results] == [Written, Refused, Written]
    assert "Name" in results[1].details[0]
    assert [one["Name"] for one in crm.all("customer")] == ["Alfa AS", "Gamma AS"]
    assert results[0].current.version == crm.get("customer", results[0].current.id)["UpdatedAt"]


def test_a_new_record_of_which_no_answer_came_is_unknown_and_not_sent_again(system, crm):
    crm.after = lambda seen: Fault.drop_answer() if seen.is_write else None
    assert [type(one) for one in create(system, {"Name": "Alfa AS"})] == [Unknown]
    assert writes(crm) == ["POST /customers"]


def test_a_change_is_made_over_the_etag_that_was_read(system, crm):
    one, other = (crm.create("customer", Name=name)["Id"] for name in ("Alfa AS", "Beta AS"))
    read = system.read("customer", [one, other], NAMES)
    crm.edit("customer", one, Phone="22334455")
    requests = [UpdateRequest(read[record_id], {"Email": "post@example.no"}) for record_id in (one, other)]
    results = [result for results in system.update("customer", requests, NAMES) for result in results]
    assert [type(result) for result in results] == [Moved, Written]
    assert [customer["Email"] for customer in crm.all("customer")] == [None, "post@example.no"]


def test_a_record_deleted_meanwhile_has_moved(system, crm):
    record_id = crm.create("customer", Name="Alfa AS")["Id"]
    read = system.read("customer", [record_id], NAMES)
    crm.remove("customer", record_id)
    ((result,),) = system.update("customer", [UpdateRequest(read[record_id], {"Name": "Ny"})], NAMES)
    assert isinstance(result, Moved)


def test_a_deletion_leaves_a_tombstone(system, crm):
    record_id = crm.create("customer", Name="Alfa AS")["Id"]
    current = system.read("customer", [record_id], NAMES)[record_id]
    assert isinstance(removed(system, "customer", RemoveRequest(current, "delete"), NAMES), Written)
    assert crm.get("customer", record_id)["Deleted"]


def test_a_deletion_is_made_over_the_etag_that_was_read(system, crm):
    record_id = crm.create("customer", Name="Alfa AS")["Id"]
    current = system.read("customer", [record_id], NAMES)[record_id]
    crm.edit("customer", record_id, Phone="22334455")
    assert isinstance(removed(system, "customer", RemoveRequest(current, "delete"), NAMES), Moved)
    assert not crm.get("customer", record_id)["Deleted"]
    unknown = RemoveRequest(msgspec.structs.replace(current, handle=None), "delete")
    assert isinstance(removed(system, "customer", unknown, NAMES), Moved)
    assert not crm.get("customer", record_id)["Deleted"]


def test_a_deletion_that_the_crm_does_not_make_of_what_others_refer_to_is_refused(system, crm):
    record_id = crm.create("customer", Name="Alfa AS")["Id"]
    current = system.read("customer", [record_id], NAMES)[record_id]
    crm.before = lambda seen: (
        Fault.answer(409, {"title": "It has contacts", "status": 409}) if seen.method == "DELETE" else None
    )
    result = removed(system, "customer", RemoveRequest(current, "delete"), NAMES)
    assert isinstance(result, Refused)
    assert "It has contacts" in result.reason


def test_deleted_records_are_neither_listed_nor_read(system, crm):
    kept, gone = (crm.create("customer", Name=name)["Id"] for name in ("Alfa AS", "Beta AS"))
    crm.remove("customer", gone)
    assert [one.id for one in system.listing("customer", NAMES)] == [kept]
    assert gone not in system.read("customer", [kept, gone], NAMES)


@pytest.mark.parametrize("kept", ["910000004", "910 000 004", "NO 910 000 004 MVA"])
@pytest.mark.parametrize("sought", ["910000004", "910 000 004", "NO910000004MVA", "910,000,004"])
def test_an_organisation_number_is_found_however_it_is_written(system, crm, kept, sought):
    record_id = crm.create("customer", Name="Alfa AS", OrganizationNumber=kept)["Id"]
    crm.create("customer", Name="Beta AS", OrganizationNumber="910000012")
    asked = {"OrganizationNumber": search_form("organisation_number", sought)}
    assert [one.id for one in system.search("customer", asked, frozenset(asked))] == [record_id]
    assert len([one for one in crm.requests if one.method == "GET"]) == 1


def test_a_person_is_found_by_email(system, crm):
    crm.create("contact", FirstName="Ola", Email="ola@example.no")
    record_id = crm.create("contact", FirstName="Kari", Email="kari@example.no")["Id"]
    paths = frozenset({"Email", "FirstName"})
    assert [one.id for one in system.search("contact", {"Email": "kari@example.no"}, paths)] == [record_id]


def test_a_record_surely_made_before_a_sight_of_the_clock_is_told_from_one_that_may_be_younger(system, crm):
    record_id = crm.create("customer", Name="Alfa AS")["Id"]
    current = system.read("customer", [record_id], NAMES)[record_id]
    now = system.server_clock()
    assert not system.created_before(current, now)
    assert system.created_before(current, now + timedelta(minutes=2))


def test_the_stamp_is_the_address(system, crm):
    assert system.stamp() == f"Customcrm at {crm.api_url}"
    assert system.stamp().endswith(system.address)
