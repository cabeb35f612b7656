"""Ids of other records, translated through those records' links."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from record_sync.ledger import Transaction
from record_sync.record import GONE, SourceRecord
from record_sync.rules import FlowRules


class Resolved(msgspec.Struct, frozen=True):
    """A record whose references are the target's ids; ``missing`` says what it waits for."""

    record: SourceRecord
    missing: tuple[str, ...] = ()
    received: SourceRecord | None = None
    """As it came in, where that differs."""

    @property
    def original(self) -> SourceRecord:
        """The record as it came in: what is kept where it has to wait."""
        return self.record if self.received is None else self.received


def resolve(now: Transaction, records: Sequence[SourceRecord], rules: FlowRules) -> list[Resolved]:
    """Translate every reference of these records.

    A reference to a record that a filter keeps out, or whose counterpart is gone, is left out; one to a record that is
    not linked yet is left out too, and named in ``missing``.
    """
    if not rules.references:
        return [Resolved(one) for one in records]
    translated: dict[str, dict[str, str]] = {}
    excluded: dict[str, set[str]] = {}
    for path, flow_name in rules.references.items():
        flow = now.flow_named(flow_name)
        ids = {str(one.values[path]) for one in records if one.values.get(path) is not None}
        if flow is None or not ids:
            continue
        links = {
            source_id: link for source_id, link in now.links_of(flow).of_sources(ids).items() if link.flow == flow_name
        }
        gone = {source_id for source_id, link in links.items() if link.target.state == GONE}
        translated[path] = {source_id: link.target.id for source_id, link in links.items() if source_id not in gone}
        excluded[path] = gone | now.waiting.excluded(flow.source_scope, ids)
    return [_resolve(one, rules, translated, excluded) for one in records]


def _resolve(
    record: SourceRecord,
    rules: FlowRules,
    translated: dict[str, dict[str, str]],
    excluded: dict[str, set[str]],
) -> Resolved:
    values, missing = dict(record.values), []
    for path, flow_name in rules.references.items():
        raw = values.get(path)
        if raw is None:
            continue
        target_id = translated.get(path, {}).get(str(raw))
        if target_id is not None:
            values[path] = target_id
            continue
        del values[path]
        if str(raw) not in excluded.get(path, ()):
            missing.append(f"{flow_name} {raw}")
    record_fingerprint = record.record_fingerprint if len(values) == len(record.values) else None
    return Resolved(
        msgspec.structs.replace(record, values=values, record_fingerprint=record_fingerprint), tuple(missing), record
    )
