"""The records of both systems at a moment, to begin from again and again."""

from dataclasses import dataclass
from typing import Any

from sandbox.systems import Systems


@dataclass(frozen=True)
class Snapshot:
    """By system: the rows of each table, and the counters that ids are made of."""

    tables: dict[str, dict[str, dict[Any, Any]]]
    counters: dict[str, dict[str, int]]


def take(systems: Systems) -> Snapshot:
    """The records as they are now. Rows are never changed, only replaced, so none is copied."""
    stores = {system.name: system.register.store for system in (systems.customcrm, systems.tripletex)}
    return Snapshot(
        {name: {kind: dict(table.rows) for kind, table in store.tables.items()} for name, store in stores.items()},
        {name: dict(store.counters) for name, store in stores.items()},
    )


def put_back(systems: Systems, snapshot: Snapshot) -> None:
    """Let both systems be as they were: records and ids to come; no sessions, hooks or logged requests."""
    systems.clear()
    for system in (systems.customcrm, systems.tripletex):
        store = system.register.store
        with system.lock, store.transaction():
            for kind, rows in snapshot.tables[system.name].items():
                for row in rows.values():
                    store.tables[kind].put(row)
            store.counters.update(snapshot.counters[system.name])
