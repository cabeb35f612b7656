"""How long a program takes to start."""

from __future__ import annotations

from statistics import median

from benchmarks.bench import Bench
from benchmarks.processes import Command, Ran, run
from benchmarks.report import Demand, Section, Table

PROGRAMS = ("tap-customcrm", "tap-tripletex", "dataflow-mapper", "target-customcrm", "target-tripletex")
SDK = "import singer_sdk"
MOST = 1.3

TEXT = f"""\
`--version` of each program, and Python with `{SDK}` alone, in turns."""


def measure(bench: Bench) -> Section:
    """Starting beside importing the SDK."""
    commands = [Command("sdk", [bench.program("python"), "-c", SDK])]
    commands += [Command(name, [bench.program(name), "--version"]) for name in PROGRAMS]
    ran: dict[str, list[Ran]] = {command.name: [] for command in commands}
    for _ in range(bench.runs + 1):
        for command in commands:
            ran[command.name].append(run(command, folder=bench.folder))
    # The first round reads files that nobody has read yet.
    taken = {name: runs[-bench.runs :] for name, runs in ran.items()}
    rows, demands = [], []
    for name, runs in taken.items():
        ratio = median(one.seconds / sdk.seconds for one, sdk in zip(runs, taken["sdk"], strict=True))
        seconds, processor = median(one.seconds for one in runs), median(one.processor for one in runs)
        rows.append((SDK if name == "sdk" else name, f"{seconds:.2f}", f"{processor:.2f}", f"{ratio:.2f}"))
        if name != "sdk":
            what = f"{name}, of importing the SDK, at most"
            demands.append(Demand(what, f"{MOST}×", f"{ratio:.2f}×", met=ratio <= MOST))
    columns = ("", "seconds", "processor s", "of importing the SDK")
    return Section("Import and start", TEXT, (Table("Started:", columns, tuple(rows)),), demands)
