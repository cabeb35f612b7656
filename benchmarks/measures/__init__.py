"""The measures, by the names that `make bench BENCH=…` takes, in the order of the page.

A measure is a function in a module of its own: it is given a `Bench`, does the work of all its contestants, and returns
a `Section`. It never prints nor times out on its own (`processes.run` does), and works at `BENCH_RECORDS=50`
and without peers, which a test does.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.bench import Bench
from benchmarks.measures import (
    edited,
    link_store,
    long_list,
    memory,
    new_customers,
    nothing_changed,
    pipe,
    start,
    tap_tripletex,
    target_tripletex,
)
from benchmarks.report import Section

MEASURES: dict[str, Callable[[Bench], Section]] = {
    "tap-tripletex": tap_tripletex.measure,
    "target-tripletex": target_tripletex.measure,
    "pipe": pipe.measure,
    "edited": edited.measure,
    "new-customers": new_customers.measure,
    "nothing-changed": nothing_changed.measure,
    "long-list": long_list.measure,
    "memory": memory.measure,
    "start": start.measure,
    # Last: it grows the bench's own process, and nothing that is measured after that could be smaller.
    "link-store": link_store.measure,
}
