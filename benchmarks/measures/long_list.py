"""A long list whose length nobody tells, beside one whose length is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from benchmarks import programs
from benchmarks.bench import Bench
from benchmarks.comparing import Contestant, Taken, compare
from benchmarks.processes import run
from benchmarks.report import Demand, Section
from benchmarks.server import Server

CONTACTS = 100_000
LATENCY_MS = 150
MOST = 1.15
UNKNOWN, KNOWN = "length not known", "length known"

TEXT = """\
tap-tripletex reads {records:,} contacts, four pages of 1000 at a time. No list tells its length since March 2026, so
pages are asked for ahead no further than full ones came. Beside it the same list where the number of pages is known
from the run before and every page has changed, as fast as when a list told its length."""


def measure(bench: Bench) -> Section:
    """The list for the first time, and once more with checksums that no page has any longer."""
    records = bench.size(CONTACTS)
    with bench.serve(contacts=records) as server:
        changed = _state(bench, server)
        server.set_latency(LATENCY_MS)
        contestants = [
            Contestant(name, _read(bench, server, records, state))
            for name, state in ((UNKNOWN, None), (KNOWN, changed))
        ]
        compared = compare(bench, contestants)
    ratio = 1 / compared.ratio(KNOWN)
    return Section(
        "A long list",
        TEXT.format(records=records),
        (compared.table(f"At {LATENCY_MS} ms:"),),
        (Demand("time of that with a known length, at most", f"{MOST}×", f"{ratio:.2f}×", met=ratio <= MOST),),
    )


def _state(bench: Bench, server: Server) -> Path:
    """The state after a run, with other checksums than the pages have."""
    output = bench.folder / "first.jsonl"
    run(programs.tap(bench, "tap-tripletex", server, streams=("contact",)), folder=bench.folder, output=output)
    state = json.loads(programs.last_line(output))["value"]
    bookmark = state["bookmarks"]["contact"]
    bookmark["digests"] = ["another"] * len(bookmark["digests"])
    return bench.file("changed.state.json", state)


def _read(bench: Bench, server: Server, records: int, state: Path | None) -> Callable[[], Taken]:
    output = bench.folder / "contacts.jsonl"

    def taken() -> Taken:
        server.reset()
        tap = programs.tap(bench, "tap-tripletex", server, streams=("contact",), state=state)
        ran = run(tap, folder=bench.folder, output=output)
        if (came := programs.singer_records(output)) != records:
            raise ValueError(f"{came} contacts came of {records}")
        return Taken(records, ran, server.requests())

    return taken
