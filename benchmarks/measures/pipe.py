"""A nightly full read in which nothing has changed, through the whole pipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks import programs
from benchmarks.bench import Bench
from benchmarks.comparing import Contestant, Taken, compare
from benchmarks.processes import Command, run
from benchmarks.report import Demand, Section
from benchmarks.server import Server

CUSTOMERS = 100_000
LATENCY_MS = 50
NAIVE_RUNS = 2
FIRST_RUN_WITHIN = 1200
DIRECTION = "customcrm-to-tripletex"
WRITES = ("POST /v2/customer", "PUT /v2/customer")

TEXT = """\
{records:,} customers are read whole from the CRM, in pages of 500, mapped, and brought to Tripletex, where all of them
are linked and equal: `tap-customcrm | dataflow-mapper | target-tripletex`. The naive pipe has no memory, so it writes
all of them again: the cookiecutter's tap, meltano-map-transform with an expression a property (it has no way to
make the addresses' objects, so they are left out), and the cookiecutter's target with batches of 100."""


def measure(bench: Bench) -> Section:
    """The pipe beside naive tap, meltano-map-transform and batch target."""
    records = bench.size(CUSTOMERS)
    with bench.serve(records, records) as server, bench.serve(0, records) as other:
        state = _linked(bench, server)
        server.set_latency(LATENCY_MS)
        other.set_latency(LATENCY_MS)
        ours = (
            programs.tap(bench, "tap-customcrm", server, state=state, full_read_every=0),
            programs.mapper(bench, DIRECTION),
            programs.target(bench, "target-tripletex", server),
        )
        contestants = [Contestant("tap, mapper, target", _once(bench, server, records, ours))]
        if bench.peers is not None:
            contestants.append(Contestant("naive pipe", _once(bench, other, records, _naive(bench, other)), NAIVE_RUNS))
        compared = compare(bench, contestants)
        written = server.requests(*WRITES)
    return Section(
        "The whole pipe, nothing changed",
        TEXT.format(records=records),
        (compared.table(f"At {LATENCY_MS} ms:"),),
        (compared.demand("naive pipe", 5), Demand("writes", "0", f"{written:,}", met=written == 0)),
    )


def _linked(bench: Bench, server: Server) -> Path:
    """Let both systems be matched, as a first run does; the state after it."""
    output = bench.folder / "states.jsonl"
    bench.say("  a first run links all customers")
    run(
        programs.tap(bench, "tap-customcrm", server),
        programs.mapper(bench, DIRECTION),
        programs.target(bench, "target-tripletex", server),
        folder=bench.folder,
        output=output,
        timeout=FIRST_RUN_WITHIN,
    )
    server.reset()
    return programs.last_state(output, bench.folder / "state.json")


def _once(bench: Bench, server: Server, records: int, commands: tuple[Command, ...]) -> Callable[[], Taken]:
    def taken() -> Taken:
        before = server.requests()
        ran = run(*commands, folder=bench.folder)
        return Taken(records, ran, server.requests() - before)

    return taken


def _naive(bench: Bench, server: Server) -> tuple[Command, ...]:
    if bench.peers is None:
        raise ValueError("there are no peers in this run")
    names = {
        "name": "Name",
        "organizationNumber": "OrganizationNumber.replace(' ', '')",
        "email": "Email.strip()",
        "phoneNumber": "Phone.replace(' ', '').replace('+47', '')",
        "website": "Website",
        "description": "Description",
    }
    maps: dict[str, object] = {"customer": {**names, "__key_properties__": [], "__else__": None}}
    config = bench.file("map.json", {"stream_maps": maps})
    settings = {"api_url": server.customcrm, "api_key": "key", "page_size": programs.PAGE_SIZE}
    transform = [bench.peers.program("map", "meltano-map-transform"), "--config", config]
    return (
        programs.naive_tap(bench, settings),
        Command("meltano-map-transform", transform),
        programs.naive_target(bench, server, 100),
    )
