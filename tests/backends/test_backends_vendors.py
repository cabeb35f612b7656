"""Every shipped profile of a vendor's CRM, through the real plug-ins, on an imitation made of its documentation."""

import pytest
from api_transport.errors import Conflict
from api_transport.testing import DROP, Said
from customcrm_client.probing import probe
from customcrm_client.settings import client_of, profile_of
from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX, Lines

from tests.backends.scenario import come_together, delete_on_both_sides, edit_on_both_sides, fill, theirs
from tests.backends.vendors.all import VENDORS
from tests.backends.vendors.vendor import serve

ODD_VALUES = ("o'brien", "50% & co", "C#", "a+b", "[x]", '"q"', "Bjørn Æsop", "Rene\u0301e")
"""The last one is decomposed: e and its accent are two characters."""
END = object()
MAILBOXES = ("o'brien", "a+b")
"""Those that may be part of an address."""


@pytest.fixture(params=list(VENDORS))
def vendor(request):
    """Each vendor's CRM in turn, with nothing in it."""
    with serve(VENDORS[request.param]()) as vendor:
        yield vendor


def settings_of(vendor):
    return {"api_url": vendor.api_url, "api_key": vendor.key, "profile": vendor.name, **vendor.settings}


@pytest.fixture
def lines(systems, tmp_path, starter, pytestconfig, vendor):
    """The project's pipeline between the vendor's CRM and the sandbox's Tripletex."""
    lines = Lines(systems, tmp_path, starter, pytestconfig.rootpath)
    own = {**settings_of(vendor), "token_store": str(tmp_path / "tokens.json")}
    for plugin in ("tap-customcrm", "target-customcrm"):
        lines.settings[plugin] = {**lines.settings[plugin], **own}
    lines.settings["tap-customcrm"]["page_size"] = 3
    mapper = {name: own[name] for name in ("profile", "profile_variables") if name in own}
    lines.settings["dataflow-mapper"] = {**lines.settings["dataflow-mapper"], **mapper}
    return lines


class Sync:
    """Both lines, one after the other, and the writes that each side got."""

    def __init__(self, vendor, lines, systems):
        self.vendor, self.lines, self.systems = vendor, lines, systems
        self.log = ""

    def run(self, _what, *arguments):
        """A cycle; no request of it was refused."""
        self.vendor.requests.clear()
        self.systems.clear_requests()
        for direction in (TO_TRIPLETEX, TO_CUSTOMCRM):
            ran = self.lines.well(direction, full_refresh="--full-refresh" in arguments)
            assert "Traceback" not in ran.log
            self.log += ran.log
        assert self.vendor.refusals == []
        ours = [
            seen for seen in self.systems.tripletex.requests if seen.is_write and "/token/session/" not in seen.path
        ]
        return [asked for asked in self.vendor.requests if self.vendor.is_write(asked)], ours


@pytest.fixture
def sync(vendor, lines, systems):
    return Sync(vendor, lines, systems)


@pytest.fixture
def client(vendor, tmp_path):
    """Our client, with the shipped profile."""
    config = {**settings_of(vendor), "token_store": str(tmp_path / "tokens.json"), "max_concurrent_requests": 2}
    with client_of(config, profile_of(config), "tap-customcrm", page_size=3) as client:
        yield client


def test_the_trial_of_the_profile_finds_nothing_wrong(vendor, client):
    """With a value in each property; it is the first thing that whoever has such a CRM does."""
    for number in range(5):
        said = {"Email": f"{number}@example.no", "Country": "NO", "Price": 12.5}
        for stream in (one for one in ("customer", "contact", "product") if one in client.profile.streams):
            names = [name for name in vendor.properties(stream) if name != "CustomerId"]
            reference = {"CustomerId": next(iter(vendor.all("customer")))} if stream == "contact" else {}
            vendor.create(stream, **{name: said.get(name, f"{name} {number}") for name in names}, **reference)
    for stream in client.profile.streams:
        assert probe(client, stream).problems == []
    assert vendor.refusals == []


def test_create_edit_rest_and_delete_on_both_sides(vendor, systems, sync):
    fill(vendor, systems.tripletex)
    come_together(vendor, systems, sync)
    edit_on_both_sides(vendor, systems, sync)
    delete_on_both_sides(vendor, systems, sync)


class EditOnBothSides:
    """The same property is edited on both sides: one of the two edits stands on both."""

    def begin(self, vendor, _):
        self.crm_id = vendor.create("customer", Name="Konflikt AS", OrganizationNumber="910000047")

    def steps(self, vendor, tripletex):
        ours = one_of(tripletex, "customer", name="Konflikt AS")["id"]
        vendor.edit("customer", self.crm_id, Phone="+47 22 33 44 66")
        tripletex.edit("customer", ours, phoneNumber="22334477")
        yield
        yield
        told = vendor.get("customer", self.crm_id)["Phone"].replace(" ", "").removeprefix("+47")
        assert told == tripletex.get("customer", ours)["phoneNumber"]


class MovedContact:
    """A contact is moved to another customer, and away from it, from either side."""

    def begin(self, vendor, _):
        names = (("Fra AS", "910000055"), ("Til AS", "910000063"))
        self.of, self.to = (vendor.create("customer", Name=name, OrganizationNumber=number) for name, number in names)
        email = "flytte@example.no"
        self.crm_id = vendor.create("contact", FirstName="Flytte", LastName="Dahl", Email=email, CustomerId=self.of)

    def steps(self, vendor, tripletex):
        ours = one_of(tripletex, "contact", email="flytte@example.no")["id"]
        of, to = (one_of(tripletex, "customer", name=name)["id"] for name in ("Fra AS", "Til AS"))
        assert tripletex.get("contact", ours)["customer"]["id"] == of
        vendor.edit("contact", self.crm_id, CustomerId=self.to)
        yield
        assert tripletex.get("contact", ours)["customer"]["id"] == to
        tripletex.edit("contact", ours, customer={"id": of})
        yield
        assert str(vendor.get("contact", self.crm_id)["CustomerId"]) == self.of
        tripletex.edit("contact", ours, customer=None)
        yield
        assert vendor.get("contact", self.crm_id)["CustomerId"] is None
        vendor.edit("contact", self.crm_id, CustomerId=self.to)
        yield
        vendor.edit("contact", self.crm_id, CustomerId=None)
        yield
        assert tripletex.get("contact", ours)["customer"] is None


class OddValues:
    """Values that a filter could trip over: each is in both systems before they meet, is found, and is not doubled."""

    def begin(self, vendor, tripletex):
        for number, value in enumerate(ODD_VALUES):
            email = f"{value if value in MAILBOXES else number}@example.no"
            vendor.create("contact", FirstName=value, LastName="Odd", Email=email)
            tripletex.create("contact", firstName=value, lastName="Odd", email=email)

    def steps(self, vendor, tripletex):
        count = len(ODD_VALUES)
        assert len([one for one in tripletex.all("contact") if one["lastName"] == "Odd"]) == count
        assert len([one for one in vendor.all("contact").values() if "Odd" in (one["LastName"] or "")]) == count
        yield


def one_of(tripletex, resource, **wanted):
    (found,) = [one for one in tripletex.all(resource) if all(one[name] == value for name, value in wanted.items())]
    return found


def test_conflicts_moves_and_odd_values_come_right_beyond_the_limit_and_no_log_tells_of_anybody(vendor, systems, sync):
    tripletex, stories = systems.tripletex, (EditOnBothSides(), MovedContact(), OddValues())
    for story in stories:
        story.begin(vendor, tripletex)
    # The first requests are answered as beyond the vendor's limit.
    vendor.limited = 2
    sync.run("together")
    assert vendor.limited == 0
    under_way = [story.steps(vendor, tripletex) for story in stories]
    while under_way := [steps for steps in under_way if next(steps, END) is not END]:
        sync.run("a step of each")
    assert sync.run("nothing new") == ([], [])
    for hidden in (vendor.key, "Flytte", "flytte@", "Dahl", "o'brien"):
        assert hidden not in sync.log


def test_a_search_finds_any_value(vendor, client):
    for stream, name in (("contact", "Email"), ("customer", "Name"), ("customer", "OrganizationNumber")):
        for value in ODD_VALUES:
            text = f"{value}@example.no" if name == "Email" else value
            if not client.can_ask(stream, name, text):
                continue
            more = {"LastName": "Dahl"} if stream == "contact" else {"Name": text}
            record_id = vendor.create(stream, **{**more, name: text})
            assert [one["Id"] for one in client.search(stream, {name: text})] == [record_id], (stream, name, text)
            vendor.delete(stream, record_id)
    assert vendor.refusals == []


def test_a_wrong_key_ends_in_one_line_that_names_the_setting(vendor, lines, systems):
    lines.settings["tap-customcrm"]["api_key"] = "a-wrong-key"
    lines.settings["tap-customcrm"].pop("refresh_token", None)
    ran = lines.run(TO_TRIPLETEX)
    assert not ran.ok
    assert "Traceback" not in ran.log
    assert "a-wrong-key" not in ran.log
    assert systems.tripletex.all("customer") == []


@pytest.mark.parametrize("vendor", ["hubspot", "odoo", "salesforce", "twenty", "upsales", "zoho"], indirect=True)
def test_a_deletion_comes_with_the_changes_where_the_vendor_tells_it(vendor, systems, sync):
    contact = vendor.create("contact", FirstName="Kari", LastName="Dahl", Email="kari@example.no")
    sync.run("together")
    vendor.delete("contact", contact)
    sync.run("deleted")
    assert theirs(systems, "contact", firstName="Kari")["isInactive"] is True
    assert sync.run("nothing new") == ([], [])


@pytest.mark.parametrize("vendor", ["dynamics", "espocrm", "superoffice"], indirect=True)
def test_what_somebody_changed_meanwhile_is_not_overwritten(vendor, client):
    record_id = vendor.create("customer", Name="Alfa AS")
    found = client.get_many("customer", [record_id], to_write=True)[record_id]
    vendor.edit("customer", record_id, City="BERGEN")
    with pytest.raises(Conflict):
        client.update("customer", record_id, {"City": "OSLO"}, found.lock, raw=found.raw)
    assert vendor.get("customer", record_id)["City"] == "BERGEN"


@pytest.mark.parametrize("vendor", ["superoffice", "upsales"], indirect=True)
def test_entries_of_lists_that_are_not_ours_stay(vendor, systems, sync):
    record_id = vendor.create("customer", Name="Alfa AS", Email="post@alfa.example.no", City="OSLO")
    entries = vendor.add_others("customer", record_id)
    sync.run("together")
    ours = theirs(systems, "customer", name="Alfa AS")
    address = {name: ours["postalAddress"][name] for name in ("id", "version")} | {"city": "BERGEN"}
    systems.tripletex.edit("customer", ours["id"], email="ny@alfa.example.no", postalAddress=address)
    sync.run("edited")
    assert vendor.get("customer", record_id)["Email"] == "ny@alfa.example.no"
    assert vendor.get("customer", record_id)["City"] == "BERGEN"
    for name, entry in entries.items():
        assert entry in vendor.rows["customer"][record_id][name]


@pytest.mark.parametrize("vendor", [name for name in VENDORS if name == "nocodb"], indirect=True)
@pytest.mark.parametrize("answer", [DROP, Said({"message": "no"}, 500)], ids=["no answer", "an error"])
def test_a_new_record_whose_reference_was_not_written_is_neither_doubled_nor_left_without_it(
    vendor, systems, sync, answer
):
    """The record and its reference are two requests, and between them anything may happen."""
    alfa = systems.tripletex.create("customer", name="Alfa AS", organizationNumber="910000004")
    systems.tripletex.create("contact", firstName="Kari", lastName="Nordmann", customer={"id": alfa["id"]})
    sync.run("customers and contacts cross over")
    assert len(vendor.all("contact")) == 1
    systems.tripletex.create("contact", firstName="Ola", lastName="Berg", customer={"id": alfa["id"]})
    respond, broken = vendor.server.respond, []

    def fail_once(asked):
        is_reference = asked.method in ("PUT", "POST") and ("associations" in asked.path or "/links/" in asked.path)
        if is_reference and not broken:
            broken.append(asked)
            return answer
        return respond(asked)

    vendor.server.respond = fail_once
    sync.lines.run(TO_CUSTOMCRM)
    vendor.server.respond = respond
    assert broken
    for _ in range(3):
        sync.run("recovered")
    contacts = vendor.all("contact")
    assert sorted(one["LastName"] for one in contacts.values()) == ["Berg", "Nordmann"]
    assert {str(one["CustomerId"]) for one in contacts.values()} == set(vendor.all("customer"))
    assert all(one["customer"]["id"] == alfa["id"] for one in systems.tripletex.all("contact"))
    assert sync.run("nothing new") == ([], [])


@pytest.mark.parametrize("vendor", ["airtable", "freshsales", "pipedrive"], indirect=True)
def test_what_else_a_list_of_links_or_addresses_holds_stays(vendor, systems, sync):
    alfa, beta, gamma = (vendor.create("customer", Name=name) for name in ("Alfa AS", "Beta AS", "Gamma AS"))
    record_id = vendor.create("contact", FirstName="Kari", LastName="Dahl", Email="kari@example.no", CustomerId=alfa)
    row = vendor.rows["contact"][record_id]
    if vendor.name == "airtable":
        row["fields"]["Customer"].append(gamma)
    elif vendor.name == "freshsales":
        row["sales_accounts"].append({"id": int(gamma), "name": "Gamma AS", "partial": True, "is_primary": False})
    else:
        row["emails"].append({"value": "privat@example.no", "label": "home", "primary": False})
    sync.run("together")
    kari = theirs(systems, "contact", firstName="Kari")
    customer = {"id": theirs(systems, "customer", name="Beta AS")["id"]}
    systems.tripletex.edit("contact", kari["id"], customer=customer, email="kari.ny@example.no")
    sync.run("edited")
    assert (vendor.get("contact", record_id)["CustomerId"], vendor.get("contact", record_id)["Email"]) == (
        beta,
        "kari.ny@example.no",
    )
    if vendor.name == "airtable":
        assert row["fields"]["Customer"] == [beta, gamma]
    elif vendor.name == "freshsales":
        assert [str(one["id"]) for one in row["sales_accounts"]] == [beta, gamma]
    else:
        assert [one["value"] for one in row["emails"]] == ["kari.ny@example.no", "privat@example.no"]
