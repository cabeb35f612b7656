"""The first tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make them."""
    _what_is_there()
    _links()
    _what_waits()
    op.create_table(
        "run",
        sa.Column("id", Key, primary_key=True),
        sa.Column("sync_id", Key, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("outcome", sa.Text, nullable=False, server_default="running"),
        sa.Column("counts", sa.Text, nullable=False, server_default="{}"),
        sa.Column("requests", sa.Integer),
        sa.Column("error", sa.Text),
        sa.ForeignKeyConstraint(["sync_id"], ["sync.id"], name="run_sync_id_fkey"),
    )


def _what_is_there() -> None:
    op.create_table(
        "meta",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "sync",
        sa.Column("id", Key, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("left_side", sa.Text, nullable=False),
        sa.Column("right_side", sa.Text, nullable=False),
        sa.Column("left_stamp", sa.Text),
        sa.Column("right_stamp", sa.Text),
        sa.Column("holder", sa.Text),
        sa.UniqueConstraint("name", name="sync_name_key"),
    )
    op.create_table(
        "scope",
        sa.Column("id", Key, primary_key=True),
        sa.Column("sync_id", Key, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("resource", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["sync_id"], ["sync.id"], name="scope_sync_id_fkey"),
        sa.UniqueConstraint("sync_id", "side", "resource", name="scope_sync_id_side_resource_key"),
    )
    op.create_table(
        "flow",
        sa.Column("id", Key, primary_key=True),
        sa.Column("sync_id", Key, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("left_scope", Key, nullable=False),
        sa.Column("right_scope", Key, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["sync_id"], ["sync.id"], name="flow_sync_id_fkey"),
        sa.ForeignKeyConstraint(["left_scope"], ["scope.id"], name="flow_left_scope_fkey"),
        sa.ForeignKeyConstraint(["right_scope"], ["scope.id"], name="flow_right_scope_fkey"),
        sa.UniqueConstraint("sync_id", "name", name="flow_sync_id_name_key"),
    )
    op.create_table(
        "acknowledged",
        sa.Column("flow_id", Key, primary_key=True),
        sa.Column("side", sa.Text, primary_key=True),
        sa.Column("as_of", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["flow_id"], ["flow.id"], name="acknowledged_flow_id_fkey"),
    )
    op.create_table(
        "property",
        sa.Column("id", Key, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.UniqueConstraint("name", name="property_name_key"),
    )


def _links() -> None:
    op.create_table(
        "link",
        sa.Column("id", Key, primary_key=True),
        sa.Column("flow_id", Key, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="live"),
        *_end("left"),
        *_end("right"),
        sa.ForeignKeyConstraint(["flow_id"], ["flow.id"], name="link_flow_id_fkey"),
        sa.UniqueConstraint("left_scope", "left_id", name="link_left_scope_left_id_key"),
        sa.UniqueConstraint("right_scope", "right_id", name="link_right_scope_right_id_key"),
    )
    op.create_table(
        "alias",
        sa.Column("scope_id", Key, primary_key=True, autoincrement=False),
        sa.Column("record_id", sa.Text, primary_key=True),
        sa.Column("link_id", Key, nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name="alias_link_id_fkey"),
    )


def _end(side: str) -> list[sa.Column[Any]]:
    return [
        sa.Column(f"{side}_scope", Key, nullable=False),
        sa.Column(f"{side}_id", sa.Text, nullable=False),
        sa.Column(f"{side}_version", sa.Text),
        sa.Column(f"{side}_own_version", sa.Text),
        sa.Column(f"{side}_modified_at", sa.BigInteger),
        sa.Column(f"{side}_edited_at", sa.BigInteger),
        sa.Column(f"{side}_written_at", sa.BigInteger),
        sa.Column(f"{side}_state", sa.Text, nullable=False, server_default="live"),
        sa.Column(f"{side}_base", sa.LargeBinary, nullable=False),
    ]


def _what_waits() -> None:
    op.create_table(
        "intent",
        sa.Column("id", Key, primary_key=True),
        sa.Column("flow_id", Key, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("target_id", sa.Text),
        sa.Column("link_id", Key),
        sa.Column("over_version", sa.Text),
        sa.Column("server_clock", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["flow_id"], ["flow.id"], name="intent_flow_id_fkey"),
    )
    op.create_index("ix_intent_flow_id", "intent", ["flow_id"])
    op.create_table(
        "waiting",
        sa.Column("id", Key, primary_key=True),
        sa.Column("flow_id", Key, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("record_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False, server_default="[]"),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["flow_id"], ["flow.id"], name="waiting_flow_id_fkey"),
        sa.UniqueConstraint("flow_id", "side", "record_id", name="waiting_flow_id_side_record_id_key"),
    )
    op.create_table(
        "reserved",
        sa.Column("scope_id", Key, primary_key=True, autoincrement=False),
        sa.Column("record_id", sa.Text, primary_key=True),
        sa.Column("waiting_id", Key, primary_key=True, autoincrement=False),
        sa.ForeignKeyConstraint(["waiting_id"], ["waiting.id"], name="reserved_waiting_id_fkey", ondelete="CASCADE"),
    )
    op.create_table(
        "excluded",
        sa.Column("scope_id", Key, primary_key=True, autoincrement=False),
        sa.Column("record_id", sa.Text, primary_key=True),
    )
    op.create_table(
        "conflict",
        sa.Column("id", Key, primary_key=True),
        sa.Column("flow_id", Key, nullable=False),
        sa.Column("link_id", Key, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("winner", sa.Text),
        sa.Column("both", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("settled_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["flow_id"], ["flow.id"], name="conflict_flow_id_fkey"),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name="conflict_link_id_fkey"),
    )
    op.create_index("ix_conflict_link_id", "conflict", ["link_id"])
