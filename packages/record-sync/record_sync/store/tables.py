"""The link store's tables.

The two sides are *left* and *right*, in the order of their names, so that a link is one row whichever direction asks.
Times are milliseconds since 1970 in UTC. Bases are fingerprints, packed (see ``base_blob``); readable values stand
only in rows that wait: ``intent.body``, ``waiting.record``, ``conflict.both``; and in the systems' own words:
``waiting.reason``, ``run.error``, ``run.first_errors``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

_UNSTORABLE = re.compile(r"[\\\0\ud800-\udfff]")
_ESCAPED = re.compile(r"\\(?:\\|0|u([0-9a-f]{4}))")


class Words(sa.types.TypeDecorator[str]):
    """A text that came from elsewhere, whatever is in it: PostgreSQL takes no NUL, and no database half a surrogate."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """What is stored: such characters, and so the backslash, as escapes."""
        del dialect
        if value is None or _UNSTORABLE.search(value) is None:
            return value
        return escaped(value)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[str | None], str | None]:
        """The text as it came. Said here, and not as ``process_result_value``, as that takes each value two calls."""
        del dialect, coltype
        return _as_it_came


def _as_it_came(value: str | None) -> str | None:
    if value is None or "\\" not in value:
        return value
    return _ESCAPED.sub(_unescaped, value)


def escaped(value: str) -> str:
    """A text as a database takes it."""
    return value.replace("\\", "\\\\").replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    return "\\" if found[0] == "\\\\" else "\0"


def new_id(result: sa.CursorResult[Any]) -> int:
    """The id that a row was given when it was inserted."""
    key = result.inserted_primary_key
    return int(key[0]) if key is not None else 0


def execute_many(
    connection: sa.Connection,
    statement: sa.Insert | sa.Update,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Carry out a statement once for each row of values for its columns, of which there are several.

    On SQLite by its driver alone: binding a row takes SQLAlchemy longer than SQLite takes to write it.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(statement, [dict(zip(columns, row, strict=True)) for row in rows])
        return
    text, places, words = _for_driver(statement, connection.dialect, tuple(columns))
    connection.exec_driver_sql(text, list(map(itemgetter(*places), _storable(rows, words))))


@lru_cache(64)
def _for_driver(
    statement: sa.Insert | sa.Update, dialect: sa.Dialect, columns: tuple[str, ...]
) -> tuple[str, Sequence[int], Sequence[int]]:
    """A statement's text, which of the columns its parameters are, and which of those are words."""
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(columns))
    names = compiled.positiontup
    places = [columns.index(name) for name in names]
    words = [place for place, name in zip(places, names, strict=True) if isinstance(compiled.binds[name].type, Words)]
    return compiled.string, places, words


def _storable(rows: Sequence[tuple[Any, ...]], words: Sequence[int]) -> Sequence[Sequence[Any]]:
    """The rows with what a database does not take escaped in the columns of words. Hardly ever there is any."""
    texts = "".join([row[place] or "" for place in words for row in rows])
    if _UNSTORABLE.search(texts) is None:
        return rows
    return [
        [
            escaped(value) if place in words and value and _UNSTORABLE.search(value) else value
            for place, value in enumerate(row)
        ]
        for row in rows
    ]


@lru_cache(None)
def _newest_of(table: sa.Table) -> sa.Select[Any]:
    return sa.select(sa.func.max(table.c.id))


_into = lru_cache(None)(sa.insert)
"""One statement a table: what was made of a statement is known again by that very one."""


def insert_all(
    connection: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> Sequence[int]:
    """Insert rows of values for these columns in few statements; tells the ids they were given, in their order."""
    if connection.dialect.name == "sqlite":
        # SQLite promises no order for what it returns, so each row would be a statement of its own. A transaction that
        # writes has the file to itself: the ids are those that SQLite would give.
        first = (connection.scalar(_newest_of(table)) or 0) + 1
        ids = range(first, first + len(rows))
        given = [(id_, *row) for id_, row in zip(ids, rows, strict=True)]
        execute_many(connection, _into(table), ("id", *columns), given)
        return ids
    statement = sa.insert(table).returning(table.c.id, sort_by_parameter_order=True)
    mapped = [dict(zip(columns, row, strict=True)) for row in rows]
    return connection.execute(statement, mapped).scalars().all()


# As PostgreSQL would name them, so that a later migration can say which one it means.
metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    }
)
Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)

sync = sa.Table(
    "sync",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("left_side", sa.Text, nullable=False),
    sa.Column("right_side", sa.Text, nullable=False),
    sa.Column("left_stamp", Words),
    sa.Column("right_stamp", Words),
)

scope = sa.Table(
    "scope",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("sync_id", sa.ForeignKey("sync.id"), nullable=False),
    sa.Column("side", sa.Text, nullable=False),
    sa.Column("resource", sa.Text, nullable=False),
    sa.UniqueConstraint("sync_id", "side", "resource"),
    comment="A resource of a side: ids are unique in it, whichever flow they belong to.",
)

flow = sa.Table(
    "flow",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("sync_id", sa.ForeignKey("sync.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("left_scope", sa.ForeignKey("scope.id"), nullable=False),
    sa.Column("right_scope", sa.ForeignKey("scope.id"), nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("breaker", sa.Text, comment="why writes are held back, until somebody lets them through"),
    sa.Column("let_through", sa.Text, comment="deletions, overwrites or both: one run may go over its limits"),
    sa.UniqueConstraint("sync_id", "name"),
)

acknowledged = sa.Table(
    "acknowledged",
    metadata,
    sa.Column("flow_id", sa.ForeignKey("flow.id"), primary_key=True),
    sa.Column("side", sa.Text, primary_key=True),
    sa.Column("as_of", sa.Text, nullable=False),
    comment="How far each tap's reading is covered by what this store holds.",
)

property_name = sa.Table(
    "property",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
)

LEFT_MISSING = sa.text("left_state <> 'live'")
RIGHT_MISSING = sa.text("right_state <> 'live'")
"""As the partial indexes have it, so that a query with these words uses them."""

link = sa.Table(
    "link",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("flow_id", sa.ForeignKey("flow.id"), nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="live", comment="live, ended (deleted and passed on)"),
    sa.Column("created_at", sa.BigInteger, nullable=False, server_default="0"),
    *(
        column
        for side in ("left", "right")
        for column in (
            sa.Column(f"{side}_scope", Key, nullable=False),
            sa.Column(f"{side}_id", Words, nullable=False),
            sa.Column(f"{side}_version", Words),
            sa.Column(f"{side}_own_version", Words),
            sa.Column(f"{side}_modified_at", sa.BigInteger),
            sa.Column(f"{side}_edited_at", sa.BigInteger),
            sa.Column(f"{side}_written_at", sa.BigInteger),
            sa.Column(f"{side}_state", sa.Text, nullable=False, server_default="live"),
            sa.Column(f"{side}_base", sa.LargeBinary, nullable=False),
            sa.Column(f"{side}_whole", sa.LargeBinary),
        )
    ),
    sa.UniqueConstraint("left_scope", "left_id"),
    sa.UniqueConstraint("right_scope", "right_id"),
    # Without the state: every write of a link would touch the index.
    sa.Index("ix_link_flow_id", "flow_id"),
    # The few that a complete read did not bring are looked for in every run.
    *(
        sa.Index(f"ix_link_{side}_missing", "flow_id", sqlite_where=missing)
        for side, missing in (("left", LEFT_MISSING), ("right", RIGHT_MISSING))
    ),
)


@sa.event.listens_for(link, "before_create")
def _indexed_in_postgresql_too(table: sa.Table, connection: sa.Connection, **_: Any) -> None:
    """Say of what is missing to PostgreSQL as well: saying so to every store would load its dialect for SQLite's."""
    if connection.dialect.name == "postgresql":
        for index in table.indexes:
            where = index.dialect_options["sqlite"]["where"]
            if where is not None:
                index.dialect_options["postgresql"]["where"] = where


alias = sa.Table(
    "alias",
    metadata,
    sa.Column("scope_id", Key, primary_key=True),
    sa.Column("record_id", Words, primary_key=True),
    sa.Column("link_id", sa.ForeignKey("link.id"), nullable=False),
    comment="Ids that a linked record had before.",
)

intent = sa.Table(
    "intent",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("flow_id", sa.ForeignKey("flow.id"), nullable=False, index=True),
    sa.Column("side", sa.Text, nullable=False, comment="the side written to"),
    sa.Column("kind", sa.Text, nullable=False, comment="create, update, remove"),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    comment="Writes that were begun, a row a list of them. They go in the transaction that stores the answer.",
)

waiting = sa.Table(
    "waiting",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("flow_id", sa.ForeignKey("flow.id"), nullable=False),
    sa.Column("side", sa.Text, nullable=False, comment="the side the record comes from"),
    sa.Column("record_id", Words, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, comment="parked, invalid, reference, ambiguous"),
    sa.Column("reason", Words, nullable=False),
    sa.Column("details", Words, nullable=False, server_default="[]"),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("record", sa.LargeBinary, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("first_at", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),
    sa.Column("next_at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("flow_id", "side", "record_id"),
    comment="Records that could not be carried over yet, with all that is needed to try again.",
)

reserved = sa.Table(
    "reserved",
    metadata,
    sa.Column("scope_id", Key, primary_key=True),
    sa.Column("record_id", Words, primary_key=True),
    sa.Column("waiting_id", sa.ForeignKey("waiting.id", ondelete="CASCADE"), primary_key=True, index=True),
    comment="Candidates of ambiguous records: neither direction may use them for another.",
)

excluded = sa.Table(
    "excluded",
    metadata,
    sa.Column("scope_id", Key, primary_key=True),
    sa.Column("record_id", Words, primary_key=True),
    comment="Records that a filter keeps out, or that were deleted before they were linked; nothing waits for them.",
)

conflict = sa.Table(
    "conflict",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("flow_id", sa.ForeignKey("flow.id"), nullable=False),
    sa.Column("link_id", sa.ForeignKey("link.id"), nullable=False, index=True),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column(
        "state",
        sa.Text,
        nullable=False,
        comment="open (a person decides), taken (a person has), kept (decided by policy), putback, settled",
    ),
    sa.Column("winner", sa.Text, comment="the side whose values stand"),
    sa.Column("both", sa.LargeBinary, nullable=False, comment="side to property to value"),
    sa.Column("over", sa.LargeBinary, comment="what was written over the value that lost"),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("settled_at", sa.BigInteger),
    sa.Index("ix_conflict_flow_id_state", "flow_id", "state"),
)

run = sa.Table(
    "run",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("sync_id", sa.ForeignKey("sync.id"), nullable=False),
    sa.Column("side", sa.Text, nullable=False, comment="the side written to"),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("outcome", sa.Text, nullable=False, server_default="running"),
    sa.Column("counts", sa.Text, nullable=False, server_default="{}"),
    sa.Column("requests", sa.Integer),
    sa.Column("error", Words),
    sa.Column("waits", sa.Integer, comment="how often a system had to be waited for"),
    sa.Column("waited_ms", sa.BigInteger),
    sa.Column("first_errors", Words, nullable=False, server_default="[]"),
)
