"""Tables that are mostly empty: what is known to hold no row is not asked again.

A run holds the lock of its sync name, so nobody else adds such rows meanwhile.
"""

from __future__ import annotations

from functools import cache

import sqlalchemy as sa


class Emptiness:
    """Which parts of tables hold no row, as far as one run knows."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], bool] = {}

    def is_empty(self, connection: sa.Connection, table: sa.Table, **where: object) -> bool:
        """Whether a table has no row with these values. Asks once, until a row is added."""
        key = (table.name, *where.values())
        known = self._known.get(key)
        if known is None:
            values = {f"of_{name}": value for name, value in where.items()}
            known = self._known[key] = connection.scalar(_any(table, tuple(where)), values) is None
        return known

    def no_longer(self, table: sa.Table, **where: object) -> None:
        """A row with these values is added."""
        key = (table.name, *where.values())
        self._known[key] = False


@cache
def _any(table: sa.Table, names: tuple[str, ...]) -> sa.Select[tuple[int]]:
    """Made once: making it takes longer than its answer."""
    wanted = [table.c[name] == sa.bindparam(f"of_{name}") for name in names]
    return sa.select(sa.literal(1)).select_from(table).where(*wanted).limit(1)
