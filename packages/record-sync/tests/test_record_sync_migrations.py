"""Stores of older releases, newer ones, and other programs' databases."""

import base64
import json
import struct
import subprocess
import sys
from datetime import datetime, timezone

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from record_sync.errors import StoreError
from record_sync.fingerprint import Fingerprints
from record_sync.ledger import Ledger
from record_sync.store import Store, tables
from record_sync.store.database import open_engine
from record_sync.store.migrations import FIRST_REVISION, REVISION, VERSION_TABLE, migrate

pytest_plugins = ["record_sync.testing.fixtures"]

SIDES = ("customcrm", "tripletex")
KEY = b"k" * 32
MARKS = [bytes([number]) * 8 for number in range(4)]
OLD_CREATION = json.dumps(
    {
        "source_version": "v1",
        "source_modified_at": "2026-01-02T12:00:00Z",
        "source": {"Name": base64.b64encode(MARKS[3]).decode()},
        "values": {"name": "Alfa AS"},
        "units": [],
        "target_edited_at": None,
    }
).encode()


def rows_of(name):
    return sa.select(sa.text("*")).select_from(sa.table(name))


def dump(url):
    """Every row of every table."""
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            return {
                name: sorted(map(dict, connection.execute(rows_of(name)).mappings()), key=repr)
                for name in sa.inspect(connection).get_table_names()
            }
    finally:
        engine.dispose()


def at_revision(url, revision):
    """An engine of a store that has come as far as this revision."""
    engine = open_engine(url)
    with engine.connect() as connection:
        migrate(connection, revision)
    return engine


def packed(*entries):
    """A base: the numbers of its properties, then their fingerprints."""
    return struct.pack(f">{len(entries)}H", *(number for number, _ in entries)) + b"".join(mark for _, mark in entries)


def old_rows():
    end = {"scope": 1, "id": "c-1", "version": "v1", "own_version": None, "modified_at": 5, "state": "live"}
    other = {"scope": 2, "id": "17", "version": "3", "own_version": "3", "written_at": 6, "state": "suspect"}
    return [
        ("meta", {"name": "fingerprint_key", "value": KEY}),
        ("sync", {"name": "default", "left_side": "customcrm", "right_side": "tripletex", "left_stamp": "here"}),
        ("scope", {"sync_id": 1, "side": "customcrm", "resource": "customer"}),
        ("scope", {"sync_id": 1, "side": "tripletex", "resource": "customer"}),
        ("flow", {"sync_id": 1, "name": "customer", "left_scope": 1, "right_scope": 2, "digest": "d"}),
        ("acknowledged", {"flow_id": 1, "side": "customcrm", "as_of": "2026-01-02T12:00:00.000Z"}),
        ("property", {"name": "Name"}),
        ("property", {"name": "name"}),
        (
            "link",
            {
                "flow_id": 1,
                **{f"left_{name}": value for name, value in end.items()},
                **{f"right_{name}": value for name, value in other.items()},
                "left_base": packed((1, MARKS[0])),
                "right_base": packed((1, MARKS[1]), (2 | 0x8000, MARKS[2])),
            },
        ),
        ("alias", {"scope_id": 1, "record_id": "c-0", "link_id": 1}),
        (
            "intent",
            {"flow_id": 1, "side": "tripletex", "kind": "create", "source_id": "c-2", "created_at": 7, "link_id": None}
            | {"target_id": None, "over_version": None, "server_clock": 1_700_000_000_000, "body": OLD_CREATION},
        ),
        (
            "waiting",
            {"flow_id": 1, "side": "customcrm", "record_id": "c-3", "kind": "parked", "reason": "no", "details": "[]"}
            | {"fingerprint": b"f", "record": b"{}", "attempts": 1, "first_at": 1, "last_at": 2, "next_at": 3},
        ),
        ("reserved", {"scope_id": 2, "record_id": "18", "waiting_id": 1}),
        ("excluded", {"scope_id": 1, "record_id": "c-4"}),
        (
            "conflict",
            {"flow_id": 1, "link_id": 1, "unit": "name", "state": "open", "both": b"{}", "at": 8},
        ),
        ("run", {"sync_id": 1, "side": "tripletex", "started_at": 9, "outcome": "done", "counts": "{}"}),
    ]


def old_store(url):
    """A store of the first revision, with a row in each table."""
    engine = at_revision(url, FIRST_REVISION)
    metadata = sa.MetaData()
    with engine.connect() as connection, connection.begin():
        metadata.reflect(connection)
        for name, values in old_rows():
            connection.execute(metadata.tables[name].insert().values(**values))
    engine.dispose()


def without_comments(difference):
    """Comments are for the readers of the code; the databases do not get them."""
    flat = []
    for one in difference:
        flat += one if isinstance(one, list) else [one]
    return [one for one in flat if "comment" not in one[0]]


@pytest.mark.parametrize("new", [False, True])
def test_the_migrations_and_a_new_store_have_what_the_code_describes(links_url, new):
    if not new:
        at_revision(links_url, FIRST_REVISION).dispose()
    Store(links_url, SIDES).close()
    engine = open_engine(links_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        )
        assert without_comments(compare_metadata(context, tables.metadata)) == []
        made = {index["name"] for name in tables.metadata.tables for index in sa.inspect(connection).get_indexes(name)}
        named = {index.name for table in tables.metadata.tables.values() for index in table.indexes}
        assert named <= made
        indexes = {one["name"]: one["dialect_options"] for one in sa.inspect(connection).get_indexes("link")}
        where = f"{connection.dialect.name}_where"
        # Of a million links only the few that a complete read did not bring.
        assert all("live" in str(indexes[f"ix_link_{side}_missing"][where]) for side in ("left", "right"))
    engine.dispose()


def test_the_newest_revision_is_the_one_the_code_names():
    config = Config()
    config.set_main_option("script_location", "record_sync.store:migrations")
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [REVISION]
    assert scripts.get_base() == FIRST_REVISION


def test_an_older_store_keeps_its_data(links_url):
    old_store(links_url)
    before = dump(links_url)
    with Store(links_url, SIDES) as store:
        assert store.prints.of("x") == Fingerprints(KEY).of("x")
        with store.reading() as connection:
            flow = store.flow_named(connection, "customer", "customcrm", "tripletex")
        with Ledger(store, flow).reading() as now:
            link = now.links.of_sources(["c-0"])["c-0"]
            (intent,) = now.intents.towards("tripletex")
        assert intent.source_id == "c-2"
        assert intent.source == {"Name": MARKS[3]}
        assert intent.values == {"name": "Alfa AS"}
        assert intent.server_clock == datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc)
        assert link.source.id == "c-1"
        assert link.source.base.firm == {"Name": MARKS[0]}
        assert link.target.base.firm == {"Name": MARKS[1]}
        assert link.target.base.provisional == {"name": MARKS[2]}
    after = dump(links_url)
    assert after.pop(VERSION_TABLE) == [{"version_num": REVISION}]
    before.pop(VERSION_TABLE, None)
    for row in before["conflict"]:
        row["over"] = None
    assert [(row["id"], row["kind"], row["side"]) for row in after.pop("intent")] == [(1, "create", "tripletex")]
    del before["intent"]
    assert after == before


def test_a_store_from_before_the_first_revision_is_refused_in_one_line(links_url):
    old_store(links_url)
    engine = open_engine(links_url)
    with engine.connect() as connection, connection.begin():
        connection.execute(sa.update(sa.table(VERSION_TABLE, sa.column("version_num"))).values(version_num="0003"))
    engine.dispose()
    with pytest.raises(StoreError, match=r"revision 0003, .* --full-refresh") as error:
        Store(links_url, SIDES)
    assert "\n" not in str(error.value)


def test_a_store_of_a_newer_release_is_refused_in_one_line_and_left_alone(links_url):
    Store(links_url, SIDES).close()
    engine = open_engine(links_url)
    with engine.connect() as connection, connection.begin():
        connection.execute(sa.update(sa.table(VERSION_TABLE, sa.column("version_num"))).values(version_num="9999"))
    engine.dispose()
    before = dump(links_url)
    with pytest.raises(StoreError, match=rf"newer release .* revision 9999, this release knows {REVISION}\.") as error:
        Store(links_url, SIDES)
    assert "\n" not in str(error.value)
    assert dump(links_url) == before


def test_another_programs_database_is_refused(links_url):
    engine = open_engine(links_url)
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("CREATE TABLE link (href TEXT)")
    engine.dispose()
    with pytest.raises(StoreError, match=r"is no link store, but has tables of the same names \(link\)"):
        Store(links_url, SIDES)
    assert dump(links_url) == {"link": []}


def test_a_damaged_store_is_not_upgraded(tmp_path):
    url = f"sqlite:///{tmp_path}/links.db"
    old_store(url)
    engine = open_engine(url)
    with engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        with connection.begin():
            connection.exec_driver_sql("UPDATE alias SET link_id = 99")
    engine.dispose()
    before = dump(url)
    with pytest.raises(StoreError, match=r"damaged: in table 'alias' .* missing in 'link'"):
        Store(url, SIDES)
    assert dump(url) == before


DIES_AT_EACH_STATEMENT = """
import itertools, json, os, signal, sys
import alembic.command, alembic.autogenerate, psycopg, sqlalchemy.dialects.postgresql.psycopg  # once
import sqlalchemy as sa
from record_sync.store import Store

for point in itertools.count(1):
    child = os.fork()
    if child == 0:
        said = itertools.count(1)

        @sa.event.listens_for(sa.Engine, "before_cursor_execute")
        def die(connection, cursor, statement, parameters, context, executemany):
            if next(said) == point:
                os.kill(os.getpid(), signal.SIGKILL)

        @sa.event.listens_for(sa.Engine, "commit")
        def done(connection):
            statement = sa.text("SELECT version_num FROM schema_version")
            if connection.scalar(statement) == sys.argv[2]:
                os._exit(0)

        Store(sys.argv[1], ("customcrm", "tripletex"))
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps([point, ended]), flush=True)
    sys.stdin.readline()
    if ended == 0:
        break
"""


def test_a_killed_migration_leaves_the_old_store_as_it_was(links_url):
    old_store(links_url)
    before = dump(links_url)
    with subprocess.Popen(
        [sys.executable, "-c", DIES_AT_EACH_STATEMENT, links_url, REVISION],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        points = 0
        for line in process.stdout:
            point, ended = json.loads(line)
            if ended == 0:
                break
            assert ended == -9
            assert dump(links_url) == before, f"after statement {point}"
            points = point
            process.stdin.write("\n")
            process.stdin.flush()
        process.stdin.close()
    assert points > 5
    # The last one was stopped before its commit.
    assert dump(links_url) == before
    Store(links_url, SIDES).close()
    assert dump(links_url)[VERSION_TABLE] == [{"version_num": REVISION}]


def test_a_store_that_is_up_to_date_is_opened_without_alembic(links_url):
    Store(links_url, SIDES).close()
    code = (
        "import sys; from record_sync.store import Store; Store(sys.argv[1], ('customcrm', 'tripletex')).close();"
        "print('alembic' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code, links_url], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "False"
