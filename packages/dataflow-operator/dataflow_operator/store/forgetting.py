"""Taking one person's readable data out of a link store."""

from __future__ import annotations

import json
from collections.abc import Collection

import msgspec
import sqlalchemy as sa
from record_sync.ledger.intents import open_writes
from record_sync.store import Store, tables

from dataflow_operator.errors import OperatorError
from dataflow_operator.store.opening import OpenStore, opened

_REASONS_OF_A_RUN = " First: "
"""Where the words on single records begin in the text that a run ended with."""


class Forgotten(msgspec.Struct, frozen=True):
    """What was taken out."""

    flow: str
    ids: dict[str, list[str]]
    """Side to the ids under which the record was looked for: it has, or had, them there."""
    waiting: int
    conflicts: int
    runs: int
    """Runs in whose first errors it stood."""


def forget(links_url: str, sync_name: str, flow: str, record_id: str) -> Forgotten:
    """Take out what can be read of a record, whichever side its id is of.

    The link stays, which holds ids and keyed fingerprints: without it the record would be taken for a new one where
    it is still there. On SQLite the file is written anew, so that nothing stays in pages that are free.

    Raises:
        OperatorError: there is no such store or flow, or a write to the record is still open.
        StoreLockedError: a run works with the store.
    """
    with opened(links_url, sync_name) as reading:
        (flow_id,) = reading.flow_ids(flow)
        sides = reading.sync.sides
    with Store(links_url, sides, sync_name) as store:
        with opened(links_url, sync_name) as reading:
            link_ids, ids = _records(reading, flow_id, record_id)
        with store.begin() as connection:
            _refuse_open_writes(connection, flow_id, ids)
            everywhere = {one for some in ids.values() for one in some}
            forgotten = Forgotten(
                flow,
                ids,
                waiting=_waiting(connection, flow_id, ids),
                conflicts=connection.execute(
                    sa.delete(tables.conflict).where(tables.conflict.c.link_id.in_(link_ids))
                ).rowcount,
                runs=_first_errors(connection, store.sync_id, flow, everywhere),
            )
        store.rewrite()
    return forgotten


def _records(store: OpenStore, flow_id: int, record_id: str) -> tuple[list[int], dict[str, list[str]]]:
    """The record's links, and all ids under which rows about it may stand."""
    link, alias = tables.link.c, tables.alias.c
    former = sa.select(alias.link_id).where(alias.record_id == record_id)
    mine = (link.left_id == record_id) | (link.right_id == record_id) | link.id.in_(former)
    rows = store.connection.execute(sa.select(tables.link).where(link.flow_id == flow_id, mine)).all()
    left, right = store.sync.sides
    ids: dict[str, set[str]] = {left: {record_id}, right: {record_id}}
    for row in rows:
        ids[left].add(row.left_id)
        ids[right].add(row.right_id)
        for one in store.connection.execute(sa.select(tables.alias).where(alias.link_id == row.id)):
            ids[left if one.scope_id == row.left_scope else right].add(one.record_id)
    return [row.id for row in rows], {side: sorted(some) for side, some in ids.items()}


def _refuse_open_writes(connection: sa.Connection, flow_id: int, ids: dict[str, list[str]]) -> None:
    for one in open_writes(connection, [flow_id]):
        written = {side: one.intent.target_id if side == one.side else one.intent.source_id for side in ids}
        if any(written[side] in some for side, some in ids.items()):
            raise OperatorError(
                "A write to this record was begun, and its answer is not known yet: without what is kept of it the "
                "record could be created twice. Run the sync once, which finds out, then forget it."
            )


def _waiting(connection: sa.Connection, flow_id: int, ids: dict[str, list[str]]) -> int:
    waiting, reserved = tables.waiting.c, tables.reserved.c
    taken = 0
    for side, some in ids.items():
        mine = (waiting.flow_id == flow_id) & (waiting.side == side) & waiting.record_id.in_(some)
        connection.execute(sa.delete(tables.reserved).where(reserved.waiting_id.in_(sa.select(waiting.id).where(mine))))
        taken += connection.execute(sa.delete(tables.waiting).where(mine)).rowcount
    return taken


def _first_errors(connection: sa.Connection, sync_id: int, flow: str, ids: Collection[str]) -> int:
    run = tables.run.c
    changed = 0
    for row in connection.execute(sa.select(tables.run).where(run.sync_id == sync_id)).all():
        errors = json.loads(row.first_errors)
        kept = [one for one in errors if not (one["flow"] == flow and one["id"] in ids)]
        error, found, words = (row.error or "").partition(_REASONS_OF_A_RUN)
        named = found and any(f"{one}: " in words for one in ids)
        if len(kept) < len(errors) or named:
            values = {"first_errors": json.dumps(kept), "error": error if named else row.error}
            connection.execute(sa.update(tables.run).where(run.id == row.id).values(values))
            changed += 1
    return changed
