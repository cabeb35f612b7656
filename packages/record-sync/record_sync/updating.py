"""Linked records that the source changed: read the target, plan, write what the plan says, remember what is agreed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from record_sync.bases import saw, settle_without_write, settle_written, wrote
from record_sync.canonical import canonical
from record_sync.outcome import Outcome
from record_sync.plan import Decision, Plan, Verdict, changed, plan
from record_sync.record import Current, Incoming, Link
from record_sync.rules import Unit
from record_sync.store.batch import Batch
from record_sync.store.intents import Intent, SentUnit
from record_sync.store.waiting import CONFLICT, PARKED, REFERENCE
from record_sync.system import Moved, Refused, Result, Unknown, UpdateRequest, Written, answered
from record_sync.values import Values

if TYPE_CHECKING:
    from record_sync.flow_sync import FlowSync

ATTEMPTS = 4
"""How often a record that others keep changing is read and planned anew in one run."""


class ToUpdate(msgspec.Struct, frozen=True):
    """A linked record and what the source changed on it."""

    incoming: Incoming
    original: Incoming
    """As it came in, before references were translated."""
    link: Link
    units: tuple[Unit, ...]
    missing: tuple[str, ...] = ()
    found_now: bool = False
    """The link was made in this very step, by first match."""
    restore: bool = False
    """The source came back after its deletion was passed on: the target has to come back too."""
    intent: Intent | None = None
    """An attempt at this very update that found the record moved, or may have been carried out after all."""


class Planned(msgspec.Struct, frozen=True):
    """A write that the plan asks for."""

    update: ToUpdate
    current: Current
    plan: Plan
    writes: Values
    intent: Intent


class Updating:
    """Brings changes of linked records to the target."""

    def __init__(self, flow: FlowSync) -> None:
        self._flow = flow

    def run(self, updates: Sequence[ToUpdate]) -> None:
        """Bring these changes over; records that move meanwhile are read and planned again."""
        waiting = list(updates)
        for _ in range(ATTEMPTS):
            if not waiting:
                return
            waiting = self._round(waiting)
        for update in waiting:
            self._flow.wait(
                update.original,
                PARKED,
                "somebody keeps changing this record in the other system; tried again later",
            )

    def _round(self, updates: list[ToUpdate]) -> list[ToUpdate]:
        flow = self._flow
        reading = [one.link.target.id for one in updates if one.units or one.restore]
        read = flow.system.read(flow.rules.target_resource, reading, flow.rules.paths) if reading else {}
        for update in updates:
            if update.restore and update.link.target.id in read:
                read[update.link.target.id] = self._restored(read[update.link.target.id])
        planned: list[Planned] = []
        with flow.batch() as batch:
            taken = flow.conflicts.taken(batch.connection, [one.link.id or 0 for one in updates])
            for update in updates:
                current = read.get(update.link.target.id)
                if not update.units:
                    batch.save(update.link)
                    self._finish(batch, update, Outcome.UNCHANGED)
                elif current is None:
                    flow.contest(batch, update.original, update.link)
                else:
                    anew = self._after_attempt(batch, update, current)
                    write = self._plan(batch, anew, current, taken.get(update.link.id or 0, {}))
                    if write is not None:
                        planned.append(write)
        flow.breaker.check_overwrites(sum(not one.update.found_now for one in planned))
        if planned:
            with flow.store.begin() as connection:
                flow.intents.add(connection, [one.intent for one in planned])
        return self._write(planned)

    def _restored(self, current: Current) -> Current:
        flow = self._flow
        result = flow.system.restore(flow.rules.target_resource, current, flow.rules.paths)
        if not isinstance(result, Written):
            return current
        known = {**current.values, **result.current.values}
        return msgspec.structs.replace(result.current, values=known, handle=current.handle)

    def _after_attempt(self, batch: Batch, update: ToUpdate, current: Current) -> ToUpdate:
        """Take what an attempt did write as ours, before the record is planned anew."""
        flow = self._flow
        if update.intent is None:
            return update
        if current.version != update.intent.over_version:
            flow.recovery.settle_update(update.intent, update.link.source, update.link.target, current)
        flow.intents.remove(batch.connection, [update.intent.id])
        still = changed(update.incoming, update.link.source, flow.rules, flow.prints).units
        return msgspec.structs.replace(update, intent=None, units=tuple(unit for unit in update.units if unit in still))

    def _plan(self, batch: Batch, update: ToUpdate, current: Current, taken: Mapping[str, str]) -> Planned | None:
        flow = self._flow
        link = update.link
        # A system may answer with the record that took the old one's place.
        flow.links.rename_target(batch.connection, link, current.id)
        saw(link.target, current.version, current.modified_at)
        agreed_before = None if update.found_now else link
        result = plan(update.incoming, update.units, agreed_before, current, flow.rules, flow.prints, taken)
        settle_without_write(link, result, update.incoming, current, flow.prints)
        self._tell_conflicts(batch, update, current, result)
        writes = result.writes(update.incoming, current)
        batch.save(link)
        if not writes:
            self._finish(batch, update, _outcome_without_write(update, result), result)
            return None
        return Planned(update, current, result, writes, self._intent(update, current, result))

    def _intent(self, update: ToUpdate, current: Current, result: Plan) -> Intent:
        flow = self._flow
        units = [
            SentUnit(
                source={path: flow.prints.of(update.incoming.source[path]) for path in unit.sources},
                sent={
                    one.path: flow.prints.of(canonical(one.compare, update.incoming.values[one.path]))
                    for one in unit.properties
                },
                kinds={one.path: one.compare for one in unit.properties},
            )
            for unit in result.units(Verdict.WRITE)
        ]
        return Intent(
            kind="update",
            source_id=update.incoming.id,
            source_version=update.incoming.version,
            source_modified_at=update.incoming.modified_at,
            units=units,
            target_id=current.id,
            link_id=update.link.id,
            over_version=current.version,
            target_edited_at=update.link.target.edited_at,
            server_clock=flow.system.server_clock(),
        )

    def _write(self, planned: list[Planned]) -> list[ToUpdate]:
        flow = self._flow
        again: list[ToUpdate] = []
        requests = [UpdateRequest(one.current, one.writes) for one in planned]
        answers = flow.system.update(flow.rules.target_resource, requests, flow.rules.paths)
        for some in answered(planned, answers):
            with flow.batch() as batch:
                for one, result in some:
                    if not self._settle(batch, one, result):
                        again.append(msgspec.structs.replace(one.update, intent=one.intent))
                settled = [one.intent.id for one, result in some if isinstance(result, Written | Refused)]
                flow.intents.remove(batch.connection, settled)
        return again

    def _settle(self, batch: Batch, one: Planned, result: Result) -> bool:
        """Store what became of a write; False where the record has to be planned again."""
        flow = self._flow
        update = one.update
        if isinstance(result, Moved):
            return False
        if isinstance(result, Refused):
            flow.put_waiting(batch, update.original, PARKED, result.reason, result.details)
            return True
        if isinstance(result, Unknown):
            # The intent stays: the next run looks what became of it, and only then tries again.
            flow.put_waiting(batch, update.original, PARKED, result.reason)
            return True
        self._written(batch, one, result)
        return True

    def _written(self, batch: Batch, one: Planned, result: Written) -> None:
        flow = self._flow
        link = one.update.link
        wrote(link.target, result.current, flow.store.now())
        units = one.plan.units(Verdict.WRITE)
        settle_written(link, units, one.update.incoming, one.current, result.current, one.writes, flow.prints)
        for unit in units:
            batch.settle(link, flow.rules.unit_key(unit))
        batch.save(link)
        outcome = Outcome.LINKED_UPDATED if one.update.found_now else Outcome.UPDATED
        self._finish(batch, one.update, outcome, one.plan)

    def _finish(self, batch: Batch, update: ToUpdate, outcome: Outcome, result: Plan | None = None) -> None:
        flow = self._flow
        held = result.units(Verdict.HOLD) if result is not None else []
        if held:
            properties = ", ".join(flow.rules.unit_key(unit) for unit in held)
            flow.put_waiting(batch, update.original, CONFLICT, f"edited on both sides: {properties}")
            return
        if update.missing:
            # What it refers to is not there yet; all else is done.
            flow.put_waiting(batch, update.original, REFERENCE, f"waits for {', '.join(update.missing)}")
            return
        if result is None or not result.units(Verdict.KEEP):
            update.link.source.base.whole = update.incoming.whole
        batch.done(update.incoming.id)
        flow.finish_record(update.incoming.id, outcome)

    def _tell_conflicts(self, batch: Batch, update: ToUpdate, current: Current, result: Plan) -> None:
        """Keep the values that lose now, and those that wait for a person.

        Where the target wins, nothing is overwritten here: the other direction tells it when it does.
        """
        flow = self._flow
        for decision in result.contested:
            if decision.verdict is Verdict.KEEP:
                continue
            flow.conflicts.put(
                batch.connection,
                update.link.id or 0,
                flow.rules.unit_key(decision.unit),
                None if decision.verdict is Verdict.HOLD else flow.key.source_side,
                self._both_values(update, current, decision),
            )
        for unit in result.units(Verdict.AGREED):
            batch.settle(update.link, flow.rules.unit_key(unit))

    def _both_values(self, update: ToUpdate, current: Current, decision: Decision) -> dict[str, Values]:
        return {
            self._flow.key.source_side: {path: update.original.source[path] for path in decision.unit.sources},
            self._flow.key.target_side: {one.path: current.get(one.path) for one in decision.unit.properties},
        }


def _outcome_without_write(update: ToUpdate, result: Plan) -> Outcome:
    if update.found_now:
        return Outcome.LINKED
    return Outcome.KEPT if result.units(Verdict.KEEP) else Outcome.AGREED
