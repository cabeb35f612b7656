"""Which store is meant, and what is said where it is none, or not one to be used."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from dataflow_operator.errors import OperatorError
from dataflow_operator.settings import links_url, sync_name
from dataflow_operator.testing.world import World, say_to
from record_sync.store.migrations import VERSION_TABLE

pytest_plugins = ["dataflow_operator.testing.fixtures"]

VERSION = sa.table(VERSION_TABLE, sa.column("version_num"))
SECRET = "hemmelig-passord"


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        (None, {}, "sqlite:////project/var/links.db"),
        (None, {"MELTANO_ENVIRONMENT": "production"}, "sqlite:////project/var/links.db"),
        (None, {"MELTANO_ENVIRONMENT": "sandbox"}, "sqlite:////project/var/sandbox-links.db"),
        (None, {"MELTANO_ENVIRONMENT": "test"}, "sqlite:////project/var/test-links.db"),
        (None, {"MELTANO_PROJECT_ROOT": "/elsewhere"}, "sqlite:////elsewhere/var/links.db"),
        (None, {"DATAFLOW_LINKS_URL": "d", "MELTANO_ENVIRONMENT": "other"}, "d"),
        (None, {"DATAFLOW_LINKS_URL": "d", "TARGET_CUSTOMCRM_LINKS_URL": "c"}, "c"),
        (None, {"TARGET_TRIPLETEX_LINKS_URL": "t", "TARGET_CUSTOMCRM_LINKS_URL": "t"}, "t"),
        (None, {"TARGET_TRIPLETEX_LINKS_URL": "", "TARGET_CUSTOMCRM_LINKS_URL": "c"}, "c"),
        (None, {"LINKS_URL": "l", "TARGET_TRIPLETEX_LINKS_URL": "t", "TARGET_CUSTOMCRM_LINKS_URL": "c"}, "l"),
        ("g", {"LINKS_URL": "l", "TARGET_TRIPLETEX_LINKS_URL": "t", "TARGET_CUSTOMCRM_LINKS_URL": "c"}, "g"),
    ],
)
def test_the_store_is_found_as_the_targets_find_it(given, environment, expected):
    assert links_url(given, environment, Path("/project")) == expected


def test_the_sync_name_is_the_targets():
    assert sync_name(None, {}) == "default"
    assert sync_name(None, {"DATAFLOW_SYNC_NAME": "d", "TARGET_TRIPLETEX_SYNC_NAME": "fjord"}) == "fjord"
    assert sync_name("fjell", {"TARGET_TRIPLETEX_SYNC_NAME": "fjord"}) == "fjell"


def test_targets_with_different_stores_are_told_without_the_addresses():
    environment = {
        "TARGET_TRIPLETEX_LINKS_URL": f"postgresql://kari:{SECRET}@host/a",
        "TARGET_CUSTOMCRM_LINKS_URL": "c",
    }
    with pytest.raises(OperatorError, match="differ, though both targets need the same") as error:
        links_url(None, environment, Path("/project"))
    assert SECRET not in str(error.value)


def test_an_environment_of_somebody_elses_is_asked_for_its_store():
    with pytest.raises(OperatorError, match="'staging' has no link store that is known here"):
        links_url(None, {"MELTANO_ENVIRONMENT": "staging"}, Path("/project"))


def one_line(said):
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("dataflow: ")
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    return said.err


COMMANDS = [
    ("status",),
    ("links",),
    ("failures",),
    ("failures", "retry", "--all"),
    ("failures", "drop", "1", "--yes"),
    ("conflicts",),
    ("conflicts", "resolve", "1", "--take", "tripletex"),
    ("runs",),
    ("let-through", "customer", "deletions"),
]


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_missing_store_is_told_and_none_is_made(tmp_path, arguments):
    told = one_line(say_to(f"sqlite:///{tmp_path}/deep/links.db", *arguments))
    assert f"There is no link store {tmp_path}/deep/links.db. Run the sync first" in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", COMMANDS)
def test_an_empty_database_is_no_store_and_stays_empty(tmp_path, arguments):
    (tmp_path / "links.db").touch()
    assert "There is no link store in sqlite:///" in one_line(say_to(f"sqlite:///{tmp_path}/links.db", *arguments))
    assert (tmp_path / "links.db").read_bytes() == b""


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "links_url is not a database URL"),
        ("sqlite://", "a database in memory, which no other program can read"),
        ("sqlite:///:memory:", "a database in memory, which no other program can read"),
        ("mysql://host/links", "'mysql', which is not supported"),
        ("sqlite:////proc", "There is no link store /proc."),
        (f"postgresql://kari:{SECRET}@127.0.0.1:1/links?connect_timeout=2", "cannot be used: connection"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_in_one_line_without_its_password(url, told):
    said = one_line(say_to(url, "status"))
    assert told in said
    assert SECRET not in said


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    file = tmp_path / "links.db"
    file.write_text("somebody's shopping list " * 100)
    assert "not a database" in one_line(say_to(f"sqlite:///{file}", "status"))
    assert "not a database" in one_line(say_to(f"sqlite:///{file}", "failures", "retry", "--all"))
    assert file.read_text().startswith("somebody's shopping list")


def test_a_file_with_a_name_that_means_something_in_an_address(tmp_path):
    folder = tmp_path / "b#c %41 mode=rwc& ø"
    folder.mkdir()
    world = World(f"sqlite:///{tmp_path}/links.db")
    world.pair()
    (tmp_path / "links.db").rename(folder / "links.db")
    url = sa.URL.create("sqlite", database=str(folder / "links.db")).render_as_string()
    assert say_to(url, "links", "--json").told["total"] == 1
    assert say_to(f"sqlite:///{folder}/gone.db", "status").code == 1


def test_a_store_of_another_release_is_told(world, dataflow):
    world.pair()
    engine = sa.create_engine(world.url)
    for revision, told in (("9999", "A newer release made"), ("0004", "An older release made")):
        with engine.begin() as connection:
            connection.execute(sa.update(VERSION).values(version_num=revision))
        assert told in one_line(dataflow("status"))
        assert told in one_line(dataflow("let-through", "customer", "deletions"))
    engine.dispose()


def test_a_store_from_before_anything_was_released_is_told(world, dataflow):
    world.pair()
    engine = sa.create_engine(world.url)
    with engine.begin() as connection:
        connection.execute(sa.update(VERSION).values(version_num="0003"))
    assert "made before anything was released" in one_line(dataflow("status"))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE {VERSION_TABLE}")
    engine.dispose()
    assert "made before anything was released" in one_line(dataflow("status"))
