"""Reading a table: YAML with line numbers. What a key may be is checked here, what it refers to in ``checking``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from dataflow.errors import TableError, suggestion
from dataflow.table import (
    CONFLICT_POLICIES,
    CREATE_POLICIES,
    DELETE_POLICIES,
    DIRECTION_KEYS,
    ROW_DIRECTIONS,
    WRITE_TIMES,
    Condition,
    Flow,
    Place,
    Row,
    Scalar,
)

FLOW_KEYS = (
    "flow", "customcrm", "tripletex", "match_on", "conflict", "create", "deletes", "filter", "after", "timeless",
    "properties",
)  # fmt: skip
NEEDED_FLOW_KEYS = ("flow", "customcrm", "tripletex", "match_on", "properties")
ROW_KEYS = ("customcrm", "tripletex", "type", "convert", "link", "direction", "when", "conflict")
NEEDED_ROW_KEYS = ("customcrm", "tripletex")


def read_file(path: Path, shown_as: str) -> Flow:
    """Read the table in a file. ``shown_as`` is how errors name it, usually as the settings do.

    Raises TableError: the file is not there, is not YAML, or says something that a table cannot say.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TableError(
            shown_as, f"there is no such file in {path.parent}. Check the name under tables: in the mapping's config."
        ) from None
    except UnicodeDecodeError as error:
        raise TableError(shown_as, f"not UTF-8 text (byte {error.start}). Save the file as UTF-8.") from None
    except OSError as error:
        raise TableError(shown_as, f"cannot be read: {error.strerror}.") from None
    try:
        content = YAML(typ="rt").load(text)
    except YAMLError as error:
        raise _not_yaml(error, shown_as) from None
    return read_table(content, shown_as)


def read_table(content: Any, shown_as: str) -> Flow:
    """Read a table that is already parsed, from a file or from the settings themselves."""
    node = _Node(content, Place(shown_as, 1 if hasattr(content, "lc") else None))
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


class _Node:
    """A piece of the file that knows where it stands."""

    def __init__(self, value: Any, place: Place) -> None:
        self.value = value
        self.place = place

    def refuse(self, message: str) -> NoReturn:
        raise TableError(str(self.place), message)

    def mapping(self, known: Collection[str] | None, needed: Iterable[str], what: str) -> dict[str, _Node]:
        """The entries of a mapping, each at its own line."""
        if not isinstance(self.value, Mapping):
            self.refuse(f"expected `key: value` entries {what}, found {_named(self.value)}.")
        entries = {}
        for key in self.value:
            if not isinstance(key, str):
                self._at_key(key).refuse(f"the key {key!r} is not text. Put it in quotes.")
            if known is not None and key not in known:
                self._at_key(key).refuse(f"unknown key {key} {what}. {suggestion(key, known)}")
            entries[key] = self._child(key)
        for key in needed:
            if key not in entries:
                self.refuse(f"the key {key} {what} is missing. Add `{key}: …`.")
        return entries

    def items(self) -> list[_Node]:
        if not isinstance(self.value, list):
            self.refuse(f"expected a list, found {_named(self.value)}.")
        return [self._child(index) for index in range(len(self.value))]

    def one_or_more(self) -> list[_Node]:
        return self.items() if isinstance(self.value, list) else [self]

    def text(self) -> str:
        if not isinstance(self.value, str) or not self.value.strip():
            self.refuse(f"expected a name, found {_named(self.value)}.")
        return str(self.value)

    def choice(self, choices: Collection[str], what: str) -> str:
        if not isinstance(self.value, str) or self.value not in choices:
            self.refuse(f"{what} cannot be {_named(self.value)}. Choose one of {', '.join(choices)}.")
        return str(self.value)

    def scalar(self) -> Scalar:
        value = self.value
        if isinstance(value, bool):
            return bool(value)
        if isinstance(value, str):
            return str(value)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return Decimal(str(float(value)))
        return self.refuse(f"expected a text, a number, true or false, found {_named(value)}.")

    def _child(self, key: Any) -> _Node:
        return _Node(self.value[key], self._located(key, "value" if isinstance(key, str) else "item"))

    def _at_key(self, key: Any) -> _Node:
        return _Node(key, self._located(key, "key"))

    def _located(self, key: Any, how: str) -> Place:
        position = getattr(self.value, "lc", None)
        try:
            line = getattr(position, how)(key)[0] + 1
        except (AttributeError, KeyError, TypeError):  # from the settings, or merged in from an anchor
            line = self.place.line
        return Place(self.place.file, line)


def _named(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "`key: value` entries"
    if isinstance(value, list):
        return "a list"
    return f"{str(value)[:60]!r}" if isinstance(value, str) else f"{str(value)[:60].lower()}"


def _not_yaml(error: YAMLError, shown_as: str) -> TableError:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    where = str(Place(shown_as, mark.line + 1 if mark else None))
    if isinstance(error, DuplicateKeyError):
        said = str(error.problem).split('"')
        key = said[1] if len(said) > 1 else "a key"
        return TableError(where, f"{key} is said twice in one mapping. Remove one of the two.")
    problem = getattr(error, "problem", None) or type(error).__name__
    return TableError(where, f"not YAML: {' '.join(str(problem).split())}. Check indentation, quotes and brackets.")


def _places(node: _Node, keys: Mapping[str, _Node]) -> dict[str, Place]:
    return {"": node.place, **{key: one.place for key, one in keys.items()}}


def _choice(keys: Mapping[str, _Node], key: str, choices: Collection[str], default: str) -> str:
    return keys[key].choice(choices, key) if key in keys else default


def _match_on(node: _Node) -> tuple[tuple[str, ...], ...]:
    criteria = tuple(tuple(one.text() for one in criterion.one_or_more()) for criterion in node.items())
    if () in criteria:
        node.refuse("an empty criterion matches everything with everything. Name its properties, or remove it.")
    return criteria


def _rows(node: _Node) -> tuple[Row, ...]:
    rows = tuple(_row(one) for one in node.items())
    if not rows:
        node.refuse("the table has no properties. Add `- {customcrm: Name, tripletex: name, type: string}`.")
    return rows


def _row(node: _Node) -> Row:
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
        link=keys["link"].text() if "link" in keys else None,
        direction=_choice(keys, "direction", ROW_DIRECTIONS, "both"),
        when=_choice(keys, "when", WRITE_TIMES, "always"),
        conflict=keys["conflict"].choice(CONFLICT_POLICIES, "conflict") if "conflict" in keys else None,
    )


def _deletes(node: _Node | None) -> dict[str, str]:
    if node is None:
        return {}
    entries = node.mapping(DIRECTION_KEYS, (), "of deletes")
    return {key: one.choice(DELETE_POLICIES[key], f"deletes {key}") for key, one in entries.items()}


def _filters(node: _Node | None) -> dict[str, tuple[Condition, ...]]:
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


def _condition(name: str, node: _Node) -> Condition:
    if not isinstance(node.value, Mapping):
        return Condition(name, node.place, among=_values(node))
    keys = node.mapping(("not", "empty"), (), "of a condition")
    if len(keys) != 1:
        node.refuse("a condition is a value, a list of values, {not: …} or {empty: true|false}.")
    if "not" in keys:
        return Condition(name, node.place, not_among=_values(keys["not"]))
    if not isinstance(keys["empty"].value, bool):
        keys["empty"].refuse(f"empty is true or false, not {_named(keys['empty'].value)}.")
    return Condition(name, node.place, empty=bool(keys["empty"].value))


def _values(node: _Node) -> tuple[Scalar, ...]:
    values = tuple(one.scalar() for one in node.one_or_more())
    if not values:
        node.refuse("the list of values is empty, so nothing would pass. Name the values.")
    return values
