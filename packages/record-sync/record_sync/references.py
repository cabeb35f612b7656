"""Ids of other records, translated through those records' links."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import sqlalchemy as sa

from record_sync.record import GONE, Incoming
from record_sync.rules import FlowRules
from record_sync.store.links import Links
from record_sync.store.store import FlowKey
from record_sync.store.waiting import WaitingRecords


class Resolved(msgspec.Struct, frozen=True):
    """A record whose references are the target's ids; ``missing`` says what it waits for."""

    record: Incoming
    missing: tuple[str, ...] = ()
    original: Incoming | None = None
    """As it came in, where that differs."""


class ReferencedFlow(msgspec.Struct, frozen=True):
    """Where the links of a referenced flow are."""

    key: FlowKey
    links: Links


def resolve(
    connection: sa.Connection,
    records: Sequence[Incoming],
    rules: FlowRules,
    flow_of: Callable[[str], ReferencedFlow | None],
) -> list[Resolved]:
    """Translate every reference of these records.

    A reference to a record that a filter keeps out, or whose counterpart is gone, is left out; one to a record that is
    not linked yet is left out too, and named in ``missing``.
    """
    if not rules.references:
        return [Resolved(one) for one in records]
    translated: dict[str, dict[str, str]] = {}
    excluded: dict[str, set[str]] = {}
    for path, flow_name in rules.references.items():
        flow = flow_of(flow_name)
        ids = {str(one.values[path]) for one in records if one.values.get(path) is not None}
        if flow is None or not ids:
            continue
        links = {
            source_id: link
            for source_id, link in flow.links.of_sources(connection, ids).items()
            if link.flow == flow_name
        }
        gone = {source_id for source_id, link in links.items() if link.target.state == GONE}
        translated[path] = {source_id: link.target.id for source_id, link in links.items() if source_id not in gone}
        excluded[path] = gone | WaitingRecords.excluded(connection, flow.key.source_scope, ids)
    return [_resolve(one, rules, translated, excluded) for one in records]


def _resolve(
    record: Incoming,
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
    whole = record.whole if len(values) == len(record.values) else None
    return Resolved(msgspec.structs.replace(record, values=values, whole=whole), tuple(missing), record)
