"""The circuit breaker, the age of a link, and indexes for the questions that are asked of a whole flow."""

from __future__ import annotations

import struct

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ENTRY = 10
MARK = 8
AT_ONCE = 1000


def upgrade() -> None:
    """Add them. Who works with a store is told beside it now, and the version in a table of its own."""
    op.add_column("flow", sa.Column("breaker", sa.Text))
    op.add_column("flow", sa.Column("let_through", sa.Text))
    op.add_column("link", sa.Column("created_at", sa.BigInteger, nullable=False, server_default="0"))
    with op.batch_alter_table("sync") as sync:
        sync.drop_column("holder")
    op.create_index("ix_link_flow_id", "link", ["flow_id"])
    for side in ("left", "right"):
        missing = sa.text(f"{side}_state <> 'live'")
        op.create_index(f"ix_link_{side}_missing", "link", ["flow_id"], sqlite_where=missing, postgresql_where=missing)
    op.create_index("ix_conflict_flow_id_state", "conflict", ["flow_id", "state"])
    op.create_index("ix_reserved_waiting_id", "reserved", ["waiting_id"])
    op.execute("DELETE FROM meta WHERE name = 'schema_version'")
    _repack_bases()


def _repack_bases() -> None:
    """Bases get their numbers first, then their fingerprints, instead of the two by turns."""
    link = sa.table("link", *(sa.column(name) for name in ("id", "left_base", "right_base")))
    update = (
        sa.update(link)
        .where(link.c.id == sa.bindparam("b_id"))
        .values(left_base=sa.bindparam("b_left"), right_base=sa.bindparam("b_right"))
    )
    last = 0
    while True:
        query = sa.select(link).where(link.c.id > last).order_by(link.c.id).limit(AT_ONCE)
        rows = op.get_bind().execute(query).all()
        if not rows:
            return
        op.get_bind().execute(
            update,
            [{"b_id": row.id, "b_left": repacked(row.left_base), "b_right": repacked(row.right_base)} for row in rows],
        )
        last = rows[-1].id


def repacked(blob: bytes) -> bytes:
    """A base in its new order."""
    entries = list(struct.iter_unpack(f">H{MARK}s", blob[: len(blob) // ENTRY * ENTRY]))
    return struct.pack(f">{len(entries)}H", *(number for number, _ in entries)) + b"".join(mark for _, mark in entries)
