"""The project's programs and the naive peer's, as measures run them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from os import SEEK_END
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.processes import Command, run
from benchmarks.server import ROOT, Server

PEERS = ROOT / "benchmarks" / "peers"
TABLES = tuple(str(ROOT / "transforms" / f"{name}.yml") for name in ("contact", "customer", "product"))
PAGE_SIZE = 500
"""Records in a page of the CRM's: the most it gives."""

LONGEST_LINE = 1_000_000
"""Bytes of a state, at most."""

_RECORD = re.compile(rb'"type": ?"RECORD"')


def tap(
    bench: Bench,
    name: str,
    server: Server,
    *,
    streams: tuple[str, ...] = (),
    state: Path | None = None,
    **settings: Any,
) -> Command:
    """One of the project's taps, reading some streams or all."""
    more = {"page_size": PAGE_SIZE} if name == "tap-customcrm" else {}
    arguments: list[object] = [bench.program(name), "--config", bench.settings(name, server, **more, **settings)]
    if streams:
        arguments += ["--catalog", _catalog(bench, name, streams)]
    if state is not None:
        arguments += ["--state", state]
    return Command(name, arguments)


def mapper(bench: Bench, direction: str) -> Command:
    """The mapper, with the tables of `transforms/`."""
    config = bench.file(f"{direction}.json", {"direction": direction, "tables": TABLES})
    return Command("dataflow-mapper", [bench.program("dataflow-mapper"), "--config", config])


def target(bench: Bench, name: str, server: Server, **settings: Any) -> Command:
    """One of the project's targets, with a link store in the bench's folder."""
    links = {"links_url": f"sqlite:///{bench.folder / 'links.db'}"}
    return Command(name, [bench.program(name), "--config", bench.settings(name, server, **links, **settings)])


def account(bench: Bench) -> dict[str, Any]:
    """What target-tripletex says of its run."""
    lines = (bench.folder / "target-tripletex.log").read_text(encoding="utf-8").splitlines()
    told: dict[str, Any] = next(json.loads(line[line.index("{") :]) for line in lines if '"sync_run"' in line)
    return told


def last_state(output: Path, state: Path) -> Path:
    """The last state that a target wrote, in a file for the next run of the tap."""
    state.write_bytes(last_line(output))
    return state


def last_line(path: Path) -> bytes:
    """A file's last line. The rest is not read: the bench's own size is the least that it can measure."""
    with path.open("rb") as file:
        file.seek(-min(LONGEST_LINE, path.stat().st_size), SEEK_END)
        return file.read().splitlines()[-1]


def singer_records(path: Path) -> int:
    """The RECORDs in a file of Singer messages, however they are spaced."""
    with path.open("rb") as lines:
        return sum(_RECORD.search(line) is not None for line in lines)


def asked_fields(bench: Bench) -> str:
    """The `fields` that tap-tripletex asks for, for everybody."""
    path = bench.folder / "fields.txt"
    code = "from tripletex_client.fields import FIELDS; print(FIELDS['customer'])"
    run(Command("fields", [bench.program("python"), "-c", code]), folder=bench.folder, output=path)
    return path.read_text().strip()


def naive_tap(bench: Bench, settings: Mapping[str, Any]) -> Command:
    """The cookiecutter's tap; on the CRM where its settings have an `api_key`, else on Tripletex."""
    return _naive(bench, "tap", settings)


def naive_target(bench: Bench, server: Server, batch_size: int) -> Command:
    """The cookiecutter's target for Tripletex, with batches of so many records; 1: record by record."""
    settings = {"api_url": server.tripletex, "session_token": "token", "batch_size": batch_size}
    return _naive(bench, "target", settings)


def _naive(bench: Bench, what: str, settings: Mapping[str, Any]) -> Command:
    if bench.peers is None:
        raise ValueError("there are no peers in this run")
    config = bench.file(f"naive-{what}.json", settings)
    arguments = [bench.peers.python("naive"), "-m", f"naive_{what}", "--config", config]
    return Command(f"naive-{what}", arguments, {"PYTHONPATH": str(PEERS)})


def _catalog(bench: Bench, name: str, streams: tuple[str, ...]) -> Path:
    """The tap's catalog with some streams alone."""
    path, nothing = bench.folder / "discovered.json", bench.file("nothing.json", {})
    discover = [bench.program(name), "--config", nothing, "--discover"]
    run(Command("discover", discover), folder=bench.folder, output=path)
    catalog = json.loads(path.read_bytes())
    catalog["streams"] = [stream for stream in catalog["streams"] if stream["stream"] in streams]
    return bench.file(f"{name}-catalog.json", catalog)
