"""The rules of one flow in one direction, as the mapper's SCHEMA message tells them (docs/architecture.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from record_sync.canonical import KINDS, LEAVING, QUALIFYING, full_name, names_same, phones_same, same, stated_form
from record_sync.errors import RulesError
from record_sync.values import Values, empty

CONFLICT_POLICIES = ("latest", "manual")
"""Or the name of the side that always wins."""
DELETE_POLICIES = ("deactivate", "delete", "ignore")


class Property(msgspec.Struct, frozen=True):
    """A property of the target and where its value comes from."""

    path: str
    sources: tuple[str, ...]
    compare: str = "text"
    conflict: str | None = None
    create_only: bool = False
    group: str | None = None
    """The name of what it belongs to: an address, a person's name."""
    country: str | None = None
    """The property that holds the country in which a phone number is read."""

    def same(self, ours: Values, theirs: Values) -> bool:
        """Whether two records, both in the target's properties, say the same."""
        one, other = ours.get(self.path), theirs.get(self.path)
        if self.country is None or one == other:
            return same(self.compare, one, other)
        return phones_same(one, other, ours.get(self.country), theirs.get(self.country))

    @property
    def qualifies(self) -> bool:
        """Whether a value of it says something beside the others of its unit only."""
        return self.compare in QUALIFYING


class Unit(msgspec.Struct, frozen=True):
    """Properties that are decided together: those of a group, and those made of the same source properties."""

    sources: tuple[str, ...]
    properties: tuple[Property, ...]
    policy: str
    group: str | None = None

    def same(self, ours: Values, theirs: Values) -> bool:
        """Whether two records say the same; a name whole in one property is the same as one in several."""
        differing = [one for one in self.properties if not one.same(ours, theirs)]
        if not differing:
            return True
        if all(one.compare == "full_name" for one in differing):
            divided = [one.path for one in self.properties if one.compare == "full_name"]
            return bool(full_name(_at(divided, ours)) == full_name(_at(divided, theirs)))
        if self.group is None or any(one.compare != "name" for one in differing):
            return False
        names = [one.path for one in self.properties if one.compare == "name"]
        return names_same(_at(names, ours), _at(names, theirs))

    def stated_forms(self, values: Values) -> dict[str, Any]:
        """What a record says of each property, in the form that decides whether another one says the same."""
        forms = {one.path: stated_form(one.compare, values.get(one.path)) for one in self.properties}
        divided = [one.path for one in self.properties if one.compare == "full_name"]
        return forms | dict.fromkeys(divided, full_name(_at(divided, values))) if divided else forms

    def weight(self, values: Values) -> tuple[int, int]:
        """Of how many properties a record says something, and how many more name the country of those."""
        said = [one.qualifies for one in self.properties if not empty(values.get(one.path))]
        return said.count(False), said.count(True)

    def is_part(self, one: Values, other: Values) -> bool:
        """Whether a record says nothing that another does not say too; it may name a country where that names none."""
        return all(
            each.same(one, other) or (each.qualifies and empty(other.get(each.path)))
            for each in self.properties
            if not empty(one.get(each.path))
        )


class FlowRules(msgspec.Struct, frozen=True, dict=True):
    """What is synchronised with what, and what to do where both sides disagree."""

    flow: str
    source_side: str
    target_side: str
    source_resource: str
    target_resource: str
    match_on: tuple[tuple[str, ...], ...]
    conflict: str
    create: bool
    on_delete: str
    references: Mapping[str, str]
    after: tuple[str, ...]
    tie: str
    """The side that wins where times are equal, or where a side has none."""
    digest: str
    properties: tuple[Property, ...]
    units: tuple[Unit, ...]

    @cached_property
    def paths(self) -> frozenset[str]:
        """Every target property that is read or written."""
        return frozenset(one.path for one in self.properties)

    @cached_property
    def source_paths(self) -> frozenset[str]:
        """Every source property that some unit is made of."""
        return frozenset(path for unit in self.units for path in unit.sources)

    def mentioned(self, source: Values, values: Values) -> tuple[Unit, ...]:
        """The units that a record says something of: all whose properties it mentions, empty or not."""
        if self.source_paths <= source.keys() and self.lasting_paths <= values.keys():
            return self.units
        return tuple(
            unit
            for unit in self.units
            if all(path in source for path in unit.sources) and all(one.path in values for one in unit.properties)
        )

    @cached_property
    def match_paths(self) -> frozenset[str]:
        """Every target property that some criterion looks at."""
        return frozenset(path for criterion in self.match_on for path in criterion)

    @cached_property
    def match_keys(self) -> frozenset[str]:
        """The names of all keys that a record may have to be matched by."""
        left = (leftover_of(path) for path in self.match_paths if self.kind(path) in LEAVING)
        return self.match_paths.union(left)

    @cached_property
    def lasting_paths(self) -> frozenset[str]:
        """The target properties that are kept in sync, not only sent when a record is created."""
        return frozenset(one.path for one in self.properties if not one.create_only)

    @cached_property
    def _kinds(self) -> Mapping[str, str]:
        return {one.path: one.compare for one in self.properties}

    def unit_key(self, unit: Unit) -> str:
        """One name for a unit, whichever direction plans it."""
        return self._unit_keys[unit.sources]

    @cached_property
    def _unit_keys(self) -> Mapping[tuple[str, ...], str]:
        keys = {}
        for unit in self.units:
            of_source = (self.source_side, "+".join(sorted(unit.sources)))
            of_target = (self.target_side, "+".join(sorted(one.path for one in unit.properties)))
            of_both = " = ".join(paths for _, paths in sorted((of_source, of_target)))
            keys[unit.sources] = of_both if unit.group is None else f"group {unit.group}"
        return keys

    def kind(self, path: str) -> str:
        """How values at a path are compared."""
        return self._kinds.get(path, "text")

    @classmethod
    def from_schema(cls, schema: Mapping[str, Any], target_side: str) -> FlowRules:
        """Read ``x-sync`` and what the leaves say: ``x-from``, ``x-compare``, ``x-group`` and so on.

        Raises:
            RulesError: where something is missing or unknown.

        """
        sync = schema["x-sync"]
        try:
            flow, source_side, resources = sync["flow"], sync["from"], sync["resource"]
            to = sync["to"]
            properties = tuple(_leaves(schema["properties"], ""))
            rules = cls(
                flow=flow,
                source_side=source_side,
                target_side=to,
                source_resource=resources[source_side],
                target_resource=resources[to],
                match_on=tuple(tuple(criterion) for criterion in sync.get("match_on", ())),
                conflict=sync.get("conflict", "latest"),
                create=bool(sync.get("create", True)),
                on_delete=sync.get("on_delete", "ignore"),
                references=dict(sync.get("references", {})),
                after=tuple(sync.get("after", ())),
                tie=sync.get("timeless", to),
                digest=str(sync.get("digest", "")),
                properties=properties,
                units=_units(properties, sync.get("conflict", "latest")),
            )
        except KeyError as missing:
            raise RulesError(
                f"The SCHEMA message's x-sync lacks {missing}. "
                "Put the dataflow mapper of the same release before the target."
            ) from None
        rules.check(target_side)
        return rules

    def check(self, target_side: str) -> None:
        """Refuse rules that this target cannot follow."""
        where = f"flow {self.flow!r}"
        if self.target_side != target_side:
            raise RulesError(
                f"{where} writes to {self.target_side}, this target writes to {target_side}. "
                "Use the mapping made for this direction."
            )
        policies = {self.conflict, *(one.conflict for one in self.properties if one.conflict)}
        known = (*CONFLICT_POLICIES, self.source_side, self.target_side)
        for policy in policies - set(known):
            raise RulesError(f"{where}: unknown conflict policy {policy!r}. Known: {', '.join(known)}.")
        if self.on_delete not in DELETE_POLICIES:
            raise RulesError(f"{where}: unknown delete policy {self.on_delete!r}. Known: {', '.join(DELETE_POLICIES)}.")
        for one in self.properties:
            if one.compare not in KINDS:
                raise RulesError(f"{where}, {one.path}: unknown comparison {one.compare!r}. Known: {', '.join(KINDS)}.")
        for one in self.properties:
            if one.country is not None and one.country not in self.paths:
                raise RulesError(f"{where}, {one.path}: its country {one.country!r} is not among the properties.")
        for path in self.match_paths - self.paths:
            raise RulesError(f"{where} matches on {path!r}, which is not among its properties.")


def _at(paths: Sequence[str], values: Values) -> list[Any]:
    return [values.get(path) for path in paths]


def leftover_of(path: str) -> str:
    """The name of what is left of the match key at a path (:func:`record_sync.canonical.leftover`)."""
    return f"{path}~"


def _leaves(properties: Mapping[str, Any], prefix: str) -> Iterator[Property]:
    for name, schema in properties.items():
        if not prefix and name == "_source":
            continue
        if "x-from" in schema:
            yield Property(
                path=prefix + name,
                sources=tuple(schema["x-from"]),
                compare=schema.get("x-compare", "text"),
                conflict=schema.get("x-conflict"),
                create_only=schema.get("x-when") == "create",
                group=schema.get("x-group"),
                country=schema.get("x-country"),
            )
        elif "properties" in schema:
            yield from _leaves(schema["properties"], f"{prefix}{name}.")


def _units(properties: tuple[Property, ...], policy: str) -> tuple[Unit, ...]:
    """The properties that share a group or a source, directly or through others, in their order."""
    place = {one.path: number for number, one in enumerate(properties)}
    together: list[tuple[set[tuple[str, str]], list[Property]]] = []
    for one in properties:
        if one.create_only:
            continue
        ties, members = {("source", path) for path in one.sources}, [one]
        if one.group is not None:
            ties.add(("group", one.group))
        for others in [others for others in together if not ties.isdisjoint(others[0])]:
            together.remove(others)
            ties |= others[0]
            members += others[1]
        together.append((ties, sorted(members, key=lambda one: place[one.path])))
    units = (_unit(members, policy) for _, members in together)
    return tuple(sorted(units, key=lambda unit: place[unit.properties[0].path]))


def _unit(members: Sequence[Property], policy: str) -> Unit:
    groups = sorted({one.group for one in members if one.group})
    return Unit(
        sources=tuple(dict.fromkeys(path for one in members for path in one.sources)),
        properties=tuple(members),
        policy=next((one.conflict for one in members if one.conflict), policy),
        group="+".join(groups) or None,
    )
