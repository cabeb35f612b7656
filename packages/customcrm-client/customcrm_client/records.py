"""A stream's records, made of the CRM's by functions that are made once from the profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from customcrm_client.flags import is_said, is_set, yes_or_no
from customcrm_client.paths import ABSENT, Get, at, first, places
from customcrm_client.profile import Mark, Property, Stream
from customcrm_client.schema import CREATED_AT, DELETED, ID, UPDATED_AT, properties_of
from customcrm_client.times import reader

Record: TypeAlias = dict[str, Any]
Raw: TypeAlias = dict[str, Any]


class NoRecord(ValueError):  # noqa: N818 - it says what it is
    """What is no record: not an object, or without an id."""


class Shape:
    """How the records of one stream are read.

    `read` gives the stream's record of one of the CRM's; where they are alike, the very same object. Raises NoRecord.
    """

    def __init__(self, stream: Stream) -> None:
        self._properties = properties_of(stream)
        self._id_path = stream.id
        self._unwrap = None if stream.unwrap is None else first(stream.unwrap)
        self._id = first(stream.id)
        self.read: Callable[[Any], Record] = _as_it_is if _is_alike(stream) else self._translated
        self._steps = [] if _is_alike(stream) else _steps(stream)
        self._empty = frozenset(
            name for name, one in self._properties.items() if (one.absent or stream.absent) == "empty"
        )
        self._keeps_names = not stream.properties
        self._search_names = _search_names(stream)

    def read_raw(self, raw: Any) -> Raw:
        """The CRM's record with what it is wrapped in laid open. Raises NoRecord."""
        if not isinstance(raw, dict):
            raise NoRecord("it is no object")
        if self._unwrap is None:
            return raw
        inner = self._unwrap(raw)
        if not isinstance(inner, dict):
            raise NoRecord("the object to unwrap is not in it")
        return {**raw, **inner}

    def field(self, name: str) -> str:
        """What the CRM calls a property, where it is asked by it."""
        if name in self._search_names:
            return self._search_names[name]
        if name == ID:
            return self._id_path
        one = self._properties.get(name)
        if one is None or one.path is None:
            return name
        steps = places(one.path)
        return str(steps[0]) if steps is not None and len(steps) == 1 else one.path

    def _translated(self, raw: Any) -> Record:
        inner = self.read_raw(raw)
        found = self._id(inner)
        if found is ABSENT and inner is not raw:
            found = self._id(raw)
        if not is_id(found):
            raise NoRecord(f"it has no '{self._id_path}'")
        record: Record = {ID: str(found)}
        for name, get, convert in self._steps:
            value = get(inner)
            if value is not ABSENT:
                record[name] = value if convert is None or value is None else convert(value)
            elif name in self._empty:
                record[name] = None
        if self._keeps_names:
            for name, value in inner.items():
                record.setdefault(name, value)
        return record


def is_id(value: Any) -> bool:
    """Whether a value can be an id: a text or a number."""
    return value is not ABSENT and value is not None and value != "" and not isinstance(value, (dict, list, bool))


def typed_id(stream: Stream, record_id: str) -> str | int:
    """An id as it stands in a body."""
    return int(record_id) if stream.id_type == "integer" and record_id.isdecimal() else record_id


def _as_it_is(raw: Any) -> Record:
    if type(raw) is dict and type(found := raw.get(ID)) is str and found:
        flag = raw.get(DELETED)
        record: Record = raw
        return record if flag is False or flag is None or flag is True else {**raw, DELETED: is_set(flag)}
    raise NoRecord(f"it has no '{ID}'")


def converted(value: Any, kind: str) -> Any:
    """The value in another JSON type. One that says nothing in that type stays as it is."""
    try:
        if kind == "string":
            return _text(value)
        if kind == "boolean":
            flag = yes_or_no(value)
            return value if flag is None else flag
        if isinstance(value, (dict, list)):
            return value
        number = float(value)
        if kind == "integer":
            return int(number) if number.is_integer() else value
        return int(number) if isinstance(value, int) else number
    except (TypeError, ValueError, OverflowError):
        return value


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, (dict, list)) else str(value)


def _is_alike(stream: Stream) -> bool:
    """Whether the CRM's records are the stream's as they stand."""
    alike = (
        stream.id == ID
        and stream.created_at in (CREATED_AT, None)
        and stream.updated_at in ((UPDATED_AT,), ())
        and stream.deleted in (DELETED, None)
        and stream.times == "rfc3339"
        and stream.timezone == "UTC"
        and stream.unwrap is None
        and stream.absent == "unknown"
        and not stream.no_value
    )
    return alike and all(_is_same(name, one) for name, one in properties_of(stream).items())


def _is_same(name: str, one: Property) -> bool:
    return one.path in (None, name) and one.crm_type in (None, one.type) and one.absent in (None, "unknown")


def _steps(stream: Stream) -> list[tuple[str, Get, Callable[[Any], Any] | None]]:
    """How each property but the id is read: from where, and what is made of a value that is not null."""
    time = reader(stream.times, stream.timezone)
    steps: list[tuple[str, Get, Callable[[Any], Any] | None]] = []
    if stream.created_at is not None:
        steps.append((CREATED_AT, first(stream.created_at), time))
    if stream.updated_at:
        steps.append((UPDATED_AT, _first_of(stream.updated_at), time))
    if stream.deleted is not None:
        steps.append((DELETED, _deleted(stream.deleted), None))
    for name, one in properties_of(stream).items():
        steps.append((name, _value_of(stream, name, one), _converter(one)))
    return steps


def _search_names(stream: Stream) -> dict[str, str]:
    named = None if stream.search is None else stream.search.properties
    return named if isinstance(named, dict) else {}


def _value_of(stream: Stream, name: str, one: Property) -> Get:
    """Where a property is read; what is inside an object that is null, or in a list without it, is null too."""
    path = one.path or name
    get, steps = first(path), places(path) or [path]
    around = [(at(steps[:count]), isinstance(steps[count], str)) for count in range(1, len(steps))]
    empty = frozenset() if one.type == "boolean" else frozenset((type(said), said) for said in stream.no_value)
    if not around and not empty:
        return get

    def is_empty(value: Any) -> bool:
        return value is None or (bool(empty) and (type(value), value) in empty if _is_scalar(value) else False)

    def value(record: Any) -> Any:
        found = get(record)
        if found is ABSENT:
            for outside, is_object in around:
                holder = outside(record)
                if is_empty(holder) or (not is_object and isinstance(holder, list)):
                    return None
            return ABSENT
        return None if is_empty(found) else found

    return value


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool))


def _converter(one: Property) -> Callable[[Any], Any] | None:
    kind = one.type
    if one.crm_type in (None, kind) or kind == "any":
        return None
    return lambda value: converted(value, kind)


def _first_of(paths: tuple[str, ...]) -> Get:
    gets = [first(path) for path in paths]
    if len(gets) == 1:
        return gets[0]

    def get(record: Any) -> Any:
        found = [value for one in gets if (value := one(record)) is not ABSENT]
        return next((value for value in found if value is not None and value != ""), None if found else ABSENT)

    return get


def _deleted(said: Mark | str) -> Get:
    marked = mark_of(said)

    def is_deleted(record: Any) -> Any:
        found = marked(record)
        return False if found is ABSENT else found

    return is_deleted


def mark_of(said: Mark | str) -> Callable[[Any], Any]:
    """The function that tells whether what is there means it; `ABSENT` where nothing is there."""
    get = first(said if isinstance(said, str) else said.path)
    values = () if isinstance(said, str) else said.values

    def is_marked(holder: Any) -> Any:
        value = get(holder)
        if value is ABSENT:
            return ABSENT
        return is_said(value, values) if values else is_set(value)

    return is_marked
