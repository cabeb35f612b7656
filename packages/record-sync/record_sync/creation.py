"""The end of a creation, whoever found it out: its answer, a look at the target, or the line that reads the target."""

from __future__ import annotations

from record_sync.agreement import created_side, creating_side, found_side
from record_sync.conflict import DELETED
from record_sync.flow import Flow
from record_sync.intent import Intent
from record_sync.ledger import Transaction
from record_sync.record import GONE, Link, TargetRecord
from record_sync.rules import FlowRules
from record_sync.sent_records import Terms


def end_answered(
    flow: Flow,
    now: Transaction,
    intent: Intent,
    answer: TargetRecord,
    record_fingerprint: bytes | None,
    before: Link | None,
) -> Link:
    """The target answered: link both records.

    Args:
        flow: the one that created.
        now: the transaction that resolves the intent.
        intent: what was sent.
        answer: the record that was made.
        record_fingerprint: of the source's record, where all that it says was sent.
        before: the link of a counterpart that was made again.

    """
    target = created_side(intent, answer, _paths(flow.rules, intent), flow.ledger.prints, flow.ledger.store.now())
    link = Link(creating_side(intent, record_fingerprint), target, flow.rules.flow)
    return _keep(now, link, before)


def adopt(flow: Flow, now: Transaction, intent: Intent, current: TargetRecord, before: Link | None) -> Link:
    """The record that one of this flow's creations made was found in the target: link both."""
    kinds = Terms.of_target(flow.rules).kinds
    target = found_side(intent, current, _paths(flow.rules, intent), kinds, flow.ledger.prints, flow.ledger.store.now())
    return _keep(now, Link(creating_side(intent, None), target, flow.rules.flow), before)


def adopt_from_source(flow: Flow, now: Transaction, intent: Intent, current: TargetRecord, before: Link | None) -> Link:
    """The record that one of the other line's creations made came in from the source: link both."""
    kinds = Terms.of_source(flow.rules).kinds
    source = found_side(intent, current, current.values, kinds, flow.ledger.prints, flow.ledger.store.now())
    return _keep(now, Link(source, creating_side(intent, None), flow.rules.flow), before)


def is_open(link: Link | None, *, made: str) -> bool:
    """Whether a creation's link is still to be made: there is none, or its counterpart is gone.

    Args:
        link: of the record that the creation was made of.
        made: the side that it made, ``source`` or ``target``.

    """
    if link is None:
        return True
    return (link.source if made == "source" else link.target).state == GONE


def _paths(rules: FlowRules, intent: Intent) -> frozenset[str]:
    """The target's properties that both sides agree on by the creation."""
    if rules.source_paths <= intent.source.keys():
        return rules.lasting_paths
    return frozenset(
        one.path
        for unit in rules.units
        if all(path in intent.source for path in unit.sources)
        for one in unit.properties
    )


def _keep(now: Transaction, link: Link, before: Link | None) -> Link:
    if before is None:
        now.links.add(link)
        return link
    link.id = before.id
    now.links.rename_source(before, link.source.id)
    now.links.rename_target(before, link.target.id)
    now.links.save(link)
    now.conflicts.agree(link, DELETED)
    return link
