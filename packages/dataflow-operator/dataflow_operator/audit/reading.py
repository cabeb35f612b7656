"""Reading both systems, each resource in a thread of its own, into the spool."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from queue import Queue

import msgspec
from api_transport.concurrency import in_order
from record_sync.record import TargetRecord
from record_sync.system import TargetSystem

from dataflow_operator.audit.spool import Row, Spool, row_of

PORTION = 500
"""Records handed on together."""
AHEAD = 4
"""Portions that wait to be stored, at the most."""
TOGETHER = 50
"""Records that are looked up in one call."""
IN_FLIGHT = 4


class Resource(msgspec.Struct, frozen=True):
    """What one side calls a kind of record."""

    scope: int
    side: str
    name: str
    paths: frozenset[str]
    """The properties that some flow looks at."""


class _Portion(msgspec.Struct, frozen=True):
    scope: int
    rows: list[Row]
    error: Exception | None = None
    is_last: bool = False


def read_all(systems: Mapping[str, TargetSystem], resources: list[Resource], spool: Spool) -> None:
    """List every resource of both sides. What a system raises comes out here, and nothing more is asked then."""
    portions: Queue[_Portion] = Queue(AHEAD)
    stopped = threading.Event()
    for one in resources:
        # Nothing depends on a reader: a process that is told to stop does not wait for one.
        threading.Thread(target=_list, args=(systems[one.side], one, portions, stopped), daemon=True).start()
    left = len(resources)
    try:
        while left:
            portion = portions.get()
            if portion.error is not None:
                raise portion.error
            spool.add(portion.scope, portion.rows)
            left -= portion.is_last
    finally:
        stopped.set()
        while not portions.empty():
            portions.get_nowait()


def _list(system: TargetSystem, resource: Resource, portions: Queue[_Portion], stopped: threading.Event) -> None:
    rows: list[Row] = []
    try:
        for current in system.listing(resource.name, resource.paths):
            rows.append(row_of(current))
            if len(rows) == PORTION:
                portions.put(_Portion(resource.scope, rows))
                rows = []
            if stopped.is_set():
                return
        portions.put(_Portion(resource.scope, rows, is_last=True))
    except Exception as error:  # noqa: BLE001 - raised where the portions are awaited
        portions.put(_Portion(resource.scope, [], error))


def look_up(system: TargetSystem, resource: Resource, ids: list[str]) -> dict[str, TargetRecord]:
    """Records by their ids, as they are at this moment; one that is left out is not there."""
    calls = [
        partial(system.read, resource.name, ids[start : start + TOGETHER], resource.paths)
        for start in range(0, len(ids), TOGETHER)
    ]
    found: dict[str, TargetRecord] = {}
    for some in in_order(calls, IN_FLIGHT):
        found |= some
    return found
