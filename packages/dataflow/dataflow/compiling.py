"""A flow in one direction as one function of a record, made once: closures over paths, no table read later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from customcrm_client.flags import yes_or_no

from dataflow.side import Direction, Side
from dataflow.table import Condition
from dataflow.tables import Leg

Record: TypeAlias = dict[str, Any]
Get: TypeAlias = Callable[[Record], Any]
Put: TypeAlias = Callable[[Record, Any], None]
Convert: TypeAlias = Callable[..., Any]
Step: TypeAlias = Callable[[Record, Record], None]
Build: TypeAlias = Callable[[Record], Record]

ABSENT: Any = object()
"""What a record does not say: unknown, and so neither a value nor its removal."""


def compile_flow(legs: Sequence[Leg], conditions: Sequence[Condition], direction: Direction) -> Build:
    """The function that makes the target's record of a source record.

    The result has the target's properties and ``_source``. A tombstone is never filtered out: that a record is gone
    matters to the target whatever its last values were.
    """
    paths = dict.fromkeys(path for leg in legs for path in (*leg.sources, *leg.beside))
    plain = [path for path in paths if "." not in path]
    gets = [(path, getter(path)) for path in paths if "." in path]
    steps = list(_steps(legs))
    source_of = compile_source(direction.source)
    passes = compile_filter(conditions)

    def build(record: Record) -> Record:
        source = source_of(record)
        if passes is not None and not source["deleted"] and not passes(record):
            source["filtered"] = True
            return {"_source": source}
        values: Record = {path: record[path] for path in plain if path in record}
        for path, get in gets:
            value = get(record)
            if value is not ABSENT:
                values[path] = value
        made: Record = {}
        for step in steps:
            step(values, made)
        source["values"] = values
        made["_source"] = source
        return made

    return build


def compile_source(side: Side) -> Build:
    """The function that tells which record it is: id, version, time, and whether it is a tombstone."""

    def source_of(record: Record) -> Record:
        return {
            "id": _as_text(record.get(side.id)),
            "version": _as_text(record.get(side.version)),
            "modified_at": record.get(side.modified_at),
            "deleted": side.deleted is not None and _flag(record.get(side.deleted)),
        }

    return source_of


def _flag(value: Any) -> Any:
    """Yes or no, in text too. What is neither passes as it is: the target refuses it rather than guess."""
    if value is None or value is False or value is True:
        return value is True
    flag = yes_or_no(value)
    return value if flag is None and value != "" else flag is True


def compile_filter(conditions: Sequence[Condition]) -> Callable[[Record], bool] | None:
    """The function that tells whether a record is let through; ``None`` where all are."""
    tests = [_test(condition) for condition in conditions]
    if not tests:
        return None
    return lambda record: all(test(record) for test in tests)


def getter(path: str) -> Get:
    """Reads a dotted path: ``ABSENT`` where the record does not have it, ``None`` below an object that is null."""
    *parents, name = path.split(".")
    if not parents:
        return lambda record: record.get(name, ABSENT)

    def get(record: Record) -> Any:
        here: Any = record
        for parent in parents:
            here = here.get(parent, ABSENT)
            if here is None:
                return None
            if type(here) is not dict:
                return ABSENT
        return here.get(name, ABSENT)

    return get


def putter(path: str) -> Put:
    """Writes a dotted path, with the objects on the way to it."""
    *parents, name = path.split(".")
    above = parents[0] if parents else ""

    def put_flat(record: Record, value: Any) -> None:
        record[name] = value

    def put_below(record: Record, value: Any) -> None:
        here = record.get(above)
        if here is None:
            here = record[above] = {}
        here[name] = value

    def put(record: Record, value: Any) -> None:
        here = record
        for parent in parents:
            here = here.setdefault(parent, {})
        here[name] = value

    if len(parents) > 1:
        return put
    return put_below if parents else put_flat


def _steps(legs: Sequence[Leg]) -> Iterator[Step]:
    """What has to be done for a record; values that go to several places in one form are converted once."""
    alike: dict[tuple[str, Convert], list[Put]] = {}
    for leg in legs:
        if len(leg.sources) == len(leg.targets) == 1 and not leg.beside:
            alike.setdefault((leg.sources[0], leg.convert), []).append(putter(leg.targets[0]))
        else:
            yield _several(leg)
    for (source, convert), puts in alike.items():
        yield _one(source, convert, puts)


def _one(source: str, convert: Convert, puts: Sequence[Put]) -> Step:
    (first, *more) = puts

    def one_to_one(values: Record, made: Record) -> None:
        if source in values:
            first(made, convert(values[source]))

    def one_to_several(values: Record, made: Record) -> None:
        if source in values:
            value = convert(values[source])
            for put in puts:
                put(made, value)

    return one_to_several if more else one_to_one


def _several(leg: Leg) -> Step:
    convert, puts = leg.convert, [putter(path) for path in leg.targets]

    def several(values: Record, made: Record) -> None:
        given = [values.get(path, ABSENT) for path in leg.sources]
        if any(value is ABSENT for value in given):
            return
        results = convert(*given, *[values.get(path) for path in leg.beside])
        for put_one, result in zip(puts, results if len(puts) > 1 else (results,), strict=True):
            put_one(made, result)

    return several


def _test(condition: Condition) -> Callable[[Record], bool]:
    get = getter(condition.property)
    among, not_among = frozenset(condition.among), frozenset(condition.not_among)
    if condition.empty is not None:
        empty = condition.empty
        return lambda record: (_said(get(record)) is None) is empty
    if among:
        return lambda record: _said(get(record)) in among
    return lambda record: _said(get(record)) not in not_among


def _said(value: Any) -> Any:
    """A value as a condition looks at it; whatever is no single value is none."""
    if isinstance(value, str):
        return value.strip() or None
    return None if value is ABSENT or isinstance(value, (dict, list)) else value


def _as_text(value: Any) -> Any:
    return str(value) if type(value) is int else value
