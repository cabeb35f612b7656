"""Conflicts: values that lost, and those that wait for a person. Kept until settled, then thirty days."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa

from record_sync.store import tables
from record_sync.store.among import among, among_named
from record_sync.store.links import chunks
from record_sync.store.store import FlowKey, Store
from record_sync.values import Values

KEEP_SETTLED_MS = 30 * 24 * 3_600_000


_columns = tables.conflict.c
_OF_FLOW = _columns.flow_id == sa.bindparam("flow")
_TAKEN = sa.select(_columns.link_id, _columns.unit, _columns.winner).where(
    _OF_FLOW, among_named(_columns.link_id, "links"), _columns.state == "taken"
)
_LINKS_TAKEN = sa.select(_columns.link_id).where(_OF_FLOW, _columns.state == "taken").distinct()
_TO_PUT_BACK = sa.select(tables.conflict).where(
    _OF_FLOW, _columns.state == "putback", _columns.winner != sa.bindparam("side")
)
_PURGE = sa.delete(tables.conflict).where(
    _OF_FLOW,
    ((_columns.state == "settled") & (_columns.settled_at < sa.bindparam("old")))
    | ((_columns.state == "kept") & (_columns.at < sa.bindparam("old"))),
)


class PutBack(msgspec.Struct, frozen=True):
    """Values that lost, and are wanted back on their side."""

    id: int
    link_id: int
    values: Values


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
        same = (columns.link_id == link_id) & (columns.unit == unit)
        # One that a person has decided already stays decided.
        same &= columns.state.in_(("open", "taken") if winner is None else ("kept",))
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

    def taken(self, connection: sa.Connection, link_ids: Collection[int]) -> dict[int, dict[str, str]]:
        """What persons decided on open conflicts of these links: by unit, the side whose values are to stand."""
        found: dict[int, dict[str, str]] = {}
        for some in chunks(link_ids):
            for row in connection.execute(_TAKEN, {"flow": self._flow.id, "links": some}):
                found.setdefault(row.link_id, {})[row.unit] = row.winner
        return found

    def links_taken(self, connection: sa.Connection) -> list[int]:
        """The links on whose conflicts somebody decided."""
        return list(connection.scalars(_LINKS_TAKEN, {"flow": self._flow.id}))

    def to_put_back(self, connection: sa.Connection, side: str) -> list[PutBack]:
        """The lost values of a side that somebody wants back."""
        rows = connection.execute(_TO_PUT_BACK, {"flow": self._flow.id, "side": side})
        return [PutBack(row.id, row.link_id, msgspec.json.decode(row.both)[side]) for row in rows]

    def settle_one(self, connection: sa.Connection, conflict_id: int) -> None:
        """This conflict is done with."""
        connection.execute(
            sa.update(tables.conflict)
            .where(tables.conflict.c.id == conflict_id)
            .values(state="settled", settled_at=self._store.now_ms())
        )

    def leave(self, connection: sa.Connection, conflict_id: int) -> None:
        """The value that was wanted back cannot be: it is kept on, as before."""
        connection.execute(sa.update(tables.conflict).where(tables.conflict.c.id == conflict_id).values(state="kept"))

    def settle(self, connection: sa.Connection, units: Collection[tuple[int, str]]) -> None:
        """Both sides say the same now on these links' units: nobody has to decide any more."""
        columns = tables.conflict.c
        for some in chunks({link_id for link_id, _ in units}):
            query = sa.select(columns.id, columns.link_id, columns.unit).where(
                among(columns.link_id, some), columns.state.in_(("open", "taken"))
            )
            for row in connection.execute(query).all():
                if (row.link_id, row.unit) in units:
                    self.settle_one(connection, row.id)

    def purge(self, connection: sa.Connection) -> None:
        """Forget what a person settled, or the policy decided, thirty days ago."""
        connection.execute(_PURGE, {"flow": self._flow.id, "old": self._store.now_ms() - KEEP_SETTLED_MS})
