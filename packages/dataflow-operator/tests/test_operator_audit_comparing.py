"""What the audit makes of two linked records: the pure part."""

from __future__ import annotations

from pathlib import Path

import pytest
from customcrm_client.loading import load
from dataflow.streams import stream_schemas
from dataflow.tables import Dataflow
from dataflow_operator.audit.comparing import LEFT_OUT, Pending, compare
from dataflow_operator.audit.flows import AuditedFlow
from dataflow_operator.store.audited import LinkedPair, OpenConflict, OpenWrite, Waits
from record_sync.fingerprint import Fingerprints
from record_sync.record import Base, LinkSide, TargetRecord

PRINTS = Fingerprints(b"key")
TABLE = {
    "flow": "contact",
    "customcrm": "contact",
    "tripletex": "contact",
    "match_on": [["email"]],
    "properties": [
        {"customcrm": "FirstName", "tripletex": "firstName"},
        {"customcrm": "Email", "tripletex": "email", "convert": "email"},
        {"customcrm": "Phone", "tripletex": "phoneNumberWork", "convert": "phone", "direction": "to-tripletex"},
        {"customcrm": "CustomerId", "tripletex": "customer.id", "link": "customer"},
    ],
}
CUSTOMER = {
    "flow": "customer",
    "customcrm": "customer",
    "tripletex": "customer",
    "match_on": [],
    "properties": [{"customcrm": "Name", "tripletex": "name"}],
}
CRM = {"FirstName": "Kari", "Email": "kari@example.no", "Phone": "+47 22 33 44 55", "CustomerId": "c1"}
TRIPLETEX = {"firstName": "Kari", "email": "kari@example.no", "phoneNumberWork": "22334455", "customer.id": 7}
REFERENCES = {("customcrm", "customer", "c1"): "7", ("tripletex", "customer", "7"): "c1"}


@pytest.fixture(scope="module")
def flow():
    dataflow = Dataflow.load([TABLE, CUSTOMER], Path())
    return AuditedFlow.of(dataflow, dataflow.flow("contact"))


@pytest.fixture
def told(flow):
    """What is told of two records that were agreed on as they stand above, and now say this."""

    def tell(crm=None, tripletex=None, *, bases=(CRM, TRIPLETEX), references=REFERENCES, pending=Pending(), **link):  # noqa: B008
        ends = {
            side: LinkSide(record_id, state=link.get("ends", {}).get(side, "live"), base=Base(PRINTS.of_all(base)))
            for (side, record_id), base in zip((("customcrm", "p1"), ("tripletex", "9")), bases, strict=True)
        }
        if "provisional" in link:
            for path, value in link["provisional"].items():
                ends["tripletex"].base.expect(path, PRINTS.of_sent(value))
        pair = LinkedPair(1, link.get("state", "live"), ends)
        records = {
            "customcrm": None if crm is False else TargetRecord("p1", "1", None, {**CRM, **(crm or {})}),
            "tripletex": None
            if tripletex is False
            else TargetRecord("9", "1", None, {**TRIPLETEX, **(tripletex or {})}),
        }
        return compare(flow, pair, records, PRINTS, references, pending)

    return tell


def differences(compared):
    if compared.finding is None:
        return {}
    return {one.customcrm: (one.changed, one.explained) for one in compared.finding.differences}


def test_what_is_agreed_is_in_sync_in_every_row(told):
    assert told().finding is None
    assert told().compared == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("crm", "tripletex"),
    [
        ({"Email": " KARI@example.no"}, {}),
        ({}, {"email": "Kari@Example.no"}),
        ({"FirstName": "Kari "}, {}),
        ({"FirstName": None}, {"firstName": ""}),
        ({"Phone": "22 33 44 55"}, {}),
        ({}, {"phoneNumberWork": "+4722334455"}),
        ({"CustomerId": None}, {"customer.id": None}),
    ],
)
def test_another_spelling_is_no_difference(told, crm, tripletex):
    assert told(crm, tripletex).finding is None


def test_the_side_that_changed_is_told_by_the_bases(told):
    assert differences(told({"FirstName": "Ola"})) == {"FirstName": ("customcrm", None)}
    assert differences(told({}, {"firstName": "Ola"})) == {"FirstName": ("tripletex", None)}
    assert differences(told({"FirstName": "Ola"}, {"firstName": "Per"})) == {"FirstName": ("both", None)}
    kept_otherwise = (CRM, {**TRIPLETEX, "firstName": "KARI N."})
    assert differences(told({}, {"firstName": "KARI N."}, bases=kept_otherwise)) == {"FirstName": ("neither", None)}
    never = ({}, TRIPLETEX)
    assert differences(told({}, {"firstName": "Ola"}, bases=never)) == {"FirstName": ("unknown", None)}


def test_what_was_sent_and_not_answered_counts_as_agreed(told):
    without = {path: value for path, value in TRIPLETEX.items() if path != "firstName"}
    sent = {"bases": (CRM, without), "provisional": {"firstName": "Kari"}}
    assert differences(told({"FirstName": "Ola"}, **sent)) == {"FirstName": ("customcrm", None)}
    assert differences(told({}, {"firstName": "Ola"}, **sent)) == {"FirstName": ("tripletex", None)}


def test_a_row_that_goes_one_way_is_compared_that_way(told):
    assert differences(told({}, {"phoneNumberWork": "99887766"})) == {"Phone": ("tripletex", None)}


def test_a_reference_is_compared_by_the_other_flows_links(told):
    assert differences(told({"CustomerId": "c2"})) == {"CustomerId": ("customcrm", None)}
    moved = {**REFERENCES, ("customcrm", "customer", "c2"): "7"}
    assert told({"CustomerId": "c2"}, references=moved).finding is None
    left_out = {("customcrm", "customer", "c1"): LEFT_OUT}
    compared = told({}, {"customer.id": None}, references=left_out)
    # Towards Customcrm nothing is carried either: no value there, and none that could be.
    assert differences(compared) == {"CustomerId": ("tripletex", None)}


GROUPED = {
    "flow": "customer",
    "customcrm": "customer",
    "tripletex": "customer",
    "match_on": [],
    "properties": [
        {"customcrm": "Name", "tripletex": "name", "convert": "name", "group": "name"},
        {"customcrm": "Description", "tripletex": "description", "convert": "name", "group": "name"},
        {"customcrm": "City", "tripletex": "postalAddress.city", "group": "address"},
        {
            "customcrm": "Country",
            "tripletex": "postalAddress.country.isoAlpha2Code",
            "convert": "country",
            "group": "address",
        },
        {
            "customcrm": "Phone",
            "tripletex": "phoneNumber",
            "convert": "phone",
            "country": "postalAddress.country.isoAlpha2Code",
        },
    ],
}


def grouped(crm, tripletex, conflict=None, agreed=None):
    """What differs of two customers, and why."""
    dataflow = Dataflow.load([GROUPED], Path())
    audited = AuditedFlow.of(dataflow, dataflow.flow("customer"))
    names = {"customcrm": [row["customcrm"] for row in GROUPED["properties"]]}
    names["tripletex"] = [row["tripletex"] for row in GROUPED["properties"]]
    told = {
        side: dict(zip(names[side], values, strict=True))
        for side, values in (("customcrm", crm), ("tripletex", tripletex))
    }
    ends = {side: LinkSide("1", base=Base(PRINTS.of_all(values | (agreed or {})))) for side, values in told.items()}
    records = {side: TargetRecord("1", "1", None, values) for side, values in told.items()}
    conflicts = () if conflict is None else (OpenConflict(3, conflict, "open"),)
    return differences(compare(audited, LinkedPair(1, "live", ends), records, PRINTS, {}, Pending(conflicts=conflicts)))


def test_a_name_whole_on_one_side_is_no_difference():
    same = ("Oslo", "NO", None)
    assert grouped(("Kari Nordmann", None, *same), ("Kari", "Nordmann", *same)) == {}
    assert grouped((None, "Kari Nordmann", *same), ("Kari", "Nordmann", *same)) == {}
    assert set(grouped(("Kari Berg", None, *same), ("Kari", "Nordmann", *same))) == {"Name", "Description"}


def test_a_country_that_one_side_gives_an_address_is_not_compared():
    assert grouped(("A", "B", "Oslo", None, None), ("A", "B", "Oslo", "NO", None)) == {}
    assert grouped(("A", "B", "Oslo", "SE", None), ("A", "B", "Oslo", "NO", None)) == {"Country": ("neither", None)}


def test_a_number_is_read_in_the_country_of_its_record():
    assert grouped(("A", "B", "Ry", "DK", "+45 33 12 12 12"), ("A", "B", "Ry", "DK", "33121212")) == {}
    other = ("A", "B", "Ry", "DK", "+47 33 12 12 12"), ("A", "B", "Ry", "DK", "33121212")
    assert grouped(*other) == {}, "only the country is another one since they were agreed on"
    assert set(grouped(*other, agreed={"Phone": "1"})) == {"Phone"}


def test_a_conflict_about_a_group_explains_all_of_it():
    crm, tripletex = ("A", "B", "Oslo", "SE", "1"), ("A", "B", "Bergen", "NO", "2")
    why = ("neither", "conflict 3 is open")
    assert grouped(crm, tripletex, conflict="group address") == {
        "City": why,
        "Country": why,
    }


def test_a_property_that_neither_record_mentions_is_not_compared(flow):
    ends = {"customcrm": LinkSide("p1"), "tripletex": LinkSide("9")}
    records = {
        "customcrm": TargetRecord("p1", "1", None, {"FirstName": "Kari"}),
        "tripletex": TargetRecord("9", "1", None, {"firstName": "Kari"}),
    }
    compared = compare(flow, LinkedPair(1, "live", ends), records, PRINTS)
    assert (compared.compared, compared.finding) == ((0,), None)


def test_what_waits_explains_the_values_that_it_holds(told):
    waits = {"customcrm": Waits(4, "customcrm", "parked", "refused", {"FirstName": "Ola", "Email": "kari@example.no"})}
    pending = Pending(waiting=waits)
    explained = "number 4 from customcrm waits (parked): refused"
    assert differences(told({"FirstName": "Ola"}, pending=pending)) == {"FirstName": ("customcrm", explained)}
    assert differences(told({"FirstName": "Per"}, pending=pending)) == {"FirstName": ("customcrm", None)}
    assert differences(told({}, {"firstName": "Ola"}, pending=pending)) == {"FirstName": ("tripletex", None)}


def test_a_conflict_and_an_open_write_explain_their_properties_alone(told):
    both = {"crm": {"FirstName": "Ola", "Email": "ola@example.no"}}
    conflict = Pending(conflicts=(OpenConflict(3, "FirstName = firstName", "open"),))
    assert differences(told(**both, pending=conflict)) == {
        "FirstName": ("customcrm", "conflict 3 is open"),
        "Email": ("customcrm", None),
    }
    write = Pending(writes=(OpenWrite("tripletex", "update", "p1", 1, frozenset({"email"})),))
    told_of = differences(told(**both, pending=write))
    assert told_of["FirstName"] == ("customcrm", None)
    assert "its answer is not known yet" in told_of["Email"][1]


@pytest.mark.parametrize(
    ("link", "pending", "explained"),
    [
        ({}, Pending(), None),
        ({"ends": {"tripletex": "gone"}}, Pending(), "the next run that writes to customcrm passes the deletion on"),
        ({"ends": {"tripletex": "suspect"}}, Pending(), "a complete read did not bring it; the next run looks it up"),
        (
            {"ends": {"tripletex": "gone"}, "state": "contested"},
            Pending(conflicts=(OpenConflict(3, "deleted", "open"),)),
            "conflict 3 is open: deleted on one side, edited on the other",
        ),
    ],
)
def test_a_record_that_is_gone_is_missing_until_the_sync_knows_of_it(told, link, pending, explained):
    finding = told({}, False, pending=pending, **link).finding
    assert (finding.kind, finding.reason, finding.explained) == (
        "missing",
        "linked, and gone from tripletex",
        explained,
    )
    assert finding.is_explained == (explained is not None)


def test_a_deletion_that_was_passed_on_leaves_nothing_to_compare(told):
    assert told({}, False, state="ended", ends={"tripletex": "gone"}).finding is None
    assert told(False, {}, state="ended", ends={"customcrm": "gone"}).compared == ()
    finding = told({}, {}, state="ended", ends={"customcrm": "gone"}).finding
    assert (finding.kind, finding.reason) == ("differs", "was deleted in customcrm, and is there again")
    assert not finding.is_explained


@pytest.mark.parametrize(
    ("crm", "parts", "is_same"),
    [
        ("Kari Anne Nordmann", ("Kari Anne", "Nordmann"), True),
        ("Kari Anne Nordmann", ("Kari", "Anne Nordmann"), True),
        ("Nordmann, Kari", ("Kari", "Nordmann"), True),
        ("Kari", ("", "Kari"), True),
        (None, ("", None), True),
        ("Kari Anne Nordmann", ("Kari", "Nordmann"), False),
        ("Kari", (None, None), False),
    ],
)
def test_a_name_that_is_whole_on_one_side_is_in_sync_however_the_other_one_divides_it(crm, parts, is_same):
    profile = load({"extends": "reference", "streams": {"contact": {"properties": {"FullName": "name"}}}})
    row = {"customcrm": "FullName", "tripletex": ["firstName", "lastName"], "convert": "full-name"}
    table = {**TABLE, "match_on": [], "properties": [row]}
    dataflow = Dataflow.load([table], Path(), stream_schemas(profile))
    said = {"customcrm": {"FullName": crm}, "tripletex": dict(zip(("firstName", "lastName"), parts, strict=True))}
    records = {side: TargetRecord("1", "1", None, values) for side, values in said.items()}
    ends = {side: LinkSide("1", state="live", base=Base(PRINTS.of_all(values))) for side, values in said.items()}
    flow = AuditedFlow.of(dataflow, dataflow.flow("contact"))
    compared = compare(flow, LinkedPair(1, "live", ends), records, PRINTS, {}, Pending())
    assert (compared.finding is None) is is_same
