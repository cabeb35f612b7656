"""Tables that are mostly empty: what is known to hold no row is not asked again.

A run holds the lock of its sync name, so nobody else adds such rows meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import sqlalchemy as sa

from record_sync.store import tables

MOSTLY_EMPTY = (tables.alias, tables.intent, tables.waiting, tables.reserved, tables.excluded, tables.conflict)


class Emptiness:
    """Which tables, and which parts of them, hold no row, as far as one run knows.

    Args:
        empty: the names of tables that had no row when the run began.

    """

    def __init__(self, empty: Iterable[str] = ()) -> None:
        self._empty = set(empty)
        self._known: dict[tuple[object, ...], bool] = {}

    def has_none(self, table: sa.Table) -> bool:
        """Whether a table is known to have no row at all."""
        return table.name in self._empty

    def is_empty(self, connection: sa.Connection, table: sa.Table, **where: object) -> bool:
        """Whether a table has no row with these values. Asks once, until a row is added."""
        if table.name in self._empty:
            return True
        key = (table.name, *where.values())
        known = self._known.get(key)
        if known is None:
            values = {f"of_{name}": value for name, value in where.items()}
            known = self._known[key] = connection.scalar(_any(table, tuple(where)), values) is None
        return known

    def no_longer(self, table: sa.Table, **where: object) -> None:
        """A row with these values is added."""
        self._empty.discard(table.name)
        key = (table.name, *where.values())
        self._known[key] = False


@cache
def _any(table: sa.Table, names: tuple[str, ...]) -> sa.Select[tuple[int]]:
    """Made once: making it takes longer than its answer."""
    wanted = [table.c[name] == sa.bindparam(f"of_{name}") for name in names]
    return sa.select(sa.literal(1)).select_from(table).where(*wanted).limit(1)
