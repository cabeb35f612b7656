"""The circuit breaker: a run that would delete or overwrite much of what is there stops and asks."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from record_sync.errors import BreakerOpenError
from record_sync.store import tables
from record_sync.store.store import FlowKey, Store

DELETIONS = "deletions"
OVERWRITES = "overwrites"

_ROW = sa.select(tables.flow).where(tables.flow.c.id == sa.bindparam("flow"))


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
        self._used: set[str] = set()
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
        # Overwrites are counted as they come: once stopped, no run may take the next portion of them.
        still_held = what == OVERWRITES and self._entry(what) in words(row.breaker)
        if count <= allowed and not still_held:
            return
        if what in words(row.let_through):
            self._used.add(what)
            return
        self._remember({*words(row.breaker), self._entry(what)}, set(words(row.let_through)))
        limit = (
            "and an earlier run stopped at its limit" if count <= allowed else f"more than the {allowed} a run may make"
        )
        raise BreakerOpenError(
            f"Flow {self._key.name!r}: at least {count} of {self._links()} linked records would get {what} in "
            f"{self._key.target_side}, {limit}. The rest was held back. "
            f"If that is right, let them through once: dataflow let-through {self._key.name} {what}"
        )

    def close(self) -> None:
        """A run went well: nothing is held back on its side any more, and what it was let through is used up."""
        row = self._row()
        breaker, let_through = set(words(row.breaker)), set(words(row.let_through))
        mine = {self._entry(DELETIONS), self._entry(OVERWRITES)}
        if breaker & mine or let_through & self._used:
            self._remember(breaker - mine, let_through - self._used)

    def _entry(self, what: str) -> str:
        return f"{self._key.target_side}:{what}"

    def _remember(self, breaker: set[str], let_through: set[str]) -> None:
        values = {"breaker": text_of(breaker), "let_through": text_of(let_through)}
        with self._store.begin() as connection:
            connection.execute(sa.update(tables.flow).where(tables.flow.c.id == self._key.id).values(values))

    def _row(self) -> sa.Row[tuple[object, ...]]:
        with self._store.reading() as connection:
            return connection.execute(_ROW, {"flow": self._key.id}).one()

    def _links(self) -> int:
        if self._linked is None:
            with self._store.reading() as connection:
                counted = connection.scalar(
                    sa.select(sa.func.count()).select_from(tables.link).where(tables.link.c.flow_id == self._key.id)
                )
            self._linked = int(counted or 0)
        return self._linked


def words(text: str | None) -> list[str]:
    """What ``flow.breaker`` or ``flow.let_through`` says, word by word."""
    return [one for one in (text or "").split(",") if one]


def text_of(chosen: set[str]) -> str | None:
    """The column's text for these words: the same for the same words, nothing for none."""
    return ",".join(sorted(chosen)) or None
