"""Cycles in which nothing has changed on either side."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import ceil
from pathlib import Path
from time import perf_counter

from benchmarks import programs
from benchmarks.bench import Bench
from benchmarks.comparing import Compared, Contestant, Taken, compare
from benchmarks.processes import run
from benchmarks.report import Demand, Section, Table
from benchmarks.server import Server

RECORDS = 100_000
LATENCY_MS = 50
FIRST_RUN_WITHIN = 1200
LINES = (
    ("tap-customcrm", "customcrm-to-tripletex", "target-tripletex"),
    ("tap-tripletex", "tripletex-to-customcrm", "target-customcrm"),
)
INCREMENTS = ("GET /api/v1/customers", "GET /v2/customer")
WRITES = ("POST", "PUT /v2/customer", "PATCH", "DELETE")
LOOK_UPS = ("GET /v2/customer/", "GET /api/v1/customers/")

TEXT = """\
{records:,} customers on each side, linked and equal; both lines run once more with their states, and both systems tell
of no change. Then tap-tripletex alone on {records:,} contacts, of which Tripletex cannot list the changes: each page of
1000 is asked for with the checksum that is known of it, and answered 304."""


def measure(bench: Bench) -> Section:
    """A cycle of both lines, and a list that is read conditionally."""
    records = bench.size(RECORDS)
    with bench.serve(records, records, contacts=records) as server:
        states = [_line(bench, server, line, None) for line in LINES]
        server.set_latency(LATENCY_MS)
        server.reset()
        began = perf_counter()
        for line, state in zip(LINES, states, strict=True):
            _line(bench, server, line, state)
        seconds, counts = perf_counter() - began, server.counts()
        conditional = _conditional(bench, server, records)
    rows = tuple((what, f"{count:,}") for what, count in sorted(counts.items()))
    increments = sum(counts.get(what, 0) for what in INCREMENTS)
    others = sum(count for what, count in counts.items() if what.startswith((*WRITES, *LOOK_UPS)))
    pages = ceil(records / 1000) + 2
    asked = conditional.runs["four at a time"][0].requests
    return Section(
        "A cycle with nothing changed",
        TEXT.format(records=records),
        (
            Table(f"Both lines took {seconds:.1f} s at {LATENCY_MS} ms, and asked:", ("request", "times"), rows),
            conditional.table(f"Contacts read conditionally, at {LATENCY_MS} ms:"),
        ),
        (
            Demand("requests for changes of customers, at most", "8", f"{increments}", met=increments <= 8),
            Demand("writes and look-ups", "0", f"{others}", met=others == 0),
            Demand("conditional requests, one a page (and token, and what follows the last)", f"{pages}", f"{asked}",
                   met=asked <= pages),
        ),
    )  # fmt: skip


def _line(bench: Bench, server: Server, line: tuple[str, str, str], state: Path | None) -> Path:
    """Run a line for customers alone; the state after it."""
    tap, direction, target = line
    output = bench.folder / f"{direction}.jsonl"
    run(
        programs.tap(bench, tap, server, streams=("customer",), state=state),
        programs.mapper(bench, direction),
        programs.target(bench, target, server),
        folder=bench.folder,
        output=output,
        timeout=FIRST_RUN_WITHIN,
    )
    return programs.last_state(output, bench.folder / f"{direction}.state.json")


def _conditional(bench: Bench, server: Server, records: int) -> Compared:
    """The list of contacts once more, with the checksums of the time before."""
    output = bench.folder / "contacts.jsonl"
    run(programs.tap(bench, "tap-tripletex", server, streams=("contact",)), folder=bench.folder, output=output)
    state = bench.file("contacts.state.json", json.dumps(json.loads(programs.last_line(output))["value"]))

    def read(at_a_time: int) -> Callable[[], Taken]:
        def taken() -> Taken:
            tap = programs.tap(
                bench, "tap-tripletex", server, streams=("contact",), state=state, max_concurrent_requests=at_a_time
            )
            before = server.requests()
            ran = run(tap, folder=bench.folder, output=output)
            if came := programs.singer_records(output):
                raise ValueError(f"{came} contacts came, although none had changed")
            return Taken(records, ran, server.requests() - before)

        return taken

    return compare(bench, [Contestant("four at a time", read(4)), Contestant("one at a time", read(1))])
