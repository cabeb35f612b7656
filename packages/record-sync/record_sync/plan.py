"""What to do with a change: a pure function of the change, what was last agreed, and the target as it is now.

Nothing here reads or writes anything, and nothing here depends on which system is which: planned from either side,
a conflict has the same winner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from types import MappingProxyType

import msgspec

from record_sync.canonical import stated_form
from record_sync.fingerprint import Fingerprints
from record_sync.record import GONE, Base, Link, LinkSide, SourceRecord, TargetRecord
from record_sync.rules import FlowRules, Property, Unit
from record_sync.values import Value, Values, empty


class Verdict(Enum):
    """What becomes of one unit of properties."""

    AGREED = "agreed"
    """Both sides say the same already."""
    WRITE = "write"
    """The source's values go to the target."""
    KEEP = "keep"
    """The target's values stay, and reach the source by the other direction."""
    HOLD = "hold"
    """A person decides; both stay as they are."""


class Decision(msgspec.Struct, frozen=True):
    """One unit's verdict; ``contested`` where somebody's value loses, or would."""

    unit: Unit
    verdict: Verdict
    contested: bool = False
    written: tuple[Property, ...] = ()
    """Of a verdict to write: the properties that are, where they differ."""

    def values(self, incoming: SourceRecord) -> Values:
        """What they are to hold."""
        return {one.path: incoming.values[one.path] for one in self.written}


class Changed(msgspec.Struct, frozen=True):
    """What the source changed since the last agreement."""

    units: tuple[Unit, ...]
    confirmed: dict[str, bytes]
    """What this read says of values that were sent: how the system keeps them."""


class Plan(msgspec.Struct, frozen=True):
    """The decisions on a change, and what is to be written."""

    decisions: tuple[Decision, ...]

    def units(self, verdict: Verdict) -> list[Unit]:
        """The units with a verdict."""
        return [one.unit for one in self.decisions if one.verdict is verdict]

    @property
    def contested(self) -> list[Decision]:
        """Decisions in which somebody's value loses or waits."""
        return [one for one in self.decisions if one.contested]

    def written(self, incoming: SourceRecord) -> Values:
        """What the target is to hold of the units that the source won."""
        return {path: value for decision in self.decisions for path, value in decision.values(incoming).items()}

    def writes(self, incoming: SourceRecord, current: TargetRecord) -> Values:
        """The properties to write: of the units the source won, those that differ."""
        return {
            one.path: incoming.values[one.path]
            for decision in self.decisions
            for one in decision.written
            if not one.same(incoming.values, current.values)
        }


def is_stale(incoming: SourceRecord, source: LinkSide) -> bool:
    """Whether the record is an earlier state, read before our own last write to it, or before it was found to be gone.

    An earlier state read *after* that is real: somebody restored it.
    """
    return (
        (source.state == GONE or incoming.older_than(source))
        and source.written_at is not None
        and incoming.read_at is not None
        and incoming.read_at < source.written_at
    )


def changed(incoming: SourceRecord, source: LinkSide | None, rules: FlowRules, prints: Fingerprints) -> Changed:
    """Which units the source changed since the last agreement; all it mentions, where there was none."""
    confirmed: dict[str, bytes] = {}
    units = []
    base = source.base if source else Base()
    at_own_write = source is not None and source.is_at_own_write(incoming.version)
    for unit in rules.mentioned(incoming.source, incoming.values):
        differs = False
        for path in unit.sources:
            raw = incoming.source[path]
            fingerprint = prints.of(raw)
            if base.firm.get(path) == fingerprint:
                continue
            if is_as_sent(base, path, raw, prints, at_own_write=at_own_write):
                confirmed[path] = fingerprint
                continue
            differs = True
        if differs:
            units.append(unit)
    return Changed(tuple(units), confirmed)


def is_as_sent(base: Base, path: str, value: Value, prints: Fingerprints, *, at_own_write: bool) -> bool:
    """Whether a value is what was sent, as the system keeps it; what it kept of an answerless write is what it says."""
    if path in base.provisional:
        return at_own_write or base.provisional[path] == prints.of_sent(value)
    return path in base.firm and base.firm[path] == prints.of_sent(value)


def plan(
    incoming: SourceRecord,
    units: tuple[Unit, ...],
    link: Link | None,
    current: TargetRecord,
    rules: FlowRules,
    prints: Fingerprints,
    taken: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """Decide each changed unit against the target's current record.

    Args:
        incoming: the record of the source.
        units: what it changed (:func:`changed`).
        link: what was last agreed; ``None`` for two records that were just found to be the same one.
        current: the target's record as it is now.
        rules: the flow's.
        prints: makes fingerprints.
        taken: the sides that a person took, by the units' keys.
    """
    return Plan(
        tuple(_decide(unit, incoming, link, current, rules, prints, taken.get(rules.unit_key(unit))) for unit in units)
    )


def _decide(
    unit: Unit,
    incoming: SourceRecord,
    link: Link | None,
    current: TargetRecord,
    rules: FlowRules,
    prints: Fingerprints,
    taken: str | None,
) -> Decision:
    ours, theirs = incoming.values, current.values
    if unit.same(ours, theirs) or (link is None and _same_but_for_given_countries(unit, ours, theirs)):
        return Decision(unit, Verdict.AGREED)
    agreed_before = link is not None and all(link.source.base.knows(path) for path in unit.sources)
    if link is not None and agreed_before and target_unchanged(unit, link.target, current, prints):
        return _write(unit, incoming, current, spared=_unchanged_blanks(unit, incoming, link.source.base, prints))
    if taken is not None:
        return _write(unit, incoming, current) if taken == rules.source_side else Decision(unit, Verdict.KEEP)
    ours_says_more = _says_more(unit, ours, theirs)
    if ours_says_more:
        blanks = [one for one in unit.properties if one.qualifies and empty(ours.get(one.path))]
        return _write(unit, incoming, current, contested=agreed_before, spared=blanks)
    if ours_says_more is False:
        return Decision(unit, Verdict.KEEP, contested=agreed_before)
    if unit.policy == "manual":
        return Decision(unit, Verdict.HOLD, contested=True)
    if winner(unit.policy, incoming, link, current, rules) == rules.source_side:
        return _write(unit, incoming, current, contested=True)
    return Decision(unit, Verdict.KEEP, contested=True)


def _same_but_for_given_countries(unit: Unit, ours: Values, theirs: Values) -> bool:
    """Whether two records that were never in step say the same, save that one names the country that goes unsaid."""
    return all(
        one.same(ours, theirs)
        or (
            one.qualifies
            and stated_form(one.compare, ours.get(one.path)) == stated_form(one.compare, theirs.get(one.path))
        )
        for one in unit.properties
    )


def _says_more(unit: Unit, ours: Values, theirs: Values) -> bool | None:
    """Whether the source says something where the target says nothing, or less of the same group; none where neither.

    A value goes before no value, so it needs no policy where one side has all that the other one has. A country alone
    is no address, and no number.
    """
    offered, present = unit.weight(ours), unit.weight(theirs)
    if offered == present:
        return None
    more = offered > present
    if (offered[0] == 0) != (present[0] == 0) or (0, 0) in (offered, present):
        return more
    is_part = unit.group is not None and unit.is_part(*((theirs, ours) if more else (ours, theirs)))
    return more if is_part else None


def _unchanged_blanks(unit: Unit, incoming: SourceRecord, base: Base, prints: Fingerprints) -> list[Property]:
    """What the source does not have, and countries that it still leaves out: the target's own stay."""
    return [
        one
        for one in unit.properties
        if (one.qualifies or not one.sources)
        and empty(incoming.values[one.path])
        and all(base.firm.get(path) == prints.of(incoming.source[path]) for path in one.sources)
    ]


def _write(
    unit: Unit,
    incoming: SourceRecord,
    current: TargetRecord,
    *,
    contested: bool = False,
    spared: Sequence[Property] = (),
) -> Decision:
    """Write a unit whole, its empty values too, but for what is spared; where the rest is the same, it is agreed."""
    written = tuple(one for one in unit.properties if one not in spared)
    if all(one.same(incoming.values, current.values) for one in written):
        return Decision(unit, Verdict.AGREED)
    return Decision(unit, Verdict.WRITE, contested, written)


def target_unchanged(unit: Unit, target: LinkSide, current: TargetRecord, prints: Fingerprints) -> bool:
    """Whether the target still says what was last agreed on a unit; on what the source does not have nothing was."""
    return all(_is_unchanged(one, target, current, prints) for one in unit.properties if one.sources)


def _is_unchanged(one: Property, target: LinkSide, current: TargetRecord, prints: Fingerprints) -> bool:
    value = current.get(one.path)
    return target.base.firm.get(one.path) == prints.of(value) or is_as_sent(
        target.base, one.path, value, prints, at_own_write=target.is_at_own_write(current.version)
    )


def winner(policy: str, incoming: SourceRecord, link: Link | None, current: TargetRecord, rules: FlowRules) -> str:
    """Which side a conflict falls to. Our own writes are no edits; equal times fall to ``rules.tie``."""
    if policy != "latest":
        return policy
    source_time, target_time = edit_times(incoming, link, current)
    if source_time is None or target_time is None or source_time == target_time:
        return rules.tie
    return rules.source_side if source_time > target_time else rules.target_side


def edit_times(
    incoming: SourceRecord, link: Link | None, current: TargetRecord
) -> tuple[datetime | None, datetime | None]:
    """When each side's record was last edited by somebody other than us."""
    if link is None:
        return incoming.modified_at, current.modified_at
    return (
        link.source.edited(incoming.version, incoming.modified_at),
        link.target.edited(current.version, current.modified_at),
    )


def deletion_is_contested(link: Link, current: TargetRecord, rules: FlowRules, prints: Fingerprints) -> bool:
    """Whether the target was edited since the last agreement, so that a deletion must not be passed on.

    Where nothing was ever agreed on, as a run ended between linking and merging, nobody knows.
    """
    base = link.target.base
    return not (base.firm or base.provisional) or any(
        base.knows(one.path) and not _is_unchanged(one, link.target, current, prints)
        for unit in rules.units
        for one in unit.properties
    )
