"""Conflicts of one flow in a transaction: values that lost, and those that wait for a person."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa

from record_sync.conflict import DECIDED, LOST, OPEN, RESTORE_REQUESTED, SETTLED, Decisions, Lost, is_as_shown
from record_sync.record import Link
from record_sync.store import tables
from record_sync.store.sql_in import among_named
from record_sync.store.store import FlowKey, Store
from record_sync.values import Values

KEEP_SETTLED_MS = 30 * 24 * 3_600_000

_columns = tables.conflict.c
_OF_FLOW = _columns.flow_id == sa.bindparam("flow")
_DECIDED = sa.select(_columns.link_id, _columns.unit, _columns.winner).where(
    _OF_FLOW, among_named(_columns.link_id, "links"), _columns.state == DECIDED
)
_SHOWN = sa.select(_columns.both).where(
    _columns.link_id == sa.bindparam("link"), _columns.unit == sa.bindparam("of_unit"), _columns.state == DECIDED
)
_UNDONE = sa.select(_columns.id, _columns.state, _columns.both).where(
    _columns.link_id == sa.bindparam("link"),
    _columns.unit == sa.bindparam("of_unit"),
    _columns.state.in_((OPEN, DECIDED)),
)
_UNDONE_OF_LINKS = sa.select(_columns.id, _columns.link_id, _columns.unit).where(
    among_named(_columns.link_id, "links"), _columns.state.in_((OPEN, DECIDED))
)
_LINKS_DECIDED = sa.select(_columns.link_id).where(_OF_FLOW, _columns.state == DECIDED).distinct()
_TO_RESTORE = sa.select(tables.conflict).where(
    _OF_FLOW, _columns.state == RESTORE_REQUESTED, _columns.winner != sa.bindparam("side")
)
_PURGE = sa.delete(tables.conflict).where(
    _OF_FLOW,
    ((_columns.state == SETTLED) & (_columns.settled_at < sa.bindparam("old")))
    | ((_columns.state == LOST) & (_columns.at < sa.bindparam("old"))),
)


class Conflicts:
    """Conflicts are kept until they are settled, then thirty days."""

    def __init__(self, connection: sa.Connection, store: Store, flow: FlowKey) -> None:
        self._connection = connection
        self._store = store
        self._flow = flow
        self._agreed: set[tuple[int, str]] = set()

    # -- reading

    def decisions(self, links: Collection[Link]) -> Decisions:
        """What persons decided on open conflicts of these links: by unit, the side whose values are to stand."""
        found: dict[int, dict[str, str]] = {}
        ids = [link.id or 0 for link in links]
        asked = bool(ids) and not self._are_none()
        for row in self._connection.execute(_DECIDED, {"flow": self._flow.id, "links": ids}) if asked else ():
            found.setdefault(row.link_id, {})[row.unit] = row.winner
        return found

    def shown(self, link: Link, unit: str, side: str) -> Values:
        """What whoever decided on a unit was shown of a side."""
        both = self._connection.scalar(_SHOWN, {"link": link.id, "of_unit": unit})
        return {} if both is None else dict(msgspec.json.decode(both).get(side, {}))

    def _are_none(self) -> bool:
        return self._store.empty.is_empty(self._connection, tables.conflict, flow_id=self._flow.id)

    def links_decided(self) -> list[int]:
        """The links on whose conflicts somebody decided."""
        return list(self._connection.scalars(_LINKS_DECIDED, {"flow": self._flow.id}))

    def to_restore(self, side: str) -> list[Lost]:
        """The lost values of a side that somebody wants back."""
        found = []
        for row in self._connection.execute(_TO_RESTORE, {"flow": self._flow.id, "side": side}):
            values = msgspec.json.decode(row.both)[side]
            over = None if row.over is None else msgspec.json.decode(row.over)
            found.append(Lost(row.id, row.link_id, row.unit, values, over))
        return found

    # -- changing

    def open(self, link: Link, unit: str, values: dict[str, Values], *, is_news: bool = False) -> None:
        """A person has to decide on a unit; one that is open is brought up to date.

        One that is decided stays so, unless that was before a side came to say what it says now.
        """
        asked = {"link": link.id, "of_unit": unit}
        known = self._connection.execute(_UNDONE, asked).one_or_none() if link.id is not None else None
        if known is None:
            self._add(link, unit, OPEN, None, values)
            return
        shown = msgspec.json.decode(known.both)
        stands = all(is_as_shown(shown.get(side, {}), said) for side, said in values.items())
        if known.state == OPEN or is_news or not stands:
            body = msgspec.json.encode(values)
            self._set(known.id, state=OPEN, winner=None, both=body, at=self._store.now_ms())

    def lose(self, link: Link, unit: str, winner: str, values: dict[str, Values], over: Values) -> None:
        """A policy has decided on a unit: keep what the loser said, and what was written over it."""
        body = msgspec.json.encode(values)
        # Reported again after a crash or a second attempt at the same write.
        same = (_columns.link_id == link.id) & (_columns.unit == unit) & (_columns.state == LOST)
        again = sa.update(tables.conflict).where(same, _columns.both == body).values(at=self._store.now_ms())
        if not self._connection.execute(again).rowcount:
            self._add(link, unit, LOST, winner, values, over)

    def _add(
        self,
        link: Link,
        unit: str,
        state: str,
        winner: str | None,
        values: dict[str, Values],
        over: Values | None = None,
    ) -> None:
        written = None if over is None else msgspec.json.encode(over)
        row = {"link_id": link.id, "unit": unit, "state": state, "winner": winner, "over": written}
        once = {"flow_id": self._flow.id, "both": msgspec.json.encode(values), "at": self._store.now_ms()}
        self._store.empty.no_longer(tables.conflict, flow_id=self._flow.id)
        self._connection.execute(sa.insert(tables.conflict).values(**row, **once))

    def agree(self, link: Link, unit: str) -> None:
        """Both sides say the same on a unit now: nobody has to decide any more."""
        if link.id is not None:
            self._agreed.add((link.id, unit))

    def close(self, conflict_id: int) -> None:
        """This conflict is done with."""
        self._set(conflict_id, state=SETTLED, settled_at=self._store.now_ms())

    def leave(self, conflict_id: int) -> None:
        """The value that was wanted back cannot be: it is kept on as lost."""
        self._set(conflict_id, state=LOST)

    def _set(self, conflict_id: int, **values: Any) -> None:
        self._connection.execute(sa.update(tables.conflict).where(_columns.id == conflict_id).values(values))

    def purge(self) -> None:
        """Forget what a person settled, or a policy decided, thirty days ago."""
        self._connection.execute(_PURGE, {"flow": self._flow.id, "old": self._store.now_ms() - KEEP_SETTLED_MS})

    def send(self) -> None:
        """Send what was gathered."""
        if not self._agreed or self._are_none():
            return
        links = {link_id for link_id, _ in self._agreed}
        for row in self._connection.execute(_UNDONE_OF_LINKS, {"links": links}).all():
            if (row.link_id, row.unit) in self._agreed:
                self.close(row.id)
        self._agreed = set()
