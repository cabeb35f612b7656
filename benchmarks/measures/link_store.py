"""How large a link store gets, and how long a batch takes in it."""

from __future__ import annotations

import gc
import random
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from statistics import median
from typing import Any

import sqlalchemy as sa
from record_sync.ledger import Ledger
from record_sync.record import Base
from record_sync.rules import FlowRules
from record_sync.store import Store, tables
from record_sync.store.base_blob import BasePacker
from record_sync.store.store import FlowKey
from record_sync.testing.postgresql import NoServerError, Server
from singer_edge.start import GARBAGE_AFTER

from benchmarks.bench import Bench
from benchmarks.report import Demand, Section, Table

SIDES = ("customcrm", "tripletex")
LINKS = 1_000_000
PROPERTIES = 11
BATCH = 1000
ROUNDS = 20
WANTED_MB = 500
WANTED_MS = 50
MEGABYTE = 1_000_000
START_MS = 1_767_355_200_000

TEXT = """\
A store of {links:,} customers' links that were created in Tripletex and later edited in the CRM: eleven synchronised
properties. Again and again {batch:,} of them, chosen at random, are looked up, changed, and saved, each time in a
transaction that is on the disk when it ends."""

REMARKS = """\
A batch is the processor's time, half of it SQLite's and half of it the making of links and bases, so it follows the
processor's speed."""


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
        "left_whole": chance.randbytes(8),
        "left_base": bases.pack(Base({f"Source{one}": chance.randbytes(8) for one in range(PROPERTIES)})),
        "right_scope": key.target_scope,
        "right_id": str(10_000_000 + number),
        "right_version": str(number % 50),
        "right_own_version": str(number % 50),
        "right_modified_at": edited + 90_000,
        "right_written_at": edited + 90_000,
        "right_whole": chance.randbytes(8),
        "right_base": bases.pack(Base({f"target{one}": chance.randbytes(8) for one in range(PROPERTIES)})),
    }


@dataclass(frozen=True)
class Taken:
    """Milliseconds that a batch took."""

    whole: float
    read: float
    processor: float
    """Of this process, which is nearly all of it where the machine has nothing else to do."""


def measure(bench: Bench) -> Section:
    """SQLite, and PostgreSQL where there is a server for it."""
    links = bench.size(LINKS)
    file = bench.folder / "links.db"
    kinds = {"SQLite": _measured(bench, f"sqlite:///{file}", links)}
    size = file.stat().st_size / MEGABYTE
    with _postgresql(bench) as url:
        if url is not None:
            kinds["PostgreSQL"] = _measured(bench, url, links)
    rows = tuple(
        (name, *(f"{median(figures):.0f}" for figures in _columns(taken)), f"{max(one.whole for one in taken):.0f}")
        for name, taken in kinds.items()
    )
    columns = ("", "ms a batch", "of them to look up", "processor ms", "slowest")
    quick = median(one.processor for one in kinds["SQLite"])
    return Section(
        "The link store",
        TEXT.format(links=links, batch=BATCH),
        (Table(f"Batches of {BATCH:,}:", columns, rows),),
        (
            Demand(f"{links:,} links on SQLite, at most", f"{WANTED_MB} MB", f"{size:,.0f} MB", met=size <= WANTED_MB),
            Demand(
                "a batch on SQLite, processor, at most", f"{WANTED_MS} ms", f"{quick:.0f} ms", met=quick <= WANTED_MS
            ),
        ),
        REMARKS,
    )


def _columns(taken: list[Taken]) -> tuple[list[float], ...]:
    return [one.whole for one in taken], [one.read for one in taken], [one.processor for one in taken]


@contextmanager
def _postgresql(bench: Bench) -> Iterator[str | None]:
    try:
        server = Server()
    except NoServerError as error:
        bench.say(f"  no PostgreSQL server: {error}")
        yield None
        return
    with server:
        yield server.url()


def _measured(bench: Bench, url: str, links: int) -> list[Taken]:
    bench.say(f"  {links:,} links in {url.partition(':')[0]}")
    with Store(url, SIDES) as store:
        key, _ = store.flow(rules())
        ids = fill(store, key, links)
        with _as_in_a_target():
            return batches(store, key, ids)


@contextmanager
def _as_in_a_target() -> Iterator[None]:
    """What is there already is not looked through for garbage, nor what is new as often as usual."""
    usual = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def fill(store: Store, key: FlowKey, count: int) -> list[str]:
    """Insert so many links; returns their source ids."""
    chance = random.Random(1)  # noqa: S311 - nothing secret
    bases = BasePacker(store.number_of, store.name_of)
    ids = []
    for start in range(0, count, BATCH):
        rows = [link(chance, number, bases, key) for number in range(start, min(start + BATCH, count))]
        with store.begin() as connection:
            connection.execute(sa.insert(tables.link), rows)
        ids += [row["left_id"] for row in rows]
    return ids


def batches(store: Store, key: FlowKey, ids: list[str]) -> list[Taken]:
    """Look links up and update them, a batch at a time."""
    chance = random.Random(2)  # noqa: S311 - nothing secret
    ledger = Ledger(store, key)
    taken = []
    for _ in range(ROUNDS):
        some = chance.sample(ids, min(BATCH, len(ids)))
        marks = [bytes(chance.randbytes(8)) for _ in some]
        began, processor = time.perf_counter(), time.process_time()
        with ledger.reading() as now:
            found = now.links.of_sources(some)
        read = time.perf_counter()
        for one, mark in zip(found.values(), marks, strict=True):
            one.source.version, one.target.version = "2026-11-22T10:00:00.123Z", "51"
            one.source.base.firm["Source3"] = one.target.base.firm["target3"] = mark
        with ledger.transaction() as now:
            for one in found.values():
                now.links.save(one)
        ended = time.perf_counter()
        taken.append(Taken((ended - began) * 1000, (read - began) * 1000, (time.process_time() - processor) * 1000))
    return taken
