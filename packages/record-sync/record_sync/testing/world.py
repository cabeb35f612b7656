"""Two systems in memory, a real store between them, and the runs of both directions, for tests.

pytest_plugins = ["record_sync.testing.fixtures"]

def test_something(world):
    world.crm.put("customer", "c1", Name="Fjord AS")
    assert world.run("tripletex")["customer"] == {"created": 1}
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from record_sync.breaker import Limits
from record_sync.errors import SyncError
from record_sync.record import SourceRecord
from record_sync.rules import FlowRules
from record_sync.session import Session
from record_sync.store import Store, tables
from record_sync.testing.register import Clock, Register

SIDES = ("customcrm", "tripletex")
FLOWS = ("product", "contact", "customer")


TABLES: Mapping[str, Mapping[str, Any]] = {
    "customer": {
        "resource": {"customcrm": "customer", "tripletex": "customer"},
        "rows": [
            ("Name", "name", "text"),
            ("Number", "organizationNumber", "organisation_number"),
            ("Email", "email", "email"),
        ],
        "match_on": {
            "tripletex": [["organizationNumber"], ["email"]],
            "customcrm": [["Number"], ["Email"]],
        },
        "on_delete": "deactivate",
    },
    "contact": {
        "resource": {"customcrm": "contact", "tripletex": "contact"},
        "rows": [
            ("FirstName", "firstName", "text"),
            ("Email", "email", "email"),
            ("CustomerId", "customer.id", "exact"),
        ],
        "match_on": {
            "tripletex": [["email", "firstName"], ["email"]],
            "customcrm": [["Email", "FirstName"], ["Email"]],
        },
        "references": {"tripletex": {"customer.id": "customer"}, "customcrm": {"CustomerId": "customer"}},
        "after": {"customcrm": ["product"]},
    },
    "product": {
        "resource": {"customcrm": "product", "tripletex": "contact"},
        "rows": [("Name", "firstName", "text"), ("Number", "lastName", "text")],
        "match_on": {"tripletex": [["firstName", "lastName"]], "customcrm": [["Name", "Number"]]},
        "create": {"tripletex": True, "customcrm": False},
    },
}


def rules(flow: str, to: str, **changes: Any) -> FlowRules:
    """The rules of a flow in one direction, as the mapper would send them of its table."""
    table = {**TABLES[flow], **changes}
    source = SIDES[0] if to == SIDES[1] else SIDES[1]
    properties: dict[str, Any] = {}
    for crm, tripletex, kind, *group in table["rows"]:
        path, other = (tripletex, crm) if to == "tripletex" else (crm, tripletex)
        here = properties
        *parents, leaf = path.split(".")
        for name in parents:
            here = here.setdefault(name, {"properties": {}})["properties"]
        here[leaf] = {"x-from": [other], "x-compare": kind}
        if group:
            here[leaf]["x-group"] = group[0]
    sync = {
        "flow": flow,
        "from": source,
        "to": to,
        "resource": table["resource"],
        "match_on": table["match_on"][to],
        "conflict": table.get("conflict", "latest"),
        "create": table.get("create", {}).get(to, True),
        "on_delete": table.get("on_delete", "ignore"),
        "references": table.get("references", {}).get(to, {}),
        "after": table.get("after", {}).get(to, []),
        "timeless": "tripletex",
        "digest": table.get("digest", "1"),
    }
    return FlowRules.from_schema({"x-sync": sync, "properties": properties}, to)


class World:
    """Both systems and the store between them."""

    def __init__(self, url: str) -> None:
        self.clock = Clock()
        self.systems = {side: Register(side, self.clock) for side in SIDES}
        self.crm, self.tripletex = self.systems.values()
        self.url = url
        self.notes: list[str] = []
        self.reasons: dict[str, list[str]] = {}
        """What the last run told of records, by flow."""

    def open_store(self) -> Store:
        """The store, locked."""
        return Store(self.url, SIDES, now=self.clock)

    def incoming(self, flow: str, to: str, only: Collection[str] | None = None, **changes: Any) -> list[SourceRecord]:
        """What the tap and the mapper make of the other side's records."""
        flow_rules = rules(flow, to, **changes)
        source = self.systems[flow_rules.source_side]
        found = []
        for (resource, record_id), record in list(source.records.items()):
            if resource != flow_rules.source_resource or (only and record_id not in only):
                continue
            raw = record["values"]
            found.append(
                SourceRecord(
                    record_id,
                    str(record["version"]),
                    record["at"],
                    {one.path: raw.get(one.sources[0]) for one in flow_rules.properties},
                    {one.sources[0]: raw.get(one.sources[0]) for one in flow_rules.properties},
                    self.clock.now,
                )
            )
        return found

    def run(
        self,
        to: str,
        flows: Sequence[str] = FLOWS,
        records: Mapping[str, Sequence[SourceRecord]] | None = None,
        *,
        finish: bool = True,
        complete: Collection[str] = (),
        limits: Limits | None = None,
        **changes: Any,
    ) -> dict[str, dict[str, int]]:
        """One line of a cycle; returns the session's counts by flow."""
        system = self.systems[to]
        system.calls = []
        self.clock.advance(seconds=1)
        batches = {flow: (records or {}).get(flow, self.incoming(flow, to, **changes)) for flow in flows}
        began = self.clock.now
        session = Session(self.open_store(), system, limits=limits or Limits())
        outcome, error = "stopped", None
        try:
            taken = {flow: session.flow(rules(flow, to, **changes)) for flow in flows}
            for flow in flows:
                taken[flow].take(batches[flow])
            for flow in complete:
                taken[flow].presence.complete(int(began.timestamp() * 1000))
            if finish:
                session.finish()
            self.notes = session.tally.notes
            self.reasons = {flow: session.tally.first_reasons(flow) for flow in flows}
            if finish:
                session.verdict()
            outcome = "done"
            return {flow: session.tally.of(flow) for flow in flows}
        except SyncError as failure:
            outcome, error = "failed", str(failure)
            raise
        finally:
            session.close(outcome, error)

    def cycle(self, **options: Any) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]]:
        """Both lines, one after the other."""
        return self.run("tripletex", **options), self.run("customcrm", **options)

    def settle(self, **options: Any) -> None:
        """Run both lines until there is nothing left to write.

        Raises:
            AssertionError: something is written again and again.
        """
        self.cycle(**options)
        self.cycle(**options)
        for side in SIDES:
            self.run(side, **options)
            if self.systems[side].writes:
                raise AssertionError(f"{self.systems[side].writes} are still written to {side}")


# -- what persons do, and what they are shown


def decide(world: World, side: str, state: str = "taken") -> None:
    """Decide all conflicts for a side; or, by the state, want the lost values back."""
    with world.open_store() as store, store.begin() as connection:
        connection.execute(tables.conflict.update().values(state=state, winner=side))


def let_through(world: World, what: str, flow: str = "customer") -> None:
    """Let one run go over its limits."""
    with world.open_store() as store, store.begin() as connection:
        connection.execute(tables.flow.update().where(tables.flow.c.name == flow).values(let_through=what))


def conflicts(world: World) -> list[tuple[str, str, str | None, Any]]:
    """Each conflict's unit, state, winner, and both sides' values."""
    with world.open_store() as store, store.begin() as connection:
        return [
            (row.unit, row.state, row.winner, msgspec.json.decode(row.both))
            for row in connection.execute(tables.conflict.select())
        ]


def waiting(world: World) -> dict[tuple[str, str], tuple[str, str]]:
    """What waits: by side and record, the kind and the reason."""
    with world.open_store() as store, store.begin() as connection:
        return {
            (row.side, row.record_id): (row.kind, row.reason) for row in connection.execute(tables.waiting.select())
        }


# -- records as they come in


def deleted(world: World, record_id: str) -> SourceRecord:
    """A deletion of which nothing is told but the id."""
    return SourceRecord(record_id, "99", world.clock.now, {}, {}, world.clock.now, deleted=True)


def tombstone(world: World, record_id: str) -> SourceRecord:
    """As systems tell a deletion: with all that the record last said."""
    (last,) = world.incoming("customer", "tripletex", only=[record_id])
    del world.crm.records["customer", record_id]
    return msgspec.structs.replace(last, version="99", modified_at=world.clock.now, deleted=True)


def once(act: Callable[[], object]) -> Callable[[], None]:
    """What somebody does at the first write and not again."""
    left = [act]

    def do() -> None:
        if left:
            left.pop()()

    return do
