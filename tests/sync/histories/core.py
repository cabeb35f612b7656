"""The link store in memory, and a run over it as a target makes it."""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from types import SimpleNamespace
from typing import Any
from unittest import mock

import msgspec
import sqlalchemy as sa
from record_sync.breaker import Limits
from record_sync.record import RawRecord, SourceRecord
from record_sync.session import Session
from record_sync.store import Store
from record_sync.store import store as store_module
from record_sync.values import pick

from tests.sync.going import SIDES, GoingFlow

URL = "sqlite://"
NO_LIMITS = Limits(1.0, 1.0, 10_000)
KEY = bytes(range(32))
"""The same in all stores here, so that a seed tells everything."""


class Killed(BaseException):
    """The process is no more."""


class Memory:
    """The link store of one history after another: SQLite in memory, in one connection of this process."""

    def __init__(self) -> None:
        self.at_commit: Callable[[], None] = lambda: None
        self._engine = store_module.open_engine(URL)
        # The database goes with its connection, so that one stays open from run to run.
        self._engine.dispose = mock.Mock()  # type: ignore[method-assign]
        with self._engine.connect() as connection:
            raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        self._raw = raw
        self._empty: dict[tuple[tuple[str, str], ...], sqlite3.Connection] = {}

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Memory]:
        """Stores with its address are this one for as long as it is open."""
        opened = store_module.open_engine
        memory = cls()
        begun = Store.begin

        @contextmanager
        def begin(store: Store, **how: bool) -> Iterator[sa.Connection]:
            with begun(store, **how) as connection:
                yield connection
                memory.at_commit()

        with (
            mock.patch.object(store_module, "open_engine", lambda url: memory._engine if url == URL else opened(url)),
            mock.patch.object(Store, "begin", begin),
        ):
            thresholds = gc.get_threshold()
            # What a history leaves behind goes with its last reference; looking for circles takes longer.
            gc.freeze()
            gc.set_threshold(50_000, 50, 1000)
            try:
                yield memory
            finally:
                gc.set_threshold(*thresholds)
                gc.unfreeze()

    def clear(self, flows: Sequence[GoingFlow]) -> None:
        """A new history of these flows, in both directions, begins: their names are known, and nothing else."""
        self.at_commit = lambda: None
        names = tuple(sorted((one.name, one.rules.target_side) for one in flows))
        if names not in self._empty:
            self._empty[names] = self._made(flows)
        self.bring_back(self._empty[names])
        for one in flows:
            self._raw.execute("UPDATE flow SET digest = ? WHERE name = ?", (one.rules.digest, one.name))

    def _made(self, flows: Sequence[GoingFlow]) -> sqlite3.Connection:
        """A store in which nothing but the flows is registered, which takes longer than most runs."""
        self.bring_back(sqlite3.connect(":memory:"))
        for to in SIDES:
            session = Session(Store(URL, SIDES, "history"), SimpleNamespace(side=to))  # type: ignore[arg-type]
            for one in flows:
                if one.rules.target_side == to:
                    session.flow(one.rules)
            session.close("done")
        self._raw.execute("UPDATE meta SET value = ? WHERE name = 'fingerprint_key'", (KEY,))
        return self.backup()

    def backup(self) -> sqlite3.Connection:
        saved = sqlite3.connect(":memory:")
        self._raw.backup(saved)
        return saved

    def bring_back(self, saved: sqlite3.Connection) -> None:
        saved.backup(self._raw)

    # -- looking at its tables

    def rows(self, query: str, *values: Any) -> list[Any]:
        cursor = self._raw.execute(query, values)
        names = [one[0] for one in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def links(self) -> list[dict[str, Any]]:
        """All links: flow, both ids, and the states of the link and of its sides."""
        return self.rows(
            "SELECT link.id, flow.name AS flow, left_id AS customcrm, right_id AS tripletex, state, left_state,"
            " right_state, link.created_at FROM link JOIN flow ON flow.id = flow_id"
        )

    def conflicts(self) -> list[dict[str, Any]]:
        """All conflicts, with the ids of their records and the values of both sides."""
        found = self.rows(
            "SELECT conflict.id, flow.name AS flow, conflict.state, winner, unit, both, left_id AS customcrm,"
            " right_id AS tripletex FROM conflict JOIN flow ON flow.id = conflict.flow_id"
            " JOIN link ON link.id = link_id ORDER BY conflict.id"
        )
        return [{**row, "both": msgspec.json.decode(row["both"])} for row in found]

    def waiting(self) -> list[dict[str, Any]]:
        """All that waits, and why."""
        return self.rows(
            "SELECT flow.name AS flow, side, record_id, kind, reason FROM waiting JOIN flow ON flow.id = flow_id"
        )

    def said(self) -> list[Any]:
        """All that the next run goes by, but for the times of attempts."""
        tables = ("link", "alias", "conflict", "intent", "reserved", "excluded")
        return [self.waiting(), *(self.rows(f"SELECT * FROM {table}") for table in tables)]

    def intents(self) -> int:
        return int(self._raw.execute("SELECT count(*) FROM intent").fetchone()[0])

    def decide(self, conflict: Mapping[str, Any], side: str) -> None:
        """A person lets one side's values stand, as dataflow-operator writes it down."""
        if conflict["state"] in ("open", "taken"):
            self._raw.execute("UPDATE conflict SET state = 'taken', winner = ? WHERE id = ?", (side, conflict["id"]))
        elif conflict["winner"] == side:
            self._raw.execute("UPDATE conflict SET state = 'settled', settled_at = 0 WHERE id = ?", (conflict["id"],))
        else:
            self._raw.execute("UPDATE conflict SET state = 'putback' WHERE id = ?", (conflict["id"],))

    def counts(self) -> dict[str, dict[str, int]]:
        """What the last run counted, by flow."""
        counts = self._raw.execute("SELECT counts FROM run ORDER BY id DESC LIMIT 1").fetchone()[0]
        return dict(json.loads(counts))


# -- a run


@dataclass
class StreamRead:
    """What a tap read of a stream, and what the mapper made of it."""

    stream: str
    opening: dict[str, Any]
    """The bookmark in the STATE before the first record."""
    closing: Any
    """The tap's bookmark behind the last one."""
    as_of: str
    version: int | None
    """Of a complete read."""
    flows: list[tuple[GoingFlow, list[SourceRecord]]] = field(default_factory=list)
    """In the order in which they have to see the records."""


@dataclass
class Way:
    """How a run goes."""

    now: Callable[[], datetime]
    at_once: int = 3
    """Records that are taken together."""
    state_after: int = 99
    """Streams after which a state is emitted that the end does not call for."""
    emit: Callable[[Sequence[StreamRead]], None] = lambda _reads: None
    """The taps learn that these reads are covered."""


def incoming(
    going: GoingFlow, record: dict[str, Any], record_fingerprint: bytes, moments: tuple[Any, Any]
) -> SourceRecord:
    """A mapped record as the target takes it, with the times of its last change and of its reading."""
    source = record["_source"]
    return SourceRecord(
        id=source["id"],
        version=source["version"],
        modified_at=moments[0],
        values=pick(record, going.rules.paths),
        source=source.get("values") or {},
        read_at=moments[1],
        deleted=source["deleted"],
        filtered=bool(source.get("filtered")),
        record_fingerprint=record_fingerprint,
    )


def run_line(system: Any, reads: Sequence[StreamRead], way: Way) -> None:
    """One line of a cycle, as the target does it. A killed one leaves everything as it stands."""
    store = Store(URL, SIDES, "history", now=way.now)
    try:
        session = Session(store, system, limits=NO_LIMITS, max_failure_share=1.0)
        try:
            _work(session, reads, way)
        except Exception as error:
            session.close("failed", str(error))
            raise
        session.close("done")
    finally:
        with suppress(Killed):
            store.close()


def _work(session: Session, reads: Sequence[StreamRead], way: Way) -> None:
    for number, read in enumerate(reads, 1):
        flows = [(session.flow(going.rules), records) for going, records in read.flows]
        for going, _ in read.flows:
            session.starts_from(going.name, read.opening)
        for flow, records in flows:
            _take(flow, {one.id: one for one in records}, way.at_once)
            flow.take([])
        if read.version is not None:
            for flow, _ in flows:
                flow.presence.complete(read.version)
        if number == way.state_after:
            _acknowledge(session, reads[:number], way)
    session.finish()
    _acknowledge(session, reads, way)
    session.verdict()


def _take(flow: Any, records: Mapping[str, SourceRecord], at_once: int) -> None:
    known = flow.recognise_unchanged(
        {one.id: RawRecord(one.id, one.version, one.record_fingerprint or b"") for one in records.values()}
    )
    fresh = (one for one in records.values() if one.id not in known)
    while some := list(islice(fresh, at_once)):
        flow.take(some, more=True)


def _acknowledge(session: Session, reads: Sequence[StreamRead], way: Way) -> None:
    session.acknowledge(
        {read.stream: {"as_of": read.as_of} for read in reads},
        {read.stream: [going.name for going, _ in read.flows] for read in reads},
    )
    way.emit(reads)
