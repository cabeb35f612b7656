# ruff: noqa: T201 - a script that tells its figures to whoever runs it
"""How large a link store gets, and how long a batch takes in it.

    .venv/bin/python benchmarks/link_store.py                      a million links in SQLite, in a temporary folder
    .venv/bin/python benchmarks/link_store.py --links 10000 --url postgresql://user@host/database

The links are customers' that were created in Tripletex and later edited in Customcrm: eleven synchronised properties.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from record_sync.record import Base
from record_sync.rules import FlowRules
from record_sync.store import Store, tables
from record_sync.store.base_blob import BasePacker
from record_sync.store.links import Links
from record_sync.store.store import FlowKey

SIDES = ("customcrm", "tripletex")
PROPERTIES = 11
BATCH = 1000
ROUNDS = 20
WANTED_MB = 500
WANTED_MS = 50
MEGABYTE = 1_000_000
START_MS = 1_767_355_200_000


def rules() -> FlowRules:
    """A flow of so many properties."""
    properties = {f"target{number}": {"x-from": [f"Source{number}"]} for number in range(PROPERTIES)}
    sync = {
        "flow": "customer",
        "from": "customcrm",
        "to": "tripletex",
        "resource": {"customcrm": "customer", "tripletex": "customer"},
        "match_on": [],
        "digest": "1",
    }
    return FlowRules.from_schema({"x-sync": sync, "properties": properties}, "tripletex")


def link(chance: random.Random, number: int, bases: BasePacker, key: FlowKey) -> dict[str, Any]:
    """The row of one made-up link."""
    edited = START_MS + number * 1000 + chance.randrange(1000)
    version = datetime.fromtimestamp(edited / 1000, timezone.utc).isoformat(timespec="milliseconds")
    return {
        "flow_id": key.id,
        "created_at": START_MS,
        "left_scope": key.source_scope,
        "left_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "left_version": version.replace("+00:00", "Z"),
        "left_modified_at": edited,
        "left_edited_at": edited,
        "left_base": bases.pack(Base({f"Source{one}": chance.randbytes(8) for one in range(PROPERTIES)})),
        "right_scope": key.target_scope,
        "right_id": str(10_000_000 + number),
        "right_version": str(number % 50),
        "right_own_version": str(number % 50),
        "right_modified_at": edited + 90_000,
        "right_written_at": edited + 90_000,
        "right_base": bases.pack(Base({f"target{one}": chance.randbytes(8) for one in range(PROPERTIES)})),
    }


def fill(store: Store, key: FlowKey, count: int) -> list[str]:
    """Insert so many links; returns their source ids."""
    chance = random.Random(1)  # noqa: S311 - nothing secret
    bases = BasePacker(store.number_of, store.name_of)
    ids = []
    began = time.monotonic()
    for start in range(0, count, BATCH):
        rows = [link(chance, number, bases, key) for number in range(start, min(start + BATCH, count))]
        with store.begin() as connection:
            connection.execute(sa.insert(tables.link), rows)
        ids += [row["left_id"] for row in rows]
    print(f"Inserted {count} links in {time.monotonic() - began:.0f} s, {BATCH} a transaction.")
    return ids


class Taken(NamedTuple):
    """Milliseconds that a batch took."""

    whole: float
    read: float
    processor: float
    """Of this process, which is nearly all of it where the machine has nothing else to do."""


def batches(store: Store, key: FlowKey, ids: list[str]) -> list[Taken]:
    """Look links up and update them, a batch at a time; the quickest first."""
    chance = random.Random(2)  # noqa: S311 - nothing secret
    links = Links(store, key)
    taken = []
    for _ in range(ROUNDS):
        some = chance.sample(ids, min(BATCH, len(ids)))
        marks = [bytes(chance.randbytes(8)) for _ in some]
        began, processor = time.perf_counter(), time.process_time()
        with store.reading() as connection:
            found = links.of_sources(connection, some)
        read = time.perf_counter()
        for one, mark in zip(found.values(), marks, strict=True):
            one.source.version, one.target.version = "2026-11-22T10:00:00.123Z", "51"
            one.source.base.firm["Source3"] = one.target.base.firm["target3"] = mark
        with store.begin() as connection:
            links.save(connection, found.values())
        ended = time.perf_counter()
        taken.append(Taken((ended - began) * 1000, (read - began) * 1000, (time.process_time() - processor) * 1000))
    return sorted(taken)


def main() -> None:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--links", type=int, default=1_000_000)
    parser.add_argument("--url", help="an empty store; default: SQLite in a temporary folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="link-store-") as folder:
        file = Path(folder) / "links.db"
        with Store(arguments.url or f"sqlite:///{file}", SIDES) as store:
            key, _ = store.flow(rules())
            ids = fill(store, key, arguments.links)
            taken = batches(store, key, ids)
            with store.reading() as connection:
                began = time.perf_counter()
                connection.scalar(sa.select(sa.func.count()).where(tables.link.c.flow_id == key.id))
                counted = (time.perf_counter() - began) * 1000
        if file.exists():
            size = file.stat().st_size / MEGABYTE
            print(f"Size: {size:.0f} MB, {size * MEGABYTE / arguments.links:.0f} bytes a link (wanted: {WANTED_MB} MB)")
    middle = taken[len(taken) // 2]
    print(
        f"A batch of {BATCH} looked up and updated: {middle.whole:.0f} ms, {middle.read:.0f} of them to look up; "
        f"best {taken[0].whole:.0f}, worst {taken[-1].whole:.0f}; "
        f"processor {statistics.median(one.processor for one in taken):.0f} ms (wanted: {WANTED_MS} ms)"
    )
    print(f"A flow's links counted in {counted:.0f} ms")


if __name__ == "__main__":
    main()
