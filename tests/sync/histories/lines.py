"""Steps: the lines run, with all that may go wrong; systems, store and clocks are no more what they were."""

from __future__ import annotations

from random import Random
from typing import Any

from record_sync.errors import BehindTheTapError

from tests.sync.going import SIDES
from tests.sync.histories.core import Killed
from tests.sync.histories.reading import CHANGES, COMPLETE, REFRESH
from tests.sync.histories.steps import STEPS, changed, deleted, made_like, step
from tests.sync.histories.target import DownError, Faults
from tests.sync.histories.world import HOUR, MINUTE, PROPERTIES, SECOND, Truth, World, other, said

__all__ = ["STEPS"]
"""All steps, these among them."""


def _attempt(world: World, to: str, reads: Any, faults: Faults | None, way: int) -> str:
    try:
        target = world.run(to, reads, faults, way)
    except Killed:
        return "and is killed"
    except DownError:
        return "and finds the system down"
    except BehindTheTapError:
        world.begin_anew.add(other(to))
        return "and asks for a complete read"
    return f"and writes {target.writes}"


def _kind(draw: Random) -> str:
    return draw.choices([COMPLETE, CHANGES, REFRESH], [5, 6, 1])[0]


@step(12)
def run(world: World, draw: Random) -> str | None:
    to, kind, way = draw.choice(SIDES), _kind(draw), draw.randrange(1000)
    return f"{to} gets {kind} {_attempt(world, to, world.read(to, kind), None, way)}"


@step(6)
def cycle(world: World, draw: Random) -> str | None:
    kind, way = _kind(draw), draw.randrange(1000)
    told = [f"{to} gets {kind} {_attempt(world, to, world.read(to, kind), None, way)}" for to in reversed(SIDES)]
    return "; ".join(told)


@step(8, "crashes")
def run_and_be_killed(world: World, draw: Random) -> str | None:
    to, kind, way = draw.choice(SIDES), _kind(draw), draw.randrange(1000)
    faults = Faults(kill_in=min(draw.randint(1, 60), draw.randint(1, 60)))
    return f"{to} gets {kind} {_attempt(world, to, world.read(to, kind), faults, way)}"


@step(7, "lost writes")
def run_and_lose_writes(world: World, draw: Random) -> str | None:
    """Some writes get no answer; meanwhile a user may make a record like one of them."""
    to, kind, way = draw.choice(SIDES), _kind(draw), draw.randrange(1000)
    first, number, how = draw.randint(1, 3), draw.randint(1, 3), draw.choice(["request", "answer"])
    faults = Faults(lost=dict.fromkeys(range(first, first + number), how))
    if draw.random() < 0.2:
        faults.down_at = draw.randint(1, 12)
    told = _attempt(world, to, world.read(to, kind), faults, way)
    near = world.truths.get(next(iter(faults.lost_tags), ""))
    meanwhile = made_like(world, to, near) if near and "look-alikes of lost records" in world.lies else None
    words = f"{to} gets {kind}, loses the {how} of writes {first} to {first + number - 1} {told}"
    return f"{words}; {meanwhile}" if meanwhile else words


@step(8, "races")
def run_while_users_work(world: World, draw: Random) -> str | None:
    """Users are faster: at the first write, or at any request before, and most often with what is being deleted."""
    to, kind, way = draw.choice(SIDES), _kind(draw), draw.randrange(1000)
    at, what, index = draw.choice([0, 0, *range(1, 7)]), draw.random(), draw.random()
    there = [truth for truth in world.truths.values() if world.row(to, truth)]
    gone = [truth for truth in there if truth.deleted_on]
    truth = world.pick(gone if gone and draw.random() < 0.6 else world.focus(draw, there), lambda one: one.tag)
    if truth is None:
        return None
    told: list[str | None] = []

    def meddle() -> None:
        if what < 0.7:
            number = int(index * len(PROPERTIES[truth.flow]))
            told.append(changed(world, truth, to, number, clears=what < 0.1))
        elif what < 0.9:
            told.append(deleted(world, truth, to))
        elif "look-alikes" in world.lies:
            told.append(made_like(world, to, truth))

    words = _attempt(world, to, world.read(to, kind), Faults(at_call=at, meddle=meddle), way)
    return f"{to} gets {kind}; at call {at or 'that writes'} {(told or ['nobody is there'])[0]} {words}"


@step(5, "stale reads")
def run_on_what_was_read_before(world: World, draw: Random) -> str | None:
    to, kind, way = draw.choice(SIDES), _kind(draw), draw.randrange(1000)
    reads = world.read(to, kind)
    first = _attempt(world, other(to), world.read(other(to), COMPLETE), None, way)
    words = _attempt(world, to, reads, None, way)
    return f"{to} gets {kind}, but first {other(to)} gets all {first}; then {to} runs on what was read {words}"


@step(4, "short lists")
def run_on_a_short_list(world: World, draw: Random) -> str | None:
    to, way = draw.choice(SIDES), draw.randrange(1000)
    found = world.pick([one for one in world.truths.values() if world.row(other(to), one)], lambda one: one.tag)
    if found is None:
        return None
    words = _attempt(world, to, world.read(to, COMPLETE, found.tag), None, way)
    return f"{to} gets all but {found.tag} {words}"


@step(7, "refusals")
def run_with_refusals(world: World, draw: Random) -> str | None:
    to, kind, way = draw.choice(SIDES), _kind(draw), draw.randrange(1000)
    share = draw.randint(2, 3)

    def refused(tag: str) -> bool:
        return int(tag.rpartition("-")[2] or 0) * world.refusing % 7 < share * 2

    words = _attempt(world, to, world.read(to, kind), Faults(refused=refused), way)
    return f"{to} gets {kind}, refuses some {words}"


# -- backups and clocks


@step(4, "system restored")
def back_up_or_restore_a_system(world: World, draw: Random) -> str | None:
    side = draw.choice(SIDES)
    register = world.registers[side]
    if side not in world.saved_systems:
        world.saved_systems[side] = register.backup(), dict.fromkeys(_tags(world, side))
        return f"a backup of {side} is made"
    saved, before = world.saved_systems.pop(side)
    for tag in dict.fromkeys([*before, *_tags(world, side)]):
        truth = world.truths[tag]
        truth.excused = truth.excused or f"{side} was brought back"
    register.bring_back(saved)
    world.restored.add(side)
    return f"{side} is brought back from its backup"


def _tags(world: World, side: str) -> list[str]:
    return [row.tag for row in world.registers[side].rows.values() if row.tag in world.truths]


@step(5, "store restored")
def back_up_or_restore_the_store(world: World, draw: Random) -> str | None:
    if world.saved_store is None:
        world.saved_store = world.memory.backup()
        world.saved_links = _linked(world)
        return "a backup of the store is made"
    news = _linked(world) - world.saved_links
    for truth in world.truths.values():
        links = _links_of(world, truth)
        # Of what is on both sides and linked by nobody a creation is under way, of which the old store knows nothing.
        is_new = any(link in news for link in links) or (not links and all(world.rows(side, truth) for side in SIDES))
        if is_new and not (truth.flow == "customer" and "number" in truth.keys and not truth.deleted_on):
            truth.excused = truth.excused or "its link is lost with the store, and it cannot be found for sure"
    for row in world.memory.conflicts():
        # What was reported there is known no more, but was reported.
        world.replaced.update(filter(None, (said(one) for some in row["both"].values() for one in some.values())))
    world.memory.bring_back(world.saved_store)
    world.restored.add("store")
    world.saved_store = None
    return "the store is brought back from its backup"


def _linked(world: World) -> set[tuple[str, str, str]]:
    return {(link["flow"], link["customcrm"], link["tripletex"]) for link in world.memory.links()}


def _links_of(world: World, truth: Truth) -> list[tuple[str, str, str]]:
    ids = {side: {row.id for row in world.registers[side].rows.values() if row.tag == truth.tag} for side in SIDES}
    return [
        link
        for link in _linked(world)
        if link[0] == truth.flow and (link[1] in ids["customcrm"] or link[2] in ids["tripletex"])
    ]


@step(4, "clocks jump")
def a_clock_jumps(world: World, draw: Random) -> str | None:
    side, by = (
        draw.choice(SIDES),
        draw.choice([-2 * HOUR, -10 * MINUTE, -20 * SECOND, 20 * SECOND, 10 * MINUTE, 2 * HOUR]),
    )
    world.registers[side].nature.offset += by
    return f"the clock of {side} jumps by {by // SECOND} s"


@step(3)
def time_passes(world: World, draw: Random) -> str | None:
    world.time += draw.randint(1, 30) * HOUR
    return "hours pass"
