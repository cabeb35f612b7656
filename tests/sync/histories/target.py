"""A system in memory as the sync works with it: it can fail, be faster than the sync, and end the process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import msgspec
from record_sync.canonical import alternatives
from record_sync.record import TargetRecord
from record_sync.system import (
    CreateRequest,
    Found,
    Moved,
    Refused,
    RemoveRequest,
    Result,
    Unknown,
    UpdateRequest,
    Written,
)

from tests.sync.histories.core import Killed
from tests.sync.histories.register import TAGS, Register, Row, Values, is_silent, moment

LOOK_BACK = {"customcrm": timedelta(minutes=1), "tripletex": timedelta(minutes=65)}
"""How far two sights of a system's clock may be apart, as the real adapters have it."""
ENDLESS = 3000
"""Calls that no run of so few records needs."""
NO_ANSWER = "no answer came"


class BrokenRuleError(AssertionError):
    """Something that must never be."""


class DownError(Exception):
    """The system cannot be reached."""


@dataclass
class Faults:
    """What goes wrong in a run."""

    kill_in: int = 0
    """Calls, answers and commits until the process ends; 0: it does not."""
    down_at: int = 0
    """Calls until the system cannot be reached."""
    lost: dict[int, str] = field(default_factory=dict)
    """Writes of which no answer comes, by number: ``request`` was never carried out, ``answer`` was."""
    lost_tags: list[str] = field(default_factory=list)
    """Records that were not made because of that."""
    at_call: int = 0
    """Before which call ``meddle`` happens, or 0: before the first write."""
    meddle: Callable[[], None] | None = None
    refused: Callable[[str], bool] = lambda _tag: False
    """Records whose writes are refused."""

    def tick(self) -> None:
        if self.kill_in:
            self.kill_in -= 1
            if not self.kill_in:
                raise Killed


class Target:
    """The side that is written to."""

    def __init__(
        self, register: Register, faults: Faults, tick: Callable[[], None], permit: Callable[..., None]
    ) -> None:
        self.side = register.side
        self.writes: list[str] = []
        self._register = register
        self._faults = faults
        self._tick = tick
        self._permit = permit
        self._calls = count(1)
        self._clock: int | None = None
        self._lists = count(1)

    def stamp(self) -> str:
        return f"{self.side} one"

    def server_clock(self) -> datetime | None:
        return None if self._clock is None else moment(self._clock)

    def created_before(self, current: TargetRecord, sight: datetime) -> bool:
        return current.created_at is not None and current.created_at < sight - LOOK_BACK[self.side]

    # -- reading

    def read(self, resource: str, ids: Collection[str], paths: frozenset[str]) -> dict[str, TargetRecord]:
        self._call()
        found = {one: self._register.get(resource, one) for one in sorted(ids)}
        answer = {one: self._current(row, paths) for one, row in found.items() if row is not None}
        self._faults.tick()
        return answer

    def listing(self, resource: str, paths: frozenset[str]) -> Iterator[TargetRecord]:
        self._call()
        yield from [self._current(row, paths) for row in self._register.all(resource)]

    def listing_cost(self, resource: str, linked: int = 0) -> int:  # noqa: ARG002 - the protocol's names
        self._call()
        return self._register.nature.listing_cost

    def search(self, resource: str, criterion: Mapping[str, Any], paths: frozenset[str]) -> Found:
        self._call()
        wanted = {path: alternatives(value) for path, value in criterion.items() if value is not None}
        if self._register.nature.refuses_searches and any("&" in str(one) for some in wanted.values() for one in some):
            return Refused("this cannot be searched for")
        return [
            self._current(row, paths)
            for row in self._register.all(resource)
            if all(self._is_found(row.values.get(path, ""), some) for path, some in wanted.items())
        ]

    def _is_found(self, told: Any, asked: Sequence[Any]) -> bool:
        contains = self._register.nature.search == "containing"
        here = self._searched(told)
        return any(one in here if contains else one == here for one in map(self._searched, asked))

    def _searched(self, value: Any) -> str:
        """What is compared, whatever the capitals are."""
        text = str(value).strip().casefold()
        return text if self._register.nature.search == "exact" else text.replace(" ", "")

    def search_each(
        self, resource: str, criteria: Sequence[Mapping[str, Any]], paths: frozenset[str]
    ) -> Iterator[Found]:
        return (self.search(resource, criterion, paths) for criterion in criteria)

    def _current(self, row: Row, paths: frozenset[str]) -> TargetRecord:
        register = self._register
        has_times = register.nature.versions
        return TargetRecord(
            id=row.id,
            version=register.version(row),
            modified_at=moment(row.modified) if has_times else None,
            created_at=moment(row.created),
            values={path: row.values.get(path) for path in paths},
            handle=row.state,
        )

    # -- writing

    def create(
        self, resource: str, requests: Sequence[CreateRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        lists = (
            self._written([(one.values, lambda one=one: self._create(resource, one.values, paths)) for one in some])
            for some in self._portions(requests)
        )
        return iter(list(lists)) if self._register.nature.eager else lists

    def update(
        self, resource: str, requests: Sequence[UpdateRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        for some in self._portions(requests):
            yield self._written(
                [(one.values, lambda one=one: self._update(resource, one, paths)) for one in some],
            )

    def restore(self, resource: str, current: TargetRecord, paths: frozenset[str]) -> Result:
        """Make a record active again; in the CRM there are no inactive ones."""
        if self.side == "customcrm":
            return Written(current)

        def activate() -> Result:
            row = self._as_read(resource, current)
            if row is None:
                return Moved("it has changed")
            self._permit(self.side, resource, row, {}, "restore")
            self.writes.append(f"activate {row.id}")
            self._register.set_inactive(row, inactive=False, by_user=False)
            return Written(self._current(row, paths))

        return self._written([({}, activate)])[0]

    def remove(
        self, resource: str, requests: Sequence[RemoveRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Deactivate or delete records that are as they were read, a list at a time."""
        for some in self._portions(requests):
            yield self._written([({}, lambda one=one: self._remove(resource, one, paths)) for one in some])

    def _remove(self, resource: str, request: RemoveRequest, paths: frozenset[str]) -> Result:
        row = self._as_read(resource, request.current)
        if row is None:
            return Moved("it has changed")
        if self._faults.refused(row.tag):
            return Refused("this one cannot be deleted")
        self._permit(self.side, resource, row, {}, "remove")
        self.writes.append(f"{request.policy} {row.id}")
        if request.policy == "delete":
            self._register.delete(row)
            return Written(msgspec.structs.replace(request.current, version=None))
        self._register.set_inactive(row, inactive=True, by_user=False)
        return Written(self._current(row, paths))

    def _portions(self, requests: Sequence[Any]) -> Iterator[Sequence[Any]]:
        size = self._register.nature.at_once
        return (requests[start : start + size] for start in range(0, len(requests), size))

    def _written(self, writes: Sequence[tuple[Values, Callable[[], Result]]]) -> list[Result]:
        """One request that writes: it may get lost, on its way there or back."""
        self._call(is_write=True)
        lost = self._faults.lost.get(next(self._lists))
        if lost == "request":
            tags = [path for (side, _), path in TAGS.items() if side == self.side]
            self._faults.lost_tags += [str(sent[path]) for sent, _ in writes for path in tags if path in sent]
            return [Unknown(NO_ANSWER) for _ in writes]
        results = [write() for _, write in writes]
        self._faults.tick()
        if lost == "answer":
            return [Unknown(NO_ANSWER) for _ in writes]
        return [_told(self._register, result, sent) for (sent, _), result in zip(writes, results, strict=True)]

    def _create(self, resource: str, values: Values, paths: frozenset[str]) -> Result:
        tag = str(values.get(TAGS[self.side, resource], ""))
        if self._faults.refused(tag):
            return Refused("this one is refused")
        self._permit(self.side, resource, None, values)
        row = self._register.make(resource, values, by_user=False)
        self.writes.append(f"create {row.id} ({tag})")
        return Written(self._current(row, paths))

    def _update(self, resource: str, request: UpdateRequest, paths: frozenset[str]) -> Result:
        row = self._as_read(resource, request.current)
        if row is None:
            return Moved("it has changed")
        if self._faults.refused(row.tag):
            return Refused("this one is refused")
        self._permit(self.side, resource, row, request.values)
        self.writes.append(f"update {row.id} ({row.tag}): {request.values}")
        self._register.write(row, request.values, by_user=False)
        return Written(self._current(row, paths))

    def _as_read(self, resource: str, current: TargetRecord) -> Row | None:
        """The record that is to be written, unless it is another one by now."""
        row = self._register.rows.get((resource, current.id))
        if row is None or not row.is_there:
            return None
        if self._register.nature.lock == "values":
            return row if all(row.values.get(path) == value for path, value in current.values.items()) else None
        if self._register.side == "tripletex":
            return row if self._register.version(row) == current.version else None
        return row if row.state == current.handle else None

    def _call(self, *, is_write: bool = False) -> None:
        self._tick()
        faults = self._faults
        faults.tick()
        number = next(self._calls)
        if number > ENDLESS:
            raise BrokenRuleError("a run without end")
        if faults.meddle is not None and (number == faults.at_call or (is_write and not faults.at_call)):
            meddle, faults.meddle = faults.meddle, None
            meddle()
        if number == faults.down_at:
            raise DownError
        self._clock = self._register.told_clock()


def _told(register: Register, result: Result, sent: Values) -> Result:
    """An answer as this system gives it."""
    nature = register.nature
    if not isinstance(result, Written) or not (nature.terse or nature.echoes):
        return result
    told = dict(result.current.values)
    if nature.echoes:
        told.update((path, value) for path, value in sent.items() if path in told)
    if nature.terse:
        # Nobody could tell an edit that makes no new version from what the system made of what it did not answer with.
        kept = {path for path in told if nature.whole_seconds or (nature.silent and is_silent(path))}
        told = {path: value for path, value in told.items() if path in kept or len(path) % 4 >= nature.terse}
    return Written(msgspec.structs.replace(result.current, values=told))
