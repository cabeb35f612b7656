"""Asks the circuit breaker before records are deleted or overwritten, and remembers what it held back."""

from __future__ import annotations

import msgspec

from record_sync.breaker import DELETIONS, OVERWRITES, Held, Limits
from record_sync.errors import BreakerOpenError
from record_sync.ledger import Ledger


class Guard:
    """One flow's circuit breaker during one run."""

    def __init__(self, ledger: Ledger, limits: Limits) -> None:
        self._ledger = ledger
        self._key = ledger.key
        self._limits = limits
        self._overwrites = 0
        self._used: set[str] = set()
        self._linked: int | None = None

    def check_deletions(self, count: int) -> None:
        """Before the first of so many deletions is made.

        Raises:
            BreakerOpenError: they are too many; none is made until they are let through.
        """
        self._check(DELETIONS, count)

    def check_overwrites(self, count: int) -> None:
        """Before so many more linked records are overwritten.

        Raises:
            BreakerOpenError: with them they are too many; no more are overwritten until they are let through.
        """
        self._overwrites += count
        self._check(OVERWRITES, self._overwrites)

    def _check(self, what: str, count: int) -> None:
        if count <= self._limits.floor or what in self._used:
            return
        entry = self._entry(what)
        with self._ledger.transaction() as now:
            if self._linked is None:
                self._linked = now.links.number_live()
            held = now.held()
            allowed = self._limits.allowed(what, self._linked)
            # Overwrites are counted as they come: once stopped, no run may take the next portion of them.
            still_held = what == OVERWRITES and entry in held.back
            if count <= allowed and not still_held:
                return
            if what in held.let_through:
                # The run that needs it uses it up, whichever way it ends.
                self._used.add(what)
                now.hold(msgspec.structs.replace(held, let_through=held.let_through - {what}))
                return
            now.hold(msgspec.structs.replace(held, back=held.back | {entry}))
        limit = (
            "and an earlier run stopped at its limit" if count <= allowed else f"more than the {allowed} a run may make"
        )
        raise BreakerOpenError(
            f"Flow {self._key.name!r}: at least {count} of {self._linked} linked records would get {what} in "
            f"{self._key.target_side}, {limit}. The rest was held back. "
            f"If that is right, let them through once: dataflow let-through {self._key.name} {what}"
        )

    def close(self, held: Held) -> None:
        """A run went well: nothing of what it found to be held back on its side is so any more."""
        mine = {self._entry(DELETIONS), self._entry(OVERWRITES)}
        if held.back & mine:
            with self._ledger.transaction() as now:
                now.hold(Held(held.back - mine, now.held().let_through))

    def _entry(self, what: str) -> str:
        return f"{self._key.target_side}:{what}"
