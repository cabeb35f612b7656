"""How a link moves on: what is agreed after a plan, a write, a creation, or a look. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from record_sync.canonical import canonical, same
from record_sync.fingerprint import Fingerprints
from record_sync.intent import Intent
from record_sync.plan import Plan, Verdict, is_as_sent, target_unchanged
from record_sync.record import GONE, Base, Link, LinkSide, SourceRecord, TargetRecord
from record_sync.rules import Unit
from record_sync.values import Value, Values

_ESCAPED = frozenset("&<>\"'")


def observe(end: LinkSide, version: str | None, modified_at: datetime | None) -> bool:
    """Take into account that a record was read at a version; tells whether that is news."""
    if version == end.version and modified_at == end.modified_at:
        return False
    end.edited_at = end.edited(version, modified_at)
    end.base.record_fingerprint = None
    end.version = version
    end.modified_at = modified_at
    return True


def observe_target(end: LinkSide, current: TargetRecord, prints: Fingerprints) -> bool:
    """Take a record into account as it was read before our next write; tells whether its version is news.

    What it says of values that were sent is told from edits now, as that write moves the version.
    """
    at_own_write = end.is_at_own_write(current.version)
    for path, sent in list(end.base.provisional.items()):
        if path in current.values:
            value = current.values[path]
            kept = is_as_sent(end.base, path, value, prints, at_own_write=at_own_write)
            end.base.agree(path, prints.of(value) if kept else sent)
    return observe(end, current.version, current.modified_at)


def observe_gone(end: LinkSide, now: datetime) -> None:
    """Take into account that a record was looked up and is not there; what was read before says nothing of that."""
    end.state = GONE
    end.written_at = now


def observe_own_write(end: LinkSide, answer: TargetRecord, now: datetime) -> None:
    """Take into account the answer to our own write, which is nobody's edit."""
    end.base.record_fingerprint = None
    end.version = end.own_version = answer.version
    end.modified_at = answer.modified_at
    end.written_at = now


def agree_source(link: Link, unit: Unit, incoming: SourceRecord, prints: Fingerprints) -> None:
    """The source's values of a unit are agreed."""
    for path in unit.sources:
        link.source.base.agree(path, prints.of(incoming.source[path]))


def agree_target(link: Link, unit: Unit, current: TargetRecord, sent: Values, prints: Fingerprints) -> None:
    """The target's values of a unit are agreed: as answered, or as sent where the answer does not say."""
    for one in unit.properties:
        if one.path in current.values:
            link.target.base.agree(one.path, _answered(current.values[one.path], sent.get(one.path), prints))
        elif one.path in sent:
            link.target.base.expect(one.path, prints.of_sent(sent[one.path]))


def _answered(value: Value, sent: Value, prints: Fingerprints) -> bytes:
    """The fingerprint of an answered value; one that repeats what was sent may be an echo, and kept HTML-escaped."""
    return prints.of_sent(value) if value == sent and _is_escapable(value) else prints.of(value)


def _is_escapable(value: Value) -> bool:
    return isinstance(value, str) and not _ESCAPED.isdisjoint(value)


def agree_without_write(
    link: Link, plan: Plan, incoming: SourceRecord, current: TargetRecord, prints: Fingerprints
) -> None:
    """What a plan agrees on before anything is written."""
    for unit in plan.units(Verdict.AGREED):
        agree_source(link, unit, incoming, prints)
        agree_target(link, unit, current, {}, prints)
    for unit in plan.units(Verdict.KEEP):
        # The other direction carries the value over, so it must see it as not agreed yet.
        if target_unchanged(unit, link.target, current, prints):
            for one in unit.properties:
                link.target.base.forget(one.path)


def agree_written(
    link: Link,
    units: list[Unit],
    incoming: SourceRecord,
    before: TargetRecord,
    answer: TargetRecord,
    sent: Values,
    prints: Fingerprints,
) -> None:
    """What is agreed once the units' values were written over ``before``."""
    # What was not sent stands as it was read.
    unsent = {path: value for path, value in before.values.items() if path not in sent}
    known = TargetRecord(answer.id, answer.version, answer.modified_at, {**unsent, **answer.values})
    for unit in units:
        agree_source(link, unit, incoming, prints)
        agree_target(link, unit, known, sent, prints)


def agree_found_update(
    intent: Intent, source: LinkSide, target: LinkSide, current: TargetRecord, prints: Fingerprints, now: datetime
) -> None:
    """An update without an answer: the values that equal what was sent are ours, others are somebody's edit since."""
    target.edited_at = intent.target_edited_at
    untouched = True
    for unit in intent.units:
        ours = all(
            prints.of(canonical(unit.kinds[path], current.get(path))) == mark for path, mark in unit.sent.items()
        )
        if not ours:
            untouched = False
            continue
        for path, mark in unit.source.items():
            source.base.agree(path, mark)
        for path in unit.sent:
            target.base.agree(path, prints.of(current.get(path)))
    untouched = untouched and all(
        prints.of(current.values[path]) == mark for path, mark in target.base.firm.items() if path in current.values
    )
    target.version, target.modified_at = current.version, current.modified_at
    target.written_at = now
    if untouched and is_next_version(intent.over_version, current.version):
        target.own_version = current.version
    else:
        target.edited_at = current.modified_at


def is_next_version(over: str | None, now: str | None) -> bool:
    """Whether a version is the one that a single write made; where versions are no counts it may be."""
    if over is None or now is None or not (over.isdecimal() and now.isdecimal()):
        return True
    return int(now) == int(over) + 1


def creating_side(intent: Intent, record_fingerprint: bytes | None) -> LinkSide:
    """The side of a record that a creation was made of, as it was when the creation was sent."""
    return LinkSide(
        id=intent.source_id,
        version=intent.source_version,
        modified_at=intent.source_modified_at,
        edited_at=intent.source_modified_at,
        base=Base(dict(intent.source), record_fingerprint=record_fingerprint),
    )


def created_side(
    intent: Intent, answer: TargetRecord, paths: Iterable[str], prints: Fingerprints, now: datetime
) -> LinkSide:
    """The side of a record that a creation made, as its answer says: whatever the system made of it is agreed."""
    sent, end = intent.values, LinkSide(id=answer.id)
    observe_own_write(end, answer, now)
    firm = prints.of_all(answer.values, frozenset(paths))
    firm.update(
        (path, _answered(value, sent.get(path), prints))
        for path, value in answer.values.items()
        if path in firm and _is_escapable(value)
    )
    end.base = Base(firm, {path: prints.of_sent(sent.get(path)) for path in paths if path not in answer.values})
    return end


def found_side(
    intent: Intent,
    current: TargetRecord,
    paths: Iterable[str],
    kinds: Mapping[str, str],
    prints: Fingerprints,
    now: datetime,
) -> LinkSide:
    """The side of a record that a creation made and that was found later: what differs somebody edited since."""
    end = LinkSide(id=current.id, version=current.version, modified_at=current.modified_at, written_at=now)
    untouched = True
    for path in paths:
        sent, value = intent.values.get(path), current.values.get(path)
        if path not in current.values:
            end.base.expect(path, prints.of_sent(sent))
        elif same("text", sent, value) or same(kinds.get(path, "text"), sent, value):
            end.base.agree(path, prints.of(value))
        else:
            # What was sent is what both sides last agreed on.
            end.base.expect(path, prints.of_sent(sent))
            untouched = False
    if untouched:
        end.own_version = current.version
    else:
        end.edited_at = current.modified_at
    return end
