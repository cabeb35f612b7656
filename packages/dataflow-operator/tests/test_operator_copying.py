"""The copy of a link store that a plan works with: all of it, for its owner alone, and the store is as it was."""

import stat

import pytest
import sqlalchemy as sa
from dataflow_operator.store.copying import copy_store
from dataflow_operator.testing.world import SIDES, World
from record_sync.errors import StoreError, StoreLockedError
from record_sync.store import Store
from record_sync.store.database import open_engine
from record_sync.store.migrations import REVISION, VERSION_TABLE, migrate

pytest_plugins = ["record_sync.testing.fixtures"]


def dump(url):
    """Every row of every table."""
    engine = open_engine(url)
    try:
        with engine.connect() as connection, connection.begin():
            names = sa.inspect(connection).get_table_names()
            told = {name: connection.execute(sa.select(sa.text("*")).select_from(sa.table(name))) for name in names}
            return {name: sorted(map(str, map(tuple, rows))) for name, rows in told.items()}
    finally:
        engine.dispose()


@pytest.fixture
def busy(links_url):
    """A store with links, conflicts, what waits, and words with odd characters."""
    world = World(links_url)
    tripletex_id = world.pair()
    world.crm.put("customer", "c1", Name="B")
    world.tripletex.put("customer", tripletex_id, name="C")
    world.tripletex.refuse = lambda _values: "nei \x00 \\ æøå"
    world.crm.put("customer", "c2", Name="Ny")
    world.cycle(conflict="manual")
    return world


def test_all_of_a_store_is_copied_and_nothing_of_it_changed(busy, tmp_path):
    before = dump(busy.url)
    copy = tmp_path / "copy.db"
    assert copy_store(busy.url, "default", copy)
    assert dump(f"sqlite:///{copy}") == before == dump(busy.url)
    assert all(before[name] for name in ("link", "waiting", "conflict", "run", "meta"))
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with Store(f"sqlite:///{copy}", SIDES) as store, Store(busy.url, SIDES) as original:
        assert store.prints.of("x") == original.prints.of("x")


def test_a_store_of_an_older_release_is_brought_up_to_date_in_the_copy_only(links_url, tmp_path):
    engine = open_engine(links_url)
    with engine.connect() as connection:
        migrate(connection, "0004")
    engine.dispose()
    copy = tmp_path / "copy.db"
    assert copy_store(links_url, "default", copy)
    Store(f"sqlite:///{copy}", SIDES).close()
    assert dump(f"sqlite:///{copy}")[VERSION_TABLE] == [f"('{REVISION}',)"]
    assert dump(links_url)[VERSION_TABLE] == ["('0004',)"]


def test_while_a_run_works_there_is_nothing_to_plan_with(busy, tmp_path):
    session = busy.begin("tripletex")
    with pytest.raises(StoreLockedError, match="Another run works with this link store"):
        copy_store(busy.url, "default", tmp_path / "copy.db")
    session.close("done")
    assert copy_store(busy.url, "default", tmp_path / "copy.db")


def test_a_store_that_is_not_there_is_not_made(tmp_path):
    assert not copy_store(f"sqlite:///{tmp_path}/links.db", "default", tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_database_is_a_store_that_is_not_there(postgresql_url, tmp_path):
    assert not copy_store(postgresql_url, "default", tmp_path / "copy.db")


def test_an_address_that_is_none_is_told_in_one_line(tmp_path):
    with pytest.raises(StoreError, match="links_url is not a database URL"):
        copy_store("nonsense", "default", tmp_path / "copy.db")
