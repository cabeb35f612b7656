"""A few new customers in the CRM, beside many that are linked."""

from __future__ import annotations

from benchmarks import programs
from benchmarks.bench import Bench
from benchmarks.measures.edited import line
from benchmarks.report import Demand, Section, Table

LINKED, NEW = 6_000, 6
LATENCY_MS = 50
SEARCH, WRITES = "GET /v2/customer (search)", ("POST /v2/customer", "PUT /v2/customer")

TEXT = """\
{new} customers are entered in the CRM, and `tap-customcrm | dataflow-mapper | target-tripletex` runs, where {linked:,}
are linked already. The new ones have an organisation number, by which they may be there. No list tells its length;
what reading all of them would cost is known from the links. Lists leave inactive customers out, so these are read once
besides."""


def measure(bench: Bench) -> Section:
    """What matching and creating them asks of Tripletex."""
    linked = bench.size(LINKED)
    with bench.serve(linked, linked) as server:
        state = line(bench, server, None)[1]
        server.set_latency(LATENCY_MS)
        server.enter(NEW)
        server.reset()
        ran, _ = line(bench, server, state)
        created = programs.account(bench)["flows"]["customer"].get("created")
        counts = server.counts()
    if created != NEW:
        raise ValueError(f"{NEW} customers were entered, and {created} were created")
    searches, writes = counts[SEARCH], sum(count for what, count in counts.items() if what.startswith(WRITES))
    return Section(
        "A few new customers",
        TEXT.format(new=NEW, linked=linked),
        (
            Table(
                f"The line took {ran.seconds:.1f} s at {LATENCY_MS} ms, and asked:",
                ("request", "times"),
                tuple((what, f"{count:,}") for what, count in sorted(counts.items())),
            ),
        ),
        (
            Demand("searches, at most one a new customer", f"{NEW}", f"{searches}", met=searches <= NEW),
            Demand("writes, at most", "2", f"{writes}", met=writes <= 2),
        ),
    )
