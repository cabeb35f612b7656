"""Both systems over HTTP and a link store between them, with the sync's own lines in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from itertools import islice
from typing import Any, Protocol

import msgspec
from dataflow.side import TO_CUSTOMCRM, TO_TRIPLETEX, Direction
from dataflow.tables import Dataflow
from record_sync.record import SourceRecord, TargetRecord
from record_sync.session import Session
from record_sync.store import Store

from dataflow_operator.audit.flows import SIDES, AuditedFlow, Way
from dataflow_operator.connections import connected

BATCH = 1000


class Served(Protocol):
    """The sandbox's systems, as far as they are needed here."""

    customcrm: Any
    tripletex: Any


class Both:
    """What Meltano does with taps and mapper between, done at once: every record of a side is read, and taken in."""

    def __init__(self, systems: Served, links_url: str, dataflow: Dataflow) -> None:
        self.systems = systems
        self.links_url = links_url
        self.dataflow = dataflow

    @property
    def environment(self) -> dict[str, str]:
        """The settings of both targets, as environment variables."""
        crm, tripletex = self.systems.customcrm, self.systems.tripletex
        return {
            "TARGET_CUSTOMCRM_API_URL": crm.api_url,
            "TARGET_CUSTOMCRM_API_KEY": crm.api_key,
            "TARGET_TRIPLETEX_API_URL": tripletex.api_url,
            "TARGET_TRIPLETEX_CONSUMER_TOKEN": tripletex.consumer_token,
            "TARGET_TRIPLETEX_EMPLOYEE_TOKEN": tripletex.employee_token,
        }

    def cycle(self) -> None:
        """Both lines, in their order."""
        self.line(TO_TRIPLETEX)
        self.line(TO_CUSTOMCRM)

    def line(self, direction: Direction) -> None:
        """One line: a complete read, and what it changes on the other side."""
        systems = connected(self.environment)
        with Session(Store(self.links_url, SIDES), systems[direction.target.name]) as session:
            for flow in self.dataflow.going(direction):
                session.flow(self._way(flow.name, direction).rules)
            for flow in self.dataflow.going(direction):
                way = self._way(flow.name, direction)
                began = datetime.now(timezone.utc)
                listed = systems[direction.source.name].listing(flow.stream(direction.source), way.looked_at)
                taken = session.flows[flow.name]
                for records in _batches(_incoming(one, way, began) for one in listed):
                    taken.take(records)
                taken.presence.complete(int(began.timestamp() * 1000))
            session.finish()
            session.verdict()

    def _way(self, flow: str, direction: Direction) -> Way:
        return AuditedFlow.of(self.dataflow, self.dataflow.flow(flow)).ways[direction.target.name]


def tables_with(dataflow: Dataflow, changes: Mapping[str, Mapping[str, Any]]) -> Dataflow:
    """The same flows with other policies."""
    return Dataflow([msgspec.structs.replace(flow, **changes.get(flow.name, {})) for flow in dataflow.flows])


def _incoming(current: TargetRecord, way: Way, read_at: datetime) -> SourceRecord:
    values = current.values
    kept_out = way.is_kept_out(values)
    return SourceRecord(
        id=current.id,
        version=current.version,
        modified_at=current.modified_at,
        values={} if kept_out else way.carried(values),
        source={} if kept_out else {path: values[path] for path in way.rules.source_paths if path in values},
        read_at=read_at,
        filtered=kept_out,
    )


def _batches(records: Iterable[SourceRecord]) -> Iterator[list[SourceRecord]]:
    left = iter(records)
    while some := list(islice(left, BATCH)):
        yield some
