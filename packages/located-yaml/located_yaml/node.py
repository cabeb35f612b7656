"""Pieces of a YAML file that know where they stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from located_yaml.fault import Fault, Place, suggestion


class Node:
    """A value with its place. Values of the settings themselves, which stand in no file, have a place without line."""

    def __init__(self, value: Any, place: Place) -> None:
        self.value = value
        self.place = place

    def refuse(self, problem: str) -> NoReturn:
        """Raise a Fault at this place."""
        raise Fault(self.place, problem)

    def mapping(self, known: Collection[str] | None, needed: Iterable[str], what: str) -> dict[str, Node]:
        """The entries of a mapping, each at its own line.

        Raises Fault: it is no mapping, has a key that is not `known` (None: any text is), or lacks a `needed` one.
        `what` says whose keys they are ("of a table").
        """
        if not isinstance(self.value, Mapping):
            self.refuse(f"expected `key: value` entries {what}, found {named(self.value)}.")
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

    def items(self) -> list[Node]:
        """The elements of a list."""
        if not isinstance(self.value, list):
            self.refuse(f"expected a list, found {named(self.value)}.")
        return [self._child(index) for index in range(len(self.value))]

    def one_or_more(self) -> list[Node]:
        """The elements of a list, or the single value that stands in place of one."""
        return self.items() if isinstance(self.value, list) else [self]

    def text(self) -> str:
        """A text that is not empty."""
        if not isinstance(self.value, str) or not self.value.strip():
            self.refuse(f"expected a name, found {named(self.value)}.")
        return str(self.value)

    def choice(self, choices: Collection[str], what: str) -> str:
        """One of several texts."""
        if not isinstance(self.value, str) or self.value not in choices:
            self.refuse(f"{what} cannot be {named(self.value)}. Choose one of {', '.join(choices)}.")
        return str(self.value)

    def over(self, base: Node, tag: str | None = None) -> Node:
        """What this says over what `base` says: mappings key by key, anything else takes its place. Places are kept.

        A mapping whose `tag` is another one than the base's is another kind of thing: it takes its place whole.
        """
        mine, other = entries_of(self), entries_of(base)
        if mine is None or other is None:
            return self
        if tag is not None and tag in mine and tag in other and mine[tag].value != other[tag].value:
            return self
        merged = dict(other)
        for key, node in mine.items():
            merged[key] = node.over(merged[key], tag) if key in merged else node
        return self.with_entries(merged)

    def with_entries(self, entries: dict[str, Node]) -> Node:
        """A mapping at this place, of entries that stand at their own."""
        return Node(_Entries(entries), self.place)

    def _child(self, key: Any) -> Node:
        if isinstance(self.value, _Entries):
            return self.value.nodes[key]
        return Node(self.value[key], self._located(key, "value" if isinstance(key, str) else "item"))

    def _at_key(self, key: Any) -> Node:
        if isinstance(self.value, _Entries):
            return Node(key, self.value.nodes[key].place)
        return Node(key, self._located(key, "key"))

    def _located(self, key: Any, how: str) -> Place:
        position = getattr(self.value, "lc", None)
        try:
            line = getattr(position, how)(key)[0] + 1
        except (AttributeError, KeyError, TypeError):  # from the settings, or merged in from an anchor
            line = self.place.line
        return Place(self.place.file, line)


class _Entries(Mapping[str, Any]):
    """A mapping made of two, whose values come from places of their own."""

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.nodes = nodes

    def __getitem__(self, key: str) -> Any:
        return self.nodes[key].value

    def __iter__(self) -> Any:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)


def entries_of(node: Node) -> dict[str, Node] | None:
    """The entries of a mapping whose keys are all texts, else None."""
    value = node.value
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        return None
    return node.mapping(None, (), "")


def read_file(path: Path, shown_as: str, *, missing: str) -> Node:
    """The content of a YAML file. `shown_as` is how faults name it; `missing` what to do where it is not there."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise Fault(shown_as, f"there is no such file in {path.parent}. {missing}") from None
    except UnicodeDecodeError as error:
        raise Fault(shown_as, f"not UTF-8 text (byte {error.start}). Save the file as UTF-8.") from None
    except OSError as error:
        raise Fault(shown_as, f"cannot be read: {error.strerror}.") from None
    return parse(text, shown_as)


def parse(text: str, shown_as: str) -> Node:
    """The content of a YAML text."""
    try:
        return content_of(_loaded(text), shown_as)
    except YAMLError as error:
        raise _not_yaml(error, shown_as) from None


@lru_cache(maxsize=32)
def _loaded(text: str) -> Any:
    """What a text holds. Reading YAML takes longer than all that is made of it, and nobody changes what was read."""
    return YAML(typ="rt").load(text)


def content_of(content: Any, shown_as: str) -> Node:
    """What is already parsed, from a file or from the settings themselves."""
    return Node(content, Place(shown_as, 1 if hasattr(content, "lc") else None))


def named(value: Any) -> str:
    """A value in words, cut short."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "`key: value` entries"
    if isinstance(value, list):
        return "a list"
    return f"{str(value)[:60]!r}" if isinstance(value, str) else f"{str(value)[:60].lower()}"


def _not_yaml(error: YAMLError, shown_as: str) -> Fault:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    where = Place(shown_as, mark.line + 1 if mark else None)
    if isinstance(error, DuplicateKeyError):
        said = str(error.problem).split('"')
        key = said[1] if len(said) > 1 else "a key"
        return Fault(where, f"{key} is said twice in one mapping. Remove one of the two.")
    problem = getattr(error, "problem", None) or type(error).__name__
    return Fault(where, f"not YAML: {' '.join(str(problem).split())}. Check indentation, quotes and brackets.")
