"""A system in memory: what people do in it, and what the sync does."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
from record_sync.canonical import alternatives
from record_sync.record import TargetRecord
from record_sync.system import CreateRequest, Moved, Refused, RemoveRequest, Result, Unknown, UpdateRequest, Written
from record_sync.values import Values


class Record(msgspec.Struct):
    """One record of a register."""

    version: int
    at: datetime
    made: datetime
    values: Values


class Clock:
    """Time that passes only when told to; it begins some days ago, so that nothing lies in the command's future."""

    def __init__(self) -> None:
        self.now = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=10)

    def __call__(self) -> datetime:
        """This moment."""
        return self.now

    def advance(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)


class Register:
    """A system that keeps records by resource, with versions, and can be told to misbehave."""

    def __init__(self, side: str, clock: Clock) -> None:
        self.side = side
        self.clock = clock
        self.records: dict[tuple[str, str], Record] = {}
        self.writes: list[str] = []
        self.ids = itertools.count(100)
        self.refuse: Callable[[Values], str | None] = lambda _values: None
        self.answers = True

    def stamp(self) -> str:
        """Which system it is."""
        return f"{self.side} of Fjord AS"

    def server_clock(self) -> datetime | None:
        """Its time."""
        return self.clock.now

    def created_before(self, current: TargetRecord, sight: datetime) -> bool:
        """Whether a record is older than a moment."""
        return current.created_at is not None and current.created_at < sight

    # as people work in it

    def put(self, resource: str, record_id: str | None = None, **values: Any) -> str:
        """Make or change a record."""
        self.clock.advance(seconds=1)
        record_id = record_id or str(next(self.ids))
        before = self.records.get((resource, record_id))
        self.records[resource, record_id] = Record(
            version=before.version + 1 if before else 1,
            at=self.clock.now,
            made=before.made if before else self.clock.now,
            values={**(before.values if before else {}), **values},
        )
        return record_id

    def remove_record(self, resource: str, record_id: str) -> None:
        """Delete a record without a trace."""
        del self.records[resource, record_id]

    def all(self, resource: str) -> dict[str, Values]:
        """Id to values."""
        return {key[1]: record.values for key, record in self.records.items() if key[0] == resource}

    # as the sync works with it

    def _current(self, resource: str, record_id: str, paths: Collection[str]) -> TargetRecord:
        record = self.records[resource, record_id]
        values = {path: record.values.get(path) for path in paths}
        return TargetRecord(record_id, str(record.version), record.at, values, created_at=record.made)

    def read(self, resource: str, ids: Collection[str], paths: frozenset[str]) -> dict[str, TargetRecord]:
        """Read records by id."""
        return {one: self._current(resource, one, paths) for one in ids if (resource, one) in self.records}

    def listing(self, resource: str, paths: frozenset[str]) -> Iterator[TargetRecord]:
        """Read all records."""
        return iter([self._current(resource, one, paths) for one in self.all(resource)])

    def listing_cost(self, resource: str, linked: int = 0) -> int:
        """About how many requests a listing takes."""
        del linked
        return 1 + len(self.all(resource)) // 100

    def search(self, resource: str, criterion: Mapping[str, Any], paths: frozenset[str]) -> list[TargetRecord]:
        """Read the records that have these values."""
        return [
            self._current(resource, one, paths)
            for one, values in self.all(resource).items()
            if all(values.get(path) in alternatives(asked) for path, asked in criterion.items())
        ]

    def search_each(
        self, resource: str, criteria: Sequence[Mapping[str, Any]], paths: frozenset[str]
    ) -> Iterator[list[TargetRecord]]:
        """The same for each of several."""
        return (self.search(resource, criterion, paths) for criterion in criteria)

    def create(
        self, resource: str, requests: Sequence[CreateRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Create records."""
        for request in requests:
            self.writes.append("create")
            refused = self.refuse(request.values)
            if refused:
                yield [Refused(refused, (f"organizationNumber: {refused}",))]
                continue
            record_id = self.put(resource, **request.values)
            yield [Written(self._current(resource, record_id, paths)) if self.answers else Unknown("no answer came")]

    def update(
        self, resource: str, requests: Sequence[UpdateRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Change records."""
        for request in requests:
            self.writes.append("update")
            record = self.records.get((resource, request.current.id))
            refused = self.refuse(request.values)
            if record is None or str(record.version) != request.current.version:
                yield [Moved("changed meanwhile")]
            elif refused:
                yield [Refused(refused)]
            else:
                self.put(resource, request.current.id, **request.values)
                yield [Written(self._current(resource, request.current.id, paths))]

    def restore(self, resource: str, current: TargetRecord, paths: frozenset[str]) -> Result:
        """Make a record active again."""
        self.writes.append("restore")
        self.put(resource, current.id, isInactive=False)
        return Written(self._current(resource, current.id, paths))

    def remove(
        self, resource: str, requests: Sequence[RemoveRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Deactivate or delete records."""
        for one in requests:
            yield [self._remove(resource, one, paths)]

    def _remove(self, resource: str, request: RemoveRequest, paths: frozenset[str]) -> Result:
        self.writes.append("remove")
        if request.policy == "delete":
            self.remove_record(resource, request.current.id)
            return Written(request.current)
        self.put(resource, request.current.id, isInactive=True)
        return Written(self._current(resource, request.current.id, paths))
