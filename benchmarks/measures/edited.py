"""Some customers edited in the CRM, of few and of many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from pathlib import Path

from benchmarks import programs
from benchmarks.bench import Bench
from benchmarks.comparing import Contestant, Taken, compare
from benchmarks.processes import Ran, run
from benchmarks.report import Demand, Section
from benchmarks.server import Server

MANY, FEW, EDITED = 100_000, 10_000, 1_000
LATENCY_MS = 50
FIRST_RUN_WITHIN = 1200
DIRECTION = "customcrm-to-tripletex"
READS, WRITES = "GET /v2/customer", "PUT /v2/customer"

TEXT = """\
{edited:,} customers are edited in the CRM, and `tap-customcrm | dataflow-mapper | target-tripletex` runs: it reads the
changes, reads those customers in Tripletex, and writes them. Once with {many:,} customers on each side, once with
{few:,}."""


def measure(bench: Bench) -> Section:
    """The same edits in a large register and in a small one."""
    many, few = bench.size(MANY), bench.size(FEW)
    edited = max(1, min(EDITED, few // 10))
    with bench.serve(many, many) as large, bench.serve(few, few) as small:
        contestants = [
            Contestant(f"of {records:,} ({name})", _linked(bench, name, server, edited))
            for name, server, records in (("many", large, many), ("few", small, few))
        ]
        compared = compare(bench, contestants)
        reads, writes = large.requests(READS), large.requests(WRITES)
    most = ceil(edited / 100)
    ratio = 1 / compared.ratio(contestants[1].name)
    return Section(
        "Some customers edited",
        TEXT.format(edited=edited, many=many, few=few),
        (compared.table(f"At {LATENCY_MS} ms:"),),
        (
            Demand("reads in Tripletex, at most ⌈k/100⌉", f"{most}", f"{reads}", met=reads <= most),
            Demand("writes, at most ⌈k/100⌉", f"{most}", f"{writes}", met=writes <= most),
            Demand("time with many, by that with few, at most", "1.3×", f"{ratio:.2f}×", met=ratio <= 1.3),
        ),
    )


def _linked(bench: Bench, name: str, server: Server, edited: int) -> Callable[[], Taken]:
    """Let both systems be matched, as a first run does; what then edits so many, and lets the line run."""
    bench.say(f"  a first run links all customers ({name})")
    of_its_own = replace(bench, folder=bench.folder / name)
    of_its_own.folder.mkdir()
    state = line(of_its_own, server, None)[1]
    server.set_latency(LATENCY_MS)

    def taken() -> Taken:
        server.edit("customcrm", edited)
        server.reset()
        ran, _ = line(of_its_own, server, state)
        account = programs.account(of_its_own)
        if account["flows"]["customer"].get("updated") != edited:
            raise ValueError(f"{edited} customers were edited, and this became of them: {account['flows']}")
        return Taken(edited, ran, server.requests())

    return taken


def line(bench: Bench, server: Server, state: Path | None) -> tuple[Ran, Path]:
    """Run the line for customers alone; what it took, and the state after it."""
    output = bench.folder / "states.jsonl"
    ran = run(
        programs.tap(bench, "tap-customcrm", server, streams=("customer",), state=state),
        programs.mapper(bench, DIRECTION),
        programs.target(bench, "target-tripletex", server),
        folder=bench.folder,
        output=output,
        timeout=FIRST_RUN_WITHIN,
    )
    return ran, programs.last_state(output, bench.folder / "state.json")
