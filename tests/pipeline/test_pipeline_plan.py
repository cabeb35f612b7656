"""The run does what the plan said, write by write; and the plan itself writes nowhere."""

import hashlib
import re
import sqlite3
from collections import Counter
from contextlib import closing, contextmanager
from datetime import timedelta

import msgspec
import pytest
from dataflow_operator.planned import PlannedCycle, planned
from dataflow_operator.rehearsing import Line
from dataflow_operator.store.conflicts import conflicts, decide
from dataflow_operator.store.copying import copy_store
from dataflow_operator.store.let_through import let_through
from dataflow_operator.store.links import find as find_links
from dataflow_operator.store.opening import opened
from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX
from sandbox.lines.meltano import Meltano
from singer_edge.rehearsal import REHEARSAL, Rehearsal
from tripletex_client.unstated import forget_unstated

NUMBERS = [
    "910000004",
    "910000012",
    "910000020",
    "910000039",
    "910000047",
    "910000055",
    "910000063",
    "910000071",
    "910000098",
    "910000101",
]
"""Valid organisation numbers."""
ID = {"customcrm": "Id", "tripletex": "id"}
RESOURCES = ("contact", "customer", "product")
THEIR_OWN = {
    "Id", "CreatedAt", "UpdatedAt", "id", "version", "url", "changes", "customerNumber", "displayName", "currency",
    "isCustomer", "bankAccounts", "bankAccountPresentation", "language", "invoiceSendMethod", "emailAttachmentType",
    "invoicesDueIn", "invoicesDueInType", "addressAsString", "displayNameInklMatrikkel",
}  # fmt: skip
"""What a system itself makes of a record, or gives to a new one."""


# -- what both systems say, before and after


def leaves(record, prefix=""):
    """Property path to value, without what the systems make themselves."""
    told = {}
    for name, value in record.items():
        if name in ("country", "phoneNumberMobileCountry"):
            told[f"{prefix}{name}.isoAlpha2Code"] = (value or {}).get("isoAlpha2Code")
        elif isinstance(value, dict):
            told |= leaves(value, f"{prefix}{name}.")
        elif name not in THEIR_OWN or f"{prefix}{name}" == "customer.id":
            told[prefix + name] = value
    return told


BESIDE = re.compile("ountry[.]isoAlpha2Code$")
"""What Tripletex gives to a new record of which no table says it."""


def everything(systems):
    """(side, resource, id) to the record's leaves."""
    told = {}
    for system in systems.both:
        for resource in RESOURCES:
            for record in system.all(resource):
                forget_unstated(record)
                told[system.name, resource, str(record[ID[system.name]])] = leaves(record)
    return told


def effects(before, after):
    """What became of the records: (kind, side, resource, id) to property to (old, new)."""
    found = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if new is None:
            found[("delete", *key)] = {}
            continue
        paths = {path for path in new.keys() | (old or {}).keys() if said((old or {}).get(path)) != said(new.get(path))}
        kind = "create" if old is None else "update"
        if old is not None and "isInactive" in paths:
            paths.remove("isInactive")
            found[("deactivate" if new["isInactive"] else "restore", *key)] = {}
        if paths:
            found[(kind, *key)] = {path: ((old or {}).get(path), new.get(path)) for path in paths}
    return found


def said(value):
    return None if value in (None, "", False) else str(value)


# -- what the plan says


def real_ids(lines, plan):
    """What the server called each record that the plan had to make up a name for."""
    with opened(f"sqlite:///{lines.links}", "default") as store:
        pairs = find_links(store).links
    other = {"customcrm": "tripletex", "tripletex": "customcrm"}
    linked = {(one.flow, side, end.id): one.ends[other[side]].id for one in pairs for side, end in one.ends.items()}
    return {
        write.id: linked[write.flow, other[write.to], write.source_id]
        for write in plan.writes
        if write.kind == "create"
    }


def promised(plan, names):
    """The plan in the same words as `effects`; where a record is written twice the last value stands."""
    found = {}
    for write in plan.writes:
        key = (write.kind, write.to, write.resource, names.get(write.id, write.id))
        values = found.setdefault(key, {})
        for path, value in write.after.items():
            old = values[path][0] if path in values else write.before.get(path)
            values[path] = (old, names.get(value, value) if isinstance(value, str) else value)
    return {
        key: {path: pair for path, pair in values.items() if said(pair[0]) != said(pair[1])}
        for key, values in found.items()
    }


def planned_for(real, plan):
    """What became of the records, without what no table says."""
    return {
        key: {path: pair for path, pair in values.items() if path in plan.get(key, {}) or not BESIDE.search(path)}
        for key, values in real.items()
    }


def spelled(found):
    return {key: {path: tuple(map(said, pair)) for path, pair in values.items()} for key, values in found.items()}


def requested(systems, names):
    """How often each record was written: (side, resource, id or None for a new one) to number of requests."""
    asked = Counter()
    for system in systems.both:
        for seen in system.requests:
            if not seen.is_write:
                continue
            assert 200 <= seen.status < 300, (seen.path, seen.status, seen.response_body)
            parts = [one for one in seen.path.removeprefix(system.path_prefix).split("/") if one]
            resource = parts[0].removesuffix("s") if system.name == "customcrm" else parts[0]
            bodies = seen.body if isinstance(seen.body, list) else [seen.body]
            for body in bodies:
                given = parts[1] if len(parts) > 1 and parts[1] != "list" else (body or {}).get("id")
                asked[system.name, resource, None if given is None else str(given)] += 1
    return asked


def written(plan):
    return Counter((write.to, write.resource, None if write.kind == "create" else write.id) for write in plan.writes)


# -- rehearsing with processes that start quickly


@pytest.fixture
def rehearse(lines, tmp_path):
    """A rehearsal of both lines, as `dataflow plan` has Meltano do it."""
    numbers = iter(range(100))

    def run(*, well=True):
        folder = tmp_path / f"rehearsal{next(numbers)}"
        folder.mkdir(mode=0o700)
        copy_store(f"sqlite:///{lines.links}", "default", folder / "links.db")
        told = []
        with unchanged(lines):
            lines.environment = {REHEARSAL: str(folder)}
            try:
                for direction in (TO_TRIPLETEX, TO_CUSTOMCRM):
                    with lines.start(direction) as line:
                        ran = line.finish()
                    assert ran.ok or not well, ran.log
                    account = ran.summary
                    told.append(Line(account["to"], account["sync_run"], account["outcome"], account["error"]))
                    if not ran.ok:
                        break
            finally:
                lines.environment = {}
        rehearsal = Rehearsal(folder)
        with opened(rehearsal.links_url, "default") as store:
            return planned(store, rehearsal, told)

    return run


@contextmanager
def unchanged(lines):
    """Nothing of this writes to either system or to the link store."""
    lines.systems.clear_requests()
    before, store = everything(lines.systems), fingerprint(lines.links)
    yield
    assert [seen for system in lines.systems.both for seen in system.requests if seen.is_write] == []
    assert everything(lines.systems) == before
    assert fingerprint(lines.links) == store


def fingerprint(path):
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


def check(lines, plan, run=None):
    """Run the cycle, and hold it against the plan."""
    lines.systems.clear_requests()
    before = everything(lines.systems)
    (run or lines.cycle)()
    names = real_ids(lines, plan)
    found = {
        key: values for key, values in promised(plan, names).items() if values or key[0] not in ("update", "create")
    }
    assert spelled(planned_for(effects(before, everything(lines.systems)), found)) == spelled(found)
    assert requested(lines.systems, names) == written(plan)


def counts(plan):
    return {(one.to, one.flow): {name: count for name, count in one.counts.items() if count} for one in plan.flows}


@pytest.fixture
def register(systems):
    """Customers, people and products on both sides: some of them the same, some on one side only."""
    crm, tripletex = systems.customcrm, systems.tripletex
    for number, name in ((1, "Fjord"), (2, "Fjell"), (3, "Vidde")):
        crm.create(
            "customer", Id=f"k{number}", Name=f"{name} AS", OrganizationNumber=NUMBERS[number],
            Email=f"post@{name.lower()}.example.no", Phone="+47 22 33 44 55" if number == 1 else None,
            StreetAddress1="Storgata 1", ZipCode="0155", City="OSLO", Country="NO",
        )  # fmt: skip
    tripletex.create("customer", name="Fjell og fjære AS", organizationNumber=NUMBERS[2], phoneNumber="22000000")
    skog = tripletex.create("customer", name="Skog AS", organizationNumber=NUMBERS[9], email="post@skog.example.no")
    crm.create("contact", Id="n1", FirstName="Ola", LastName="Nordmann", Email="ola@fjord.example.no", CustomerId="k1")
    crm.create(
        "contact", Id="n2", FirstName="Kari", LastName="Nordmann", Email="kari@fjell.example.no", CustomerId="k2"
    )
    tripletex.create("contact", firstName="Kari", lastName="Nordmann", email="kari@fjell.example.no")
    tripletex.create(
        "contact", firstName="Per", lastName="Skog", email="per@skog.example.no", customer={"id": skog["id"]}
    )
    crm.create("product", Id="w1", Name="Hengekøye", Number="H-1")
    crm.create("product", Id="w2", Name="Lommelykt", Number="L-2")
    tripletex.create("contact", firstName="Lommelykt", lastName="L-2")
    return systems


def test_the_first_cycle_matches_and_creates_as_planned(lines, register, rehearse):
    plan = rehearse()
    told = counts(plan)
    assert told["tripletex", "customer"] == {"matched": 1, "created": 2, "changed": 1}
    assert told["customcrm", "customer"]["created"] == 1
    (contact,) = [one for one in plan.writes if one.source_id == "n1"]
    (customer,) = [one for one in plan.writes if one.source_id == "k1"]
    assert contact.after["customer.id"] == customer.id
    check(lines, plan)
    assert rehearse().writes == []


def edit(systems):
    """What users do between two cycles, on both sides."""
    crm, tripletex = systems.customcrm, systems.tripletex
    by_number = {one["organizationNumber"]: one["id"] for one in tripletex.all("customer")}
    people = {one["lastName"] + one["firstName"]: one["id"] for one in tripletex.all("contact")}
    fjord, fjell, vidde = (by_number[NUMBERS[number]] for number in (1, 2, 3))
    crm.edit("customer", "k1", Phone="+47 99 88 77 66", City="BERGEN", ZipCode="5003")
    tripletex.edit("customer", fjord, email="faktura@fjord.example.no")
    # Both sides, the same property: the later edit wins.
    crm.edit("customer", "k2", Name="Fjell Holding AS")
    tripletex.edit("customer", fjell, name="Fjell Drift AS")
    tripletex.edit("customer", vidde, name="Vidda AS")
    crm.edit("customer", "k3", Email=None)
    # New people, one of them at a new company.
    crm.create(
        "customer", Id="k8", Name="Ny AS", OrganizationNumber=NUMBERS[8], Email="post@ny.example.no", Country="SE"
    )
    crm.create("contact", Id="n8", FirstName="Nora", LastName="Ny", Email="nora@ny.example.no", CustomerId="k8")
    strand = tripletex.create("customer", name="Strand AS", organizationNumber=NUMBERS[7])
    tripletex.create(
        "contact", firstName="Siri", lastName="Strand", email="siri@strand.example.no", customer={"id": strand["id"]}
    )
    # One that is the same as a new one, with values that the other lacks.
    tripletex.create(
        "contact", firstName="Lars", lastName="Lik", email="lars@lik.example.no", phoneNumberMobile="90000000"
    )
    crm.create("contact", Id="n9", FirstName="Lars", LastName="Lik", Email="lars@lik.example.no")
    # Two that fit one, and one that Tripletex has no place for.
    for _ in range(2):
        tripletex.create("contact", firstName="Tvilling", lastName="Ås", email="tvilling@example.no")
    crm.create("contact", Id="n10", FirstName="Tvilling", LastName="Ås", Email="tvilling@example.no")
    crm.create("customer", Id="k11", Name="Land AS", OrganizationNumber=NUMBERS[6], Country="ZZ")
    tripletex.edit("contact", people["H-1Hengekøye"], firstName="Hengekøye, stor")
    crm.remove("contact", "n1")


def test_a_later_cycle_changes_deletes_and_refuses_as_planned(lines, register, rehearse):
    lines.cycle()
    lines.cycle()
    edit(register)
    plan = rehearse()
    told = counts(plan)
    assert told["tripletex", "contact"] == {
        "matched": 1, "created": 1, "deactivated": 1, "ambiguous": 1,
    }  # fmt: skip
    assert told["tripletex", "customer"]["refused"] == 1
    assert any("ZZ" in remark for remark in plan.remarks)
    check(lines, plan)


def test_what_a_person_decided_is_carried_out_as_planned_and_not_used_up(lines, register, rehearse):
    """A value that lost is put back on its side, and crosses over from there in the same cycle."""
    lines.cycle()
    lines.cycle()
    (fjord,) = [one["id"] for one in register.tripletex.all("customer") if one["name"] == "Fjord AS"]
    register.tripletex.edit("customer", fjord, name="Fjord Tripletex AS")
    register.customcrm.edit("customer", "k1", Name="Fjord Customcrm AS")
    lines.cycle()
    lines.cycle()
    # Long enough ago that a read of what has changed does not bring it: only what is put back does.
    for system in register.both:
        system.clock.advance(timedelta(minutes=10))
    (skog,) = [one["id"] for one in register.tripletex.all("customer") if one["name"] == "Skog AS"]
    register.tripletex.edit("customer", skog, email="ny@skog.example.no")
    lines.cycle()
    url = f"sqlite:///{lines.links}"
    with opened(url, "default") as store:
        found = [one for one in conflicts(store).conflicts if one.ids["customcrm"] == "k1"]
    (conflict,) = found
    assert (conflict.unit, conflict.winner) == ("Name = name", "customcrm")
    with opened(url, "default", to_change=True) as store:
        assert decide(store, conflict.id, "tripletex").conflict.state == "putback"
    plan = rehearse()
    assert [(one.to, one.kind, one.before, one.after) for one in plan.writes] == [
        ("tripletex", "update", {"name": "Fjord Customcrm AS"}, {"name": "Fjord Tripletex AS"}),
        ("customcrm", "update", {"Name": "Fjord Customcrm AS"}, {"Name": "Fjord Tripletex AS"}),
    ]
    check(lines, plan)
    assert rehearse().writes == []


def test_a_cycle_that_would_be_held_back_says_so_and_uses_up_no_permission(lines, systems, rehearse):
    for number in range(30):
        systems.customcrm.create("contact", FirstName="Person", LastName=f"Nr{number}", Email=f"nr{number}@example.no")
    lines.cycle()
    for one in systems.customcrm.all("contact"):
        systems.customcrm.edit("contact", one["Id"], LastName=f"{one['LastName']} Berg")
    plan = rehearse(well=False)
    assert [one for one in plan.writes if one.to == "tripletex"] == []
    (held,) = plan.held
    assert "dataflow let-through contact overwrites" in held

    let_through(f"sqlite:///{lines.links}", "default", "contact", "overwrites")
    plan = rehearse()
    assert (len(plan.writes), plan.held) == (30, [])
    check(lines, plan)


# -- the command


def state_of(meltano):
    """Every state that Meltano keeps."""
    with closing(sqlite3.connect(meltano.folder / "meltano.db")) as connection:
        return connection.execute("select * from state order by state_id").fetchall()


def test_dataflow_plan_tells_what_meltano_run_then_does_and_leaves_nothing_behind(
    lines, register, tmp_path, pytestconfig
):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    meltano = Meltano(register, tmp_path, pytestconfig.rootpath, {"TMPDIR": str(temporary)})

    def cycle():
        ran = meltano.run()
        assert ran.code == 0, ran.log

    cycle()
    edit(register)
    state = state_of(meltano)
    with unchanged(lines):
        told = meltano.command("dataflow", "plan", "--json")
    assert told.code == 0, told.log
    assert state_of(meltano) == state != []
    # Neither the copy of the store nor anybody's values are left behind.
    assert list(temporary.iterdir()) == []
    plan = msgspec.json.decode(told.said, type=PlannedCycle)
    assert {(one.to, one.flow) for one in plan.flows} == {
        (side, flow) for side in ("customcrm", "tripletex") for flow in ("contact", "customer", "product")
    }
    check(lines, plan, cycle)


def test_one_line_is_planned_alone_and_shown_as_a_table(lines, systems, tmp_path, pytestconfig):
    for number in (1, 2):
        systems.customcrm.create("customer", Id=f"k{number}", Name=f"Firma {number} \x1b[2J\u202e[red]")
    meltano = Meltano(systems, tmp_path, pytestconfig.rootpath, {"COLUMNS": "200"})
    line = ("tap-customcrm", "customcrm-to-tripletex", "target-tripletex")
    with unchanged(lines):
        told = meltano.command("dataflow", "plan", *line, "--full-refresh", "--limit", "1")
    assert told.code == 0, told.log
    assert not lines.links.exists()
    rows = [line.split() for line in told.said.splitlines()]
    assert ["tripletex", "customer", "·", "2"] in [row[:4] for row in rows]
    assert ["tripletex", "customer", "new:tripletex:customer:1", "k1", "name"] in [row[:5] for row in rows]
    assert "1 more writes of 2" in told.said
    # Names come from strangers.
    assert "\x1b" not in told.said
    assert "\u202e" not in told.said
    assert "[red]" in told.said


def test_a_plan_that_cannot_be_made_says_why_in_one_line(systems, tmp_path, pytestconfig):
    systems.customcrm.create("customer", Name="Firma AS")
    meltano = Meltano(systems, tmp_path, pytestconfig.rootpath, {"TAP_CUSTOMCRM_API_KEY": "wrong"})
    told = meltano.command("dataflow", "plan", "tap-customcrm", "customcrm-to-tripletex", "target-tripletex")
    assert told.code == 1
    (line,) = [one for one in told.log.splitlines() if one.startswith("dataflow: ")]
    assert "access denied 401" in line
    assert "check api_key" in line
