"""A target killed at any of its requests: the next runs come to the same end, and nothing is there twice.

By default a part of the moments is tried; all of them in CI, and with `KILL_EVERYWHERE=1` in the environment.
"""

import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX, Direction, Lines, Ran, Said, Started, Starter, said, without
from sandbox.snapshot import Snapshot, put_back, take

import sandbox
from sandbox import Fault, SeenRequest

EVERYWHERE = bool(os.environ.get("KILL_EVERYWHERE") or os.environ.get("CI"))
LONG_AGO = datetime(2026, 1, 5, 9, 0, tzinfo=timezone.utc)
EDITED = "endret av en bruker"

# How the target dies: before its request is carried out, or after it, when the answer is on its way.
BEFORE, AFTER, ASKED_TO = "SIGKILL, not carried out", "SIGKILL, carried out", "SIGTERM"


def everybody_at_the_beginning(systems: sandbox.Systems) -> None:
    """What both systems hold before the first run."""
    crm, tripletex = systems.customcrm, systems.tripletex
    norway = {"id": tripletex.country_id("NO")}
    with crm.clock.at(LONG_AGO), tripletex.clock.at(LONG_AGO):
        both = {"StreetAddress1": "Storgata 1", "ZipCode": "0155", "City": "OSLO", "Country": "NO"}
        alfa = crm.create("customer", Name="Alfa AS", OrganizationNumber="910 000 004", Phone="22 33 44 55", **both)
        crm.create("customer", Name="Beta AS", Email="post@beta.example.no", **both)
        crm.create("customer", Name="Gamma AS", OrganizationNumber="910000020", Description="gammel")
        crm.create("customer", Name="Delta AS", Email="post@delta.example.no")
        crm.create("contact", FirstName="Anne", LastName="Aas", Email="anne@example.no", CustomerId=alfa["Id"])
        crm.create(
            "contact", FirstName="Bjørn", LastName="Berg", Email="bjorn@example.no", MobilePhone="+47 412 34 567"
        )
        crm.create("product", Name="Spade", Number="S-1", Price=100)
        crm.create("product", Name="Rive", Number="R-1", Price=200)
        address = {"addressLine1": "Storgata 1", "postalCode": "0155", "city": "OSLO", "country": norway}
        tripletex.create("customer", name="Alfa AS", organizationNumber="910000004", postalAddress=address)
        tripletex.create("customer", name="Epsilon AS", organizationNumber="910000039", postalAddress=address)
        tripletex.create("contact", firstName="Erik", lastName="Eng", email="erik@example.no")
        tripletex.create("contact", firstName="Spade", lastName="S-1")


def users_at_work(systems: sandbox.Systems) -> None:
    """New, changed, matching, waiting, refused and deleted records on both sides."""
    crm, tripletex = systems.customcrm, systems.tripletex
    ours = {one["Name"]: one["Id"] for resource in ("customer", "product") for one in crm.all(resource)}
    people = {one["FirstName"]: one["Id"] for one in crm.all("contact")}
    theirs = {one["name"]: one["id"] for one in tripletex.all("customer")}
    contacts = {one["firstName"]: one["id"] for one in tripletex.all("contact")}

    new = crm.create("customer", Name="Ny Kunde AS", OrganizationNumber="910 000 047", Email="post@ny.example.no")
    crm.create("customer", Name="Uten Nøkkel", City="BODØ", Country="NO")
    crm.create("customer", Name="Like Gode AS", OrganizationNumber="910000055", Phone="75 50 00 00")
    tripletex.create("customer", name="Like Gode AS", organizationNumber="910000055", website="https://like.example.no")
    crm.create("contact", FirstName="Nina", LastName="Ny", Email="nina@example.no", CustomerId=new["Id"])
    crm.create("contact", FirstName="Gry", LastName="Utenpost", Email="ring meg heller")
    crm.create("product", Name="Ljå", Number="L-1", Price=300)
    crm.edit("customer", ours["Alfa AS"], Phone="+47 22 99 99 99")
    crm.edit("customer", ours["Beta AS"], StreetAddress1="Lillegata 2", Description="flyttet")
    crm.edit("customer", ours["Gamma AS"], Description=None)
    crm.remove("customer", ours["Delta AS"])
    crm.edit("contact", people["Bjørn"], MobilePhone="+46 70 123 45 67", CustomerId=ours["Beta AS"])
    crm.edit("product", ours["Rive"], Name="Rive, stor")

    theirs_new = tripletex.create("customer", name="Nykunde Regnskap AS", organizationNumber="910000063")
    tripletex.create("customer", name="Bare Navn", postalAddress={"city": "MOSS"})
    tripletex.create("contact", firstName="Rolf", lastName="Regn", customer={"id": theirs_new["id"]})
    tripletex.edit("customer", theirs["Epsilon AS"], website="https://epsilon.example.no", phoneNumber="33445566")
    tripletex.edit("customer", theirs["Alfa AS"], email="faktura@alfa.example.no")
    tripletex.edit("contact", contacts["Erik"], lastName="Engen", phoneNumberWork="99887766")
    tripletex.edit("contact", contacts["Spade"], firstName="Spade, liten")


@dataclass
class Expected:
    """A run of a target that nobody kills: what it asks, and what both systems say after all lines have run again."""

    messages: Path
    requests: list[SeenRequest] = field(default_factory=list)
    said: Said = field(default_factory=dict)


class Rehearsal:
    """One history that can be played again and again up to the moment at which the target is killed."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.systems = lines.systems
        everybody_at_the_beginning(self.systems)
        lines.cycle()
        before = self.records()
        users_at_work(self.systems)
        self.at_work = self.records()
        self.touched = {key: record for key, record in self.at_work.items() if before.get(key) != record}
        self._snapshot: Snapshot = take(self.systems)
        self._kept = lines.folder / "kept"
        self._kept.mkdir()
        for path in (lines.links, *map(lines.state_file, (TO_TRIPLETEX, TO_CUSTOMCRM))):
            shutil.copy2(path, self._kept)
        self.expected = {direction: Expected(self._messages(direction)) for direction in (TO_TRIPLETEX, TO_CUSTOMCRM)}
        for direction, expected in self.expected.items():
            self.begin_again()
            assert lines.load(direction, expected.messages).ok
            expected.requests = self.target_of(direction).requests
            lines.cycle()
            expected.said = said(self.systems)

    def records(self) -> dict[tuple[str, str, Any], dict[str, Any]]:
        """Every record, by system, resource and id."""
        return {
            (system.name, resource, record.get("Id") or record["id"]): record
            for system in self.systems.both
            for resource in ("customer", "contact", "product")
            for record in system.all(resource)
        }

    def _messages(self, direction: Direction) -> Path:
        path = self.lines.messages(direction)
        return path.rename(path.with_suffix(".recorded"))

    def target_of(self, direction: Direction) -> Any:
        """The system that a line writes to."""
        return self.systems.tripletex if direction is TO_TRIPLETEX else self.systems.customcrm

    def source_of(self, direction: Direction) -> Any:
        """The system that a line reads from."""
        return self.systems.customcrm if direction is TO_TRIPLETEX else self.systems.tripletex

    def begin_again(self) -> None:
        """Systems, link store and states as they were."""
        put_back(self.systems, self._snapshot)
        for path in self.lines.folder.glob("links.db*"):
            path.unlink()
        for path in self._kept.iterdir():
            shutil.copy2(path, self.lines.folder)

    def kill(self, direction: Direction, number: int, how: str) -> Ran:
        """Run the target up to its request of that number, and no further."""
        self.begin_again()
        system = self.target_of(direction)
        first = len(system.requests)
        target: Future[Started] = Future()

        def at_request(seen: SeenRequest) -> Fault | None:
            if system.requests.index(seen) - first != number:
                return None
            process = target.result()
            if how == ASKED_TO:
                process.send(signal.SIGTERM)
                return None
            process.send(signal.SIGKILL)
            process.wait()
            return Fault.drop() if how == BEFORE else Fault.drop_answer()

        if how == AFTER:
            system.after = at_request
        else:
            system.before = at_request
        with self.lines.start_target(direction, self.expected[direction].messages) as line:
            target.set_result(line.processes[direction.target])
            ran = line.finish()
        system.before = system.after = None
        assert ran.codes == {direction.target: 143 if how == ASKED_TO else -signal.SIGKILL}, ran.log
        self.lines.keep_state(direction, ran)
        return ran

    def moments(self, direction: Direction, how: str) -> list[int]:
        """The requests at which the target is killed."""
        requests = self.expected[direction].requests
        if EVERYWHERE:
            return list(range(len(requests)))
        # Writes are what counts; of the others one in five, each time another one.
        turn = {BEFORE: 0, AFTER: 1, ASKED_TO: 2}[how]
        writes = [number for number, seen in enumerate(requests) if seen.is_write]
        reads = [number for number in range(len(requests)) if number not in writes]
        return sorted({*(writes if how == AFTER else writes[turn::3]), *reads[turn::5]})


@pytest.fixture(scope="module")
def rehearsal(
    starter: Starter, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Rehearsal]:
    with sandbox.running("empty") as systems:
        yield Rehearsal(Lines(systems, tmp_path_factory.mktemp("killed"), starter, pytestconfig.rootpath))


directions = pytest.mark.parametrize("direction", [TO_TRIPLETEX, TO_CUSTOMCRM], ids=lambda one: one.name)


def asked(direction: Direction, number: int, seen: SeenRequest, how: str) -> str:
    return f"{direction.target}, {how} at request {number}, {seen.method} {seen.path}"


def difference(found: Said, wanted: Said) -> dict[str, Any]:
    return {
        kind: {
            "too many": [one for one in found[kind] if found[kind].count(one) > wanted[kind].count(one)],
            "missing": [one for one in wanted[kind] if wanted[kind].count(one) > found[kind].count(one)],
        }
        for kind in wanted
        if found[kind] != wanted[kind]
    }


@directions
def test_the_rehearsed_run_has_something_of_everything(rehearsal, direction):
    requests = rehearsal.expected[direction].requests
    methods = {seen.method for seen in requests if seen.is_write}
    assert methods == ({"POST", "PUT"} if direction is TO_TRIPLETEX else {"POST", "PATCH"})
    assert any(not seen.is_write for seen in requests)
    assert len([seen for seen in requests if seen.is_write]) >= 6


@directions
@pytest.mark.parametrize("how", [BEFORE, AFTER, ASKED_TO])
def test_a_target_killed_at_any_request_comes_to_the_same_end_when_run_again(rehearsal, direction, how):
    expected = rehearsal.expected[direction]
    moments = rehearsal.moments(direction, how)
    for number in moments:
        rehearsal.kill(direction, number, how)
        rehearsal.lines.cycle()
        found = said(rehearsal.systems)
        assert difference(found, expected.said) == {}, asked(direction, number, expected.requests[number], how)
    print(f"{direction.target}, {how}: killed at {len(moments)} of {len(expected.requests)} requests")


# -- a user edits what the killed run was at

NOTES = {
    ("customcrm", "customer"): "Description",
    ("customcrm", "contact"): "Phone",
    ("tripletex", "customer"): "description",
    ("tripletex", "contact"): "phoneNumberWork",
}
"""By system and resource: a property that a user writes into; the two of a resource belong together."""
PRODUCTS = ("S-1", "R-1", "L-1")


def name_of(record: dict[str, Any]) -> str:
    """What a record is called on both sides."""
    name = record.get("Name") or record.get("name")
    return (
        name or " ".join(record.get(part) or "" for part in ("firstName", "lastName", "FirstName", "LastName")).strip()
    )


def edit(system: Any, records: dict[tuple[str, str, Any], dict[str, Any]]) -> set[tuple[str, str]]:
    """A user edits these records, if they are the system's; tells their resources and names."""
    edited = set()
    for (name, resource, record_id), record in records.items():
        note = NOTES.get((name, resource))
        if name != system.name or note is None or record.get("isInactive") or record.get("lastName") in PRODUCTS:
            continue
        system.edit(resource, record_id, **{note: EDITED})
        edited.add((resource, name_of(record)))
    return edited


def what_stands(found: Said, edited: set[tuple[str, str]]) -> set[tuple[str, str, str]]:
    """Of the edited records those that do not say what the user wrote, wherever they are."""
    return {
        (system, resource, name_of(record))
        for (system, resource), note in NOTES.items()
        for record in found[f"{system} {resource}"]
        if (resource, name_of(record)) in edited and record[note] != EDITED
    }


@directions
@pytest.mark.parametrize(("how", "side"), [(AFTER, "target"), (AFTER, "source"), (BEFORE, "source")])
def test_what_a_user_edits_after_the_kill_stands_on_both_sides(rehearsal, direction, how, side):
    expected = rehearsal.expected[direction]
    wanted = without(expected.said, *NOTES.values())
    writes = [number for number, seen in enumerate(expected.requests) if seen.is_write]
    moments = writes if EVERYWHERE else writes[::2] if how == AFTER else writes[1::3]
    edits = 0
    for number in moments:
        rehearsal.kill(direction, number, how)
        if side == "target":
            left = {key: one for key, one in rehearsal.records().items() if rehearsal.at_work.get(key) != one}
            edited = edit(rehearsal.target_of(direction), left)
        else:
            edited = edit(rehearsal.source_of(direction), rehearsal.touched)
        edits += len(edited)
        rehearsal.lines.cycle()
        found = said(rehearsal.systems)
        moment = asked(direction, number, expected.requests[number], how)
        assert what_stands(found, edited) == set(), moment
        assert difference(without(found, *NOTES.values()), wanted) == {}, moment
    assert edits >= 5
    print(f"{direction.target}, {how}, {edits} edits in the {side}: killed at {len(moments)} of {len(writes)} writes")
