"""A target killed at any of its requests, and at any commit: the next runs come to the same end, with nothing twice.

A run leaves behind what its writes did in the system and its commits in the link store. So whatever a kill can leave is
left by one right after a write or a commit; killed before the next request or commit, it leaves the same.

By default a part of the points is tried. CI tries each that leaves something of its own, and every third of the others;
and every third with a user's edit before the next run. With `KILL_EVERYWHERE=1` in the environment it is all of them.
"""

import os
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sandbox.lines import TO_TRIPLETEX, Direction, Lines, Said, Starter, said, without
from sandbox.lines.rehearsal import DIRECTIONS, How, Records, Rehearsal

import sandbox

IN_CI = bool(os.environ.get("CI"))
EVERY = 1 if os.environ.get("KILL_EVERYWHERE") else 3 if IN_CI else 8
EDITED = "endret av en bruker"


@pytest.fixture(scope="module")
def rehearsal(
    starter: Starter, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Rehearsal]:
    with sandbox.running("empty") as systems:
        yield Rehearsal(Lines(systems, tmp_path_factory.mktemp("killed"), starter, pytestconfig.rootpath))


directions = pytest.mark.parametrize("direction", DIRECTIONS, ids=lambda one: one.name)


def some(points: Sequence[int], first: int) -> Sequence[int]:
    """A part of the points: another one for each way to die."""
    return points[first % EVERY :: EVERY]


def writes(rehearsal: Rehearsal, direction: Direction) -> list[int]:
    return [number for number, seen in enumerate(rehearsal.expected[direction].requests) if seen.is_write]


def with_something_of_its_own(rehearsal: Rehearsal, direction: Direction, how: How) -> Sequence[int]:
    """The points that leave what no other one does."""
    if how is How.AFTER_COMMIT:
        return rehearsal.points(direction, how)
    return writes(rehearsal, direction) if how in (How.AFTER_REQUEST, How.ASKED_TO) else ()


def turn(how: How) -> int:
    return list(How).index(how)


def difference(found: dict[str, list[Any]], wanted: dict[str, list[Any]]) -> dict[str, Any]:
    return {
        kind: {
            "too many": [one for one in found[kind] if found[kind].count(one) > wanted[kind].count(one)],
            "missing": [one for one in wanted[kind] if wanted[kind].count(one) > found[kind].count(one)],
        }
        for kind in wanted
        if found[kind] != wanted[kind]
    }


@directions
def test_the_rehearsed_run_has_something_of_everything(rehearsal, direction):
    expected = rehearsal.expected[direction]
    written = [seen for seen in expected.requests if seen.is_write]
    assert 8 <= len(written) < len(expected.requests)
    if direction is TO_TRIPLETEX:
        lists = {(seen.method, seen.path) for seen in written if seen.path.endswith("/list")}
        assert lists == {
            ("POST", "/v2/customer/list"),
            ("PUT", "/v2/customer/list"),
            ("POST", "/v2/contact/list"),
        }
        assert any(isinstance(seen.body, dict) and seen.body.get("isInactive") is True for seen in written)
    else:
        assert {seen.method for seen in written} == {"POST", "PATCH", "DELETE"}
    waiting = rehearsal.expected[TO_TRIPLETEX].remembered["waiting"]
    assert [(flow, kind) for flow, _side, kind, *_ in waiting] == [("contact", "parked")]
    assert expected.remembered["intents"] == [(0,)]
    assert expected.commits > len(written)


@directions
@pytest.mark.parametrize("how", How, ids=lambda one: one.name)
def test_a_target_killed_anywhere_comes_to_the_same_end_when_run_again(rehearsal, direction, how):
    expected = rehearsal.expected[direction]
    points = rehearsal.points(direction, how)
    if how is How.ASKED_TO:
        # It ends what it is at: only with a write on its way that makes a difference.
        points = writes(rehearsal, direction)
    tried = some(points, turn(how))
    if IN_CI:
        tried = sorted({*tried, *with_something_of_its_own(rehearsal, direction, how)})
    for number in tried:
        rehearsal.kill(direction, how, number)
        rehearsal.lines.cycle()
        point = rehearsal.told(direction, how, number)
        assert difference(said(rehearsal.systems), expected.said) == {}, point
        assert difference(rehearsal.remembered(), expected.remembered) == {}, point
    print(f"{direction.target}, {how.value}: {len(tried)} of {len(points)} points")


# -- a user edits what the killed run was at

NOTES = {
    ("customcrm", "customer"): "Description",
    ("customcrm", "contact"): "Phone",
    ("tripletex", "customer"): "description",
    ("tripletex", "contact"): "phoneNumberWork",
}
"""By system and resource: a property that a user writes into; the two of a resource belong together."""
PRODUCTS = ("S-1", "R-1", "L-1")


def name_of(record: dict[str, Any]) -> str:
    """What a record is called on both sides."""
    name = record.get("Name") or record.get("name")
    return (
        name or " ".join(record.get(part) or "" for part in ("firstName", "lastName", "FirstName", "LastName")).strip()
    )


def edit(system: Any, records: Records) -> set[tuple[str, str]]:
    """A user edits these records, if they are the system's; tells their resources and names."""
    edited = set()
    for (name, resource, record_id), record in records.items():
        note = NOTES.get((name, resource))
        if name != system.name or note is None or record.get("isInactive") or record.get("lastName") in PRODUCTS:
            continue
        system.edit(resource, record_id, **{note: EDITED})
        edited.add((resource, name_of(record)))
    return edited


def what_falls(found: Said, edited: set[tuple[str, str]]) -> set[tuple[str, str, str]]:
    """Of the edited records those that do not say what the user wrote, wherever they are."""
    return {
        (system, resource, name_of(record))
        for (system, resource), note in NOTES.items()
        for record in found[f"{system} {resource}"]
        if (resource, name_of(record)) in edited and record[note] != EDITED
    }


def edit_after_the_kill(rehearsal: Rehearsal, direction: Direction, side: str) -> set[tuple[str, str]]:
    if side == "source":
        return edit(rehearsal.source_of(direction), rehearsal.touched)
    written = {key: one for key, one in rehearsal.records().items() if rehearsal.at_work.get(key) != one}
    return edit(rehearsal.target_of(direction), written)


@directions
@pytest.mark.parametrize("side", ["target", "source"])
@pytest.mark.parametrize("how", [How.AFTER_REQUEST, How.AFTER_COMMIT], ids=lambda one: one.name)
def test_what_a_user_edits_after_the_kill_stands_on_both_sides(rehearsal, direction, how, side):
    """After each write and each commit: what is before a write or a commit is after another one."""
    expected = rehearsal.expected[direction]
    wanted = without(expected.said, *NOTES.values())
    points = writes(rehearsal, direction) if how is How.AFTER_REQUEST else rehearsal.points(direction, how)
    tried = some(points, turn(how) + (side == "source"))
    edits = 0
    for number in tried:
        rehearsal.kill(direction, how, number)
        edited = edit_after_the_kill(rehearsal, direction, side)
        edits += len(edited)
        rehearsal.lines.cycle()
        found = said(rehearsal.systems)
        point = rehearsal.told(direction, how, number)
        assert what_falls(found, edited) == set(), point
        assert difference(without(found, *NOTES.values()), wanted) == {}, point
    assert edits >= (5 if EVERY == 1 else 1)
    print(f"{direction.target}, {how.value}, {edits} edits in the {side}: {len(tried)} of {len(points)} points")
