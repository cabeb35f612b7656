"""The first tables that are known here. A store that is older was made before anything was released."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = None

Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make them."""
    _syncs()
    _links()
    _what_waits()
    op.create_table(
        "run",
        _id(),
        _key("sync_id"),
        *_texts("side"),
        _time("started_at", nullable=False),
        _time("ended_at"),
        sa.Column("outcome", sa.Text, nullable=False, server_default="running"),
        sa.Column("counts", sa.Text, nullable=False, server_default="{}"),
        sa.Column("requests", sa.Integer),
        sa.Column("error", sa.Text),
        sa.Column("waits", sa.Integer),
        _time("waited_ms"),
        sa.Column("first_errors", sa.Text, nullable=False, server_default="[]"),
        _refers("run", "sync_id", "sync"),
    )


def _syncs() -> None:
    op.create_table("meta", sa.Column("name", sa.Text, primary_key=True), _bytes("value"))
    op.create_table(
        "sync",
        _id(),
        *_texts("name", "left_side", "right_side"),
        *(sa.Column(name, sa.Text) for name in ("left_stamp", "right_stamp")),
        sa.UniqueConstraint("name", name="sync_name_key"),
    )
    op.create_table(
        "scope",
        _id(),
        _key("sync_id"),
        *_texts("side", "resource"),
        _refers("scope", "sync_id", "sync"),
        sa.UniqueConstraint("sync_id", "side", "resource", name="scope_sync_id_side_resource_key"),
    )
    op.create_table(
        "flow",
        _id(),
        _key("sync_id"),
        *_texts("name"),
        *(_key(name) for name in ("left_scope", "right_scope")),
        *_texts("digest"),
        *(sa.Column(name, sa.Text) for name in ("breaker", "let_through")),
        _refers("flow", "sync_id", "sync"),
        *(_refers("flow", name, "scope") for name in ("left_scope", "right_scope")),
        sa.UniqueConstraint("sync_id", "name", name="flow_sync_id_name_key"),
    )
    op.create_table(
        "acknowledged",
        sa.Column("flow_id", Key, primary_key=True, autoincrement=False),
        sa.Column("side", sa.Text, primary_key=True),
        *_texts("as_of"),
        _refers("acknowledged", "flow_id", "flow"),
    )
    op.create_table("property", _id(), *_texts("name"), sa.UniqueConstraint("name", name="property_name_key"))


def _links() -> None:
    op.create_table(
        "link",
        _id(),
        _key("flow_id"),
        sa.Column("state", sa.Text, nullable=False, server_default="live"),
        _time("created_at", nullable=False, server_default="0"),
        *(column for side in ("left", "right") for column in _side(side)),
        _refers("link", "flow_id", "flow"),
        *(
            sa.UniqueConstraint(f"{side}_scope", f"{side}_id", name=f"link_{side}_scope_{side}_id_key")
            for side in ("left", "right")
        ),
    )
    op.create_index("ix_link_flow_id", "link", ["flow_id"])
    for side in ("left", "right"):
        missing = sa.text(f"{side}_state <> 'live'")
        op.create_index(f"ix_link_{side}_missing", "link", ["flow_id"], sqlite_where=missing, postgresql_where=missing)
    op.create_table("alias", *_record_key(), _key("link_id"), _refers("alias", "link_id", "link"))


def _side(side: str) -> list[sa.Column[Any]]:
    columns: list[sa.Column[Any]] = [_key(f"{side}_scope"), *_texts(f"{side}_id")]
    columns += [sa.Column(f"{side}_{name}", sa.Text) for name in ("version", "own_version")]
    columns += [_time(f"{side}_{name}") for name in ("modified_at", "edited_at", "written_at")]
    state = sa.Column(f"{side}_state", sa.Text, nullable=False, server_default="live")
    return [*columns, state, _bytes(f"{side}_base"), sa.Column(f"{side}_whole", sa.LargeBinary)]


def _what_waits() -> None:
    op.create_table(
        "intent",
        _id(),
        _key("flow_id"),
        *_texts("side", "kind", "source_id"),
        sa.Column("target_id", sa.Text),
        sa.Column("link_id", Key),
        sa.Column("over_version", sa.Text),
        _time("server_clock"),
        _time("created_at", nullable=False),
        _bytes("body"),
        _refers("intent", "flow_id", "flow"),
    )
    op.create_index("ix_intent_flow_id", "intent", ["flow_id"])
    op.create_table(
        "waiting",
        _id(),
        _key("flow_id"),
        *_texts("side", "record_id", "kind", "reason"),
        sa.Column("details", sa.Text, nullable=False, server_default="[]"),
        _bytes("fingerprint"),
        _bytes("record"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        *(_time(name, nullable=False) for name in ("first_at", "last_at", "next_at")),
        _refers("waiting", "flow_id", "flow"),
        sa.UniqueConstraint("flow_id", "side", "record_id", name="waiting_flow_id_side_record_id_key"),
    )
    op.create_table(
        "reserved",
        *_record_key(),
        sa.Column("waiting_id", Key, primary_key=True, autoincrement=False),
        sa.ForeignKeyConstraint(["waiting_id"], ["waiting.id"], name="reserved_waiting_id_fkey", ondelete="CASCADE"),
    )
    op.create_index("ix_reserved_waiting_id", "reserved", ["waiting_id"])
    op.create_table("excluded", *_record_key())
    op.create_table(
        "conflict",
        _id(),
        *(_key(name) for name in ("flow_id", "link_id")),
        *_texts("unit", "state"),
        sa.Column("winner", sa.Text),
        _bytes("both"),
        _time("at", nullable=False),
        _time("settled_at"),
        _refers("conflict", "flow_id", "flow"),
        _refers("conflict", "link_id", "link"),
    )
    op.create_index("ix_conflict_link_id", "conflict", ["link_id"])
    op.create_index("ix_conflict_flow_id_state", "conflict", ["flow_id", "state"])


def _id() -> sa.Column[int]:
    return sa.Column("id", Key, primary_key=True)


def _key(name: str) -> sa.Column[int]:
    return sa.Column(name, Key, nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _time(name: str, *, nullable: bool = True, server_default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable, server_default=server_default)


def _record_key() -> tuple[sa.Column[int], sa.Column[str]]:
    scope = sa.Column("scope_id", Key, primary_key=True, autoincrement=False)
    return scope, sa.Column("record_id", sa.Text, primary_key=True)


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"{table}_{column}_fkey")
