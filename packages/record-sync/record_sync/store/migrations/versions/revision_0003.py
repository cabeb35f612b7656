"""What a run waited for, and the first records that it could not carry over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add them; of earlier runs nothing is known."""
    op.add_column("run", sa.Column("waits", sa.Integer))
    op.add_column("run", sa.Column("waited_ms", sa.BigInteger))
    op.add_column("run", sa.Column("first_errors", sa.Text, nullable=False, server_default="[]"))
