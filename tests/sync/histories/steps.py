"""What may happen in a history: what users and persons do, what the lines do, and what goes wrong.

Each step draws what it needs from its own source of chance, and chooses among what is there so that it would choose
the same without the rest: a history from which steps are taken out stays mostly what it was. A step tells in words what
it did, or nothing where it had nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from tests.sync.going import SIDES, resource
from tests.sync.histories.lies import LIES
from tests.sync.histories.register import TAGS, Row
from tests.sync.histories.world import (
    EMAILS,
    KEYS,
    NUMBER,
    PROPERTIES,
    REQUIRED,
    Edit,
    Truth,
    World,
    other,
    said,
)

Step = Callable[[World, Random], "str | None"]
STEPS: dict[str, tuple[int, Step, str | None]] = {}
"""By name: how often it comes, what it does, and the lie that it needs."""


def step(weight: int, needs: str | None = None) -> Callable[[Step], Step]:
    """A step that comes so often, where the history has that lie."""
    assert needs is None or needs in LIES

    def known(function: Step) -> Step:
        STEPS[function.__name__] = weight, function, needs
        return function

    return known


# -- users


@step(9)
def create(world: World, draw: Random) -> str | None:
    """A new record; one without keys can be found by nothing but all it says."""
    flow = draw.choice(world.flows)
    side = "customcrm" if flow == "product" else draw.choice(SIDES)
    keys = draw.choice(
        {"customer": ["number and email", "number", "email", "", ""], "contact": ["email", "", ""]}.get(flow, ["name"])
    )
    truth = _truth(world, flow, keys)
    row = make(world, truth, side)
    return f"a user makes {truth.tag} ({keys or 'no keys'}) on the side of {side}: {row.id}"


@step(4)
def create_the_same_on_both(world: World, draw: Random) -> str | None:
    flow = draw.choice(world.flows)
    keys = draw.choice({"customer": ["number and email", "number"], "contact": ["email"]}.get(flow, ["name"]))
    truth = _truth(world, flow, keys)
    truth.same = True
    first = make(world, truth, "customcrm")
    names = PROPERTIES[flow][0]
    # The other one may have been typed on another keyboard.
    values = {} if flow == "customer" else {names["tripletex"]: world.spelled(first.values[names["customcrm"]])}
    second = make(world, truth, "tripletex", **values)
    return f"users make {truth.tag} ({keys}) on both sides: {first.id} and {second.id}"


def _truth(world: World, flow: str, keys: str) -> Truth:
    tag = f"{flow}-{world.salt}"
    truth = world.truths[tag] = Truth(flow, tag, keys)
    return truth


def make(world: World, truth: Truth, side: str, **given: Any) -> Row:
    flow = truth.flow
    name = PROPERTIES[flow][0][side]
    values = {TAGS[side, resource(flow, side)]: truth.tag, name: world.value(name)}
    if not truth.keys:
        # What makes a text longer where it is kept would make it another one.
        values[name] = said(values[name])
    if "number" in truth.keys:
        values[NUMBER[side]] = world.number_of(truth.tag)
    if "email" in truth.keys:
        values["Email" if side == "customcrm" else "email"] = f"{truth.tag}@example.no"
    if flow == "contact":
        customer = world.pick(list(world.registers[side].all("customer")), lambda row: row.tag)
        if customer is not None:
            values["CustomerId" if side == "customcrm" else "customer.id"] = customer.id
    row = world.registers[side].make(resource(flow, side), {**values, **given}, by_user=True)
    world.touch(truth, side, "create")
    token = said(row.values[name])
    if token is not None:
        world.edits.append(Edit(truth.tag, side, 0, token, world.time, is_first=True))
    return row


def _noted(world: World, truth: Truth, side: str, index: int, token: str) -> None:
    late = any(one != side for one in truth.deleted_on)
    world.edits.append(Edit(truth.tag, side, index, token, world.time, late))


@step(26)
def edit(world: World, draw: Random) -> str | None:
    index, clears = draw.random(), draw.random() < 0.2
    both = draw.random() < 0.3
    found = world.living(draw)
    if found is None:
        return None
    truth, side = found
    sides = (side, other(side)) if both else (side,)
    told = [changed(world, truth, one, int(index * len(PROPERTIES[truth.flow])), clears=clears) for one in sides]
    return "; ".join(filter(None, told)) or None


def changed(world: World, truth: Truth, side: str, index: int, *, clears: bool) -> str | None:
    row = world.row(side, truth)
    path = PROPERTIES[truth.flow][index][side]
    if row is None or _is_fragile(world, truth, side, row, path):
        return None
    if clears and path not in REQUIRED:
        world.write(truth, side, row, {path: None})
        return f"a user empties {path} of {truth.tag} on the side of {side}"
    value = world.value(path)
    if not truth.keys:
        value = value.replace(" & co", "")
    world.write(truth, side, row, {path: value})
    _noted(world, truth, side, index, str(said(value)))
    return f"a user edits {path} of {truth.tag} on the side of {side}: {value!r}"


def _is_fragile(world: World, truth: Truth, side: str, row: Row, path: str) -> bool:
    """Whether a record is known by nothing but what would be changed, as nobody could tell then which one it is."""
    needed = path in KEYS[truth.flow] and not (truth.flow == "customer" and "number" in truth.keys)
    if truth.keys and not needed:
        return False
    return not (row.by_user and not truth.same) and not world.is_linked(side, row)


@step(8)
def delete(world: World, draw: Random) -> str | None:
    found = world.living(draw)
    return None if found is None else deleted(world, *found)


def deleted(world: World, truth: Truth, side: str) -> str | None:
    row = world.row(side, truth)
    if row is None:
        return None
    there = world.row(other(side), truth)
    if not world.is_linked(side, row) or (there is not None and not world.is_linked(other(side), there)):
        # The other one, if there is any, is a record like any other; what this one said goes with it.
        world.replaced.update(filter(None, map(said, row.values.values())))
        world.registers[side].delete(row)
        truth.deleted_unlinked = True
        return f"a user deletes {truth.tag} on the side of {side}, which is not linked: {row.id}"
    for one in world.edits:
        if one.tag == truth.tag:
            # Whoever deletes has seen what stands there, and nothing that was edited since on the other side.
            path = PROPERTIES[truth.flow][one.index]
            is_unseen = said(row.values.get(path[side])) != one.token
            stands = there is not None and said(there.values.get(path[other(side)])) == one.token
            one.late = is_unseen and stands and one.side != side and not one.is_first
    world.registers[side].delete(row)
    truth.deleted_on.add(side)
    truth.returned = ""
    for one in world.rows(other(side), truth):
        one.kept_active = False
    truth.was_deleted = True
    world.touch(truth, side, "delete")
    return f"a user deletes {truth.tag} on the side of {side}: {row.id}"


@step(6)
def undelete(world: World, draw: Random) -> str | None:
    """What was deleted is active again, or there again, under its id or a new one."""
    anew = draw.random() < 0.4
    side = draw.choice(SIDES)
    truth = world.pick(
        world.focus(draw, [one for one in world.truths.values() if one.was_deleted]), lambda one: one.tag
    )
    if truth is None:
        return None
    row = world.row(side, truth)
    if row is not None:
        if not row.inactive:
            return None
        world.registers[side].set_inactive(row, inactive=False, by_user=True)
        truth.reactivated = True
        world.touch(truth, side, "undelete")
        return f"a user makes {truth.tag} active again on the side of {side}"
    kept = _deleted_row(world, truth, side)
    if kept is not None and not anew:
        world.registers[side].undelete(kept)
        if world.is_ended(side, kept):
            truth.returned = side
        truth.deleted_on.discard(side)
        world.touch(truth, side, "undelete")
        return f"a user restores {truth.tag} on the side of {side}: {kept.id}"
    if truth.flow != "customer" or "number" not in truth.keys:
        return None
    truth.deleted_on.discard(side)
    row = make(world, truth, side)
    return f"a user makes {truth.tag} anew on the side of {side}: {row.id}"


def _deleted_row(world: World, truth: Truth, side: str) -> Row | None:
    rows = world.registers[side].rows.values()
    return next((row for row in rows if row.tag == truth.tag and row.deleted), None)


@step(3, "restored after return")
def restore_beside_its_successor(world: World, draw: Random) -> str | None:
    truth = world.pick([one for one in world.truths.values() if world.row("customcrm", one)], lambda one: one.tag)
    kept = None if truth is None else _deleted_row(world, truth, "customcrm")
    if truth is None or kept is None:
        return None
    world.registers["customcrm"].undelete(kept)
    truth.doubled = True
    world.touch(truth, "customcrm", "undelete")
    return f"a user restores {truth.tag} in the CRM, where it is already: {kept.id}"


@step(4)
def deactivate(world: World, draw: Random) -> str | None:
    found = [one for one in world.truths.values() if world.row("tripletex", one)]
    truth = world.pick(found, lambda one: one.tag)
    row = None if truth is None else world.row("tripletex", truth)
    if truth is None or row is None:
        return None
    world.registers["tripletex"].set_inactive(row, inactive=not row.inactive, by_user=True)
    truth.reactivated = truth.reactivated or not row.inactive
    world.touch(truth, "tripletex", truth.last if truth.last != "delete" else "undelete")
    return f"a user makes {truth.tag} {'inactive' if row.inactive else 'active again'} in Tripletex"


@step(5, "look-alikes")
def look_alike(world: World, draw: Random) -> str | None:
    """Somebody else has the same e-mail, with another number or name."""
    side = draw.choice(SIDES)
    return made_like(world, side)


def made_like(world: World, side: str, near: Truth | None = None) -> str | None:
    fitting = [
        one for one in world.truths.values() if "email" in one.keys and (one.flow == "contact" or "number" in one.keys)
    ]
    like = near if near in fitting else world.pick(fitting, lambda one: one.tag)
    if like is None:
        return None
    email = next(
        (row.values[path] for at in SIDES for row in world.rows(at, like) for path in EMAILS if path in row.values),
        None,
    )
    if email is None:
        return None
    name = next(row.values.get(PROPERTIES[like.flow][0][at]) for at in SIDES for row in world.rows(at, like))
    tag = f"{like.flow}-{world.salt}"
    if tag in world.truths:
        return None
    truth = world.truths[tag] = Truth(like.flow, tag, like.keys)
    given = {"Email" if side == "customcrm" else "email": email}
    if like.flow == "contact":
        # Somebody of the same family.
        given["LastName" if side == "customcrm" else "lastName"] = name
    row = make(world, truth, side, **given)
    return f"a user makes {tag} on the side of {side}, with the e-mail of {like.tag}: {row.id}"


@step(4, "merges")
def merge(world: World, draw: Random) -> str | None:
    found = [one for one in world.truths.values() if one.flow == "customer" and world.row("customcrm", one)]
    loser = world.pick(found, lambda one: one.tag)
    into = world.pick([one for one in found if one is not loser], lambda one: f"into {one.tag}")
    if loser is None or into is None:
        return None
    row, kept = world.row("customcrm", loser), world.row("customcrm", into)
    if row is None or kept is None:
        return None
    deleted(world, loser, "customcrm")
    world.registers["customcrm"].merge(row, kept)
    return f"a user merges {loser.tag} into {into.tag} in the CRM: {row.id} answers with {kept.id}"


# -- persons


@step(5)
def decide(world: World, draw: Random) -> str | None:
    side = draw.choice(SIDES)
    states = ("open", "taken", "kept") if "put back" in world.lies else ("open", "taken")
    rows = [row for row in world.memory.conflicts() if row["state"] in states]
    row = world.pick(rows, lambda one: f"{one['id']}")
    return None if row is None else decided(world, row, side)


def decided(world: World, row: dict[str, Any], side: str) -> str:
    """A person lets one side's values stand, having seen both."""
    world.memory.decide(row, side)
    world.replaced.update(filter(None, (said(value) for value in row["both"].get(other(side), {}).values())))
    truth = next((one for one in world.truths.values() if _is_of(world, row, one)), None)
    if truth is not None:
        truth.last = "decision"
        if row["unit"] == "deleted" and "deleted" in row["both"].get(side, {}):
            for one in world.rows(other(side), truth):
                one.kept_active = False
    return f"a person lets {side} stand in conflict {row['id']} ({row['state']}, {row['unit']}: {row['both']})"


def _is_of(world: World, row: dict[str, Any], truth: Truth) -> bool:
    return truth.flow == row["flow"] and any(one.id == row[side] for side in SIDES for one in world.rows(side, truth))
