"""What tap and mapper hold of a long read."""

from __future__ import annotations

from benchmarks import programs
from benchmarks.bench import Bench
from benchmarks.processes import Ran, run
from benchmarks.report import Demand, Section, Table

SIZES = (100_000, 1_000_000)
MOST_MB = 90
MOST_GROWTH = 1.2

TEXT = """\
`tap-tripletex | dataflow-mapper` on all customers, at 0 ms. A target's memory stands with its own measures."""


def measure(bench: Bench) -> Section:
    """Peak memory of tap and mapper at two sizes."""
    ran: list[Ran] = []
    rows = []
    for size in SIZES:
        records = bench.size(size)
        with bench.serve(records) as server:
            tap = programs.tap(bench, "tap-tripletex", server, streams=("customer",))
            ran.append(run(tap, programs.mapper(bench, "tripletex-to-customcrm"), folder=bench.folder))
        bench.say(f"  {records:,}: {ran[-1].peak_mb}")
        peaks = (f"{peak:.0f}" for peak in ran[-1].peak_mb.values())
        rows.append((f"{records:,}", *peaks, f"{ran[-1].seconds:.1f}"))
    demands = []
    for process, peak in ran[0].peak_mb.items():
        growth = ran[1].peak_mb[process] / peak
        demands += [
            Demand(f"MB of {process}, at most", f"{MOST_MB}", f"{peak:.0f}", met=peak <= MOST_MB),
            Demand(
                f"{process} at ten times as many, at most",
                f"{MOST_GROWTH}×",
                f"{growth:.2f}×",
                met=growth <= MOST_GROWTH,
            ),
        ]
    return Section("Memory", TEXT, (Table("Peak MB:", ("records", *ran[0].peak_mb, "seconds"), tuple(rows)),), demands)
