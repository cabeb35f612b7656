"""What Alembic runs for every command: the migrations, in the transaction that its caller began."""

from __future__ import annotations

import logging

from alembic import context

from record_sync.store import tables
from record_sync.store.migrations import VERSION_TABLE

# It would explain itself at every start; what was done is said once by its caller.
logging.getLogger("alembic").setLevel(logging.WARNING)
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
