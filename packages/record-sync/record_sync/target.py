"""The system that a flow writes to, as the flow sees it: its own resource, its own properties."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime

from record_sync.record import TargetRecord
from record_sync.rules import FlowRules
from record_sync.system import (
    CreateRequest,
    Found,
    RemoveRequest,
    Result,
    TargetSystem,
    UpdateRequest,
)
from record_sync.values import Value


class Target:
    """Reads and writes one resource.

    Args:
        connect: gives the system; raises where the store belongs to another one.
        rules: name the resource and the properties.
        linked: how many of its records are linked.

    """

    def __init__(self, connect: Callable[[], TargetSystem], rules: FlowRules, linked: Callable[[], int]) -> None:
        self._connect = connect
        self._linked = linked
        self._resource = rules.target_resource
        self._paths = rules.paths
        self._match_paths = rules.match_paths

    @property
    def clock(self) -> datetime | None:
        """The newest time that the server told, in UTC."""
        return self._connect().server_clock()

    def created_before(self, current: TargetRecord, moment: datetime) -> bool:
        """Whether a record was surely created before a moment of the server's clock."""
        return self._connect().created_before(current, moment)

    def read(self, ids: Collection[str]) -> dict[str, TargetRecord]:
        """Read records by id. One that is missing in the answer was looked up, and is not there.

        A system may answer with the record that another one was merged into; what was asked for is gone then.
        """
        if not ids:
            return {}
        found = self._connect().read(self._resource, ids, self._paths)
        return {asked: current for asked, current in found.items() if current.id == asked}

    def listing(self, *, to_match: bool = False) -> Iterator[TargetRecord]:
        """Read all records, whole or as far as they are matched by it."""
        return self._connect().listing(self._resource, self._match_paths if to_match else self._paths)

    def listing_cost(self) -> int:
        """How many searches a listing is worth."""
        return self._connect().listing_cost(self._resource, self._linked())

    def search(self, criterion: Mapping[str, Value]) -> Found:
        """Read the records that may have these values, whole."""
        return self._connect().search(self._resource, criterion, self._paths)

    def search_each(self, criteria: Sequence[Mapping[str, Value]]) -> Iterator[Found]:
        """For each criterion the records that may have its values, as far as they are matched by it."""
        return self._connect().search_each(self._resource, criteria, self._match_paths)

    def create(self, requests: Sequence[CreateRequest]) -> Iterator[Sequence[Result]]:
        """Begin to create records; see :meth:`TargetSystem.create`."""
        return self._connect().create(self._resource, requests, self._paths)

    def update(self, requests: Sequence[UpdateRequest]) -> Iterator[Sequence[Result]]:
        """Change records over the versions that were read."""
        return self._connect().update(self._resource, requests, self._paths)

    def remove(self, requests: Sequence[RemoveRequest]) -> Iterator[Sequence[Result]]:
        """Deactivate or delete records over the versions that were read."""
        return self._connect().remove(self._resource, requests, self._paths)

    def restore(self, current: TargetRecord) -> Result:
        """Bring back a record that a removal deactivated."""
        return self._connect().restore(self._resource, current, self._paths)
