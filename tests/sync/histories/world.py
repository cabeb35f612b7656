"""Both systems, the store between them, and the truth: what people did, whatever the systems tell of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar
from zlib import crc32

from tests.sync.going import POLICIES, SIDES, GoingFlow, going, resource
from tests.sync.histories.core import Memory, StreamRead, Way, run_line
from tests.sync.histories.lies import LIES, is_checked
from tests.sync.histories.reading import COMPLETE, REFRESH, Bookmark, read
from tests.sync.histories.register import TAGS, Nature, Register, Row, Values, moment
from tests.sync.histories.target import BrokenRuleError, Faults, Target

START = 1_767_600_000_000
"""Monday, 5 January 2026, in the morning."""
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
PROPERTIES: dict[str, list[dict[str, str]]] = {
    flow: [dict(zip(SIDES, names, strict=True)) for names in pairs]
    for flow, pairs in {
        "customer": [
            ("Name", "name"),
            ("Website", "website"),
            ("StreetAddress1", "postalAddress.addressLine1"),
            ("City", "postalAddress.city"),
            ("Phone", "phoneNumber"),
            ("Email", "email"),
        ],
        "contact": [("LastName", "lastName"), ("Phone", "phoneNumberWork"), ("Email", "email")],
        "product": [("Number", "lastName")],
    }.items()
}
"""What people edit, as each side calls it."""
NUMBER = {"customcrm": "OrganizationNumber", "tripletex": "organizationNumber"}
REQUIRED = {"Name", "name", "LastName", "lastName", "Number"}
PHONES = {"Phone", "phoneNumber", "phoneNumberWork"}
EMAILS = {"Email", "email"}
KEYS = {"customer": EMAILS, "contact": EMAILS | {"LastName", "lastName"}, "product": {"Number", "lastName"}}
"""What people edit that records are matched by."""
FLOWS = (
    ("customer",),
    ("customer",),
    ("customer", "contact"),
    ("product", "contact"),
    ("product", "contact", "customer"),
)
_TOKEN = re.compile(r"v\d+x\d+")
_PHONE = re.compile(r"\d{8}$")

One = TypeVar("One")


def chance(seed: int, what: object) -> Random:
    """What something in a history draws from: all of it comes from the seed, and nothing moves the rest."""
    return Random(f"{seed} {what}")  # noqa: S311 - nothing is kept secret by it


def other(side: str) -> str:
    return SIDES[1 - SIDES.index(side)]


def _flow_of(row: Row) -> str:
    return row.tag.rpartition("-")[0]


def said(value: Any) -> str | None:
    """What tells a value from all others, however a system keeps it."""
    if not value:
        return None
    text = str(value)
    found = _TOKEN.search(text)
    if found is not None:
        return found[0]
    digits = _PHONE.search("".join(one for one in text if one.isdecimal()))
    return None if digits is None else digits[0]


@dataclass
class Edit:
    """A value that a user gave a record."""

    tag: str
    side: str
    index: int
    """Which of the flow's properties."""
    token: str
    at: int
    late: bool = False
    """Whoever deleted the record on the other side did not see it."""
    is_first: bool = False
    """The record was made with it."""


@dataclass
class Truth:
    """What is known of one thing that the records of both sides stand for."""

    flow: str
    tag: str
    keys: str
    """What it can be matched by: number and email, number, email, name, or nothing."""
    same: bool = False
    """Users made it on both sides."""
    deleted_on: set[str] = field(default_factory=set)
    """The sides on which users deleted it, and did not make it anew."""
    was_deleted: bool = False
    last: str = "create"
    """What people did last to it."""
    touched: dict[str, int] = field(default_factory=dict)
    """When users last did something to it on each side."""
    deleted_unlinked: bool = False
    """A user deleted one of its records before anybody knew that it had a counterpart."""
    returned: str = ""
    """The side on which users brought it back after its deletion had been passed on."""
    reactivated: bool = False
    doubled: bool = False
    """Users made it twice on one side."""
    excused: str = ""
    """Why it may well be there twice, or not be."""


class World:
    """A history as far as it has come."""

    def __init__(self, memory: Memory, seed: int, chosen: frozenset[str], log: list[str]) -> None:
        self.lies = frozenset(
            name for name, lie in LIES.items() if name in chosen and chance(seed, name).random() < lie.share
        )
        draw = chance(seed, "world")
        self.memory = memory
        self.time = START
        self.salt = 0
        self.number = 0
        self.policy = draw.choice(["latest", "latest", *POLICIES])
        self.deletes = draw.choice(["deactivate", "deactivate", "deactivate", "delete", "ignore"])
        self.flows = draw.choice(FLOWS)
        natures = {side: self._nature(side, draw) for side in SIDES}
        self.registers = {side: Register(side, natures[side], self._clock) for side in SIDES}
        self.refusing = draw.randrange(1, 1000)
        self.bookmarks: dict[tuple[str, str], Bookmark] = {}
        self.begin_anew: set[str] = set()
        """Sides whose tap is to read all of it again, as somebody was told."""
        self.saved_store: Any = None
        self.saved_links: set[tuple[str, str, str]] = set()
        self.saved_systems: dict[str, Any] = {}
        self.truths: dict[str, Truth] = {}
        self.edits: list[Edit] = []
        self.replaced: set[str] = set()
        """Values that somebody who saw them replaced, or decided against."""
        self.restored: set[str] = set()
        """What was brought back from a backup."""
        memory.clear([flow for side in SIDES for flow in self.going(side)])
        self.order = draw.random() < 0.5
        self.log = log
        self.focused = draw.choice([0, 0.4, 0.8])
        self.broken: BrokenRuleError | None = None

    def _nature(self, side: str, draw: Random) -> Nature:
        lies, is_crm = self.lies, side == "customcrm"

        def has(name: str) -> bool:
            return name in lies and draw.random() < 0.6

        return Nature(
            offset=draw.choice([-180, 0, 180]) * SECOND if has("skew") else 0,
            whole_seconds=has("whole seconds"),
            versions=not (is_crm and has("no versions")),
            silent=has("silent edits"),
            versions_stand=has("versions stand"),
            tombstones=not (is_crm and has("no tombstones")),
            trims=has("trims"),
            respells=has("respells"),
            escapes=has("escapes"),
            terse=draw.randint(1, 4) if has("terse answers") else 0,
            echoes=has("echoes"),
            ids_again=is_crm and has("ids again"),
            refuses_searches=has("refused searches"),
            search=draw.choice(["exact", "loose", "containing"]),
            listing_cost=draw.choice([0, 1, 5, 50]) if is_crm else draw.choice([1, 5, 50]),
            at_once=draw.choice([1, 2, 3, 5]),
            eager=draw.random() < 0.5,
            lock=draw.choice(["version", "version", "values"]) if is_crm else "version",
        )

    # -- time

    def _clock(self) -> int:
        return self.time

    def now(self) -> Any:
        return moment(self.time)

    def tick(self) -> None:
        self.time += 7

    # -- choosing

    def focus(self, draw: Random, truths: Sequence[Truth]) -> Sequence[Truth]:
        """Some things, or mostly the one that people have most to do with: faults need many steps with one record."""
        return truths[:1] if draw.random() < self.focused else truths

    def pick(self, among: Sequence[One], name: Callable[[One], str] = str) -> One | None:
        """One of several, the same one if another of them were not there."""
        if not among:
            return None
        return min(among, key=lambda one: crc32(f"{self.salt} {name(one)}".encode()))

    def value(self, path: str) -> str:
        """A value that nothing else says; users leave blanks, and write telephone numbers as they like."""
        self.number += 1
        if path in PHONES:
            digits = f"22{(self.salt * 10 + self.number % 10) % 1_000_000:06d}"
            return f"+47 {digits[:2]} {digits[2:4]} {digits[4:6]} {digits[6:]}" if self.number % 2 else digits
        token = f"v{self.salt}x{self.number}"
        if path in EMAILS:
            return (f"{token}@example.no", f"{token}@Example.no")[self.number % 2]
        if "escapes" in self.lies and path in KEYS["contact"] | KEYS["product"]:
            # Kept escaped, a key would be another one.
            return token
        return (token, f"{token} & co", f" {token} ", self.spelled(f"Å{token}"))[self.number % 4]

    def spelled(self, text: str) -> str:
        form = "NFD" if "letters in parts" in self.lies and self.number % 8 == 3 else "NFC"
        return unicodedata.normalize(form, text)

    def number_of(self, tag: str) -> str:
        """The organisation number of a customer, as people write such numbers."""
        digits = str(900_000_000 + int(tag.split("-")[1]))
        if "spelled numbers" not in self.lies:
            return digits
        parts = [digits[:3], digits[3:6], digits[6:]]
        return [digits, f"NO {' '.join(parts)} MVA", ".".join(parts), f"{digits}MVA", f"Org.nr. {' '.join(parts)}"][
            self.number % 5
        ]

    def rows(self, side: str, truth: Truth) -> list[Row]:
        return self.registers[side].tagged(resource(truth.flow, side), truth.tag)

    def row(self, side: str, truth: Truth) -> Row | None:
        return next(iter(self.rows(side, truth)), None)

    def living(self, draw: Random) -> tuple[Truth, str] | None:
        there = [
            truth for truth in self.truths.values() if self.row("customcrm", truth) or self.row("tripletex", truth)
        ]
        found = [(truth, side) for truth in self.focus(draw, there) for side in SIDES if self.rows(side, truth)]
        return self.pick(found, lambda one: f"{one[0].tag} {one[1]}")

    def is_linked(self, side: str, row: Row) -> bool:
        return any(link["flow"] == _flow_of(row) and link[side] == row.id for link in self.memory.links())

    def is_ended(self, side: str, row: Row) -> bool:
        return any(
            link["flow"] == _flow_of(row) and link[side] == row.id and link["state"] == "ended"
            for link in self.memory.links()
        )

    # -- what people do

    def write(self, truth: Truth, side: str, row: Row, values: Values) -> None:
        for path in values:
            before = said(row.values.get(path))
            if before is not None:
                self.replaced.add(before)
        self.registers[side].write(row, values, by_user=True)
        self.touch(truth, side, "edit")

    def touch(self, truth: Truth, side: str, what: str) -> None:
        truth.last = what
        truth.touched[side] = self.time

    # -- lines

    def going(self, to: str) -> list[GoingFlow]:
        return [one for one in going(self.policy, self.deletes, to) if one.name in self.flows]

    def read(self, to: str, kind: str = COMPLETE, left_out: str | None = None) -> list[StreamRead]:
        """What tap and mapper bring for a side."""
        source = other(to)
        if source in self.begin_anew:
            kind = REFRESH
        flows = self.going(to)
        streams = sorted({one.stream for one in flows}, reverse=self.order)
        reads = []
        for stream in streams:
            self.tick()
            mine = sorted((one for one in flows if one.stream == stream), key=lambda one: bool(one.rules.after))
            bookmark = self.bookmarks.get((source, stream))
            reads.append(read(self.registers[source], stream, mine, bookmark, kind, self.time, left_out))
        return reads

    def run(self, to: str, reads: list[StreamRead], faults: Faults | None = None, way: int = 0) -> Target:
        faults = faults or Faults()
        self.memory.at_commit = faults.tick
        target = Target(self.registers[to], faults, self.tick, self._permit)
        self.tick()

        def emit(covered: Sequence[StreamRead]) -> None:
            self.begin_anew.discard(other(to))
            for one in covered:
                self.bookmarks[other(to), one.stream] = one.closing

        waited = {(row["flow"], row["record_id"]) for row in self.memory.waiting() if row["side"] == other(to)}
        try:
            run_line(target, reads, Way(self.now, 1 + way % 4, 1 + way % 5, emit))
        finally:
            self.memory.at_commit = lambda: None
            if self.broken is not None:
                raise self.broken
        if is_checked("every record has one outcome"):
            self._check_outcomes(reads, waited)
        return target

    def cycle(self, kind: str = COMPLETE) -> list[str]:
        return [write for to in reversed(SIDES) for write in self.run(to, self.read(to, kind)).writes]

    def _permit(self, side: str, of: str, row: Row | None, values: Values, what: str = "") -> None:
        """Look at a write of the sync before it is made, whether there is harm in it."""
        tag = values.get(TAGS[side, of])
        if row is not None:
            if tag not in (None, row.tag):
                self._forbid(f"the record of {row.tag} on the side of {side} is overwritten by {tag}")
            if what == "restore" and row.kept_inactive:
                self._forbid(f"{row.tag}, which a user made inactive, is made active again")
            if what == "remove":
                self._permit_removal(side, row)
            return
        truth = self.truths.get(str(tag))
        is_told_apart = truth is not None and not (truth.doubled or truth.excused)
        if is_told_apart and self.registers[side].tagged(of, str(tag)):
            self._forbid(f"{tag} is made on the side of {side}, where it is already")

    def _permit_removal(self, side: str, row: Row) -> None:
        """Only what a user deleted on the other side is removed, and nothing that came back since."""
        truth = self.truths.get(row.tag)
        if truth is None or truth.doubled or truth.excused or self.restored:
            return
        if other(side) not in truth.deleted_on and not truth.deleted_unlinked:
            self._forbid(f"{row.tag} is removed on the side of {side}, and nobody deleted it on the other")
        if row.kept_active:
            self._forbid(f"{row.tag}, which a user made active again, is made inactive once more")
        if truth.returned == side:
            self._forbid(f"{row.tag}, which a user brought back, is removed again on the side of {side}")

    def _forbid(self, what: str) -> None:
        self.broken = self.broken or BrokenRuleError(what)
        raise self.broken

    def _check_outcomes(self, reads: list[StreamRead], waited: set[tuple[str, str]]) -> None:
        """Each record that came has one outcome; so may have what waited, and deletions of what did not come."""
        counts = self.memory.counts()
        links: dict[str, int] = {}
        for link in self.memory.links():
            links[link["flow"]] = links.get(link["flow"], 0) + 1
        for one in reads:
            for flow, records in one.flows:
                ids = {record.id for record in records}
                living = sum(not record.deleted for record in records)
                others = len({record_id for name, record_id in waited if name == flow.name} - ids)
                counted = sum(counts.get(flow.name, {}).values())
                if not living <= counted <= len(records) + others + links.get(flow.name, 0):
                    raise BrokenRuleError(f"of {living} records of {flow.name} {counts.get(flow.name)} are counted")
