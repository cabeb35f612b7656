"""What of a record is sent: its new values alone, the objects that they stand in, or the whole record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import takewhile
from typing import Any

import msgspec

from customcrm_client.paths import ABSENT, Step, at, entry_of, is_in_list, places, put, take_away
from customcrm_client.profile import Mark, Property, Stream
from customcrm_client.profile_writing import ETag, Relation, VersionField
from customcrm_client.records import Raw, Record, Shape, converted
from customcrm_client.schema import OWN, properties_of, writable
from customcrm_client.templates import filled, names_in

Steps = Sequence[Step]
Piece = tuple[Steps, Any]
"""Where a value stands in the CRM's record, and the value; `ABSENT` where no value is written by leaving it out."""


class Change(msgspec.Struct, frozen=True):
    """New values of one record, by dotted paths of the stream."""

    record_id: str
    values: Mapping[str, Any]
    lock: Any = None
    """The ETag or version that it is written over."""
    expected: Mapping[str, Any] | None = None
    """What it says before, by dotted path."""
    raw: Raw | None = None
    """The CRM's record as it was read."""


class Unwritable(ValueError):  # noqa: N818 - it says what it is
    """A record that cannot be written as the profile has it."""


class Bodies:
    """The records that are sent to the CRM, of one stream.

    Many CRMs replace an object whole where a part of it is sent, so that the rest of it would be lost. So an object is
    sent as it was read, with the change in it, unless the profile says that the CRM merges.
    """

    def __init__(self, stream: Stream, shape: Shape) -> None:
        update = None if stream.write is None else stream.write.update
        self._shape = shape
        self._properties = properties_of(stream)
        self._nulls = "send" if stream.write is None else stream.write.nulls
        create = None if stream.write is None else stream.write.create
        self._beside = frozenset() if create is None else self._properties.keys() & set(names_in(create.body))
        self._is_whole = update is not None and update.whole
        self._merges = update is not None and update.merges
        self._keeps_names = not stream.properties
        self._writable = writable(stream)
        self._read_only = frozenset(_read_only(stream))
        self._not_sent = list(_not_sent(stream))
        self._references = frozenset(
            tuple(_written_at(name, name, one)) for name, one in self._properties.items() if one.nulls == "parent"
        )
        self._moved = frozenset(name for name, one in self._properties.items() if one.write is not None)

    def new(self, values: Mapping[str, Any]) -> Raw:
        """A new record that says these values (by dotted paths of the stream); the CRM's own are left out."""
        made: Raw = {}
        for steps, said in self._pieces(values, creating=True):
            if said is not ABSENT:
                _put(made, steps, said)
        return made

    def needs_read(self, change: Change, more: Sequence[Piece] = ()) -> bool:
        """Whether a change can be sent only with what the record says besides."""
        places = [*self._places(change.values), *(steps for steps, _ in more)]
        return self._is_whole or bool(self._kept_around(places))

    def change(self, change: Change, more: Sequence[Piece] = ()) -> Raw:
        """The record that makes a change, and says `more` besides: a version, an id. Raises Unwritable."""
        pieces = [*self._pieces(change.values, creating=False), *more]
        made = self._around([steps for steps, _ in pieces], change.raw)
        # Last what is cleared: an entry goes with the last that is said in it.
        for steps, said in sorted(pieces, key=lambda piece: piece[1] is ABSENT):
            if said is not ABSENT:
                _put(made, steps, said)
            elif is_in_list(steps):
                take_away(made, steps if self._says_more(made, steps) else entry_of(steps))
            elif not self._is_whole and (len(steps) == 1 or self._merges):
                raise Unwritable(
                    f"{_shown(steps)} cannot be cleared: no value is left out (nulls: omit), and what is left out "
                    "stays as it is"
                )
            else:
                take_away(made, steps)
        return made

    def _says_more(self, made: Raw, steps: Steps) -> bool:
        """Whether other properties say something in the entry of a list that a value stands in."""
        entry = tuple(entry_of(steps))
        inside = (place for place in self._places(self._properties) if tuple(place[: len(entry)]) == entry)
        return any(tuple(place) != tuple(steps) and at(place)(made) not in (ABSENT, None, "") for place in inside)

    def _around(self, places: Sequence[Steps], raw: Raw | None) -> Raw:
        """What is sent around the changes, as it was read."""
        if raw is None:
            return {}
        if self._is_whole:
            return self._sendable(raw)
        made: Raw = {}
        sendable = self._sendable(raw) if (kept := self._kept_around(places)) else {}
        for steps in kept:
            found = at(steps)(sendable)
            if found is not ABSENT:
                _put(made, steps, found)
        return made

    def _kept_around(self, places: Iterable[Steps]) -> set[tuple[Step, ...]]:
        """The objects that are sent as they were read; where the CRM merges them the lists in them alone."""
        inner = list(self._inner(places))
        if not self._merges:
            return {(steps[0],) for steps in inner}
        return {tuple(takewhile(lambda step: isinstance(step, str), steps)) for steps in inner if is_in_list(steps)}

    def _objects(self, places: Iterable[Steps]) -> set[Step]:
        """The objects and lists in a record in which something is written."""
        return {steps[0] for steps in self._inner(places)}

    def _inner(self, places: Iterable[Steps]) -> Iterator[Steps]:
        """Those that lead into an object or a list that holds other things too."""
        return (steps for steps in places if len(steps) > 1 and tuple(steps) not in self._references)

    def _sendable(self, raw: Raw) -> Raw:
        """A CRM's record as it is sent back: without what is the CRM's own, each property where it is written."""
        record: Raw = deepcopy(self._shape.read_raw(raw))
        for steps in self._not_sent:
            take_away(record, steps)
        said = self._shape.read(raw)
        again = {name: said[name] for name in self._properties if name in said}
        again = {name: value for name, value in again.items() if name in self._moved or self._is_null(record, name)}
        for steps, value in self._pieces(again, creating=False):
            if value is ABSENT:
                take_away(record, steps)
            else:
                _put(record, steps, value)
        return record

    def _is_null(self, record: Raw, name: str) -> bool:
        return any(at(steps)(record) is None for steps in self._place(name))

    # -- what a change took along

    def harm(self, change: Change, now: Record, answer: Raw | None) -> str:
        """The names of what a change altered or lost that was not to be changed; empty where all is well."""
        raw, written = change.raw, self._places(change.values)
        before = change.expected or {} if raw is None or self._keeps_names else self._shape.read(raw)
        altered = [
            path
            for path, value in before.items()
            for place in self._place(path)
            if not any(_overlap(place, one) for one in written) and not _says_the_same(value, _at(now, path))
        ]
        return ", ".join(dict.fromkeys([*altered, *self._lost(written, raw, answer)]))

    def _lost(self, written: list[Steps], raw: Raw | None, answer: Raw | None) -> Iterator[str]:
        """What the objects that were written into held besides, and no longer hold."""
        if raw is None or answer is None or not self._objects(written):
            return
        before, now = deepcopy(self._shape.read_raw(raw)), deepcopy(self._shape.read_raw(answer))
        for steps in [*written, *self._not_sent, *self._places(self._properties)]:
            # An entry that is written may have been taken away, or have come.
            take_away(before, entry_of(steps))
            if is_in_list(steps):
                take_away(now, entry_of(steps))
        for name in sorted(map(str, self._objects(written))):
            yield from _missing(name, before.get(name), now.get(name))

    # -- the pieces

    def _places(self, paths: Iterable[str]) -> list[Steps]:
        """Where these properties are written; those that are the CRM's own nowhere."""
        return [steps for path in paths for steps in self._place(path)]

    def _place(self, path: str) -> Iterator[Steps]:
        name = path.partition(".")[0]
        if name not in OWN and (name in self._writable or (self._keeps_names and name not in self._read_only)):
            yield _written_at(path, name, self._property(path))

    def _property(self, path: str) -> Property | None:
        return self._properties.get(path) or self._properties.get(path.partition(".")[0])

    def _pieces(self, values: Mapping[str, Any], *, creating: bool) -> Iterator[Piece]:
        for path, value in values.items():
            one = self._property(path)
            if one is not None and one.relation is not None and (one.relation.after_create or not creating):
                continue
            if creating and path in self._beside:
                continue
            for steps in self._place(path):
                said = self._said(value, one, creating=creating, in_list=is_in_list(steps))
                if tuple(steps) not in self._references:
                    yield steps, said
                elif said is None:
                    yield steps[:-1], ABSENT if creating else None
                else:
                    # What else a reference says is of the record that it led to before.
                    *parent, leaf = steps
                    yield parent, {leaf: said}

    def _said(self, value: Any, one: Property | None, *, creating: bool, in_list: bool) -> Any:
        if value is None:
            nulls = (one.nulls if one is not None else None) or self._nulls
            if nulls == "omit" or (creating and in_list):
                return ABSENT
            if nulls == "empty":
                is_text = one is None or (one.crm_type or one.type) == "string"
                return ABSENT if creating else "" if is_text else None
            return None
        if one is None:
            return value
        if one.crm_type is not None and one.crm_type != one.type:
            value = converted(value, one.crm_type)
        return value if one.write_as is None else filled(one.write_as, {"value": value})

    def beside(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What stands beside a new record in its request, by the names in that; `ABSENT` where there is no value."""
        made = {}
        for name in self._beside:
            said = self._said(values.get(name), self._properties[name], creating=True, in_list=False)
            made[name] = ABSENT if said is None else said
        return made

    # -- properties that are written by requests of their own

    def relations(self, values: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
        """Those of these values that no record takes; of a new one those that are not to be cleared."""
        found = {}
        for path, value in values.items():
            one = self._property(path)
            if one is None or one.relation is None or path.partition(".")[0] not in self._writable:
                continue
            if not creating or (one.relation.after_create and value is not None):
                found[path] = value if one.crm_type is None or value is None else converted(value, one.crm_type)
        return found

    @property
    def has_relations(self) -> bool:
        """Whether any property is written by requests of its own."""
        return any(one.relation is not None for one in self._properties.values())

    def relation(self, path: str) -> Relation:
        """The requests that write it. ValueError where it has none."""
        one = self._property(path)
        if one is None or one.relation is None:
            raise ValueError(f"{path} is written with its record")
        return one.relation


def _put(record: Raw, steps: Steps, value: Any) -> None:
    if not put(record, steps, value):
        raise Unwritable(f"{_shown(steps)} cannot be written: the CRM's record has a list or a value in its place")


def _shown(steps: Steps) -> str:
    return ".".join(str(one) for one in steps if isinstance(one, (str, int)))


def _overlap(one: Steps, other: Steps) -> bool:
    return all(a == b for a, b in zip(one, other, strict=False))


def _at(record: Mapping[str, Any], path: str) -> Any:
    here: Any = record
    for name in [path] if path in record else path.split("."):
        here = here.get(name) if isinstance(here, Mapping) else None
    return here


def _says_the_same(one: Any, other: Any) -> bool:
    """Whether two values are the same, tidied or not."""
    if isinstance(one, str) and isinstance(other, str):
        return "".join(one.split()).casefold() == "".join(other.split()).casefold()
    return one == other or (_is_empty(one) and _is_empty(other))


def _is_empty(value: Any) -> bool:
    return value is None or (not isinstance(value, (bool, int, float)) and not value)


def _missing(path: str, before: Any, now: Any) -> Iterator[str]:
    """The paths of what was there and is no longer. Nothing is said of what only changed: a CRM may work some out."""
    if _is_empty(before):
        return
    if _is_empty(now) or (isinstance(before, list) and isinstance(now, list) and len(now) < len(before)):
        yield path
    elif isinstance(before, dict):
        for name, value in before.items():
            yield from _missing(f"{path}.{name}", value, now.get(name) if isinstance(now, dict) else None)


def _written_at(path: str, name: str, one: Property | None) -> Steps:
    said = path if one is None else (one.write or one.path or name)
    if one is not None and path != name and said == name:
        said = path
    return places(said) or [said]


def _read_only(stream: Stream) -> list[str]:
    described = (stream.schema or {}).get("properties") or {}
    return [name for name, one in described.items() if isinstance(one, dict) and one.get("readOnly")]


def _not_sent(stream: Stream) -> Iterator[Steps]:
    """Where the CRM's own things stand, and what is read elsewhere than it is written."""
    deleted = stream.deleted.path if isinstance(stream.deleted, Mark) else stream.deleted
    if deleted is not None and len(places(deleted) or [deleted]) > 1:
        # It belongs to an object, which would lose it.
        deleted = None
    locking = None if stream.write is None else stream.write.locking
    in_header = isinstance(locking, ETag) or (isinstance(locking, VersionField) and locking.header is not None)
    lock = locking.path if in_header and isinstance(locking, (ETag, VersionField)) else None
    own = [stream.id, *stream.updated_at, *(path for path in (stream.created_at, deleted, stream.unwrap, lock) if path)]
    own += _read_only(stream)
    for path in own:
        yield places(path) or [path]
    properties = properties_of(stream)
    written = [_written_at(name, name, one) for name, one in properties.items() if not one.read_only]
    for name, one in properties.items():
        steps: Steps = places(one.path or name) or [one.path or name]
        holder = steps[:-1]
        if one.read_only:
            yield steps
        elif one.write is not None and not is_in_list(steps):
            # An object that holds nothing that is written only tells more of what it refers to.
            is_shared = any(len(place) > len(holder) and _overlap(place, holder) for place in written)
            yield steps if is_shared or not holder else holder
