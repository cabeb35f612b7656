"""What a rehearsed line would have written to the system that this one reads: the tap cannot know of it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from singer_edge.rehearsal import DELETE, Rehearsal, Write

from dataflow.compiling import Record, putter
from dataflow.side import Side


class Rehearsed:
    """Records of one side as they would be by now: those that come are changed, the others are added.

    Args:
        rehearsal: with the notes of the line that writes to this side.
        side: whose records these are.
    """

    def __init__(self, rehearsal: Rehearsal, side: Side) -> None:
        self._side = side
        self._writes: dict[str, dict[str, list[Write]]] = {}
        for write in rehearsal.writes(side.name):
            self._writes.setdefault(write.resource, {}).setdefault(write.id, []).append(write)
        self._came: dict[str, set[str]] = {}

    def as_it_would_be(self, stream: str, record: Record) -> Record | None:
        """A record that the tap read; None where it would be gone by now."""
        record_id = str(record.get(self._side.id))
        writes = self._writes.get(stream, {}).get(record_id)
        if not writes:
            return record
        self._came.setdefault(stream, set()).add(record_id)
        return None if self._is_gone(writes) else self._changed(deepcopy(record), writes)

    def rest(self, stream: str) -> Iterator[Record]:
        """The written records that did not come, once; it is the end of their stream."""
        came = self._came.get(stream, set())
        for record_id, writes in self._writes.pop(stream, {}).items():
            if record_id not in came and not self._is_gone(writes):
                record: Record = {self._side.id: record_id}
                for path, value in writes[-1].record.items():
                    putter(path)(record, value)
                yield self._changed(record, writes)

    def _is_gone(self, writes: list[Write]) -> bool:
        return writes[-1].kind == DELETE

    def _changed(self, record: Record, writes: list[Write]) -> Record:
        for write in writes:
            for path, value in write.after.items():
                _put(record, path, value)
        last = writes[-1]
        record[self._side.modified_at] = last.modified_at
        record[self._side.version] = last.version
        return record


def _put(record: Record, path: str, value: Any) -> None:
    *parents, name = path.split(".")
    here = record
    for parent in parents:
        inner = here.get(parent)
        if not isinstance(inner, dict):
            inner = here[parent] = {}
        here = inner
    here[name] = value
