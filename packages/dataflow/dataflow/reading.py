"""Reading a table: YAML with line numbers. What a key may be is checked here, what it refers to in ``checking``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from located_yaml import Fault, Node, Place, named
from located_yaml import read_file as read_yaml
from located_yaml.node import content_of

from dataflow.errors import TableError
from dataflow.table import (
    CONFLICT_POLICIES,
    CREATE_POLICIES,
    DELETE_POLICIES,
    DIRECTION_KEYS,
    ROW_DIRECTIONS,
    WRITE_TIMES,
    Condition,
    Flow,
    Row,
    Scalar,
)

FLOW_KEYS = (
    "flow", "customcrm", "tripletex", "match_on", "conflict", "create", "deletes", "filter", "after", "timeless",
    "properties",
)  # fmt: skip
NEEDED_FLOW_KEYS = ("flow", "customcrm", "tripletex", "match_on", "properties")
ROW_KEYS = (
    "customcrm", "tripletex", "type", "convert", "country", "link", "direction", "when", "conflict", "group", "cut",
    "optional",
)  # fmt: skip
NEEDED_ROW_KEYS = ("customcrm", "tripletex")


def read_file(path: Path, shown_as: str) -> Flow:
    """Read the table in a file. ``shown_as`` is how errors name it, usually as the settings do.

    Raises TableError: the file is not there, is not YAML, or says something that a table cannot say.
    """
    try:
        content = read_yaml(path, shown_as, missing="Check the name under tables: in the mapping's config.")
        return _flow(content)
    except Fault as fault:
        raise TableError(fault.where, fault.problem) from None


def read_table(content: Any, shown_as: str) -> Flow:
    """Read a table that is already parsed, from the settings themselves. Raises TableError."""
    try:
        return _flow(content_of(content, shown_as))
    except Fault as fault:
        raise TableError(fault.where, fault.problem) from None


def _flow(node: Node) -> Flow:
    keys = node.mapping(FLOW_KEYS, NEEDED_FLOW_KEYS, "of a table")
    return Flow(
        name=keys["flow"].text(),
        customcrm=keys["customcrm"].text(),
        tripletex=keys["tripletex"].text(),
        match_on=_match_on(keys["match_on"]),
        rows=_rows(keys["properties"]),
        places=_places(node, keys),
        conflict=_choice(keys, "conflict", CONFLICT_POLICIES, "latest"),
        create=_choice(keys, "create", CREATE_POLICIES, "both"),
        deletes=_deletes(keys.get("deletes")),
        filters=_filters(keys.get("filter")),
        after=tuple(one.text() for one in keys["after"].one_or_more()) if "after" in keys else (),
        timeless=_choice(keys, "timeless", ("customcrm", "tripletex"), "tripletex"),
    )


def _places(node: Node, keys: Mapping[str, Node]) -> dict[str, Place]:
    return {"": node.place, **{key: one.place for key, one in keys.items()}}


def _choice(keys: Mapping[str, Node], key: str, choices: Collection[str], default: str) -> str:
    return keys[key].choice(choices, key) if key in keys else default


def _match_on(node: Node) -> tuple[tuple[str, ...], ...]:
    criteria = tuple(tuple(one.text() for one in criterion.one_or_more()) for criterion in node.items())
    if () in criteria:
        node.refuse("an empty criterion matches everything with everything. Name its properties, or remove it.")
    return criteria


def _rows(node: Node) -> tuple[Row, ...]:
    rows = tuple(_row(one) for one in node.items())
    if not rows:
        node.refuse("the table has no properties. Add `- {customcrm: Name, tripletex: name, type: string}`.")
    return rows


def _row(node: Node) -> Row:
    keys = node.mapping(ROW_KEYS, NEEDED_ROW_KEYS, "of a property")
    if isinstance(keys["customcrm"].value, list):
        keys["customcrm"].refuse("a row has one Customcrm property. Give each its own row.")
    tripletex = tuple(one.text() for one in keys["tripletex"].one_or_more())
    if not tripletex:
        keys["tripletex"].refuse("the row names no Tripletex property.")
    return Row(
        customcrm=keys["customcrm"].text(),
        tripletex=tripletex,
        places=_places(node, keys),
        type=keys["type"].text() if "type" in keys else None,
        convert=keys["convert"].text() if "convert" in keys else None,
        country=keys["country"].text() if "country" in keys else None,
        link=keys["link"].text() if "link" in keys else None,
        direction=_choice(keys, "direction", ROW_DIRECTIONS, "both"),
        when=_choice(keys, "when", WRITE_TIMES, "always"),
        conflict=keys["conflict"].choice(CONFLICT_POLICIES, "conflict") if "conflict" in keys else None,
        group=keys["group"].text() if "group" in keys else None,
        optional=_flag(keys["optional"], "optional") if "optional" in keys else False,
        cut=_flag(keys["cut"], "cut") if "cut" in keys else False,
    )


def _flag(node: Node, what: str) -> bool:
    if not isinstance(node.value, bool):
        node.refuse(f"{what} is true or false, not {named(node.value)}.")
    return bool(node.value)


def _deletes(node: Node | None) -> dict[str, str]:
    if node is None:
        return {}
    entries = node.mapping(DIRECTION_KEYS, (), "of deletes")
    return {key: one.choice(DELETE_POLICIES[key], f"deletes {key}") for key, one in entries.items()}


def _filters(node: Node | None) -> dict[str, tuple[Condition, ...]]:
    if node is None:
        return {}
    directions = node.mapping(DIRECTION_KEYS, (), "of filter")
    return {
        key: tuple(
            _condition(name, condition)
            for name, condition in one.mapping(None, (), "of a filter (property: value)").items()
        )
        for key, one in directions.items()
    }


def _condition(name: str, node: Node) -> Condition:
    if not isinstance(node.value, Mapping):
        return Condition(name, node.place, among=_values(node))
    keys = node.mapping(("not", "empty"), (), "of a condition")
    if len(keys) != 1:
        node.refuse("a condition is a value, a list of values, {not: …} or {empty: true|false}.")
    if "not" in keys:
        return Condition(name, node.place, not_among=_values(keys["not"]))
    return Condition(name, node.place, empty=_flag(keys["empty"], "empty"))


def _values(node: Node) -> tuple[Scalar, ...]:
    values = tuple(_scalar(one) for one in node.one_or_more())
    if not values:
        node.refuse("the list of values is empty, so nothing would pass. Name the values.")
    return values


def _scalar(node: Node) -> Scalar:
    value = node.value
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return Decimal(str(float(value)))
    return node.refuse(f"expected a text, a number, true or false, found {named(value)}.")
