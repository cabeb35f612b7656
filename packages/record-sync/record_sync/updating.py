"""Linked records that the source changed: read the target, plan, write what the plan says, remember what is agreed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

import msgspec

from record_sync.agreement import (
    agree_found_update,
    agree_without_write,
    agree_written,
    observe_own_write,
    observe_target,
)
from record_sync.canonical import canonical
from record_sync.flow import ATTEMPTS, Flow
from record_sync.intent import UPDATE, Intent, SentUnit
from record_sync.ledger import Transaction
from record_sync.matching import is_another, is_stranger
from record_sync.outcome import Outcome
from record_sync.plan import Decision, Plan, Verdict, changed, plan, target_unchanged
from record_sync.record import GONE, Link, TargetRecord
from record_sync.references import Resolved
from record_sync.rules import Unit
from record_sync.system import Moved, Refused, Result, UpdateRequest, Written, answered
from record_sync.values import Values
from record_sync.waiting import CONFLICT, PARKED, REFERENCE


class ToUpdate(msgspec.Struct, frozen=True):
    """A linked record and what the source changed on it."""

    resolved: Resolved
    link: Link
    units: tuple[Unit, ...]
    found_now: bool = False
    """The link was made in this very step, by first match."""
    is_back: bool = False
    """The source came back after its deletion was passed on, or ignored: the target has to be there too."""
    intent: Intent | None = None
    """An attempt at this very update that found the record moved, or may have been carried out after all."""


class Planned(msgspec.Struct, frozen=True):
    """A write that the plan asks for."""

    update: ToUpdate
    current: TargetRecord
    plan: Plan
    writes: Values
    intent: Intent


class Returned(msgspec.Struct):
    """Records that came back after their deletion was passed on, and that have no counterpart to be updated."""

    lost: list[ToUpdate] = msgspec.field(default_factory=list)
    """The counterpart is gone for good: it is to be made again."""
    others: list[ToUpdate] = msgspec.field(default_factory=list)
    """The source gave the id to another record than the one that was linked."""
    strangers: list[Resolved] = msgspec.field(default_factory=list)
    """The same of records whose deletion nobody told; they have no link any more."""


class Updating:
    """Brings changes of linked records to the target."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        # What was not deactivated is not made active again.
        self._restores = flow.rules.on_delete != "ignore"

    def run(self, updates: Sequence[ToUpdate]) -> Returned:
        """Bring these changes over; records that somebody changes meanwhile are read and planned again."""
        left, returned = list(updates), Returned()
        for _ in range(ATTEMPTS):
            if not left:
                return returned
            left = self._round(left, returned)
        with self._flow.ledger.transaction() as now:
            for update in left:
                reason = "somebody keeps changing this record in the other system; tried again later"
                self._flow.outcomes.wait(now, update.resolved.original, PARKED, reason)
        return returned

    def _round(self, updates: list[ToUpdate], returned: Returned) -> list[ToUpdate]:
        flow = self._flow
        read = flow.target.read([one.link.target.id for one in updates if one.units or one.is_back])
        at_hand = [one for one in updates if not (one.is_back and self._has_left(one, read, returned))]
        planned: list[Planned] = []
        with flow.ledger.transaction() as now:
            decisions = now.conflicts.decisions([one.link for one in at_hand])
            for update in at_hand:
                current = read.get(update.link.target.id)
                if not update.units:
                    now.links.save(update.link)
                    self._finish(now, update, Outcome.UNCHANGED)
                elif current is None:
                    flow.outcomes.contest_edit(now, update.resolved.original, update.link)
                elif not update.found_now and is_stranger(update.resolved.record.values, current.values, flow.rules):
                    self._part(now, update, current, returned)
                else:
                    anew = self._after_attempt(now, update, current)
                    write = self._plan(now, anew, current, decisions.get(update.link.id or 0, {}))
                    if write is not None:
                        planned.append(write)
        flow.guard.check_overwrites(sum(not one.update.found_now for one in planned))
        if not planned:
            return []
        with flow.ledger.transaction() as now:
            now.intents.add([one.intent for one in planned])
        return self._write(planned)

    # -- the target comes back

    def _has_left(self, update: ToUpdate, read: dict[str, TargetRecord], returned: Returned) -> bool:
        """Whether there is nothing to bring back; else the target is active again, by our own write."""
        flow, link = self._flow, update.link
        current = read.get(link.target.id)
        if current is None:
            returned.lost.append(update)
            return True
        if is_another(update.resolved.record.values, current.values, flow.rules):
            returned.others.append(update)
            return True
        if not self._restores:
            return False
        observe_target(link.target, current, flow.ledger.prints)
        result = flow.target.restore(current)
        if isinstance(result, Written):
            observe_own_write(link.target, result.current, flow.ledger.store.now())
            known = {**current.values, **result.current.values}
            read[link.target.id] = msgspec.structs.replace(result.current, values=known, handle=current.handle)
        return False

    def _part(self, now: Transaction, update: ToUpdate, current: TargetRecord, returned: Returned) -> None:
        """An id was given to another record: a person decides about what is left of the one that had it."""
        flow, link = self._flow, update.link
        if update.intent is not None:
            now.intents.resolve([update.intent])
        strongest = [
            unit for unit in flow.rules.units if any(one.path in flow.rules.match_on[0] for one in unit.properties)
        ]
        if all(target_unchanged(unit, link.target, current, flow.ledger.prints) for unit in strongest):
            now.links.release_source(link)
            link.source.state = GONE
            flow.outcomes.contest_deletion(now, link, current)
            returned.strangers.append(update.resolved)
        else:
            now.links.release_target(link)
            flow.outcomes.contest_edit(now, update.resolved.original, link)

    # -- planning

    def _after_attempt(self, now: Transaction, update: ToUpdate, current: TargetRecord) -> ToUpdate:
        """Take what an attempt did write as ours, before the record is planned anew."""
        flow, intent, link = self._flow, update.intent, update.link
        if intent is None:
            return update
        prints = flow.ledger.prints
        if current.version != intent.over_version:
            agree_found_update(intent, link.source, link.target, current, prints, flow.ledger.store.now())
        now.intents.resolve([intent])
        still = changed(update.resolved.record, link.source, flow.rules, prints).units
        return msgspec.structs.replace(update, intent=None, units=tuple(unit for unit in update.units if unit in still))

    def _plan(
        self, now: Transaction, update: ToUpdate, current: TargetRecord, decided: Mapping[str, str]
    ) -> Planned | None:
        flow, link, record = self._flow, update.link, update.resolved.record
        prints = flow.ledger.prints
        observe_target(link.target, current, prints)
        agreed_before = None if update.found_now else link
        judged = _as_others_left_it(current, link) if update.is_back and self._restores else current
        result = plan(record, update.units, agreed_before, judged, flow.rules, prints, decided)
        agree_without_write(link, result, record, current, prints)
        unseen = self._unseen(now, link, current, result, decided)
        self._keep_losers(now, update, current, result, unseen)
        writes = result.writes(record, current)
        now.links.save(link)
        if not writes:
            self._finish(now, update, _outcome_without_write(update, result), result)
            return None
        return Planned(update, current, result, writes, self._intent(update, current, result))

    def _intent(self, update: ToUpdate, current: TargetRecord, result: Plan) -> Intent:
        flow, record = self._flow, update.resolved.record
        prints, after = flow.ledger.prints, {**current.values, **result.written(record)}
        units = [
            SentUnit(
                source={path: prints.of(record.source[path]) for path in unit.sources},
                sent={one.path: prints.of(canonical(one.compare, after.get(one.path))) for one in unit.properties},
                kinds={one.path: one.compare for one in unit.properties},
            )
            for unit in result.units(Verdict.WRITE)
        ]
        return Intent(
            kind=UPDATE,
            source_id=record.id,
            source_version=record.version,
            source_modified_at=record.modified_at,
            units=units,
            target_id=current.id,
            link_id=update.link.id,
            over_version=current.version,
            target_edited_at=update.link.target.edited_at,
            server_clock=flow.target.clock,
        )

    def _unseen(
        self, now: Transaction, link: Link, current: TargetRecord, result: Plan, decided: Mapping[str, str]
    ) -> list[Decision]:
        """Decisions that go over values which whoever took them was not shown."""
        rules, found = self._flow.rules, []
        for one in result.decisions:
            name = rules.unit_key(one.unit)
            if name in decided and one.verdict is Verdict.WRITE and not one.contested:
                shown = now.conflicts.shown(link, name, rules.target_side)
                if not one.unit.same(shown, current.values):
                    found.append(one)
        return found

    def _keep_losers(
        self, now: Transaction, update: ToUpdate, current: TargetRecord, result: Plan, unseen: Sequence[Decision]
    ) -> None:
        """Keep the values that lose now, and those that wait for a person.

        Where the target wins, nothing is overwritten here: the other direction keeps what loses when it does.
        """
        flow = self._flow
        key = flow.ledger.key
        for decision in (*result.contested, *unseen):
            values = self._both_values(update, current, decision)
            name = flow.rules.unit_key(decision.unit)
            if decision.verdict is Verdict.HOLD:
                now.conflicts.open(update.link, name, values)
            elif decision.verdict is Verdict.WRITE:
                over = decision.values(update.resolved.record)
                now.conflicts.lose(update.link, name, key.source_side, values, over)
        for unit in result.units(Verdict.AGREED):
            now.conflicts.agree(update.link, flow.rules.unit_key(unit))

    def _both_values(self, update: ToUpdate, current: TargetRecord, decision: Decision) -> dict[str, Values]:
        key, source = self._flow.ledger.key, update.resolved.original.source
        return {
            key.source_side: {path: source[path] for path in decision.unit.sources},
            key.target_side: {one.path: current.get(one.path) for one in decision.unit.properties},
        }

    # -- writing

    def _write(self, planned: list[Planned]) -> list[ToUpdate]:
        flow = self._flow
        again: list[ToUpdate] = []
        requests = [UpdateRequest(one.current, one.writes) for one in planned]
        for some in answered(planned, flow.target.update(requests)):
            with flow.ledger.transaction() as now:
                for one, result in some:
                    if isinstance(result, Moved):
                        again.append(msgspec.structs.replace(one.update, intent=one.intent))
                    else:
                        self._end(now, one, result)
                now.intents.resolve(one.intent for one, result in some if isinstance(result, Written | Refused))
        return again

    def _end(self, now: Transaction, one: Planned, result: Result) -> None:
        """Store what became of a write. Where no answer came its intent stays, and the next run looks."""
        flow, link = self._flow, one.update.link
        resolved = one.update.resolved
        if isinstance(result, Refused):
            flow.outcomes.wait(now, resolved.original, PARKED, result.reason, result.details)
            return
        if not isinstance(result, Written):
            flow.outcomes.wait(now, resolved.original, PARKED, result.reason)
            return
        observe_own_write(link.target, result.current, flow.ledger.store.now())
        units = one.plan.units(Verdict.WRITE)
        agree_written(link, units, resolved.record, one.current, result.current, one.writes, flow.ledger.prints)
        for unit in units:
            now.conflicts.agree(link, flow.rules.unit_key(unit))
        now.links.save(link)
        outcome = Outcome.LINKED_UPDATED if one.update.found_now else Outcome.UPDATED
        self._finish(now, one.update, outcome, one.plan)

    def _finish(self, now: Transaction, update: ToUpdate, outcome: Outcome, result: Plan | None = None) -> None:
        flow, resolved = self._flow, update.resolved
        held = result.units(Verdict.HOLD) if result is not None else []
        if held:
            properties = ", ".join(flow.rules.unit_key(unit) for unit in held)
            flow.outcomes.wait(now, resolved.original, CONFLICT, f"edited on both sides: {properties}")
            return
        if resolved.missing:
            # What it refers to is not there yet; all else is done.
            flow.outcomes.wait(now, resolved.original, REFERENCE, f"waits for {', '.join(resolved.missing)}")
            return
        if result is None or not result.units(Verdict.KEEP):
            update.link.source.base.record_fingerprint = resolved.record.record_fingerprint
        flow.outcomes.finish(now, resolved.record.id, outcome)


def _outcome_without_write(update: ToUpdate, result: Plan) -> Outcome:
    if update.found_now:
        return Outcome.LINKED
    return Outcome.KEPT if result.units(Verdict.KEEP) else Outcome.AGREED


def _as_others_left_it(current: TargetRecord, link: Link) -> TargetRecord:
    """A record that was just made active again, which was no edit; where nobody ever edited it, any edit is newer."""
    edited_at = link.target.edited(current.version, current.modified_at)
    return msgspec.structs.replace(current, modified_at=edited_at or datetime.min.replace(tzinfo=timezone.utc))
