"""A fingerprint of each record as a whole, by which one that did not change is recognised at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add it; the next reading of a record that did not change fills it in."""
    for side in ("left", "right"):
        op.add_column("link", sa.Column(f"{side}_whole", sa.LargeBinary))
