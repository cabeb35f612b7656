"""Groups of a table: properties that only mean something together, and so are decided as one.

What a table says of one property of a group, it says of all.
"""

from __future__ import annotations

from typing import NoReturn

from located_yaml import suggestion

from dataflow.errors import TableError
from dataflow.side import DIRECTIONS, Direction
from dataflow.table import Flow, Row


def groups_of(flow: Flow) -> dict[str, tuple[Row, ...]]:
    """The groups of a table, each with its rows."""
    found: dict[str, tuple[Row, ...]] = {}
    for row in flow.rows:
        if row.group is not None:
            found[row.group] = (*found.get(row.group, ()), row)
    return found


def policy_of(flow: Flow, row: Row) -> str | None:
    """The conflict policy that a row names, or one of its group for all of it."""
    rows = (row,) if row.group is None else groups_of(flow)[row.group]
    return next((one.conflict for one in rows if one.conflict is not None), None)


def check_groups(flow: Flow) -> None:
    """Refuse groups that contradict themselves.

    Raises TableError: the first thing that is wrong.
    """
    groups = groups_of(flow)
    for name, rows in groups.items():
        first, *others = rows
        for row in rows:
            _fits(row, first)
        if not others:
            known = [one for one in groups if one != name]
            _refuse(
                first,
                "group",
                f"the group {name} has this property alone. Give group: {name} to those that belong to it too, or "
                f"remove it. {suggestion(name, known) if known else ''}",
            )
    for direction in DIRECTIONS:
        decided = [row for row in flow.rows if row.goes(direction) and row.when != "create"]
        for index, row in enumerate(decided):
            for earlier in decided[:index]:
                _one_policy(flow, row, earlier, direction)


def _fits(row: Row, first: Row) -> None:
    if row.when == "create":
        _refuse(row, "when", "what is written only on creation is never decided, and in no group. Remove group:.")
    if row.link is not None:
        _refuse(row, "link", "an id is translated by its link alone, and in no group. Remove group: or link:.")
    if row.direction != first.direction:
        _refuse(
            row,
            "direction",
            f"{row.customcrm} goes {_way(row)}, but {first.customcrm} of the same group {row.group} goes {_way(first)} "
            f"({first.place('direction')}). What belongs together goes the same way: give both the same direction:.",
        )


def _one_policy(flow: Flow, row: Row, earlier: Row, direction: Direction) -> None:
    in_one_group = row.group is not None and row.group == earlier.group
    if not in_one_group and set(row.paths(direction.source)).isdisjoint(earlier.paths(direction.source)):
        return
    policies = (row.conflict, earlier.conflict) if in_one_group else (policy_of(flow, row), policy_of(flow, earlier))
    if None not in policies and policies[0] != policies[1]:
        why = f"of the group {row.group}" if in_one_group else "made of the same property"
        _refuse(
            row,
            "conflict",
            f"{row.customcrm} ({' and '.join(row.tripletex)}) has the conflict policy {policies[0]}, and "
            f"{earlier.customcrm} ({' and '.join(earlier.tripletex)}) in {earlier.place('conflict')} {policies[1]}, "
            f"but both are {why} and decided together. Give them one policy.",
        )


def _way(row: Row) -> str:
    return "both ways" if row.direction == "both" else f"only {row.direction}"


def _refuse(row: Row, key: str, message: str) -> NoReturn:
    raise TableError(str(row.place(key)), message.rstrip())
