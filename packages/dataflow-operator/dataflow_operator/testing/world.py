"""Two registers, a store between them, and runs that fill it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from click.testing import CliRunner
from record_sync.breaker import USUAL, Limits
from record_sync.record import SourceRecord
from record_sync.rules import FlowRules
from record_sync.session import Session
from record_sync.store import Store

from dataflow_operator.cli import main
from dataflow_operator.testing.register import Clock, Register

SIDES = ("customcrm", "tripletex")
ROWS = {
    "customer": [
        ("Name", "name", "text"),
        ("Number", "organizationNumber", "organisation_number"),
        ("Email", "email", "email"),
    ],
    "contact": [("FirstName", "firstName", "text"), ("CustomerId", "customer.id", "exact")],
}


def rules(flow: str, to: str, **policies: Any) -> FlowRules:
    """The rules of a flow in one direction."""
    source = SIDES[0] if to == SIDES[1] else SIDES[1]
    properties: dict[str, Any] = {}
    reference = None
    for crm, tripletex, kind in ROWS[flow]:
        path, other = (tripletex, crm) if to == "tripletex" else (crm, tripletex)
        here = properties
        *parents, leaf = path.split(".")
        for name in parents:
            here = here.setdefault(name, {"properties": {}})["properties"]
        here[leaf] = {"x-from": [other], "x-compare": kind}
        reference = path if kind == "exact" else reference
    number = "organizationNumber" if to == "tripletex" else "Number"
    sync = {
        "flow": flow,
        "from": source,
        "to": to,
        "resource": {"customcrm": flow, "tripletex": flow},
        "match_on": [[number]] if flow == "customer" else [],
        "on_delete": "deactivate" if to == "tripletex" else "delete",
        "references": {reference: "customer"} if reference else {},
        "timeless": "tripletex",
        **policies,
    }
    return FlowRules.from_schema({"x-sync": sync, "properties": properties}, to)


class World:
    """Both systems and the store between them."""

    def __init__(self, links_url: str) -> None:
        self.url = links_url
        self.clock = Clock()
        self.systems = {side: Register(side, self.clock) for side in SIDES}
        self.crm, self.tripletex = self.systems.values()

    def incoming(self, flow: str, to: str) -> list[SourceRecord]:
        """What the tap and the mapper make of the other side's records."""
        flow_rules = rules(flow, to)
        source = self.systems[flow_rules.source_side]
        return [
            SourceRecord(
                record_id,
                str(record.version),
                record.at,
                {one.path: record.values.get(one.sources[0]) for one in flow_rules.properties},
                {one.sources[0]: record.values.get(one.sources[0]) for one in flow_rules.properties},
                self.clock.now,
            )
            for (resource, record_id), record in list(source.records.items())
            if resource == flow_rules.source_resource
        ]

    def tombstone(self, record_id: str) -> SourceRecord:
        """What the CRM's tap makes of a deleted record."""
        return SourceRecord(record_id, "99", self.clock.now, {}, {}, self.clock.now, deleted=True)

    def begin(self, to: str, limits: Limits = USUAL, **policies: Any) -> Session:
        """A run that is going on, and holds the lock."""
        self.clock.advance(seconds=1)
        self.systems[to].writes = []
        session = Session(Store(self.url, SIDES, now=self.clock), self.systems[to], limits=limits)
        for flow in ROWS:
            session.flow(rules(flow, to, **policies))
        return session

    def run(
        self,
        to: str,
        records: Mapping[str, Sequence[SourceRecord]] | None = None,
        complete: Collection[str] = (),
        **policies: Any,
    ) -> dict[str, dict[str, int]]:
        """One line of a cycle; ``records`` is what the tap reads, all unless said. Tells the counts by flow."""
        began = self.clock.now + timedelta(seconds=1)
        with self.begin(to, **policies) as session:
            for flow in ROWS:
                session.flows[flow].take((records or {}).get(flow, self.incoming(flow, to)))
            for flow in complete:
                session.flows[flow].presence.complete(int(began.timestamp() * 1000))
            session.finish()
            session.verdict()
            return {flow: session.tally.of(flow) for flow in ROWS}

    def cycle(self, **arguments: Any) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]]:
        """Both lines, as Meltano runs them."""
        return self.run("tripletex", **arguments), self.run("customcrm", **arguments)

    def pair(self, **values: Any) -> str:
        """A customer ``c1`` on both sides, in step; tells its id in Tripletex."""
        self.crm.put("customer", "c1", **{"Name": "Fjord AS", **values})
        self.cycle()
        self.cycle()
        return next(iter(self.tripletex.all("customer")))


NOTHING: dict[str, list[SourceRecord]] = {flow: [] for flow in ROWS}
"""What the taps read where nothing changed."""


class Said(msgspec.Struct, frozen=True):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


def say_to(links_url: str, *arguments: str, answer: str | None = None) -> Said:
    """Run the command on a store."""
    environment = {"LINKS_URL": links_url, "COLUMNS": None, "MELTANO_ENVIRONMENT": None, "MELTANO_PROJECT_ROOT": None}
    ended = CliRunner(env=environment).invoke(main, list(arguments), input=answer)
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return Said(ended.exit_code, ended.stdout, ended.stderr)
