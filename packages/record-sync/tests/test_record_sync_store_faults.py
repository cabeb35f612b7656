"""A store that cannot be read, written or reached: one clear line, no secret, nothing half written."""

import os
import pwd
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from record_sync.errors import StoreError
from record_sync.ledger import Ledger
from record_sync.record import Base, Link, LinkSide
from record_sync.rules import FlowRules
from record_sync.store import Store, tables

SIDES = ("customcrm", "tripletex")
NOBODY = pwd.getpwnam("nobody")


def flow_of(store):
    sync = {
        "flow": "customer",
        "from": "customcrm",
        "to": "tripletex",
        "resource": {"customcrm": "customer", "tripletex": "customer"},
        "match_on": [],
        "digest": "1",
    }
    rules = FlowRules.from_schema({"x-sync": sync, "properties": {"name": {"x-from": ["Name"]}}}, "tripletex")
    return store.flow(rules)[0]


def add(ledger, first, count):
    with ledger.transaction() as now:
        for number in range(first, first + count):
            base = Base(firm={"Name": number.to_bytes(8, "big")})
            now.links.add(Link(LinkSide(f"c-{number}", base=base), LinkSide(str(number), base=base), "customer"))


def filled(url, count=3000):
    """A store with so many links, closed."""
    with Store(url, SIDES) as store:
        add(Ledger(store, flow_of(store)), 0, count)


def ids(url):
    with Store(url, SIDES) as store, store.reading() as connection:
        return set(connection.scalars(sa.select(tables.link.c.left_id)))


def one_line(error, *words):
    text = str(error.value)
    assert "\n" not in text
    assert "INSERT" not in text
    assert "SELECT" not in text
    for word in words:
        assert word in text
    return True


@contextmanager
def as_somebody_without_rights():
    """Root may write anything, whatever the rights say."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder():
    folder = Path(tempfile.mkdtemp(prefix="links-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_database_file_that_may_only_be_read(open_folder):
    file = open_folder / "links.db"
    filled(f"sqlite:///{file}", 3)
    for path in open_folder.iterdir():
        path.chmod(0o444)
    for lock in open_folder.glob("*.lock"):
        lock.unlink()
    # The folder can be written.
    open_folder.chmod(0o777)
    with as_somebody_without_rights(), pytest.raises(StoreError) as error:
        Store(f"sqlite:///{file}", SIDES)
    assert one_line(error, str(file), "Permission denied", "rights of file")


def test_a_folder_that_may_only_be_read(open_folder):
    filled(f"sqlite:///{open_folder}/links.db", 3)
    for path in open_folder.iterdir():
        path.chmod(0o666) if path.suffix == ".db" else path.unlink()
    open_folder.chmod(0o555)
    with as_somebody_without_rights(), pytest.raises(StoreError) as error:
        Store(f"sqlite:///{open_folder}/links.db", SIDES)
    assert one_line(error, str(open_folder), "folder writable")


def test_a_disk_that_fills_up_undoes_the_transaction_at_hand_alone(tmp_path):
    url = f"sqlite:///{tmp_path}/links.db"
    filled(url, 10)
    with Store(url, SIDES) as store:
        ledger = Ledger(store, flow_of(store))
        with store.reading() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
        with pytest.raises(StoreError) as error:
            add(ledger, 10, 2000)
        assert one_line(error, "full", "Free some disk space")
        # With some space, the same run can go on.
        with store.reading() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=100000")
        add(ledger, 10, 5)
    assert ids(url) == {f"c-{number}" for number in range(15)}


def test_a_disk_that_is_full_at_the_very_beginning_leaves_nothing_behind(tmp_path):
    url = f"sqlite:///{tmp_path}/links.db"

    def small(connection, _record):
        connection.execute("PRAGMA max_page_count=9")

    sa.event.listen(sa.Engine, "connect", small)
    try:
        with pytest.raises(StoreError) as error:
            Store(url, SIDES)
    finally:
        sa.event.remove(sa.Engine, "connect", small)
    assert one_line(error, "full")
    filled(url, 3)
    assert len(ids(url)) == 3


def test_a_file_with_damaged_pages_is_told_and_not_repaired_in_silence(tmp_path):
    file = tmp_path / "links.db"
    filled(f"sqlite:///{file}")
    with file.open("r+b") as damaged:
        size = damaged.seek(0, os.SEEK_END)
        # Not the pages that tell what tables there are.
        damaged.seek(size // 3)
        damaged.write(b"\xff" * (size // 2))
    before = file.read_bytes()
    with pytest.raises(StoreError) as error:
        ids(f"sqlite:///{file}")
    assert one_line(error, "malformed", "backup")
    assert file.read_bytes() == before


def test_a_file_that_was_cut_off(tmp_path):
    file = tmp_path / "links.db"
    filled(f"sqlite:///{file}")
    os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(StoreError) as error:
        ids(f"sqlite:///{file}")
    assert one_line(error, "malformed")


def test_an_empty_file_becomes_a_store(tmp_path):
    (tmp_path / "links.db").touch()
    filled(f"sqlite:///{tmp_path}/links.db", 1)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://sync:hemmelig-ord@127.0.0.1:1/links",
        "postgresql://sync@127.0.0.1:1/links?password=hemmelig-ord",
        "postgres://sync:hemmelig-ord@/links?host=/nowhere",
        "postgresql://sync:hemmelig-ord@127.0.0.1:notaport/links",
        "postgresql://sync:hemmelig-ord@127.0.0.1:1/links?nosuchoption=hemmelig-ord",
        "postgresql://sync:hemmelig-ord@127.0.0.1:1/links?connect_timeout=hemmelig-ord",
        "mysql://sync:hemmelig-ord@127.0.0.1/links",
        "hemmelig-ord",
        "sqlite:////proc/links.db",
    ],
)
def test_an_address_where_no_store_can_be_is_told_without_its_password(url, capfd):
    with pytest.raises(StoreError) as error:
        Store(url, SIDES)
    assert one_line(error)
    assert "hemmelig" not in str(error.value)
    assert "hemmelig" not in repr(error.value.__cause__)
    assert "hemmelig" not in "".join(capfd.readouterr())


def test_without_the_driver_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"target-tripletex\[postgresql\]") as error:
        Store("postgresql://sync:hemmelig-ord@127.0.0.1/links", SIDES)
    assert one_line(error, "psycopg")
