"""The circuit breaker: a run that would delete or overwrite much of what is there stops and asks."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from record_sync.errors import BreakerOpenError
from record_sync.store import tables
from record_sync.store.store import FlowKey, Store

DELETIONS = "deletions"
OVERWRITES = "overwrites"


class Limits(msgspec.Struct, frozen=True):
    """How much of what is linked one run may change without asking. Shares are of a flow's links."""

    delete_share: float = 0.1
    overwrite_share: float = 0.5
    floor: int = 20
    """So many are always allowed: in a small register every share is soon reached."""


USUAL = Limits()


class Breaker:
    """Counts one flow's destructive writes in one run."""

    def __init__(self, store: Store, key: FlowKey, limits: Limits) -> None:
        self._store = store
        self._key = key
        self._limits = limits
        self._overwrites = 0
        self._linked: int | None = None

    def check_deletions(self, count: int) -> None:
        """Before the first of so many deletions is made.

        Raises:
            BreakerOpenError: they are too many; none is made until they are let through.
        """
        self._check(DELETIONS, count, self._limits.delete_share)

    def check_overwrites(self, count: int) -> None:
        """Before so many more linked records are overwritten.

        Raises:
            BreakerOpenError: with them they are too many; no more are overwritten until they are let through.
        """
        self._overwrites += count
        self._check(OVERWRITES, self._overwrites, self._limits.overwrite_share)

    def _check(self, what: str, count: int, share: float) -> None:
        if count <= self._limits.floor:
            return
        row = self._row()
        allowed = max(self._limits.floor, int(share * self._links()))
        if count <= allowed and row.breaker is None:
            return
        if what in (row.let_through or ""):
            return
        reason = (
            f"Flow {self._key.name!r}: at least {count} of {self._links()} linked records would get {what} in "
            f"{self._key.target_side}, more than the {allowed} that a run may make. The rest was held back. "
            f"If that is right, let them through once: dataflow let-through {self._key.name} {what}"
        )
        with self._store.begin() as connection:
            connection.execute(sa.update(tables.flow).where(tables.flow.c.id == self._key.id).values(breaker=what))
        raise BreakerOpenError(reason)

    def close(self) -> None:
        """A run went through: what it was let through is used up."""
        row = self._row()
        if row.let_through is None and row.breaker is None:
            return
        with self._store.begin() as connection:
            connection.execute(
                sa.update(tables.flow).where(tables.flow.c.id == self._key.id).values(breaker=None, let_through=None)
            )

    def _row(self) -> sa.Row[tuple[object, ...]]:
        with self._store.begin() as connection:
            return connection.execute(sa.select(tables.flow).where(tables.flow.c.id == self._key.id)).one()

    def _links(self) -> int:
        if self._linked is None:
            with self._store.begin() as connection:
                counted = connection.scalar(
                    sa.select(sa.func.count()).select_from(tables.link).where(tables.link.c.flow_id == self._key.id)
                )
            self._linked = int(counted or 0)
        return self._linked
