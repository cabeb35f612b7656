"""A system that is read but not written to: writes are noted, and answered as the system would answer them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timezone

import msgspec

from record_sync.canonical import alike, alternatives
from record_sync.record import TargetRecord
from record_sync.system import (
    CreateRequest,
    Found,
    Refused,
    RemoveRequest,
    Result,
    TargetSystem,
    UpdateRequest,
    Written,
)
from record_sync.values import Value, Values

_AT_ONCE = 100


class Unwritten(msgspec.Struct, frozen=True):
    """A write that was not made."""

    resource: str
    kind: str
    """create, update, deactivate, delete or restore"""
    before: Values
    """What the properties say that would be written; nothing of a new record."""
    after: Values
    current: TargetRecord
    """The record as it would be, as far as it is known."""


class _Overlay(msgspec.Struct):
    """What this rehearsal did to a record."""

    values: Values
    current: TargetRecord
    is_new: bool = False
    is_gone: bool = False


class RehearsedSystem:
    """A system's reads, with what this rehearsal would have written laid over them.

    Args:
        system: is read, and never written to.
        note: takes each write.
        deactivates: whether the system knows inactive records; where it does not, restoring one writes nothing.
        refusal: why the adapter itself would refuse values, without asking the system; None where it would not.
        now: the clock, where the system has told no time yet.
    """

    def __init__(
        self,
        system: TargetSystem,
        note: Callable[[Unwritten], None],
        *,
        deactivates: bool = True,
        refusal: Callable[[str, Values], str | None] = lambda _resource, _values: None,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._system = system
        self.side = system.side
        self._note = note
        self._deactivates = deactivates
        self._refusal = refusal
        self._now = now
        self._numbers = itertools.count(1)
        self._overlays: dict[str, dict[str, _Overlay]] = {}
        self._made_up: set[str] = set()

    # -- what is only read

    def stamp(self) -> str:
        """Which system and company it is."""
        return self._system.stamp()

    def server_clock(self) -> datetime | None:
        """The newest time the server told."""
        return self._system.server_clock()

    def created_before(self, current: TargetRecord, sight: datetime) -> bool:
        """Whether a record was surely created before a moment of the server's clock."""
        return self._system.created_before(current, sight)

    def read(self, resource: str, ids: Collection[str], paths: frozenset[str]) -> dict[str, TargetRecord]:
        """Read records by id, those too that only this rehearsal knows."""
        overlays = self._overlays.get(resource, {})
        real = [one for one in ids if one not in self._made_up]
        found = self._system.read(resource, real, paths) if real else {}
        told = {}
        for record_id in ids:
            overlay = overlays.get(record_id)
            current = _new(overlay, paths) if overlay is not None and overlay.is_new else found.get(record_id)
            laid = None if current is None else _laid_over(current, overlay, paths)
            if laid is not None:
                told[record_id] = laid
        # A system may answer with the record that took an old one's place.
        return told

    def listing(self, resource: str, paths: frozenset[str]) -> Iterator[TargetRecord]:
        """Read all records, then those that would be new."""
        overlays = self._overlays.get(resource, {})
        for current in self._system.listing(resource, paths):
            laid = _laid_over(current, overlays.get(current.id), paths)
            if laid is not None:
                yield laid
        for overlay in list(overlays.values()):
            if overlay.is_new and not overlay.is_gone:
                yield _new(overlay, paths)

    def listing_cost(self, resource: str, linked: int = 0) -> int:
        """How many searches a listing is worth."""
        return self._system.listing_cost(resource, linked)

    def search(self, resource: str, criterion: Mapping[str, Value], paths: frozenset[str]) -> Found:
        """Read the records that may have these values, or would have them by now."""
        return self._as_it_would_be(resource, criterion, self._system.search(resource, criterion, paths), paths)

    def search_each(
        self, resource: str, criteria: Sequence[Mapping[str, Value]], paths: frozenset[str]
    ) -> Iterator[Found]:
        """The same for each of several."""
        found = self._system.search_each(resource, criteria, paths)
        for criterion, some in zip(criteria, found, strict=True):
            yield self._as_it_would_be(resource, criterion, some, paths)

    def _as_it_would_be(
        self, resource: str, criterion: Mapping[str, Value], read: Found, paths: frozenset[str]
    ) -> Found:
        if isinstance(read, Refused):
            return read
        overlays = self._overlays.get(resource, {})
        found = {one.id: one for one in read}
        for record_id, overlay in overlays.items():
            if record_id not in found and _may_have(overlay.current, criterion):
                found[record_id] = _new(overlay, paths)
        laid = [_laid_over(one, overlays.get(one.id), paths) for one in found.values()]
        return [one for one in laid if one is not None]

    # -- what is not written

    def create(
        self, resource: str, requests: Sequence[CreateRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Make up records."""
        del paths
        for start in range(0, len(requests), _AT_ONCE):
            yield [self._create(resource, request) for request in requests[start : start + _AT_ONCE]]

    def _create(self, resource: str, request: CreateRequest) -> Result:
        refused = self._refused(resource, request.values)
        if refused is not None:
            return refused
        moment = self._moment()
        record_id = f"new:{self.side}:{resource}:{next(self._numbers)}"
        self._made_up.add(record_id)
        current = TargetRecord(record_id, _text(moment), moment, dict(request.values), created_at=moment)
        self._overlays.setdefault(resource, {})[record_id] = _Overlay(dict(request.values), current, is_new=True)
        self._note(Unwritten(resource, "create", {}, request.values, current))
        # Values are answered by no system as they were sent; the next read tells how they are kept.
        return Written(msgspec.structs.replace(current, values={}))

    def update(
        self, resource: str, requests: Sequence[UpdateRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Take changes for made."""
        del paths
        for start in range(0, len(requests), _AT_ONCE):
            yield [self._update(resource, request) for request in requests[start : start + _AT_ONCE]]

    def _update(self, resource: str, request: UpdateRequest) -> Result:
        refused = self._refused(resource, request.values)
        if refused is not None:
            return refused
        before = {path: request.current.get(path) for path in request.values}
        current = self._changed(resource, request.current, request.values)
        self._note(Unwritten(resource, "update", before, request.values, current))
        unsent = {path: value for path, value in current.values.items() if path not in request.values}
        return Written(msgspec.structs.replace(current, values=unsent))

    def restore(self, resource: str, current: TargetRecord, paths: frozenset[str]) -> Result:
        """Take a record for active again."""
        del paths
        if not self._deactivates:
            return Written(current)
        restored = self._changed(resource, current, {})
        self._note(Unwritten(resource, "restore", {}, {}, restored))
        return Written(restored)

    def remove(
        self, resource: str, requests: Sequence[RemoveRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Take records for deactivated or deleted."""
        del paths
        for one in requests:
            yield [self._remove(resource, one)]

    def _remove(self, resource: str, request: RemoveRequest) -> Result:
        removed = self._changed(resource, request.current, {})
        if request.policy == "delete":
            self._overlays[resource][request.current.id].is_gone = True
            removed = msgspec.structs.replace(removed, version=None)
        self._note(Unwritten(resource, request.policy, {}, {}, removed))
        return Written(removed)

    def _refused(self, resource: str, values: Values) -> Refused | None:
        # An id that was made up stands for one that the system will have given by then.
        real = {
            path: "0" if isinstance(value, str) and value in self._made_up else value for path, value in values.items()
        }
        reason = self._refusal(resource, real)
        return None if reason is None else Refused(reason)

    def _changed(self, resource: str, before: TargetRecord, values: Values) -> TargetRecord:
        overlays = self._overlays.setdefault(resource, {})
        overlay = overlays.get(before.id)
        earlier = overlay.values if overlay is not None else {}
        moment = max(self._moment(), before.modified_at or datetime.min.replace(tzinfo=timezone.utc))
        current = msgspec.structs.replace(
            before,
            version=_next(before.version, moment),
            modified_at=moment,
            values={**(overlay.current.values if overlay is not None else {}), **before.values, **values},
        )
        if overlay is None:
            overlays[before.id] = _Overlay(dict(values), current)
        else:
            overlay.values, overlay.current = {**earlier, **values}, current
        return current

    def _moment(self) -> datetime:
        return self._system.server_clock() or self._now()


def _laid_over(current: TargetRecord, overlay: _Overlay | None, paths: frozenset[str]) -> TargetRecord | None:
    if overlay is None:
        return current
    if overlay.is_gone:
        return None
    values = {path: value for path, value in overlay.values.items() if path in paths}
    told = overlay.current
    return msgspec.structs.replace(
        current, version=told.version, modified_at=told.modified_at, values={**current.values, **values}
    )


def _new(overlay: _Overlay, paths: frozenset[str]) -> TargetRecord:
    """A record of which only the rehearsal knows: what was not sent has no value."""
    values = {path: overlay.current.values.get(path) for path in paths}
    return msgspec.structs.replace(overlay.current, values=values)


def _may_have(current: TargetRecord, criterion: Mapping[str, Value]) -> bool:
    """Whether a list may find a record; who asked compares exactly."""
    return all(
        any(alike(value, current.get(path)) for value in alternatives(asked))
        for path, asked in criterion.items()
        if asked is not None
    )


def _next(version: str | None, moment: datetime) -> str:
    """Such a version as the system gives: a count, or else the time of the change."""
    return str(int(version) + 1) if version is not None and version.isdecimal() else _text(moment)


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
