"""Every measure still runs, and docs/benchmarks.md has the tables that it writes."""

from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.__main__ import PAGE
from benchmarks.bench import Bench
from benchmarks.measures import MEASURES
from benchmarks.processes import Command, Failed, run

FEW = 30


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_runs_and_the_page_has_its_tables(name, tmp_path):
    """With few records, once, and without the peers; what it writes has the page's headings and columns."""
    section = MEASURES[name](Bench(tmp_path, records=FEW, runs=1, peers=None))

    shape = report.shape(section.markdown())
    assert len(shape) > 1, "a heading, and at least one table"
    assert report.shapes(PAGE)[name] == shape


def test_six_new_customers_beside_six_thousand_cost_a_search_each_and_no_list_of_all(tmp_path):
    """What is counted and not timed holds on any machine."""
    section = MEASURES["new-customers"](Bench(tmp_path, runs=1, peers=None))
    assert [demand for demand in section.demands if not demand.met] == []
    asked = {what: int(times) for what, times in section.tables[0].rows}
    assert asked["GET /v2/customer"] == 1, "the inactive ones, once"


def test_the_page_tells_of_all_measures_in_their_order():
    assert list(report.shapes(PAGE)) == list(MEASURES)


def test_a_measure_made_again_takes_its_own_place_in_the_page(tmp_path):
    page = tmp_path / "page.md"
    table = report.Table("Caption:", ("", "figure"), (("a", "1"),))
    sections = {name: report.Section(f"Section {name}", "", (table,)) for name in ("one", "two")}
    report.write(page, sections, ["one", "two"])

    again = report.Section("Section one", "Anew.", (table,))
    report.write(page, {"one": again}, ["one", "two"])

    text = page.read_text()
    assert text.index("Anew.") < text.index("Section two")
    assert text.count("## Section one") == 1


def test_a_process_that_takes_too_long_ends_the_bench_and_does_not_stay(tmp_path):
    sleeper = Command("sleeper", ["sleep", 600])
    with pytest.raises(Failed, match=r"sleeper: not done in 0 s"):
        run(sleeper, folder=tmp_path, timeout=0.2)


def test_a_process_that_fails_is_told_with_its_last_words(tmp_path):
    with pytest.raises(Failed, match=r"(?s)failing: exit code 3.*no such thing"):
        run(Command("failing", ["sh", "-c", "echo no such thing >&2; exit 3"]), folder=tmp_path)


def test_peak_memory_is_told_of_each_process_of_a_pipe(tmp_path):
    output = Path(tmp_path, "output")
    large = Command("large", ["python3", "-c", "print(len(bytearray(900_000_000)))"])
    ran = run(large, Command("small", ["cat"]), folder=tmp_path, output=output)
    assert output.read_text() == "900000000\n"
    assert ran.peak_mb["large"] > 850
    # A process counts what started it until it runs its program; the tests' own is no small one.
    assert ran.peak_mb["small"] < ran.peak_mb["large"]
