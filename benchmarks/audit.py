# ruff: noqa: T201, S603 - a script that tells its figures to whoever runs it
"""How much memory and time an audit takes.

    .venv/bin/python benchmarks/audit.py                     100,000 linked pairs of customers, in the sandbox
    .venv/bin/python benchmarks/audit.py --pairs 10000

The systems are this process, the audit is another one. One pair in a thousand differs.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dataflow.tables import Dataflow
from dataflow_operator.audit.flows import SIDES, AuditedFlow
from dataflow_operator.connections import connected
from dataflow_operator.project import tables_of
from dataflow_operator.testing.both import Both
from record_sync.ledger import Ledger
from record_sync.record import Base, Link, LinkSide
from record_sync.store import Store

import sandbox

ROOT = Path(__file__).parents[1]
WANTED_MB = 200
ONE_IN = 1000
PART = 5000
COMMAND = """
import sys
from pathlib import Path
from dataflow_operator.cli import main
try:
    main()
finally:
    print(next(line for line in Path("/proc/self/status").open() if line.startswith("VmHWM")), file=sys.stderr)
"""
"""The command, which tells its own memory at the end: what is told of a child counts its parent's in."""


def fill(systems: sandbox.Systems, pairs: int) -> None:
    """Make customers that are the same on both sides."""
    crm, tripletex = systems.customcrm, systems.tripletex
    norway = {"id": tripletex.country_id("NO")}
    for start in range(0, pairs, PART):
        with crm.transaction(), tripletex.transaction():
            for n in range(start, min(start + PART, pairs)):
                number, email = str(900_000_000 + n), f"post{n}@kunde.example.no"
                address = {"StreetAddress1": f"Storgata {n}", "ZipCode": "0155", "City": "OSLO", "Country": "NO"}
                crm.create(
                    "customer", Name=f"Kunde {n} AS", OrganizationNumber=number, Email=email, Phone="+47 22 33 44 55",
                    Website=f"https://kunde{n}.example.no", Description="Kunde siden 2019", **address,
                )  # fmt: skip
                tripletex.create(
                    "customer", name=f"Kunde {n} AS", organizationNumber=number, email=email, phoneNumber="22334455",
                    website=f"https://kunde{n}.example.no", description="Kunde siden 2019",
                    postalAddress={
                        "addressLine1": f"Storgata {n}", "postalCode": "0155", "city": "OSLO", "country": norway
                    },
                )  # fmt: skip
        print(f"{min(start + PART, pairs)} pairs made", file=sys.stderr)


def link(both: Both) -> None:
    """Link them by their numbers, as agreed in all that they say."""
    flow = AuditedFlow.of(both.dataflow, both.dataflow.flow("customer"))
    systems = connected(both.environment)
    with Store(both.links_url, SIDES) as store:
        key, _ = store.flow(flow.ways["tripletex"].rules)
        for side, system in systems.items():
            store.stamp(side, system.stamp())
        ends: dict[str, dict[str, LinkSide]] = {"customcrm": {}, "tripletex": {}}
        for side, number in (("customcrm", "OrganizationNumber"), ("tripletex", "organizationNumber")):
            for one in systems[side].listing("customer", flow.paths(side)):
                base = Base(store.prints.of_all(one.values))
                ends[side][one.values[number]] = LinkSide(one.id, one.version, None, one.modified_at, base=base)
        pairs = [Link(end, ends["tripletex"][number], "customer") for number, end in ends["customcrm"].items()]
        ledger = Ledger(store, key)
        for start in range(0, len(pairs), PART):
            with ledger.transaction() as now:
                for pair in pairs[start : start + PART]:
                    now.links.add(pair)
    print(f"{len(pairs)} pairs linked", file=sys.stderr)


def main() -> None:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=100_000)
    pairs = parser.parse_args().pairs
    with sandbox.running("empty") as systems, tempfile.TemporaryDirectory(prefix="audit-") as folder:
        fill(systems, pairs)
        dataflow = Dataflow.load(tables_of(ROOT), ROOT)
        both = Both(systems, f"sqlite:///{folder}/links.db", dataflow)
        link(both)
        for customer in systems.customcrm.all("customer")[::ONE_IN]:
            systems.customcrm.edit("customer", customer["Id"], Name="Omdøpt AS")
        began = time.monotonic()
        ended = subprocess.run(
            [sys.executable, "-c", COMMAND, "audit", "--json", "--html", f"{folder}/audit.html"],
            cwd=ROOT,
            env={**os.environ, **both.environment, "LINKS_URL": both.links_url},
            capture_output=True,
            text=True,
            check=False,
        )
        took = time.monotonic() - began
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = json.loads(ended.stdout)
    (flow,) = [one for one in told["flows"] if one["flow"] == "customer"]
    print(
        f"{flow['linked']} pairs: {flow['in_sync']} in sync, {flow['counts']['differs']['unexplained']} differ; "
        f"exit code {ended.returncode}, requests {told['requests']}"
    )
    print(
        f"Audited in {took:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of processor beside the servers'; "
        f"memory at most {int(ended.stderr.split()[-2]) / 1024:.0f} MB (wanted: {WANTED_MB} MB)"
    )


if __name__ == "__main__":
    main()
