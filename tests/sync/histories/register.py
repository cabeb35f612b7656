"""A system in memory: its records, what its users do to them, and how it keeps and tells values."""

from __future__ import annotations

import copy
import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta, timezone
from typing import Any

Values = dict[str, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
TAGS = {
    ("customcrm", "customer"): "Description",
    ("customcrm", "contact"): "FirstName",
    ("customcrm", "product"): "Name",
    ("tripletex", "customer"): "description",
    ("tripletex", "contact"): "firstName",
}
"""The property that nobody edits: it tells which record is which, and whether one was written over another."""
NUMBERS = re.compile(r"[\d ]+")


def moment(milliseconds: int) -> datetime:
    """A time of the machine as the sync has it."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def text_of(milliseconds: int) -> str:
    return f"{moment(milliseconds):%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03}Z"


@dataclass
class Nature:
    """How a system behaves; one that is as these have it plays no tricks."""

    offset: int = 0
    """Milliseconds that its clock is ahead."""
    whole_seconds: bool = False
    versions: bool = True
    silent: bool = False
    """Edits of addresses change no version."""
    versions_stand: bool = False
    tombstones: bool = True
    trims: bool = False
    respells: bool = False
    escapes: bool = False
    terse: int = 0
    """Of four properties so many are missing in the answers to writes."""
    echoes: bool = False
    ids_again: bool = False
    refuses_searches: bool = False
    """Those by a value with a character that means something to the system."""
    search: str = "loose"
    """exact, loose or containing"""
    listing_cost: int = 5
    at_once: int = 3
    """Records in a list write."""
    eager: bool = True
    """Creations are under way before their answers are asked for."""
    lock: str = "version"
    """What a write is made over: version, or values where the system has no lock."""

    def __str__(self) -> str:
        odd = [one for one in fields(self) if getattr(self, one.name) != one.default]
        return ", ".join(f"{one.name}={getattr(self, one.name)}" for one in odd) or "nothing odd"


@dataclass(eq=False)
class Row:
    """A record of a system."""

    id: str
    resource: str
    values: Values
    tag: str
    by_user: bool
    created: int
    modified: int = 0
    count: int = 0
    """Its version where versions are counted."""
    state: int = 0
    """Different after every change, seen or not."""
    deleted: bool = False
    inactive: bool = False
    kept_inactive: bool = False
    """A user made it inactive, and nobody else did."""
    kept_active: bool = False
    """A user made it active again."""
    answers_as: str | None = None
    """Merged into this one."""
    mapped: dict[str, Any] = field(default_factory=dict)
    """What the mapper made of it as it is."""

    @property
    def is_there(self) -> bool:
        return not self.deleted and self.answers_as is None


class Register:
    """One side's records by resource and id, and what people do there."""

    def __init__(self, side: str, nature: Nature, clock: Callable[[], int]) -> None:
        self.side = side
        self.nature = nature
        self._clock = clock
        self._next_id = 1
        self._next_state = 1
        self._free: dict[str, list[Row]] = {}
        self.rows: dict[tuple[str, str], Row] = {}

    def time(self) -> int:
        now = self._clock() + self.nature.offset
        return now - now % 1000 if self.nature.whole_seconds else now

    def told_clock(self) -> int:
        """Its clock as each answer tells it: in whole seconds."""
        now = self._clock() + self.nature.offset
        return now - now % 1000

    # -- looking

    def all(self, resource: str) -> Iterator[Row]:
        return (row for (of, _), row in self.rows.items() if of == resource and row.is_there)

    def get(self, resource: str, record_id: str) -> Row | None:
        """The record that answers to an id: of a merged one that it was merged into."""
        row = self.rows.get((resource, record_id))
        while row is not None and row.answers_as is not None:
            row = self.rows.get((resource, row.answers_as))
        return row if row is not None and row.is_there else None

    def tagged(self, resource: str, tag: str) -> list[Row]:
        return [row for row in self.all(resource) if row.tag == tag]

    def version(self, row: Row) -> str | None:
        """What tells one state from another, as far as this system does."""
        if not self.nature.versions:
            return None
        return str(row.count) if self.side == "tripletex" else text_of(row.modified)

    # -- changing

    def make(self, resource: str, values: Values, *, by_user: bool) -> Row:
        """A new record, with a new id or one that is free again."""
        free = self._free.get(resource)
        if self.nature.ids_again and free and _tell_apart(free[-1], values):
            record_id = free.pop().id
        else:
            record_id = str(self._next_id) if self.side == "tripletex" else f"c{self._next_id}"
            self._next_id += 1
        kept = {path: value for path, value in self._kept(values, by_user=by_user).items() if value is not None}
        tag = str(values.get(TAGS[self.side, resource], ""))
        row = Row(record_id, resource, kept, tag, by_user, self.time())
        self.rows.pop((resource, record_id), None)
        self.rows[resource, record_id] = row
        self._touch(row)
        return row

    def write(self, row: Row, values: Values, *, by_user: bool) -> None:
        """Change properties; ``None`` empties one."""
        kept = self._kept(values, by_user=by_user)
        changed = {path for path, value in kept.items() if row.values.get(path) != value}
        for path, value in kept.items():
            if value is None:
                row.values.pop(path, None)
            else:
                row.values[path] = value
        if changed or not self.nature.versions_stand:
            self._touch(row, silently=by_user and self.nature.silent and all(map(is_silent, changed)))

    def set_inactive(self, row: Row, inactive: bool, *, by_user: bool) -> None:
        row.kept_active = by_user and not inactive and not row.kept_inactive
        row.kept_inactive = inactive and by_user
        row.inactive = inactive
        self._touch(row)

    def delete(self, row: Row) -> None:
        """A record is gone; where there are tombstones it is told as deleted."""
        if self.nature.tombstones and self.side == "customcrm":
            row.deleted = True
            self._touch(row)
            return
        del self.rows[row.resource, row.id]
        self._free.setdefault(row.resource, []).append(row)

    def undelete(self, row: Row) -> None:
        row.deleted = False
        self._touch(row)

    def merge(self, row: Row, into: Row) -> None:
        """Two records become one; the id of the other answers with it from now on."""
        row.deleted = False
        self.rows[row.resource, row.id] = row
        self._free[row.resource] = [one for one in self._free.get(row.resource, []) if one.id != row.id]
        row.answers_as = into.id
        self._touch(into)

    # -- backups

    def backup(self) -> tuple[dict[tuple[str, str], Row], int, dict[str, list[Row]]]:
        rows = {key: copy.copy(row) for key, row in self.rows.items()}
        for row in rows.values():
            row.values = dict(row.values)
            row.mapped = {}
        return rows, self._next_id, {resource: list(ids) for resource, ids in self._free.items()}

    def bring_back(self, saved: tuple[dict[tuple[str, str], Row], int, dict[str, list[Row]]]) -> None:
        """All of it is as it was then, versions too; the numbers of new records where this system re-uses such."""
        self.rows, next_id, self._free = saved
        if self.nature.ids_again:
            self._next_id = next_id

    def _touch(self, row: Row, *, silently: bool = False) -> None:
        row.mapped = {}
        row.state = self._next_state
        self._next_state += 1
        if not silently:
            row.count += 1
            row.modified = self.time()

    def _kept(self, values: Values, *, by_user: bool) -> Values:
        return {path: self._kept_as(path, value, by_user=by_user) for path, value in values.items()}

    def _kept_as(self, path: str, value: Any, *, by_user: bool) -> Any:
        if not isinstance(value, str):
            return value
        nature = self.nature
        if nature.escapes and not by_user:
            value = html.escape(value, quote=False)
        if nature.trims:
            value = value.strip()
        if nature.respells:
            value = _respelled(path.lower(), value)
        if path.endswith(".id"):
            return int(value)
        return value or None


def is_silent(path: str) -> bool:
    """Whether an edit of a property may change no version."""
    return "ddress" in path


NAMED = {
    "customer": {"OrganizationNumber"},
    "contact": {"Email", "FirstName", "LastName"},
    "product": {"Name", "Number"},
}
"""What a record is matched by, strongest criterion: where two say nothing besides, one may be the other, renamed."""


def _tell_apart(row: Row, values: Values) -> bool:
    """Whether of two records that have one id in turn somebody can tell that they are two."""
    strongest = {"customer": "OrganizationNumber", "contact": "Email", "product": "Number"}[row.resource]
    stated = {path: value for path, value in row.values.items() if not path.endswith("Id")}
    says_more = stated.keys() & {path for path, value in values.items() if value is not None} - NAMED[row.resource]
    is_keyed = strongest in row.values and strongest in values
    return bool(says_more) and is_keyed and stated.items().isdisjoint(values.items())


def _respelled(path: str, value: str) -> str:
    text = value.strip()
    if "phone" in path and NUMBERS.fullmatch(text):
        return text.replace(" ", "")
    if path == "email":
        return text.lower()
    if path == "organizationnumber":
        digits = "".join(filter(str.isdecimal, text))
        return f"{digits[:3]} {digits[3:6]} {digits[6:]}"
    if path == "website":
        return text.rstrip("/")
    return value
