"""One row for the intents of a list write, and what was written over a value that lost a conflict."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from record_sync.store.timestamps import from_ms

revision = "0005"
down_revision = "0004"

_NO_LONGER = ("source_id", "target_id", "link_id", "over_version", "server_clock")


def upgrade() -> None:
    """Write the few intents that are open in their new form, then drop the columns they had."""
    op.add_column("conflict", sa.Column("over", sa.LargeBinary))
    intent = sa.table("intent", *(sa.column(name) for name in ("id", "body", *_NO_LONGER)))
    update = sa.update(intent).where(intent.c.id == sa.bindparam("b_id")).values(body=sa.bindparam("b_body"))
    for row in op.get_bind().execute(sa.select(intent)).all():
        op.get_bind().execute(update, {"b_id": row.id, "b_body": msgspec.msgpack.encode([_sent(row)])})
    with op.batch_alter_table("intent") as table:
        for name in _NO_LONGER:
            table.drop_column(name)


def _sent(row: Any) -> list[Any]:
    body = json.loads(row.body)
    units = [
        {"source": _marks(one["source"]), "sent": _marks(one["sent"]), "kinds": one["kinds"]}
        for one in body.get("units") or ()
    ]
    return [
        row.source_id,
        body.get("source_version"),
        body.get("source_modified_at"),
        _marks(body.get("source") or {}),
        body.get("values") or {},
        units,
        row.target_id,
        row.link_id,
        row.over_version,
        body.get("target_edited_at"),
        _text(row.server_clock),
    ]


def _marks(encoded: dict[str, str]) -> dict[str, bytes]:
    return {path: base64.b64decode(mark) for path, mark in encoded.items()}


def _text(milliseconds: int | None) -> str | None:
    moment = from_ms(milliseconds)
    return None if moment is None else moment.isoformat()
