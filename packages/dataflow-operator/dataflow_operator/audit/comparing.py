"""Two linked records, property by property, with what was last agreed on them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec
from record_sync.conflict import DELETED
from record_sync.fingerprint import Fingerprints
from record_sync.record import ENDED, GONE, SUSPECT, LinkSide, TargetRecord
from record_sync.rules import Unit
from record_sync.values import Value, Values, empty

from dataflow_operator.audit.flows import AuditedFlow, AuditedRow, other
from dataflow_operator.audit.report import BOTH, DIFFERS, MISSING, NEITHER, UNKNOWN, Difference, Finding
from dataflow_operator.store.audited import LinkedPair, OpenConflict, OpenWrite, Waits

LEFT_OUT = object()
"""In place of a reference's translation: it is not carried (the record it names is kept out or gone)."""


class Pending(msgspec.Struct, frozen=True):
    """All that waits about a pair."""

    waiting: dict[str, Waits] = {}
    """By the side of the record that waits."""
    conflicts: tuple[OpenConflict, ...] = ()
    writes: tuple[OpenWrite, ...] = ()


class Compared(msgspec.Struct, frozen=True):
    """What became of a pair."""

    compared: tuple[int, ...] = ()
    """Rows of the table, by their places, that both records say something of."""
    finding: Finding | None = None


References = Mapping[tuple[str, str, str], object]
"""Side, flow and id of a record that is referred to, to the other side's id of it, or ``LEFT_OUT``."""


def references_of(flow: AuditedFlow, side: str, values: Values) -> list[tuple[str, str, str]]:
    """The records of a side that a record refers to."""
    found = []
    for one in flow.rows:
        if one.row.link is not None:
            value = values.get(one.paths[side][0])
            if value is not None:
                found.append((side, one.row.link, str(value)))
    return found


def compare(
    flow: AuditedFlow,
    pair: LinkedPair,
    records: Mapping[str, TargetRecord | None],
    prints: Fingerprints,
    references: References = MappingProxyType({}),
    pending: Pending = Pending(),  # noqa: B008 - nothing in it can be changed
) -> Compared:
    """Compare two linked records.

    Args:
        flow: the rules.
        pair: the link.
        records: by side; None where the system has none under that id.
        prints: makes fingerprints.
        references: how ids in both records are translated.
        pending: what waits about them.
    """
    ids: dict[str, str | None] = {side: end.id for side, end in pair.ends.items()}
    if pair.state == ENDED:
        return Compared(finding=_returned(flow, pair, records, ids))
    missing = [side for side, record in records.items() if record is None]
    if missing:
        return Compared(finding=_missing(flow, pair, missing, ids, pending))
    there = {side: record for side, record in records.items() if record is not None}
    carried = {target: way.carried(there[other(target)].values) for target, way in flow.ways.items()}
    kept_out = [source for target, way in flow.ways.items() if way.is_kept_out(there[source := other(target)].values)]
    compared, differences = [], []
    for one in flow.rows:
        verdict = _says_the_same(one, there, carried, references)
        if verdict is None:
            continue
        compared.append(one.index)
        changed = None if verdict else _changed(one, pair, there, prints)
        # A number that nobody edited stands as it was agreed on, whatever country its record has got since.
        if changed is not None and not (changed == NEITHER and one.row.country):
            differences.append(
                Difference(
                    customcrm=one.row.customcrm,
                    tripletex=one.row.tripletex,
                    values={side: {path: there[side].get(path) for path in paths} for side, paths in one.paths.items()},
                    changed=changed,
                    explained=_explained(one, changed, there, prints, pending) or _left_alone(changed, kept_out),
                )
            )
    if not differences:
        return Compared(tuple(compared))
    names = ", ".join(dict.fromkeys(one.customcrm for one in differences))
    finding = Finding(flow.flow.name, DIFFERS, ids, f"differs in {names}", link=pair.id, differences=tuple(differences))
    return Compared(tuple(compared), finding)


# -- one row


def _says_the_same(
    one: AuditedRow, there: Mapping[str, TargetRecord], carried: Mapping[str, Values], references: References
) -> bool | None:
    """Whether a row's properties agree; None where no record mentions what could be carried.

    What is carried both ways agrees where either direction would write nothing: "22 33 44 55" and +4722334455 do.
    """
    verdicts = []
    for target, unit in one.units.items():
        source = other(target)
        values = carried[target]
        paths = one.paths[target]
        if any(path not in values for path in paths) or any(
            path not in there[source].values for path in one.paths[source]
        ):
            continue
        verdict = (
            _unit_says_the_same(unit, paths, values, there[target].values)
            if one.row.link is None
            else _refers_to_the_same(one.row.link, source, values[paths[0]], there[target].get(paths[0]), references)
        )
        if verdict is not None:
            verdicts.append(verdict)
    return any(verdicts) if verdicts else None


def _unit_says_the_same(unit: Unit, paths: tuple[str, ...], ours: Values, theirs: Values) -> bool | None:
    """Whether some properties of a unit agree, by themselves or with all of it.

    None of a country that one side gives an address, and the other side does not name.
    """
    differing = [one for one in unit.properties if one.path in paths and not one.same(ours, theirs)]
    if not differing or unit.same(ours, theirs):
        return True
    is_given = unit.group is not None and all(
        one.qualifies and (empty(ours.get(one.path)) or empty(theirs.get(one.path))) for one in differing
    )
    return None if is_given else False


def _refers_to_the_same(flow: str, source: str, raw: Value, now: Value, references: References) -> bool | None:
    """Whether an id is the counterpart of the source's; None where that is not carried."""
    wanted = None if empty(raw) else references.get((source, flow, str(raw)))
    if wanted is LEFT_OUT:
        return None
    return (empty(raw) or wanted is not None) and wanted == (None if empty(now) else str(now))


def _changed(one: AuditedRow, pair: LinkedPair, there: Mapping[str, TargetRecord], prints: Fingerprints) -> str:
    told = {side: _has_changed(end, one.paths[side], there[side], prints) for side, end in pair.ends.items()}
    if None in told.values():
        return UNKNOWN
    changed = [side for side, has in told.items() if has]
    return {0: NEITHER, 2: BOTH}.get(len(changed)) or changed[0]


def _has_changed(end: LinkSide, paths: tuple[str, ...], record: TargetRecord, prints: Fingerprints) -> bool | None:
    """Whether a side says otherwise than was last agreed; None where nothing ever was."""
    if not all(end.base.knows(path) for path in paths):
        return None
    at_own_write = record.version is not None and record.version == end.own_version
    for path in paths:
        value = record.get(path)
        if end.base.firm.get(path) == prints.of(value):
            continue
        expected = end.base.provisional.get(path)
        if expected is not None and (at_own_write or expected == prints.of_sent(value)):
            continue
        return True
    return False


def _explained(
    one: AuditedRow, changed: str, there: Mapping[str, TargetRecord], prints: Fingerprints, pending: Pending
) -> str | None:
    """What waits and holds just this difference."""
    for conflict in pending.conflicts:
        if conflict.unit in one.conflict_keys:
            return f"conflict {conflict.id} is {conflict.state}"
    for write in pending.writes:
        if write.paths & set(one.paths[write.to]):
            return f"a write to {write.to} is open: its answer is not known yet"
    for side, waits in pending.waiting.items():
        if changed not in (side, BOTH, UNKNOWN):
            continue
        # What was edited since is not what waits.
        if all(
            path in waits.source and prints.of(waits.source[path]) == prints.of(there[side].get(path))
            for path in one.paths[side]
        ):
            return told(waits)
    return None


def _left_alone(changed: str, kept_out: list[str]) -> str | None:
    for side in kept_out:
        if changed in (side, BOTH, UNKNOWN):
            return f"the table's filter keeps the record of {side} out, so it is left alone"
    return None


def told(waits: Waits) -> str:
    """A record that waits, in words."""
    return f"number {waits.id} from {waits.side} waits ({waits.kind}): {waits.reason}"


# -- the record itself


def _missing(
    flow: AuditedFlow, pair: LinkedPair, missing: list[str], ids: dict[str, str | None], pending: Pending
) -> Finding:
    explained = None
    conflict = next((one for one in pending.conflicts if one.unit == DELETED), None)
    states = {side: pair.ends[side].state for side in missing}
    if conflict is not None:
        explained = f"conflict {conflict.id} is {conflict.state}: deleted on one side, edited on the other"
    elif GONE in states.values():
        (side,) = [one for one, state in states.items() if state == GONE][:1]
        explained = f"the next run that writes to {other(side)} passes the deletion on"
    elif SUSPECT in states.values():
        explained = "a complete read did not bring it; the next run looks it up"
    where = " and ".join(missing)
    return Finding(flow.flow.name, MISSING, ids, f"linked, and gone from {where}", explained, link=pair.id)


def _returned(
    flow: AuditedFlow, pair: LinkedPair, records: Mapping[str, TargetRecord | None], ids: dict[str, str | None]
) -> Finding | None:
    """A record whose deletion was passed on, and that is there again."""
    back = [side for side, end in pair.ends.items() if end.state == GONE and records[side] is not None]
    if not back:
        return None
    reason = f"was deleted in {' and '.join(back)}, and is there again"
    return Finding(flow.flow.name, DIFFERS, ids, reason, link=pair.id)
