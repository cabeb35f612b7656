"""How a link moves on: what is agreed after a plan, a write, or a look."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from record_sync.fingerprint import Fingerprints
from record_sync.plan import Plan, Verdict, target_unchanged
from record_sync.record import Base, Current, End, Incoming, Link
from record_sync.rules import FlowRules, Unit
from record_sync.values import Values


def saw(end: End, version: str | None, modified_at: datetime | None) -> bool:
    """Take into account that a record was read at a version; tells whether that is news."""
    if version == end.version and modified_at == end.modified_at:
        return False
    end.edited_at = end.edited(version, modified_at)
    end.base.whole = None
    end.version = version
    end.modified_at = modified_at
    return True


def wrote(end: End, answer: Current, now: datetime) -> None:
    """Take into account the answer to our own write, which is nobody's edit."""
    end.base.whole = None
    end.version = end.own_version = answer.version
    end.modified_at = answer.modified_at
    end.written_at = now


def agree_source(link: Link, unit: Unit, incoming: Incoming, prints: Fingerprints) -> None:
    """The source's values of a unit are agreed."""
    for path in unit.sources:
        link.source.base.agree(path, prints.of(incoming.source[path]))


def agree_target(link: Link, unit: Unit, current: Current, sent: Values, prints: Fingerprints) -> None:
    """The target's values of a unit are agreed: as told, or as sent where the answer does not tell."""
    for one in unit.properties:
        if one.path in current.values:
            link.target.base.agree(one.path, prints.of(current.values[one.path]))
        elif one.path in sent:
            link.target.base.expect(one.path, prints.of_sent(sent[one.path]))


def settle_without_write(link: Link, plan: Plan, incoming: Incoming, current: Current, prints: Fingerprints) -> None:
    """What a plan agrees on before anything is written."""
    for unit in plan.units(Verdict.AGREED):
        agree_source(link, unit, incoming, prints)
        agree_target(link, unit, current, {}, prints)
    for unit in plan.units(Verdict.KEEP):
        # The other direction carries the value over, so it must see it as not agreed yet.
        if target_unchanged(unit, link.target, current, prints):
            for one in unit.properties:
                link.target.base.forget(one.path)


def settle_written(
    link: Link,
    units: list[Unit],
    incoming: Incoming,
    before: Current,
    answer: Current,
    sent: Values,
    prints: Fingerprints,
) -> None:
    """What is agreed once the units' values were written over ``before``."""
    for unit in units:
        agree_source(link, unit, incoming, prints)
        known = Current(
            id=answer.id,
            version=answer.version,
            modified_at=answer.modified_at,
            # What was not sent stands as it was read.
            values={
                **{path: value for path, value in before.values.items() if path not in sent},
                **answer.values,
            },
        )
        agree_target(link, unit, known, sent, prints)


def created_link(
    incoming: Incoming,
    answer: Current,
    sent: Values,
    rules: FlowRules,
    prints: Fingerprints,
    now: datetime,
    source_prints: Mapping[str, bytes],
) -> Link:
    """The link of a record and the one just created from it; the source's fingerprints are made already."""
    link = Link(source=End(id=incoming.id), target=End(id=answer.id), flow=rules.flow)
    saw(link.source, incoming.version, incoming.modified_at)
    wrote(link.target, answer, now)
    units = rules.mentioned(incoming.source, incoming.values)
    if units is rules.units:
        sources, targets = rules.source_paths, rules.lasting_paths
    else:
        sources = frozenset(path for unit in units for path in unit.sources)
        targets = frozenset(one.path for unit in units for one in unit.properties)
    link.source.base = Base(
        {path: mark for path, mark in source_prints.items() if path in sources}, whole=incoming.whole
    )
    link.target.base = Base(
        prints.of_all(answer.values, targets),
        {path: prints.of_sent(sent.get(path)) for path in targets - answer.values.keys()},
    )
    return link
