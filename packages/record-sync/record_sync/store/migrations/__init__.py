"""What changed in the link store's tables from release to release, carried out when a store is opened.

A change to ``tables`` needs a revision: a module in ``versions`` with the next number, and that number as
``REVISION`` here. A revision that was released is never changed again.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError, ProgrammingError

from record_sync.errors import StoreError
from record_sync.store import tables
from record_sync.store.database import place
from record_sync.store.lock import advisory_number

REVISION = "0005"
"""What ``tables`` describes."""
FIRST_REVISION = "0004"
VERSION_TABLE = "schema_version"
_VERSION: sa.Select[tuple[str]] = sa.select(sa.column("version_num", sa.String)).select_from(sa.table(VERSION_TABLE))

logger = logging.getLogger(__name__)


def bring_up_to_date(connection: sa.Connection) -> None:
    """Make the tables of an empty store, upgrade those of an older release.

    Raises:
        StoreError: a newer release made the store, or it is another program's database.

    """
    if _recorded(connection) != REVISION:
        migrate(connection)


def migrate(connection: sa.Connection, to: str = REVISION) -> None:
    """Carry out the revisions that the store lacks, in one transaction: all of them, or none.

    Raises:
        StoreError: a newer release made the store, or it is another program's database.

    """
    with _alone(connection):
        found = _found(connection)
        if found == to:
            # Another process was first.
            return
        if found is not None and found.isdecimal() and int(found) < int(FIRST_REVISION):
            raise StoreError(
                f"The link store {place(connection.engine)} is of revision {found}, made before anything was released, "
                "and cannot be brought up to date. Remove it, and run both directions once with --full-refresh."
            )
        if found is not None and not (found.isdecimal() and int(found) <= int(REVISION)):
            raise StoreError(
                f"A newer release made the link store {place(connection.engine)}: its tables are of revision {found}, "
                f"this release knows {REVISION}. Use that release, or a newer one."
            )
        _carry_out(connection, found, to)
    logger.info("The link store %s is now of revision %s (was: %s)", place(connection.engine), to, found or "empty")


def _recorded(connection: sa.Connection) -> str | None:
    try:
        with connection.begin():
            return connection.scalar(_VERSION)
    except (OperationalError, ProgrammingError):
        # Most likely there is no such table yet; if it is anything else, the next statement says so again.
        return None


def _found(connection: sa.Connection) -> str | None:
    """The store's revision; None for an empty one."""
    names = set(sa.inspect(connection).get_table_names())
    if VERSION_TABLE in names:
        return connection.scalar(_VERSION)
    taken = sorted(names & set(tables.metadata.tables))
    if not taken:
        return None
    raise StoreError(
        f"{place(connection.engine)} is no link store, but has tables of the same names ({', '.join(taken[:3])}). "
        "Give the link store a database or a schema of its own."
    )


def _carry_out(connection: sa.Connection, found: str | None, to: str) -> None:
    if found is None and to == REVISION:
        # What all revisions together make, without the library that carries them out.
        version = sa.Table(
            VERSION_TABLE,
            sa.MetaData(),
            sa.Column("version_num", sa.String(32), nullable=False),
            sa.PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
        )
        version.create(connection)
        tables.metadata.create_all(connection, checkfirst=False)
        connection.execute(sa.insert(version).values(version_num=to))
        return
    # Alembic takes a while to import, and is seldom needed.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    logging.getLogger("alembic").setLevel(logging.WARNING)  # its progress is nobody's news
    config = Config()
    config.set_main_option("script_location", "record_sync.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, to)


@contextmanager
def _alone(connection: sa.Connection) -> Iterator[None]:
    """A transaction that no other process migrates beside."""
    if connection.dialect.name == "postgresql":
        with connection.begin():
            schema = connection.scalar(sa.select(sa.func.current_schema()))
            number = advisory_number("migration", str(schema))
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))
            yield
        return
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError(driver)
    # A table that is made anew takes its place by being dropped, which would delete the rows that refer to it. This
    # can only be said outside a transaction.
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        with connection.begin():
            yield
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchone()
            if broken is not None:
                raise StoreError(
                    f"The link store {place(connection.engine)} is damaged: in table {broken[0]!r} a row refers to one "
                    f"that is missing in {broken[2]!r}. It was left as it was. Restore it from a backup."
                )
    finally:
        driver.execute("PRAGMA foreign_keys=ON")
