"""One history that can be played again and again, up to the moment at which a target is killed."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import Any

from sandbox.faults import Fault
from sandbox.lines.dying import AT_COMMIT, COMMITS
from sandbox.lines.line import TO_CUSTOMCRM, TO_TRIPLETEX, Direction, Lines
from sandbox.lines.ran import Ran
from sandbox.lines.said import Said, said
from sandbox.lines.starter import Started
from sandbox.snapshot import Snapshot, put_back, take
from sandbox.system import Record, System
from sandbox.systems import Systems
from sandbox.traffic import SeenRequest

LONG_AGO = datetime(2026, 1, 5, 9, 0, tzinfo=timezone.utc)
DIRECTIONS = (TO_TRIPLETEX, TO_CUSTOMCRM)

Records = dict[tuple[str, str, Any], Record]
"""Every record, by system, resource and id."""
Remembered = dict[str, list[tuple[Any, ...]]]
"""What a link store says, without ids and times."""


class How(Enum):
    """How a target dies."""

    BEFORE_REQUEST = "SIGKILL before a request is carried out"
    AFTER_REQUEST = "SIGKILL when a request has been carried out, its answer on the way"
    BEFORE_COMMIT = "SIGKILL before a commit"
    AFTER_COMMIT = "SIGKILL after a commit"
    ASKED_TO = "SIGTERM at a request"

    @property
    def is_at_commit(self) -> bool:
        """Whether it is a commit of the link store at which it dies, and no request."""
        return self in (How.BEFORE_COMMIT, How.AFTER_COMMIT)


def everybody_at_the_beginning(systems: Systems) -> None:
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
        crm.create("contact", FirstName="Siri", LastName="Slutter", Email="siri@example.no")
        crm.create("product", Name="Spade", Number="S-1", Price=100)
        crm.create("product", Name="Rive", Number="R-1", Price=200)
        address = {"addressLine1": "Storgata 1", "postalCode": "0155", "city": "OSLO", "country": norway}
        tripletex.create("customer", name="Alfa AS", organizationNumber="910000004", postalAddress=address)
        tripletex.create("customer", name="Epsilon AS", organizationNumber="910000039", postalAddress=address)
        tripletex.create("contact", firstName="Erik", lastName="Eng", email="erik@example.no")
        tripletex.create("contact", firstName="Spade", lastName="S-1")


def somebody_leaves(systems: Systems) -> None:
    """A record without a tombstone is gone."""
    tripletex = systems.tripletex
    (gone,) = (one["id"] for one in tripletex.all("contact") if one["firstName"] == "Siri")
    tripletex.remove("contact", gone)


def users_at_work(systems: Systems) -> None:
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
    """A run of a target that nobody kills, and what is there after all lines have run again."""

    messages: Path
    requests: list[SeenRequest] = field(default_factory=list)
    commits: int = 0
    """Of those that change something."""
    said: Said = field(default_factory=dict)
    remembered: Remembered = field(default_factory=dict)


class Rehearsal:
    """The history, and its end where nobody is killed."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.systems = lines.systems
        everybody_at_the_beginning(self.systems)
        lines.cycle()
        somebody_leaves(self.systems)
        # A complete read does not bring it, the other line looks it up: the next one is to pass it on.
        lines.well(TO_CUSTOMCRM, full_refresh=True)
        lines.well(TO_TRIPLETEX)
        before = self.records()
        users_at_work(self.systems)
        self.at_work = self.records()
        self.touched = {key: record for key, record in self.at_work.items() if before.get(key) != record}
        self._snapshot: Snapshot = take(self.systems)
        self._kept = lines.folder / "kept"
        self._kept.mkdir()
        for path in (lines.links, *map(lines.state_file, DIRECTIONS)):
            shutil.copy2(path, self._kept)
        self.expected = {direction: Expected(self._messages(direction)) for direction in DIRECTIONS}
        for direction, expected in self.expected.items():
            self.begin_again()
            told = lines.folder / f"{direction.name}.commits"
            with self._environment({COMMITS: str(told)}):
                ran = lines.load(direction, expected.messages)
            if not ran.ok:
                raise AssertionError(ran.log)
            expected.commits = told.stat().st_size
            expected.requests = self.target_of(direction).requests
            lines.cycle()
            expected.said, expected.remembered = said(self.systems), self.remembered()

    def _messages(self, direction: Direction) -> Path:
        path = self.lines.messages(direction)
        return path.rename(path.with_suffix(".recorded"))

    # -- what is there

    def records(self) -> Records:
        """All records of both systems."""
        return {
            (system.name, resource, record.get("Id") or record["id"]): record
            for system in self.systems.both
            for resource in ("customer", "contact", "product")
            for record in system.all(resource)
        }

    def remembered(self) -> Remembered:
        """What the link store holds."""
        told = {
            "links": "select flow.name, link.state, left_state, right_state, count(*) from link"
            " join flow on flow.id = flow_id group by 1, 2, 3, 4",
            "aliases": "select count(*) from alias",
            "waiting": "select flow.name, side, kind, count(*) from waiting"
            " join flow on flow.id = flow_id group by 1, 2, 3",
            "reserved": "select count(*) from reserved",
            "conflicts": "select flow.name, unit, conflict.state, winner, count(*) from conflict"
            " join flow on flow.id = flow_id group by 1, 2, 3, 4",
            "intents": "select count(*) from intent",
        }
        with closing(sqlite3.connect(self.lines.links)) as connection:
            return {what: sorted(connection.execute(query), key=str) for what, query in told.items()}

    def target_of(self, direction: Direction) -> System:
        """The system that a line writes to."""
        return self.systems.tripletex if direction is TO_TRIPLETEX else self.systems.customcrm

    def source_of(self, direction: Direction) -> System:
        """The system that a line reads from."""
        return self.systems.customcrm if direction is TO_TRIPLETEX else self.systems.tripletex

    # -- playing it

    def begin_again(self) -> None:
        """Systems, link store and states as they were."""
        put_back(self.systems, self._snapshot)
        for path in self.lines.folder.glob("links.db*"):
            path.unlink()
        for path in self._kept.iterdir():
            shutil.copy2(path, self.lines.folder)

    def points(self, direction: Direction, how: How) -> Sequence[int]:
        """The numbers of all requests or commits at which a target can be killed."""
        expected = self.expected[direction]
        return range(expected.commits if how.is_at_commit else len(expected.requests))

    def told(self, direction: Direction, how: How, number: int) -> str:
        """One point, in words."""
        at = f"commit {number}"
        if not how.is_at_commit:
            seen = self.expected[direction].requests[number]
            at = f"request {number}, {seen.method} {seen.path}"
        return f"{direction.target}, {how.value}: {at}"

    def kill(self, direction: Direction, how: How, number: int) -> Ran:
        """Run the target up to its request or commit of that number, and no further."""
        self.begin_again()
        ran = (self._kill_at_commit if how.is_at_commit else self._kill_at_request)(direction, how, number)
        wanted = {143 if how is How.ASKED_TO else -signal.SIGKILL}
        if how.is_at_commit:
            # Answers that come together are stored in one commit: a run may end before it has made so many.
            wanted.add(0)
        if ran.codes.get(direction.target) not in wanted:
            raise AssertionError(f"{self.told(direction, how, number)}: {dict(ran.codes)}\n{ran.log}")
        self.lines.keep_state(direction, ran)
        return ran

    def _kill_at_commit(self, direction: Direction, how: How, number: int) -> Ran:
        when = "before" if how is How.BEFORE_COMMIT else "after"
        with (
            self._environment({AT_COMMIT: f"{number}:{when}"}),
            self.lines.start_target(direction, self.expected[direction].messages) as line,
        ):
            return line.finish()

    def _kill_at_request(self, direction: Direction, how: How, number: int) -> Ran:
        system = self.target_of(direction)
        first = len(system.requests)
        target: Future[Started] = Future()

        def at_request(seen: SeenRequest) -> Fault | None:
            if system.requests.index(seen) - first != number:
                return None
            process = target.result()
            if how is How.ASKED_TO:
                process.send(signal.SIGTERM)
                return None
            process.send(signal.SIGKILL)
            process.wait()
            return Fault.drop() if how is How.BEFORE_REQUEST else Fault.drop_answer()

        if how is How.AFTER_REQUEST:
            system.after = at_request
        else:
            system.before = at_request
        with self.lines.start_target(direction, self.expected[direction].messages) as line:
            target.set_result(line.processes[direction.target])
            ran = line.finish()
        system.before = system.after = None
        return ran

    @contextmanager
    def _environment(self, added: dict[str, str]) -> Iterator[None]:
        before = self.lines.environment
        self.lines.environment = {**before, **added}
        try:
            yield
        finally:
            self.lines.environment = before
