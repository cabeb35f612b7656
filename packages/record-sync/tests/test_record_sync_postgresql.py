"""What only a server can do: be shared, go away, refuse."""

import threading

import pytest
import sqlalchemy as sa
from record_sync.errors import StoreError
from record_sync.ledger import Ledger
from record_sync.record import Base, Link, LinkSide
from record_sync.rules import FlowRules
from record_sync.store import Store, tables
from record_sync.testing.postgresql import Server

pytest_plugins = ["record_sync.testing.fixtures"]

SIDES = ("customcrm", "tripletex")
PASSWORD = "hemmelig-ord"


def rules(*names):
    sync = {
        "flow": "customer",
        "from": "customcrm",
        "to": "tripletex",
        "resource": {"customcrm": "customer", "tripletex": "customer"},
        "match_on": [],
        "digest": "1",
    }
    properties = {name.lower(): {"x-from": [name]} for name in names or ("Name",)}
    return FlowRules.from_schema({"x-sync": sync, "properties": properties}, "tripletex")


def on(server, statement, database="postgres"):
    url = sa.make_url(server.url(database)).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        result = connection.exec_driver_sql(statement)
        return result.all() if result.returns_rows else []


def end_other_connections(server):
    on(
        server,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
    )


def stamp(store, connection, value):
    connection.execute(sa.update(tables.sync).where(tables.sync.c.id == store.sync_id).values(left_stamp=value))


def stamped(url):
    with Store(url, SIDES) as store, store.reading() as connection:
        return connection.scalar(sa.select(tables.sync.c.left_stamp))


def one_line(error, *words):
    text = str(error.value)
    assert "\n" not in text
    assert PASSWORD not in text
    for word in words:
        assert word in text
    return True


def test_a_server_that_goes_away_ends_the_run_in_one_line():
    with Server() as server:
        url = server.url(password=PASSWORD)
        store = Store(url, SIDES)
        with store.begin() as connection:
            stamp(store, connection, "before")
        server.stop()
        with pytest.raises(StoreError) as error, store.begin() as connection:
            stamp(store, connection, "after")
        assert one_line(error, "run again")
        with pytest.raises(StoreError) as error, store.begin():
            pass
        assert one_line(error, "lost")
        store.close()
        with pytest.raises(StoreError) as error:
            Store(url, SIDES)
        assert one_line(error, "Check that the server runs")


def test_a_connection_that_is_lost_within_a_transaction_leaves_nothing_of_it(postgresql_server, postgresql_url):
    with Store(postgresql_url, SIDES) as store:
        with store.begin() as connection:
            stamp(store, connection, "before")

        def cut_short():
            with store.begin() as connection:
                stamp(store, connection, "after")
                end_other_connections(postgresql_server)
                stamp(store, connection, "after that")

        with pytest.raises(StoreError) as error:
            cut_short()
        assert one_line(error)
        # The server is there, and yet the run must not go on: it has no lock any more.
        with pytest.raises(StoreError) as error, store.begin():
            pass
        assert one_line(error, "lock")
    assert stamped(postgresql_url) == "before"


def test_a_lost_lock_lets_the_next_run_in(postgresql_server, postgresql_url):
    with Store(postgresql_url, SIDES) as store:
        end_other_connections(postgresql_server)
        with Store(postgresql_url, SIDES) as next_one, next_one.begin() as connection:
            stamp(next_one, connection, "the next one's")
        with pytest.raises(StoreError), store.begin() as connection:
            stamp(store, connection, "too late")
    assert stamped(postgresql_url) == "the next one's"


def test_a_user_who_may_not_make_tables_is_told_so(postgresql_server, postgresql_url):
    on(postgresql_server, "CREATE ROLE guest LOGIN")
    guests_url = postgresql_url.replace("postgres:@", f"guest:{PASSWORD}@")
    with pytest.raises(StoreError) as error:
        Store(guests_url, SIDES)
    assert one_line(error, "let this user use it")
    on(postgresql_server, f"GRANT USAGE ON SCHEMA {postgresql_url.rpartition('%3D')[2]} TO guest")
    with pytest.raises(StoreError) as error:
        Store(guests_url, SIDES)
    assert one_line(error, "right to create")


def test_a_database_that_is_not_there(postgresql_server):
    with pytest.raises(StoreError) as error:
        Store(postgresql_server.url("nosuchdatabase", PASSWORD), SIDES)
    assert one_line(error, '"nosuchdatabase" does not exist')


def test_an_address_may_begin_as_some_hosts_write_it(postgresql_url):
    Store(postgresql_url.replace("postgresql:", "postgres:"), SIDES).close()


def test_two_runs_that_meet_the_same_properties_at_once_agree_on_their_numbers(postgresql_url):
    with Store(postgresql_url, SIDES, "one") as one, Store(postgresql_url, SIDES, "other") as other:
        with one.begin() as connection:
            one.know_properties(connection, iter(["Name"]))
            thread = threading.Thread(target=other.flow, args=(rules("Name", "Email"),))
            thread.start()
            # The other run waits for this transaction's end; nothing else can tell that it does.
            thread.join(0.3)
            assert thread.is_alive()
        thread.join(20)
        assert one.number_of("Name") == other.number_of("Name")
        one.flow(rules("Name", "Email"))
        assert one.number_of("Email") == other.number_of("Email")


HOSTILE = [
    "0",
    "a/b?c",
    "NUL\0",
    "half \ud83d",
    "\\",
    "\\0",
    "\\ud83d",
    "\u202e\u00e6\U0001f600",
    "'; DROP TABLE link; --",
]


def test_ids_are_kept_whatever_is_in_them(links_url):
    with Store(links_url, SIDES) as store:
        key, _ = store.flow(rules())
        ledger = Ledger(store, key)
        with ledger.transaction() as now:
            for number, one in enumerate(HOSTILE):
                now.links.add(Link(LinkSide(one, version=one, base=Base()), LinkSide(str(number)), "customer"))
        with ledger.reading() as now:
            found = now.links.of_sources(HOSTILE)
    assert {one: (link.source.id, link.source.version, link.target.id) for one, link in found.items()} == {
        one: (one, one, str(number)) for number, one in enumerate(HOSTILE)
    }


def test_a_links_new_id_is_kept_beside_its_old_one(links_url):
    with Store(links_url, SIDES) as store:
        ledger = Ledger(store, store.flow(rules())[0])
        link = Link(LinkSide("c-1", base=Base(firm={"Name": b"12345678"})), LinkSide("1"), "customer")
        with ledger.transaction() as now:
            now.links.add(link)
        with ledger.transaction() as now:
            now.links.rename_target(link, "2")
            now.links.save(link)
        with ledger.reading() as now:
            assert now.links.of_targets(["1", "2"]) == {"1": link, "2": link}
