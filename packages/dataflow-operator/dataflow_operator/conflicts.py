"""``dataflow conflicts``: values on which both sides disagreed, and which of them a person takes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import click
from record_sync.conflict import DELETED

from dataflow_operator.listing import Listing
from dataflow_operator.options import Asked, limited, shared
from dataflow_operator.store.conflicts import (
    AT_WORK,
    KEPT,
    PUTBACK,
    SETTLED,
    STATES,
    ConflictRow,
    Shown,
    decide,
    deleting_side,
    one_conflict,
)
from dataflow_operator.store.conflicts import conflicts as find
from dataflow_operator.store.opening import Sync
from dataflow_operator.terminal import say, show_facts, show_json, show_table, spelled
from dataflow_operator.timestamps import at

STATE_WORDS = {
    "open": "open: a person decides",
    "taken": "taken: the next runs carry it out",
    "putback": "to be put back by the next run",
    "kept": "decided by policy; what lost is kept",
    "settled": "settled",
}
"""What a conflict's state means."""


@click.group(cls=Listing)
def conflicts() -> None:
    """Values that both sides changed: which lost, and which wait for a person."""


@conflicts.command("list")
@click.option("--all", "everything", is_flag=True, help="Those too that the policy decided, or that are settled.")
@click.option("--flow", help="Only this flow's.")
@limited
@shared
@click.pass_obj
def list_(asked: Asked, flow: str | None, limit: int, *, everything: bool) -> None:
    """List what waits for a person or for the next run, the newest first. `dataflow conflicts` alone does this."""
    states = STATES if everything else AT_WORK
    with asked.store() as store:
        found = find(store, flow=flow, states=states, limit=limit)
        sides = store.sync.sides
    if asked.as_json:
        show_json(found)
        return
    if found.conflicts:
        show_table(
            ("Conflict", "Flow", *sides, "Properties", "State", "Stands", "At (UTC)"),
            [
                (
                    *(one.id, one.flow, *(one.ids[side] for side in sides)),
                    *(unit_name(one, sides), one.state, one.winner, at(one.at)),
                )
                for one in found.conflicts
            ],
        )
    else:
        say("No conflicts." if everything else "No conflict waits.")
    total = sum(found.total.get(state, 0) for state in states)
    if total > len(found.conflicts):
        say(f"{total - len(found.conflicts)} more of {total}: --flow or --limit")
    if not everything and found.total.get(KEPT):
        say(f"{found.total[KEPT]} more were decided by policy, and what lost is kept: dataflow conflicts --all")


@conflicts.command()
@click.argument("number", type=int)
@shared
@click.pass_obj
def show(asked: Asked, number: int) -> None:
    """Show one conflict: both sides' values, which of them stand, and why."""
    with asked.store() as store:
        shown = one_conflict(store, number)
        sides = store.sync.sides
    if asked.as_json:
        show_json(shown)
        return
    conflict = shown.conflict
    show_facts(
        [
            ("Conflict", conflict.id),
            ("Flow", conflict.flow),
            ("Properties", unit_name(conflict, sides)),
            ("State", STATE_WORDS.get(conflict.state, conflict.state)),
            ("Stands", conflict.winner),
            ("Why", shown.why),
            ("Noticed", f"{at(conflict.at)} UTC"),
            ("Settled", f"{at(conflict.settled_at)} UTC" if conflict.settled_at else None),
        ]
    )
    columns = [values_of(shown, side) for side in sides]
    show_table(
        [part for side in sides for part in (f"{side} {conflict.ids[side]}", "")],
        [[*one, *two] for one, two in zip_longest(*columns, fillvalue=("", ""))],
    )
    if conflict.state != SETTLED:
        say(f"To decide: dataflow conflicts resolve {conflict.id} --take {'|'.join(sides)}")


@conflicts.command()
@click.argument("numbers", type=int, nargs=-1, required=True, metavar="NUMBER...")
@click.option("--take", "side", required=True, metavar="SIDE", help="The side whose values are to stand.")
@shared
@click.pass_obj
def resolve(asked: Asked, numbers: Sequence[int], side: str) -> None:
    """Decide conflicts: the values of SIDE stand. Of several, all are decided or none."""
    with asked.store(to_change=True) as store:
        decided = [decide(store, number, side) for number in numbers]
        sync = store.sync
    if asked.as_json:
        show_json({"resolved": [one.conflict for one in decided]})
        return
    for one in decided:
        say(effect(one, side, sync))


def effect(shown: Shown, side: str, sync: Sync) -> str:
    """What comes of a decision, in words."""
    conflict, other = shown.conflict, sync.other(side)
    head = f"Conflict {conflict.id} ({conflict.flow} {conflict.ids[side]}):"
    if conflict.unit == DELETED:
        if deleting_side(shown) == side:
            return (
                f"{head} the deletion stands. The next run that writes to {other} deletes or deactivates "
                f"{conflict.ids[other]} there, as the flow's policy says."
            )
        return f"{head} the record lives on. The next run that writes to {other} makes it anew there."
    if conflict.state == SETTLED:
        return f"{head} settled. What {side} says stands, as before; nothing is written."
    if conflict.state == PUTBACK:
        return (
            f"{head} the next run that writes to {side} puts its value back, over what stands there by then; "
            f"from there it is carried over to {other}."
        )
    return f"{head} what {side} says stands. The next run that writes to {other} carries it over."


def unit_name(conflict: ConflictRow, sides: Sequence[str]) -> str:
    """The properties that a conflict is about."""
    if conflict.unit == DELETED:
        return "the record itself: deleted and edited"
    names = conflict.unit.split(" = ")
    return " = ".join(dict.fromkeys(names)) if len(names) == len(sides) else conflict.unit


def values_of(shown: Shown, side: str) -> list[tuple[str, str]]:
    """What one side says: properties and values."""
    if shown.conflict.unit == DELETED and deleting_side(shown) == side:
        return [("deleted", "")]
    return [(name, spelled(value)) for name, value in shown.values[side].items()]
