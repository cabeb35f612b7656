"""Conflicts: values that lost, and those that wait for a person. Kept until settled, then thirty days."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from record_sync.store import tables
from record_sync.store.store import FlowKey, Store

KEEP_SETTLED_MS = 30 * 24 * 3_600_000


class Conflicts:
    """The conflicts of one flow."""

    def __init__(self, store: Store, flow: FlowKey) -> None:
        self._store = store
        self._flow = flow

    def put(
        self,
        connection: sa.Connection,
        link_id: int,
        unit: str,
        winner: str | None,
        values: dict[str, dict[str, Any]],
    ) -> None:
        """Keep both sides' values of a unit; ``winner`` is None while a person has to decide.

        A conflict that is told already is brought up to date instead of being told twice.
        """
        now = self._store.now_ms()
        columns = tables.conflict.c
        state = "open" if winner is None else "kept"
        body = msgspec.json.encode(values)
        same = (columns.link_id == link_id) & (columns.unit == unit) & (columns.state == state)
        if winner is not None:
            # Told again after a crash or a second attempt at the same write.
            same &= columns.both == body
        if connection.execute(sa.update(tables.conflict).where(same).values(both=body, at=now)).rowcount:
            return
        connection.execute(
            sa.insert(tables.conflict).values(
                flow_id=self._flow.id,
                link_id=link_id,
                unit=unit,
                state=state,
                winner=winner,
                both=body,
                at=now,
            )
        )

    def settle(self, connection: sa.Connection, link_id: int, unit: str) -> None:
        """Both sides say the same now: nobody has to decide any more."""
        columns = tables.conflict.c
        connection.execute(
            sa.update(tables.conflict)
            .where(columns.link_id == link_id, columns.unit == unit, columns.state == "open")
            .values(state="settled", settled_at=self._store.now_ms())
        )

    def purge(self, connection: sa.Connection) -> None:
        """Forget what was settled thirty days ago."""
        columns = tables.conflict.c
        connection.execute(
            sa.delete(tables.conflict).where(
                columns.state == "settled", columns.settled_at < self._store.now_ms() - KEEP_SETTLED_MS
            )
        )
