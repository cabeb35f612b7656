"""One run at a time, whichever way the one before it ended."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone

import msgspec
import pytest
import sqlalchemy as sa
from filelock import FileLock
from record_sync.errors import StoreLockedError
from record_sync.store import Store, tables
from record_sync.store.lock import Holder

pytest_plugins = ["record_sync.testing.fixtures"]

SIDES = ("customcrm", "tripletex")

# Opens each store it is told of, and holds it until it is told of the next.
RUNNER = """
import json, sys
from record_sync.errors import StoreError
from record_sync.store import Store
import alembic.command, psycopg

held = None
print("ready", flush=True)
for line in sys.stdin:
    if held is not None:
        held.close()
        held = None
    url, name = json.loads(line)
    if url is None:
        continue
    try:
        held = Store(url, ("customcrm", "tripletex"), name)
        print("holds", flush=True)
    except StoreError as error:
        print(error, flush=True)
"""


class Runner:
    """Another process that works with stores."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.hears() == "ready"

    def tell(self, url, name="default"):
        self.process.stdin.write(json.dumps([url, name]) + "\n")
        self.process.stdin.flush()

    def hears(self):
        return self.process.stdout.readline().strip()


@contextmanager
def runner():
    one = Runner()
    try:
        yield one
    finally:
        one.process.kill()
        one.process.communicate()


def place_of_its_own(url, number):
    """Another empty store beside this one."""
    if url.startswith("sqlite"):
        return f"{url}.{number}"
    name = f"{re.search('(links[0-9]+)$', url)[1]}_{number}"
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")
    engine.dispose()
    return re.sub("links[0-9]+$", name, url)


def test_the_holder_is_named_and_a_killed_one_keeps_nobody_out(links_url):
    with runner() as other:
        other.tell(links_url)
        assert other.hears() == "holds"
        host = re.escape(os.uname().nodename)
        told = rf"process {other.process.pid} on {host} since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
        with pytest.raises(StoreLockedError, match=told) as error:
            Store(links_url, SIDES)
        assert "\n" not in str(error.value)
        other.process.send_signal(signal.SIGKILL)
        other.process.wait()
        until = time.monotonic() + 20
        while True:
            try:
                Store(links_url, SIDES).close()
                break
            except StoreLockedError:
                # PostgreSQL notices the end of the connection by itself, in its own time.
                assert links_url.startswith("postgresql")
                assert time.monotonic() < until


def test_the_lock_is_free_before_the_connection_ends_which_a_server_may_learn_later(postgresql_url, monkeypatch):
    store = Store(postgresql_url, SIDES)
    connection, freed = store._connection, []

    def close():
        Store(postgresql_url, SIDES).close()
        freed.append(True)

    with monkeypatch.context() as patch:
        patch.setattr(connection, "close", close)
        store.close()
    connection.close()
    assert freed == [True]


def test_two_names_in_one_store_do_not_wait_for_each_other(links_url):
    with runner() as other:
        other.tell(links_url, "one company")
        assert other.hears() == "holds"
        with Store(links_url, SIDES, "another company") as store, store.begin() as connection:
            names = set(connection.scalars(sa.select(tables.sync.c.name)))
        assert names == {"one company", "another company"}


def test_two_stores_of_one_server_do_not_wait_for_each_other(links_url):
    with Store(links_url, SIDES), Store(place_of_its_own(links_url, 0), SIDES):
        pass


ROUNDS = 6


def test_of_two_that_begin_at_once_with_an_empty_store_one_works_and_one_says_who_does(links_url):
    with runner() as one, runner() as other:
        for number in range(ROUNDS):
            url = place_of_its_own(links_url, number)
            one.tell(url)
            other.tell(url)
            said = {one: one.hears(), other: other.hears()}
            (winner,) = [each for each in said if said[each] == "holds"]
            (loser,) = [each for each in said if each is not winner]
            assert f"process {winner.process.pid} on " in said[loser]
            one.tell(None)
            other.tell(None)


def test_two_names_that_begin_at_once_with_an_empty_store_both_work(links_url):
    with runner() as one, runner() as other:
        for number in range(ROUNDS):
            url = place_of_its_own(links_url, number)
            one.tell(url, "one")
            other.tell(url, "other")
            assert (one.hears(), other.hears()) == ("holds", "holds")
            with Store(url, SIDES, "third") as store, store.begin() as connection:
                assert set(connection.scalars(sa.select(tables.sync.c.name))) == {"one", "other", "third"}
                assert len(connection.execute(sa.select(tables.meta)).all()) == 1


def test_a_process_that_ended_is_not_named_as_the_holder(tmp_path):
    url = f"sqlite:///{tmp_path}/links.db"
    with runner() as other:
        other.tell(url)
        assert other.hears() == "holds"
        other.process.send_signal(signal.SIGKILL)
        other.process.wait()
    (left,) = tmp_path.glob("*.holder")
    assert str(other.process.pid) in left.read_text()
    with (
        FileLock(next(tmp_path.glob("*.lock"))),
        pytest.raises(StoreLockedError, match="a process that does not say who it is"),
    ):
        Store(url, SIDES)


def test_a_holder_that_has_just_begun_is_given_time_to_say_who_it_is(tmp_path):
    url = f"sqlite:///{tmp_path}/links.db"
    Store(url, SIDES).close()
    (lock,) = tmp_path.glob("*.lock")
    holder = Holder(os.getpid(), os.uname().nodename, datetime(2026, 1, 2, 12, tzinfo=timezone.utc))
    saying = threading.Timer(0.2, lock.with_suffix(".holder").write_bytes, [msgspec.json.encode(holder)])
    with FileLock(lock):
        saying.start()
        with pytest.raises(StoreLockedError, match=rf"process {os.getpid()} on .* since 2026-01-02 12:00:00 UTC"):
            Store(url, SIDES)
    saying.join()


def test_a_file_that_another_process_is_just_making_is_waited_for(tmp_path):
    other = sqlite3.connect(tmp_path / "links.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    done = threading.Timer(0.2, other.execute, ["COMMIT"])
    done.start()
    Store(f"sqlite:///{tmp_path}/links.db", SIDES).close()
    done.join()
    other.close()


def test_all_files_are_the_owners_alone_and_the_folder_is_made(tmp_path):
    folder = tmp_path / "not" / "there"
    with ExitStack() as stack:
        stack.callback(os.umask, os.umask(0))
        with Store(f"sqlite:///{folder}/links.db", SIDES) as store, store.begin():
            files = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
        (folder / "links.db").chmod(0o644)
        Store(f"sqlite:///{folder}/links.db", SIDES).close()
    assert {name.rpartition(".")[2] for name in files} == {"db", "db-wal", "db-shm", "lock", "holder"}
    assert set(files.values()) == {0o600}
    assert (folder / "links.db").stat().st_mode & 0o777 == 0o600


def test_reading_keeps_nobody_from_writing(links_url):
    with Store(links_url, SIDES, "one") as one, Store(links_url, SIDES, "other") as other:
        with one.reading() as connection:
            before = connection.execute(sa.select(tables.sync)).all()
            with other.begin() as writing:
                writing.execute(sa.update(tables.sync).where(tables.sync.c.id == other.sync_id).values(left_stamp="x"))
            assert len(before) == 2
        with one.begin() as connection:
            assert (
                connection.scalar(sa.select(tables.sync.c.left_stamp).where(tables.sync.c.id == other.sync_id)) == "x"
            )
