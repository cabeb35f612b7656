"""What a million links are asked for is found by an index, not by going through all of them."""

import pytest
import sqlalchemy as sa
from record_sync.ledger.links import _asked
from record_sync.store import Store, tables
from record_sync.store.sql_in import among

SIDES = ("customcrm", "tripletex")


@pytest.fixture
def plan_of(tmp_path):
    with Store(f"sqlite:///{tmp_path}/links.db", SIDES) as store, store.reading() as connection:

        def told(statement):
            asked = statement.params(scope=1, flow=1, of_side="customcrm", ids=[], at_most=1)
            compiled = asked.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
            places = tuple(1 for _ in compiled.positiontup)
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", places)
            return [row[3] for row in rows]

        yield told


def searched(plan, table):
    """The columns that a plan finds a table's rows by."""
    (line,) = [one for one in plan if one.startswith(f"SEARCH {table} ")]
    return line[line.index("(") :]


@pytest.mark.parametrize("end", ["left", "right"])
@pytest.mark.parametrize("asked", ["by_id", "settled"])
def test_links_are_found_by_the_ids_of_their_records(plan_of, asked, end):
    statements = _asked(end, "right" if end == "left" else "left")
    statement = statements.by_id[end] if asked == "by_id" else statements.settled
    assert searched(plan_of(statement), "link") == f"({end}_scope=? AND {end}_id=?)"


def test_links_are_found_by_former_ids(plan_of):
    assert searched(plan_of(_asked("left", "right").by_alias), "alias") == "(scope_id=? AND record_id=?)"


@pytest.mark.parametrize("asked", ["source_gone", "target_suspect"])
def test_the_few_links_that_miss_a_record_are_found_among_those(plan_of, asked):
    side = "left" if asked == "source_gone" else "right"
    plan = plan_of(getattr(_asked("left", "right"), asked))
    # That index holds no others.
    assert plan == [f"SCAN link USING INDEX ix_link_{side}_missing"]


@pytest.mark.parametrize("table", ["waiting", "intent", "link"])
def test_rows_are_found_by_their_own_ids(plan_of, table):
    rows = tables.metadata.tables[table]
    plan = plan_of(sa.select(rows.c.id).where(among(rows.c.id, [1, 2]), rows.c.id > 0))
    assert "rowid" in searched(plan, table)
