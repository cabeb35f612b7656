"""The audit as a whole: read both systems, compare by the link store, and look once more at what differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from dataflow.side import TO_CUSTOMCRM, TO_TRIPLETEX
from dataflow.tables import Dataflow
from record_sync.record import ENDED, GONE, TargetRecord
from sync_target.connected import ConnectedSystem

from dataflow_operator.audit.comparing import LEFT_OUT, Compared, Pending, compare, references_of
from dataflow_operator.audit.flows import SIDES, AuditedFlow
from dataflow_operator.audit.reading import Resource, look_up, read_all
from dataflow_operator.audit.report import Audit, Count, Example, Finding, FlowAudit, PropertyAudit
from dataflow_operator.audit.spool import Spool
from dataflow_operator.audit.unlinked import Unlinked
from dataflow_operator.errors import OperatorError
from dataflow_operator.store.audited import AuditedStore, LinkedPair, StoredFlow
from dataflow_operator.store.opening import opened
from dataflow_operator.store.runs import RUNNING
from dataflow_operator.timestamps import now

EXAMPLES = 3
"""Pairs that a line of the checklist names."""
LOOKED_AT_TWICE = 1000
"""Findings of a flow that are looked at once more: somebody may have worked while the lists were read."""
RUN_MEANWHILE = (
    "A run worked while the systems were read, or was killed before: what it had not carried over yet counts as "
    "different. Run the audit again when no run is going on."
)


def audit(
    links_url: str,
    sync_name: str,
    dataflow: Dataflow,
    systems: Mapping[str, ConnectedSystem],
    *,
    limit: int = 50,
) -> Audit:
    """Compare both systems with each other. Nothing is written, neither there nor in the store.

    Args:
        links_url: the link store.
        sync_name: whose rows.
        dataflow: the property tables.
        systems: both sides, connected.
        limit: so many findings of a flow are told in full; all are counted.

    Raises:
        OperatorError: there is no such store, or it belongs to other systems.
        ApiError: a system cannot be read.
    """
    return _Auditing(links_url, sync_name, dataflow, systems, limit).run()


class _Aside(msgspec.Struct):
    """What is looked at once more before it is told."""

    pairs: dict[int, dict[str, str]] = {}
    """Link to ids by side."""
    findings: list[Finding] = []
    """Records that are not linked."""


class _Auditing:
    def __init__(
        self, links_url: str, sync_name: str, dataflow: Dataflow, systems: Mapping[str, ConnectedSystem], limit: int
    ) -> None:
        self._place = (links_url, sync_name)
        self._systems = systems
        # Of flows that read one resource, first the one that is offered its records first.
        ordered = dict.fromkeys(
            flow.name for direction in (TO_CUSTOMCRM, TO_TRIPLETEX) for flow in dataflow.going(direction)
        )
        self._flows = [AuditedFlow.of(dataflow, dataflow.flow(name)) for name in ordered]
        self._resources = _resources(self._flows)
        self._tallies = {
            flow.name: _Tally(self._flow(flow.name), limit) for flow in dataflow.flows if flow.name in ordered
        }
        self._aside = {name: _Aside() for name in self._tallies}
        self._spool = Spool()

    def run(self) -> Audit:
        began = now()
        try:
            with opened(*self._place) as store:
                stamps = self._check(store.sync.systems)
                place, run_before = store.place, AuditedStore(store).newest_run()
            read_all(self._systems, list(self._resources.values()), self._spool)
            with opened(*self._place) as store:
                self._compare(AuditedStore(store))
            self._look_again()
            with opened(*self._place) as store:
                run_after = AuditedStore(store).newest_run()
        finally:
            self._spool.close()
        flows = [tally.told() for tally in self._tallies.values()]
        return Audit(
            store=place,
            sync_name=self._place[1],
            systems=stamps,
            began_at=began,
            ended_at=now(),
            requests={side: system.requests for side, system in self._systems.items()},
            flows=flows,
            notes=_notes(run_before, run_after),
            is_clean=not any(flow.unexplained for flow in flows),
        )

    def _check(self, bound: Mapping[str, str | None]) -> dict[str, str]:
        """The systems must be those that the store's links are of."""
        stamps = {}
        for side, system in self._systems.items():
            stamps[side] = system.stamp()
            if bound.get(side) not in (None, stamps[side]):
                raise OperatorError(
                    f"The link store belongs to {bound[side]}, but the settings lead to {stamps[side]}. "
                    "Use that system's settings, or another store: --links-url, --sync-name, MELTANO_ENVIRONMENT."
                )
        return stamps

    def _flow(self, name: str) -> AuditedFlow:
        return next(flow for flow in self._flows if flow.flow.name == name)

    def _resource(self, flow: AuditedFlow, side: str) -> Resource:
        return self._resources[side, flow.resource(side)]

    # -- comparing what was listed

    def _compare(self, store: AuditedStore) -> None:
        for (side, name), resource in self._resources.items():
            for ids in store.linked_ids(side, name):
                self._spool.link(resource.scope, ids)
        for position, flow in enumerate(self._flows):
            tally, aside = self._tallies[flow.flow.name], self._aside[flow.flow.name]
            scopes = {side: self._resource(flow, side).scope for side in SIDES}
            tally.audit.records = {side: self._spool.count(scope) for side, scope in scopes.items()}
            stored = store.flow(flow.flow.name)
            for pairs in stored.pairs() if stored else ():
                records = {
                    side: self._spool.records(scope, [pair.ends[side].id for pair in pairs])
                    for side, scope in scopes.items()
                }
                for pair, compared in self._compared(store, flow, pairs, records):
                    if _surprises(compared.finding) and len(aside.pairs) < LOOKED_AT_TWICE:
                        aside.pairs[pair.id] = {side: end.id for side, end in pair.ends.items()}
                    else:
                        tally.count(pair, compared)
            later = {
                side
                for side in SIDES
                if any(one.resource(side) == flow.resource(side) for one in self._flows[position + 1 :])
            }
            for finding in Unlinked(flow, self._spool, scopes, stored, later).findings(tally.audit):
                if _surprises(finding) and len(aside.findings) < LOOKED_AT_TWICE:
                    aside.findings.append(finding)
                else:
                    tally.add(finding)

    def _compared(
        self,
        store: AuditedStore,
        flow: AuditedFlow,
        pairs: Sequence[LinkedPair],
        records: Mapping[str, Mapping[str, TargetRecord]],
    ) -> Iterator[tuple[LinkedPair, Compared]]:
        stored = store.flow(flow.flow.name)
        if stored is None:
            return
        waiting = {side: stored.waiting(side, [pair.ends[side].id for pair in pairs]) for side in SIDES}
        conflicts = stored.conflicts([pair.id for pair in pairs])
        references = self._references(store, flow, records)
        for pair in pairs:
            pending = Pending(
                waiting={side: rows[end.id] for side, rows in waiting.items() if (end := pair.ends[side]).id in rows},
                conflicts=tuple(conflicts.get(pair.id, ())),
                writes=tuple(one for one in stored.open_writes if one.link_id == pair.id),
            )
            there = {side: records[side].get(pair.ends[side].id) for side in SIDES}
            yield pair, compare(flow, pair, there, store.prints, references, pending)

    def _references(
        self, store: AuditedStore, flow: AuditedFlow, records: Mapping[str, Mapping[str, TargetRecord]]
    ) -> dict[tuple[str, str, str], object]:
        """The ids that records refer to, as the sync would translate them."""
        wanted: dict[tuple[str, str], set[str]] = {}
        for side, found in records.items():
            for record in found.values():
                for _, name, record_id in references_of(flow, side, record.values):
                    wanted.setdefault((side, name), set()).add(record_id)
        translated: dict[tuple[str, str, str], object] = {}
        for (side, name), ids in wanted.items():
            stored = store.flow(name)
            if stored is None:
                continue
            for record_id, (across, state) in stored.counterparts(side, ids).items():
                translated[side, name, record_id] = LEFT_OUT if state == GONE else across
            for record_id in stored.kept_out(side, ids):
                translated.setdefault((side, name, record_id), LEFT_OUT)
        return translated

    # -- looking once more

    def _look_again(self) -> None:
        """What still differs is told: records, and the store, as they are after all lists were read."""
        for flow in self._flows:
            tally, aside = self._tallies[flow.flow.name], self._aside[flow.flow.name]
            if aside.pairs:
                records = {
                    side: self._look_up(flow, side, (ids[side] for ids in aside.pairs.values())) for side in SIDES
                }
                with opened(*self._place) as opened_store:
                    store = AuditedStore(opened_store)
                    stored = store.flow(flow.flow.name)
                    pairs = stored.pairs_of(aside.pairs) if stored else []
                    for pair, compared in self._compared(store, flow, pairs, records):
                        tally.count(pair, compared)
            if aside.findings:
                there = {side: self._look_up(flow, side, (one.ids[side] for one in aside.findings)) for side in SIDES}
                with opened(*self._place) as opened_store:
                    stored = AuditedStore(opened_store).flow(flow.flow.name)
                    for finding in aside.findings:
                        if all(one is None or one in there[side] for side, one in finding.ids.items()) and not (
                            stored and _is_linked(stored, finding)
                        ):
                            tally.add(finding)

    def _look_up(self, flow: AuditedFlow, side: str, ids: Iterable[str | None]) -> dict[str, TargetRecord]:
        wanted = [one for one in dict.fromkeys(ids) if one is not None]
        return look_up(self._systems[side], self._resource(flow, side), wanted)


class _Tally:
    """Counts what was found in a flow, and keeps some of it."""

    def __init__(self, flow: AuditedFlow, limit: int) -> None:
        self._limit = limit
        self._surprises: list[Finding] = []
        self._others: list[Finding] = []
        self._lines = [_line(flow, index) for index in range(len(flow.flow.rows))]
        self._line_of = {(one.customcrm, one.tripletex): one for one in self._lines}
        self.audit = FlowAudit(flow.flow.name, {}, self._lines)

    def count(self, pair: LinkedPair, compared: Compared) -> None:
        """A linked pair, as it was found."""
        if pair.state == ENDED:
            self.audit.ended += 1
        else:
            self.audit.linked += 1
            self.audit.in_sync += compared.finding is None
        differing = (
            {} if compared.finding is None else {(o.customcrm, o.tripletex): o for o in compared.finding.differences}
        )
        for index in compared.compared:
            line = self._lines[index]
            line.compared += 1
            difference = differing.get((line.customcrm, line.tripletex))
            if difference is None:
                line.in_sync += 1
            elif difference.explained is None:
                line.differs += 1
            else:
                line.explained += 1
            if difference is not None and compared.finding is not None and len(line.examples) < EXAMPLES:
                line.examples.append(Example(compared.finding.ids, difference))
        if compared.finding is not None:
            self.add(compared.finding)

    def add(self, finding: Finding) -> None:
        """A finding."""
        count = self.audit.counts.setdefault(finding.kind, Count())
        kept = self._others if finding.is_explained else self._surprises
        if finding.is_explained:
            count.explained += 1
        else:
            count.unexplained += 1
        if len(kept) < self._limit:
            kept.append(finding)

    def told(self) -> FlowAudit:
        """All that was counted."""
        self.audit.findings = [*self._surprises, *self._others][: self._limit]
        return self.audit


def _line(flow: AuditedFlow, index: int) -> PropertyAudit:
    row = flow.flow.rows[index]
    return PropertyAudit(
        customcrm=row.customcrm,
        tripletex=row.tripletex,
        types=flow.tripletex_types(row),
        direction=row.direction,
        group=row.group,
        not_compared="written only when the record is created" if row.when == "create" else None,
    )


def _resources(flows: Sequence[AuditedFlow]) -> dict[tuple[str, str], Resource]:
    paths: dict[tuple[str, str], frozenset[str]] = {}
    for flow in flows:
        for side in SIDES:
            key = (side, flow.resource(side))
            paths[key] = paths.get(key, frozenset()) | flow.paths(side)
    return {key: Resource(scope, *key, paths[key]) for scope, key in enumerate(sorted(paths))}


def _surprises(finding: Finding | None) -> bool:
    return finding is not None and not finding.is_explained


def _is_linked(stored: StoredFlow, finding: Finding) -> bool:
    return any(one is not None and stored.counterparts(side, [one]) for side, one in finding.ids.items())


def _notes(before: tuple[int, str], after: tuple[int, str]) -> list[str]:
    if before != after or after[1] == RUNNING:
        return [RUN_MEANWHILE]
    return []
