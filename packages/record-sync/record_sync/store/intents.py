"""Intents: writes that were begun and whose answer is not stored yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from record_sync.store import tables
from record_sync.store.among import among
from record_sync.store.links import chunks
from record_sync.store.store import FlowKey, Store
from record_sync.store.tables import insert_all
from record_sync.store.times import from_ms, to_ms
from record_sync.values import Values

_TOWARDS = (
    sa.select(tables.intent)
    .where(tables.intent.c.flow_id == sa.bindparam("flow"), tables.intent.c.side == sa.bindparam("of_side"))
    .order_by(tables.intent.c.id)
)
_ANY_TOWARDS = _TOWARDS.with_only_columns(tables.intent.c.id).order_by(None).limit(1)


class SentUnit(msgspec.Struct):
    """What an update sent for one unit: fingerprints of the source's raw and the target's canonical values."""

    source: dict[str, bytes]
    sent: dict[str, bytes]
    kinds: dict[str, str]


class Intent(msgspec.Struct):
    """One write that was begun."""

    kind: str
    """create, update, or remove: one that may be undone, a deactivation"""
    source_id: str
    source_version: str | None = None
    source_modified_at: datetime | None = None
    source: dict[str, bytes] = msgspec.field(default_factory=dict)
    """create: fingerprints of the source's raw values"""
    values: Values = msgspec.field(default_factory=dict)
    """create: what was sent, to find the record by"""
    units: list[SentUnit] = msgspec.field(default_factory=list)
    """update: what was sent"""
    target_id: str | None = None
    link_id: int | None = None
    over_version: str | None = None
    target_edited_at: datetime | None = None
    """update: when the target had last been edited by somebody other than us"""
    server_clock: datetime | None = None
    """The last sight of the target server's clock before the write."""
    id: int | None = None


class Intents:
    """The intents of one flow."""

    def __init__(self, store: Store, flow: FlowKey) -> None:
        self._store = store
        self._flow = flow

    def add(self, connection: sa.Connection, intents: Sequence[Intent]) -> None:
        """Commit intents before their writes are sent."""
        if not intents:
            return
        once = (self._flow.id, self._flow.target_side, self._store.now_ms())
        rows = [(*once, *_row(intent)) for intent in intents]
        for intent, new_id in zip(intents, insert_all(connection, tables.intent, _COLUMNS, rows), strict=True):
            intent.id = new_id

    def remove(self, connection: sa.Connection, ids: Collection[int | None]) -> None:
        """Forget intents that are settled."""
        for some in chunks([one for one in ids if one is not None]):
            connection.execute(sa.delete(tables.intent).where(among(tables.intent.c.id, some)))

    def any_towards(self, connection: sa.Connection, side: str) -> bool:
        """Whether a write to a side is open."""
        return connection.scalar(_ANY_TOWARDS, {"flow": self._flow.id, "of_side": side}) is not None

    def towards(self, connection: sa.Connection, side: str) -> list[Intent]:
        """The open intents that write to a side, oldest first."""
        return [_intent(row) for row in connection.execute(_TOWARDS, {"flow": self._flow.id, "of_side": side})]


class _Body(msgspec.Struct):
    source_version: str | None
    source_modified_at: datetime | None
    source: dict[str, bytes]
    values: Values
    units: list[SentUnit]
    target_edited_at: datetime | None


_COLUMNS = (
    *("flow_id", "side", "created_at"),
    *("kind", "source_id", "target_id", "link_id", "over_version", "server_clock", "body"),
)
_encode = msgspec.json.Encoder().encode


def _row(intent: Intent) -> tuple[Any, ...]:
    """What is of the intent alone, as its columns come."""
    body = _Body(
        intent.source_version,
        intent.source_modified_at,
        intent.source,
        intent.values,
        intent.units,
        intent.target_edited_at,
    )
    return (
        intent.kind,
        intent.source_id,
        intent.target_id,
        intent.link_id,
        intent.over_version,
        to_ms(intent.server_clock),
        _encode(body),
    )


def _intent(row: sa.Row[tuple[object, ...]]) -> Intent:
    body = msgspec.json.decode(row.body, type=_Body)
    return Intent(
        kind=row.kind,
        source_id=row.source_id,
        target_id=row.target_id,
        link_id=row.link_id,
        over_version=row.over_version,
        server_clock=from_ms(row.server_clock),
        id=row.id,
        **msgspec.structs.asdict(body),
    )
