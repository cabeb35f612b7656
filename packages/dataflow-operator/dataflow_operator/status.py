"""``dataflow status``: what is in step, what waits, what is held back, and how the last runs went."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import click
import msgspec
from record_sync.waiting import AMBIGUOUS, INVALID, PARKED

from dataflow_operator.options import Asked, shared
from dataflow_operator.runs import show_runs
from dataflow_operator.store.conflicts import AT_WORK, OPEN
from dataflow_operator.store.flows import FlowStatus, Pile, flows
from dataflow_operator.store.opening import OpenStore
from dataflow_operator.store.runs import RunRow, last_runs
from dataflow_operator.store.waiting import KINDS
from dataflow_operator.terminal import say, show_facts, show_json, show_table
from dataflow_operator.timestamps import age, now


class Status(msgspec.Struct, frozen=True):
    """All of it."""

    store: str
    sync_name: str
    systems: dict[str, str | None]
    flows: list[FlowStatus]
    last_runs: dict[str, RunRow | None]


def status_of(store: OpenStore) -> Status:
    """How a sync stands."""
    return Status(store.place, store.sync.name, store.sync.systems, flows(store), last_runs(store))


@click.command()
@shared
@click.pass_obj
def status(asked: Asked) -> None:
    """Show how the sync stands: flow by flow, and the last run in each direction."""
    with asked.store() as store:
        told = status_of(store)
    if asked.as_json:
        show_json(told)
        return
    moment = now()
    show_facts(
        [
            ("Link store", told.store),
            ("Sync name", told.sync_name),
            *((side, system or "not bound to a system yet") for side, system in told.systems.items()),
        ]
    )
    if told.flows:
        show_table(
            ("Flow", "Linked", "Waiting", "Conflicts", "Deletions", "Open writes", "Circuit breaker"),
            [_row(flow, moment) for flow in told.flows],
        )
    show_runs([run for run in told.last_runs.values() if run is not None], moment)
    for line in [*_never(told), *_needs(told)]:
        say(line)


def _row(flow: FlowStatus, moment: datetime) -> list[object]:
    deletions = [f"{count} pending in {side}" for side, count in flow.deletions_pending.items()]
    deletions += [f"{count} suspect in {side}" for side, count in flow.suspects.items()]
    deletions += [f"{flow.ended} passed on"] if flow.ended else []
    breaker = [f"{' and '.join(what)} in {side} held back" for side, what in flow.held.items()]
    breaker += [f"let through once: {one}" for one in flow.let_through]
    return [
        flow.flow,
        flow.linked,
        _piles(flow.waiting, KINDS, moment),
        _piles(flow.conflicts, AT_WORK, moment),
        deletions,
        [f"{one.count} {one.kind} in {one.to}{_oldest(one.oldest, moment)}" for one in flow.open_writes],
        breaker or "closed",
    ]


def _piles(piles: dict[str, Pile], names: tuple[str, ...], moment: datetime) -> list[str]:
    return [f"{piles[name].count} {name}{_oldest(piles[name].oldest, moment)}" for name in names if name in piles]


def _oldest(oldest: datetime | None, moment: datetime) -> str:
    return "" if oldest is None else f" ({age(oldest, moment)})"


def _never(told: Status) -> Iterator[str]:
    for side, run in told.last_runs.items():
        if run is None:
            yield f"No run ever wrote to {side}."


def _needs(told: Status) -> Iterator[str]:
    """What a person is to look at."""
    for flow in told.flows:
        for what in sorted({one for held in flow.held.values() for one in held} - set(flow.let_through)):
            yield (
                f"{flow.flow}: {what} are held back, too many for one run. "
                f"If they are right: dataflow let-through {flow.flow} {what}"
            )
        if OPEN in flow.conflicts:
            count = flow.conflicts[OPEN].count
            yield f"{flow.flow}: {count} to decide: dataflow conflicts --flow {flow.flow}"
        refused = sum(flow.waiting[kind].count for kind in (PARKED, INVALID, AMBIGUOUS) if kind in flow.waiting)
        if refused:
            yield f"{flow.flow}: {_records(refused)} not carried over: dataflow failures --flow {flow.flow}"


def _records(count: int) -> str:
    return f"{count} record" if count == 1 else f"{count} records"
