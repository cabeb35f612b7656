"""Measure, and write docs/benchmarks.md.

`make bench` measures everything; with names (`BENCH=tap-tripletex`) only those. With BENCH_RECORDS, BENCH_RUNS or
BENCH_PEERS=no it only shows what it measured, unless BENCH_WRITE=yes: the page tells of whole runs.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks import report
from benchmarks.bench import Bench
from benchmarks.measures import MEASURES
from benchmarks.peers.environments import Environments
from benchmarks.server import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
ENVIRONMENTS = ROOT / "benchmarks" / "peers" / ".venvs"


def main() -> None:
    """Measure, and write or show."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="measure", help=", ".join(MEASURES))
    names = parser.parse_args().names or list(MEASURES)
    if unknown := [name for name in names if name not in MEASURES]:
        parser.error(f"no measure is called {unknown[0]}; there are {', '.join(MEASURES)}")
    tried = {name: value for name in ("RECORDS", "RUNS", "PEERS") if (value := os.environ.get(f"BENCH_{name}"))}
    sections = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for name in names:
            of_its_own = Path(folder) / name
            of_its_own.mkdir()
            bench = Bench(
                of_its_own,
                records=int(tried["RECORDS"]) if "RECORDS" in tried else None,
                runs=int(tried.get("RUNS", Bench.runs)),
                peers=None if tried.get("PEERS") == "no" else Environments(ENVIRONMENTS),
            )
            bench.say(f"{name}:")
            sections[name] = MEASURES[name](bench)
            sys.stdout.write(f"\n{sections[name].markdown()}\n\n")
            sys.stdout.flush()
            if not tried or os.environ.get("BENCH_WRITE") == "yes":
                report.write(PAGE, sections, list(MEASURES))


if __name__ == "__main__":
    main()
