"""Loading new customers into Tripletex."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from math import ceil
from pathlib import Path

from benchmarks import programs
from benchmarks.bench import Bench
from benchmarks.comparing import Compared, Contestant, Taken, compare
from benchmarks.processes import Command, run
from benchmarks.report import Demand, Section
from benchmarks.server import Server

CUSTOMERS = 20_000
ONE_BY_ONE = 500
LATENCY_MS = 50
DIRECTION = "customcrm-to-tripletex"
MATCHING = 8
"""Requests beside the list writes: token, whoAmI, countries, and a look at what is there already."""

TEXT = """\
{records:,} customers that Tripletex does not have, from a file of the mapper's messages. target-tripletex looks first
whether they are there, and keeps links, bases and intents durable; the cookiecutter's target posts what comes, and
keeps nothing. Record by record it loads {few:,} of them: its speed is what counts."""

REMARKS = """\
What keeps target-tripletex from more is its processor's time, not the API: the requests of one batch are under way
while the next is made ready, and nearly all of a load's seconds are computed. The profile (`py-spy record --gil`) is
flat: requests and answers 16 %, fingerprints 16 %, links and their bases 15 %, start 13 %, decoding and checking 10 %,
looking records up and matching them 9 %, SQLite 6 %, intents 3 %, the rest reading, sorting and counting. Lists of
1000 are quicker than either, and more than Tripletex takes at a time."""


def measure(bench: Bench) -> Section:
    """The target beside the naive SDK target, in lists of 100 and 1000, and record by record."""
    records = bench.size(CUSTOMERS)
    few = min(records, ONE_BY_ONE)
    compared = compare(bench, list(_contestants(bench, records, few)))
    return Section(
        "Writing: target-tripletex",
        TEXT.format(records=records, few=few),
        (compared.table(f"At {LATENCY_MS} ms:"),),
        (
            compared.demand("naive SDK target, lists of 100", 4),
            compared.demand("naive SDK target, record by record", 200),
            _requests(compared, records),
        ),
        REMARKS,
    )


def _requests(compared: Compared, records: int) -> Demand:
    made = max(taken.requests for taken in compared.runs[compared.ours])
    most = ceil(records / 100) + MATCHING
    return Demand(f"requests, at most ⌈N/100⌉ + {MATCHING}", f"{most:,}", f"{made:,}", met=made <= most)


def _contestants(bench: Bench, records: int, few: int) -> Iterator[Contestant]:
    mapped = _mapped(bench, records)
    yield Contestant("target-tripletex", _once(bench, records, mapped, lambda server: _ours(bench, server)))
    if bench.peers is None:
        return
    plain, some = _plain(mapped, bench.folder / "plain.jsonl"), bench.folder / "some.jsonl"
    some.write_bytes(b"".join(plain.read_bytes().splitlines(keepends=True)[: few + 1]))
    for size in (100, 1000):
        target = _naive(bench, size)
        yield Contestant(f"naive SDK target, lists of {size}", _once(bench, records, plain, target))
    yield Contestant("naive SDK target, record by record", _once(bench, few, some, _naive(bench, 1)))


def _ours(bench: Bench, server: Server) -> Command:
    for file in bench.folder.glob("links.db*"):
        file.unlink()
    return programs.target(bench, "target-tripletex", server)


def _naive(bench: Bench, size: int) -> Callable[[Server], Command]:
    return lambda server: programs.naive_target(bench, server, size)


def _once(bench: Bench, records: int, messages: Path, target: Callable[[Server], Command]) -> Callable[[], Taken]:
    """Load the messages into a Tripletex that has no customers."""

    def taken() -> Taken:
        with bench.serve() as server:
            server.set_latency(LATENCY_MS)
            ran = run(Command("messages", ["cat", messages]), target(server), folder=bench.folder)
            del ran.peak_mb["messages"]
            return Taken(records, ran, server.requests())

    return taken


def _mapped(bench: Bench, records: int) -> Path:
    """The mapper's messages of so many customers of the CRM."""
    path = bench.folder / "mapped.jsonl"
    with bench.serve(crm_customers=records) as server:
        tap = programs.tap(bench, "tap-customcrm", server, streams=("customer",))
        run(tap, programs.mapper(bench, DIRECTION), folder=bench.folder, output=path)
    if (came := programs.singer_records(path)) != records:
        raise ValueError(f"{came} customers were mapped of {records}")
    return path


def _plain(mapped: Path, path: Path) -> Path:
    """The same records as an ordinary target takes them: Tripletex's bodies, and nothing of the sync."""
    with mapped.open("rb") as lines, path.open("w", encoding="utf-8") as plain:
        for line in lines:
            message = json.loads(line)
            if message["type"] == "SCHEMA":
                message["schema"] = {"type": "object", "properties": _properties(message["schema"]["properties"])}
            elif message["type"] == "RECORD":
                message = {"type": "RECORD", "stream": "customer", "record": _body(message["record"])}
            else:
                continue
            plain.write(json.dumps(message) + "\n")
    return path


def _properties(properties: dict[str, object]) -> dict[str, object]:
    return {
        name: {"type": ["object" if "Address" in name else "string", "null"]}
        for name in properties
        if name != "_source"
    }


def _body(record: dict[str, object]) -> dict[str, object]:
    body = {name: value for name, value in record.items() if name != "_source"}
    for value in body.values():
        if isinstance(value, dict) and value.get("country"):
            value["country"] = {"id": 161}
    return body
