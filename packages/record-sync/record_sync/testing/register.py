"""A system in memory, as people work in it and as the sync does, and the clock that it goes by."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from record_sync.canonical import alternatives
from record_sync.record import TargetRecord
from record_sync.system import (
    CreateRequest,
    Moved,
    Refused,
    RemoveRequest,
    Result,
    Unknown,
    UpdateRequest,
    Written,
)
from record_sync.values import Values

START = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)


class Clock:
    """Time that passes only when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """This moment."""
        return self.now

    def advance(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)


def _spelled(value: Any) -> str:
    return str(value).casefold().replace(" ", "")


class Register:
    """A system that keeps records by resource, with versions, and can be told to misbehave."""

    def __init__(self, side: str, clock: Clock) -> None:
        self.side = side
        self.clock = clock
        self.records: dict[tuple[str, str], dict[str, Any]] = {}
        self.calls: list[str] = []
        self.ids = itertools.count(100)
        self.refuse: Callable[[Values], str | None] = lambda _values: None
        self.refuse_search: Callable[[Mapping[str, Any]], str | None] = lambda _criterion: None
        self.refuse_removal: str | None = None
        self.lose_answers = False
        self.lose_requests = False
        self.before_update: Callable[[], object] = lambda: None
        self.search_is_exact = False
        """Queries find a value in the spelling in which it is kept, and in no other."""
        self.cost_of_listing = 5
        self.merged: dict[tuple[str, str], str] = {}
        """Records that went into another one: read by their old id, the system answers with that one."""
        self.name = f"{side} one"

    def stamp(self) -> str:
        """Which system it is."""
        return self.name

    def server_clock(self) -> datetime:
        """The system's time."""
        return self.clock.now

    def created_before(self, current: TargetRecord, sight: datetime) -> bool:
        """Whether a record was there already."""
        return current.created_at is not None and current.created_at < sight

    # as people work in it

    def put(self, resource: str, record_id: str | None = None, **values: Any) -> str:
        """Make or change a record; returns its id."""
        self.clock.advance(seconds=1)
        record_id = record_id or str(next(self.ids))
        before = self.records.get((resource, record_id))
        self.records[resource, record_id] = {
            "version": before["version"] + 1 if before else 1,
            "at": self.clock.now,
            "made": before["made"] if before else self.clock.now,
            "values": {**(before["values"] if before else {}), **values},
        }
        return record_id

    def delete(self, resource: str, record_id: str) -> None:
        """Delete a record for good."""
        self.clock.advance(seconds=1)
        del self.records[resource, record_id]

    def merge(self, resource: str, record_id: str, into: str) -> None:
        """Merge a record into another one, whose id it answers to from now on."""
        self.delete(resource, record_id)
        self.merged[resource, record_id] = into

    def values(self, resource: str, record_id: str) -> dict[str, Any]:
        """What a record says."""
        values: dict[str, Any] = self.records[resource, record_id]["values"]
        return values

    def all(self, resource: str) -> dict[str, dict[str, Any]]:
        """What all records of a resource say, by id."""
        return {key[1]: record["values"] for key, record in self.records.items() if key[0] == resource}

    # as the sync works with it

    def _current(self, resource: str, record_id: str, paths: Collection[str]) -> TargetRecord:
        record = self.records[resource, record_id]
        return TargetRecord(
            record_id,
            str(record["version"]),
            record["at"],
            {path: record["values"].get(path) for path in paths},
            created_at=record["made"],
        )

    def read(self, resource: str, ids: Collection[str], paths: frozenset[str]) -> dict[str, TargetRecord]:
        """Read records by id."""
        self.calls.append("read")
        found = {one: self.merged.get((resource, one), one) for one in ids}
        return {
            one: self._current(resource, stands_in, paths)
            for one, stands_in in found.items()
            if (resource, stands_in) in self.records
        }

    def listing(self, resource: str, paths: frozenset[str]) -> Iterator[TargetRecord]:
        """Read all records."""
        self.calls.append("listing")
        return iter([self._current(resource, one, paths) for one in self.all(resource)])

    def listing_cost(self, _resource: str, _linked: int = 0) -> int:
        """How many requests that takes."""
        return self.cost_of_listing

    def search(self, resource: str, criterion: Mapping[str, Any], paths: frozenset[str]) -> Any:
        """Find records; or the system's words where it does not take the question."""
        self.calls.append("search")
        refused = self.refuse_search(criterion)
        if refused:
            return Refused(refused)
        form = str if self.search_is_exact else _spelled
        return [
            self._current(resource, one, paths)
            for one, values in self.all(resource).items()
            if all(form(values.get(path)) in map(form, alternatives(asked)) for path, asked in criterion.items())
        ]

    def search_each(self, resource: str, criteria: Sequence[Mapping[str, Any]], paths: frozenset[str]) -> Iterator[Any]:
        """Find records for each of several."""
        return (self.search(resource, criterion, paths) for criterion in criteria)

    def create(
        self, resource: str, requests: Sequence[CreateRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Create records."""
        for request in requests:
            self.calls.append("create")
            refused = self.refuse(request.values)
            if refused:
                yield [Refused(refused)]
                continue
            if self.lose_requests:
                yield [Unknown("no answer came")]
                continue
            record_id = self.put(resource, **request.values)
            yield [
                Unknown("no answer came") if self.lose_answers else Written(self._current(resource, record_id, paths))
            ]

    def update(
        self, resource: str, requests: Sequence[UpdateRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Change records, each over the version that was read."""
        for request in requests:
            self.calls.append("update")
            self.before_update()
            if self._has_moved(resource, request.current):
                yield [Moved("changed meanwhile")]
                continue
            refused = self.refuse(request.values)
            if refused:
                yield [Refused(refused)]
                continue
            self.put(resource, request.current.id, **request.values)
            yield [
                Unknown("no answer came")
                if self.lose_answers
                else Written(self._current(resource, request.current.id, paths))
            ]

    def restore(self, resource: str, current: TargetRecord, paths: frozenset[str]) -> Result:
        """Make a record active again."""
        self.calls.append("restore")
        self.put(resource, current.id, isInactive=False)
        return Written(self._current(resource, current.id, paths))

    def remove(
        self, resource: str, requests: Sequence[RemoveRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Deactivate or delete records."""
        for one in requests:
            yield [self._remove(resource, one, paths)]

    def _remove(self, resource: str, request: RemoveRequest, paths: frozenset[str]) -> Result:
        self.calls.append("remove")
        self.before_update()
        if self._has_moved(resource, request.current):
            return Moved("changed meanwhile")
        if self.refuse_removal:
            return Refused(self.refuse_removal)
        if self.lose_requests:
            return Unknown("no answer came")
        if request.policy == "delete":
            del self.records[resource, request.current.id]
            return Unknown("no answer came") if self.lose_answers else Written(request.current)
        self.put(resource, request.current.id, isInactive=True)
        if self.lose_answers:
            return Unknown("no answer came")
        return Written(self._current(resource, request.current.id, paths))

    def _has_moved(self, resource: str, current: TargetRecord) -> bool:
        record = self.records.get((resource, current.id))
        return record is None or str(record["version"]) != current.version

    @property
    def writes(self) -> list[str]:
        """The last run's writes to it."""
        return [one for one in self.calls if one in ("create", "update", "remove", "restore")]
