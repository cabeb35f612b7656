"""The `fields` parameter: what of an object is shown (reference: Tripletex API, Reading).

fields = field {"," field};  field = "*" | name ["(" fields ")"]
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from sandbox.store import Table
from sandbox.tripletex.refusal import TripletexRefusal
from sandbox.tripletex.rows import Row, url_of
from sandbox.tripletex.types import ObjectType, Property, object_types

UNSET_NUMBERS = {
    "Customer": ("supplierNumber", "globalLocationNumber"),
    "Product": ("weight", "volume", "expenses", "minStockLevel"),
}
"""What is answered as 0 where there is none."""

WORD = re.compile(r"\s*([A-Za-z0-9_]+|[*(),])\s*")


class Selection(msgspec.Struct):
    """What is shown of one type: all plain values or the named ones, stubs, and expanded objects."""

    type_name: str
    everything: bool = False
    scalars: tuple[str, ...] = ()
    stubs: tuple[tuple[str, str], ...] = ()
    lists: tuple[str, ...] = ()
    expanded: dict[str, "Selection"] = {}
    changes: tuple[str, ...] = ()


class _Parser:
    def __init__(self, expression: str) -> None:
        self.words: list[str] = []
        position = 0
        while position < len(expression):
            match = WORD.match(expression, position)
            if match is None:
                raise TripletexRefusal(11000, f"Illegal character in fields at {position}")
            self.words.append(match.group(1))
            position = match.end()
        self.words.append("")
        self.at = 0

    def take(self) -> str:
        self.at += 1
        return self.words[self.at - 1]

    def fields(self, owner: ObjectType, closing: str) -> dict[str, Any]:
        """Names with what is asked of them: None, or the same for the expanded object."""
        found: dict[str, Any] = {}
        while True:
            name = self.take()
            if name != "*" and name not in owner.properties:
                raise TripletexRefusal(11000, f"Illegal field in fields filter: {name}. Type: {owner.name}")
            inner = None
            if self.words[self.at] == "(" and name != "*":
                self.take()
                inner = self._inner(owner.properties[name])
            found[name] = inner
            follows = self.take()
            if follows == closing:
                return found
            if follows != ",":
                raise TripletexRefusal(11000, f"Expected ',' or '{closing}' after '{name}' in fields")

    def _inner(self, prop: Property) -> dict[str, Any]:
        inner_type = object_types().get(prop.kind)
        if inner_type is None:
            raise TripletexRefusal(11000, f"Field {prop.name} cannot be expanded here")
        return self.fields(inner_type, ")")


def _compiled(owner: ObjectType, asked: Mapping[str, Any]) -> Selection:
    everything = "*" in asked
    shown = [each for each in owner.properties.values() if each.name in asked or everything]
    expanded = {
        each.name: _compiled(object_types()[each.kind], asked[each.name])
        for each in shown
        if each.is_reference and not each.many and asked.get(each.name)
    }
    changes: tuple[str, ...] = ()
    if "changes" in asked:
        inner = asked["changes"] or {"*": None}
        changes = tuple(object_types()["Change"].properties) if "*" in inner else tuple(inner)
    return Selection(
        owner.name,
        everything,
        tuple(each.name for each in shown if not each.is_reference),
        tuple(
            (each.name, each.kind)
            for each in shown
            if each.is_reference and not each.many and each.name not in expanded
        ),
        tuple(each.name for each in shown if each.is_reference and each.many and each.name != "changes"),
        expanded,
        changes,
    )


def selection(owner: ObjectType, expression: str) -> Selection:
    """The selection an expression asks for; empty asks for `*`. Raises TripletexRefusal 400, code 11000."""
    if not expression.strip():
        return _compiled(owner, {"*": None})
    parser = _Parser(expression)
    return _compiled(owner, parser.fields(owner, ""))


def _as(type_name: str, row: Row) -> dict[str, Any]:
    """What an object says where it is shown as another type."""
    properties = object_types()[type_name].properties
    return {name: value for name, value in row.values.items() if name in properties}


class Renderer:
    """Shows rows through a selection: what has no text as `unset_text`, times with their offset from UTC or without.

    `hidden` properties are left out, also where they are asked for: rights or modules do not cover them.
    """

    def __init__(
        self,
        tables: Mapping[str, Table[Row]],
        host: str,
        unset_text: str | None = None,
        *,
        offsets: bool = False,
        hidden: frozenset[str] = frozenset(),
    ) -> None:
        self.tables = tables
        self.host = host
        self.unset_text = unset_text
        self.offsets = offsets
        self.hidden = hidden

    def show(self, row: Row, chosen: Selection) -> dict[str, Any]:
        """The JSON object for a row."""
        shown: dict[str, Any] = {"id": row.id, "version": row.version, "url": url_of(self.host, row.type_name, row.id)}
        if chosen.everything:
            shown.update(row.values if chosen.type_name == row.type_name else _as(chosen.type_name, row))
        else:
            every = {**shown, **row.values}
            shown = {name: every.get(name) for name in chosen.scalars}
        if self.unset_text is not None:
            self._fill(row, shown)
        refs = row.refs
        for name, kind in chosen.stubs:
            ref = refs.get(name)
            shown[name] = None if ref is None else {"id": ref, "url": url_of(self.host, kind, ref)}
        for name in chosen.lists:
            shown[name] = []
        for name, inner in chosen.expanded.items():
            shown[name] = self._expanded(refs.get(name), inner)
        if chosen.changes:
            changes = [change.as_json(offset=self.offsets) for change in row.changes]
            shown["changes"] = [{name: change[name] for name in chosen.changes} for change in changes]
        for name in self.hidden & shown.keys():
            del shown[name]
        return shown

    def _expanded(self, ref: int | None, inner: Selection) -> dict[str, Any] | None:
        if ref is None:
            return None
        table = self.tables.get(object_types()[inner.type_name].table)
        row = None if table is None else table.rows.get(ref)
        return None if row is None else self.show(row, inner)

    def _fill(self, row: Row, shown: dict[str, Any]) -> None:
        for name in UNSET_NUMBERS.get(row.type_name, ()):
            if shown.get(name, 0) is None:
                shown[name] = 0
        for prop in object_types()[row.type_name].scalars:
            if prop.kind == "string" and not prop.many and not prop.allowed and shown.get(prop.name, 0) is None:
                shown[prop.name] = self.unset_text
