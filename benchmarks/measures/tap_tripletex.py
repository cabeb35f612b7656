"""Reading all customers of Tripletex."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil
from pathlib import Path

from benchmarks import programs
from benchmarks.bench import Bench
from benchmarks.comparing import Compared, Contestant, Taken, compare
from benchmarks.processes import Command, count_lines, run
from benchmarks.programs import PEERS, singer_records
from benchmarks.report import Demand, Section
from benchmarks.server import Server

CUSTOMERS = 100_000
LATENCY_MS = 50
SCHEMA = PEERS / "naive_tap" / "schemas" / "tripletex_customer.json"

TEXT = """\
{records:,} customers of Tripletex with all fields that tap-tripletex asks for (1.5 kB each), in pages of 1000. The taps
write Singer messages to a file; dlt extracts to its own files, without loading; airbyte-cdk writes Airbyte's messages.
Every answer takes 50 ms, then none at all.
"""


def measure(bench: Bench) -> Section:
    """The tap beside the naive SDK tap, dlt's extract, airbyte-cdk's declarative source and tap-rest-api-msdk."""
    records = bench.size(CUSTOMERS)
    with bench.serve(customers=records) as server:
        server.set_latency(LATENCY_MS)
        contestants = list(_contestants(bench, server, records))
        slow = compare(bench, contestants)
        server.set_latency(0)
        fast = compare(bench, contestants[:2])
    return Section(
        "Reading: tap-tripletex",
        TEXT.format(records=records),
        (slow.table(f"At {LATENCY_MS} ms:"), fast.table("At 0 ms:")),
        (
            slow.demand("naive SDK tap", 6),
            slow.demand("dlt extract", 3),
            slow.demand("airbyte-cdk", 5),
            _no_faster_at_0(fast),
            _requests(slow, records),
        ),
    )


def _no_faster_at_0(compared: Compared) -> Demand | None:
    if "naive SDK tap" not in compared.runs:
        return None
    ratio = compared.ratio("naive SDK tap")
    return Demand("as fast as naive SDK tap at 0 ms, at least", "3×", f"{ratio:.1f}×", met=ratio >= 3)


def _requests(compared: Compared, records: int) -> Demand:
    made = max(taken.requests for taken in compared.runs[compared.ours])
    most = ceil(records / 1000) + 3
    return Demand("requests, at most ⌈N/1000⌉ + 3", f"{most:,}", f"{made:,}", met=made <= most)


def _contestants(bench: Bench, server: Server, records: int) -> Iterator[Contestant]:
    output = bench.folder / "output"

    def once(command: Command, count: Callable[[Path], int]) -> Callable[[], Taken]:
        def taken() -> Taken:
            server.reset()
            ran = run(command, folder=bench.folder, output=output)
            if (came := count(output)) != records:
                raise ValueError(f"{command.name} read {came} customers of {records}")
            output.unlink()
            return Taken(records, ran, server.requests())

        return taken

    ours = programs.tap(bench, "tap-tripletex", server, streams=("customer",))
    yield Contestant("tap-tripletex", once(ours, singer_records))
    if bench.peers is None:
        return
    fields = programs.asked_fields(bench)
    naive = programs.naive_tap(bench, {"api_url": server.tripletex, "session_token": "token", "fields": fields})
    yield Contestant("naive SDK tap", once(naive, singer_records))
    script = [bench.peers.python("dlt"), PEERS / "dlt_customers.py", server.tripletex, fields]
    yield Contestant("dlt extract", once(Command("dlt", script), lambda path: int(path.read_text())))
    streams = [{
        "stream": {"name": "customer", "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
        "sync_mode": "full_refresh",
        "destination_sync_mode": "append",
    }]  # fmt: skip
    files = [SCHEMA, bench.file("airbyte.json", {}), bench.file("airbyte-catalog.json", {"streams": streams})]
    script = [bench.peers.python("airbyte"), PEERS / "airbyte_customers.py", server.tripletex, fields, *files]
    yield Contestant(
        "airbyte-cdk", once(Command("airbyte-cdk", script), lambda path: count_lines(path, b'"type":"RECORD"'))
    )
    config = bench.file("msdk.json", msdk_settings(server, fields))
    msdk = [bench.peers.program("msdk", "tap-rest-api-msdk"), "--config", config]
    yield Contestant("tap-rest-api-msdk", once(Command("tap-rest-api-msdk", msdk), singer_records), runs=1)


def msdk_settings(server: Server, fields: str) -> dict[str, object]:
    """As its README has it for an API with offsets."""
    return {
        "api_url": server.tripletex,
        "auth_method": "basic",
        "username": "0",
        "password": "token",
        "pagination_request_style": "simple_offset_paginator",
        "pagination_response_style": "offset",
        "pagination_page_size": 1000,
        "pagination_initial_offset": 0,
        "pagination_next_page_param": "from",
        "pagination_limit_per_page_param": "count",
        "offset_records_jsonpath": "$.values",
        "streams": [{
            "name": "customer",
            "path": "/customer",
            "primary_keys": ["id"],
            "records_path": "$.values[*]",
            "params": {"sorting": "id", "count": "1000", "fields": fields},
            "schema": str(SCHEMA),
            "num_inference_records": 0,
        }],
    }  # fmt: skip
