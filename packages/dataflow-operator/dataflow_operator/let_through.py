"""``dataflow let-through``: allowing one run what the circuit breaker holds back."""

from __future__ import annotations

import click
from record_sync.breaker import DELETIONS

from dataflow_operator.options import Asked, shared
from dataflow_operator.store.flows import FlowStatus
from dataflow_operator.store.let_through import WRITES
from dataflow_operator.store.let_through import let_through as change
from dataflow_operator.terminal import say, show_json


@click.command("let-through")
@click.argument("flow")
@click.argument("writes", type=click.Choice(WRITES))
@click.option("--undo", is_flag=True, help="Not after all.")
@shared
@click.pass_obj
def let_through(asked: Asked, flow: str, writes: str, *, undo: bool) -> None:
    """Let the next run of FLOW make all its deletions or overwrites, however many they are."""
    told = change(*asked.place, flow, writes, undo=undo)
    if asked.as_json:
        show_json(told)
        return
    for line in effect(told, writes, undo=undo):
        say(line)
    if not undo:
        say(f"To take it back before: dataflow let-through {flow} {writes} --undo")


def effect(told: FlowStatus, writes: str, *, undo: bool) -> list[str]:
    """What comes of letting writes through, in words."""
    if undo:
        return [f"{told.flow}: {writes} are limited again."]
    return [
        f"{told.flow}: the next run that comes to its end makes all {writes}, however many. {_how_many(told, writes)}",
        "After that they are limited again.",
    ]


def _how_many(told: FlowStatus, writes: str) -> str:
    if writes != DELETIONS:
        return "How many they are shows when the records are read."
    known = " and ".join(f"{count} in {side}" for side, count in told.deletions_pending.items())
    return f"Known so far: {known or 'none'}."
