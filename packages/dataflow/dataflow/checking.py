"""Refusing tables that refer to what is not there, or that contradict themselves, before anything runs.

Everything is judged against the streams' schemas. The first thing found wrong is raised as a
:class:`~dataflow.errors.TableError`: one line with file, line, what is wrong and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NoReturn

from located_yaml import Place, suggestion

from dataflow.conversion import BY_TYPE, CONVERSIONS, LINK, Conversion
from dataflow.errors import TableError
from dataflow.groups import check_groups
from dataflow.side import CUSTOMCRM, DIRECTIONS, TRIPLETEX, Direction, Side
from dataflow.streams import Schema, Schemas, json_type, leaf_of, longest, paths_of, writable
from dataflow.table import SIDES, Condition, Flow, Row

_PYTHON_TYPES = {"string": (str,), "boolean": (bool,), "integer": (int,), "number": (int, Decimal)}
_WRITTEN = {"string": "it in quotes", "boolean": "true or false", "integer": "an integer", "number": "a number"}


def check(flows: Sequence[Flow], schemas: Schemas) -> None:
    """Refuse tables that are wrong.

    Raises TableError: the first thing that is.
    """
    named: dict[str, Flow] = {}
    for flow in flows:
        if flow.name in named:
            _refuse(
                flow.place("flow"),
                f"the flow {flow.name} is defined already in {named[flow.name].place('flow')}. Rename one of them.",
            )
        named[flow.name] = flow
    for flow in flows:
        for side in SIDES:
            streams = schemas[side.name]
            if flow.stream(side) not in streams:
                _refuse(
                    flow.place(side.name),
                    f"{side.title} has no stream {flow.stream(side)}. {suggestion(flow.stream(side), streams)}",
                )
        for row in flow.rows:
            check_row(row, flow, schemas, named)
            _country(row, flow, schemas)
        _one_writer_each(flow)
        check_groups(flow)
        _match_on(flow)
        _filters(flow, schemas)
        _after(flow, named)
    for direction in DIRECTIONS:
        in_order(flows, direction)


def conversion_of(row: Row, flow: Flow, schemas: Schemas) -> Conversion:
    """The conversion of a row: the one it names, or the one that fits its types.

    Raises TableError: it is unknown, or does not fit the types of the properties.
    """
    if row.link is not None:
        return LINK
    types = {side: tuple(_known(row, flow, side, path, schemas) for path in row.paths(side)) for side in SIDES}
    if row.convert is None:
        (customcrm,), tripletex = types[CUSTOMCRM], types[TRIPLETEX]
        if tripletex == (customcrm,) and customcrm in BY_TYPE:
            return CONVERSIONS[BY_TYPE[customcrm]]
        _refuse(
            row.place("tripletex"),
            f"Customcrm {row.customcrm} is {customcrm}, Tripletex {' and '.join(row.tripletex)} {_are(tripletex)}. "
            f"Name a conversion with convert:. {_fitting(types[CUSTOMCRM], tripletex)}",
        )
    if row.convert not in CONVERSIONS:
        _refuse(row.place("convert"), f"unknown conversion {row.convert}. {suggestion(row.convert, CONVERSIONS)}")
    conversion = CONVERSIONS[row.convert]
    for side in SIDES:
        if conversion.types(side) != types[side]:
            _refuse(
                row.place("convert"),
                f"the conversion {conversion.name} needs {_counted(conversion.types(side))} in {side.title}, "
                f"but {' and '.join(row.paths(side))} {_are(types[side])}. "
                + _fitting(types[CUSTOMCRM], types[TRIPLETEX]),
            )
    return conversion


def check_row(row: Row, flow: Flow, schemas: Schemas, flows: dict[str, Flow]) -> None:
    """Refuse a row that is wrong by itself."""
    types = [_known(row, flow, TRIPLETEX, path, schemas) for path in row.tripletex]
    _known(row, flow, CUSTOMCRM, row.customcrm, schemas)
    if row.type is not None and any(one != row.type for one in types):
        _refuse(
            row.place("type"),
            f"Tripletex {' and '.join(row.tripletex)} {_are(types)}, not {row.type}. Write type: {types[0]}.",
        )
    _link(row, flows)
    conversion = conversion_of(row, flow, schemas)
    if row.direction == "both" and not conversion.returns:
        _refuse(
            row.place("convert"),
            f"the conversion {conversion.name} cannot be undone ({conversion.meaning}), so the row must go one way. "
            "Add direction: to-tripletex or direction: to-customcrm.",
        )
    if row.when == "create" and row.direction == "both":
        _refuse(
            row.place("when"),
            "a property that is written only on creation goes one way. "
            "Add direction: to-tripletex or direction: to-customcrm.",
        )
    _cut(row, flow)
    for direction in DIRECTIONS:
        if not row.goes(direction):
            continue
        for path in row.paths(direction.target):
            if not writable(direction.target, schemas[direction.target.name][flow.stream(direction.target)], path):
                other = next(one for one in DIRECTIONS if one is not direction)
                _refuse(
                    row.place(direction.target.name),
                    f"{direction.target.title} {path} cannot be written, it is the system's own. "
                    f"Add direction: {other.key}, or remove the row.",
                )


def _cut(row: Row, flow: Flow) -> None:
    if not row.cut:
        return
    if row.direction == "to-customcrm":
        _refuse(row.place("cut"), "only what goes to Tripletex is cut. Remove cut: or let the row go there.")
    if len(row.tripletex) > 1 or longest(TRIPLETEX, flow.tripletex, row.tripletex[0]) is None:
        _refuse(
            row.place("cut"),
            f"there is no length that {' and '.join(row.tripletex)} could be cut to. Remove cut: from the row.",
        )


def _known(row: Row, flow: Flow, side: Side, path: str, schemas: Schemas) -> str:
    """The JSON type of a row's property."""
    return _type_of(path, row.place(side.name), side, flow, schemas)


def _type_of(path: str, place: Place, side: Side, flow: Flow, schemas: Schemas) -> str:
    schema: Schema = schemas[side.name][flow.stream(side)]
    leaf = leaf_of(schema, path)
    if leaf is None:
        _refuse(
            place,
            f"{side.title} {flow.stream(side)} has no property {path}. {suggestion(path, paths_of(schema))}",
        )
    kind = json_type(leaf)
    if kind == "object":
        inner = [one for one in paths_of(schema) if one.startswith(f"{path}.")]
        _refuse(place, f"{side.title} {path} is an object. Name one of its properties: {', '.join(inner) or 'none'}.")
    if kind not in BY_TYPE:
        _refuse(place, f"{side.title} {path} is of a type that cannot be mapped ({kind}). Remove the row.")
    return kind


def _link(row: Row, flows: dict[str, Flow]) -> None:
    if row.link is None:
        return
    if row.link not in flows:
        _refuse(row.place("link"), f"there is no flow {row.link} to link through. {suggestion(row.link, flows)}")
    if row.convert is not None:
        _refuse(row.place("convert"), "an id is translated by its link alone. Remove convert: or link:.")
    if len(row.tripletex) != 1 or not row.tripletex[0].endswith(".id"):
        _refuse(
            row.place("tripletex"),
            f"a link goes to the id of a record, for example customer.id, not to {' and '.join(row.tripletex)}.",
        )


def _country(row: Row, flow: Flow, schemas: Schemas) -> None:
    if row.country is None:
        return
    conversion = conversion_of(row, flow, schemas)
    if not conversion.takes_country:
        fitting = [one.name for one in CONVERSIONS.values() if one.takes_country]
        _refuse(
            row.place("country"),
            f"the conversion {conversion.name} reads no country. Remove country:, or name convert: {fitting[0]}.",
        )
    mapped = [one.tripletex[0] for one in flow.rows if len(one.tripletex) == 1]
    if row.country not in mapped:
        _refuse(
            row.place("country"),
            f"country names {row.country}, which no row of this table holds by itself. "
            f"{suggestion(row.country, mapped)}",
        )
    for direction in DIRECTIONS:
        if row.goes(direction) and flow.row_of(row.country, direction) is None:
            _refuse(
                row.place("country"),
                f"country names {row.country}, which is not carried {direction.key} as the number is. "
                "Let its row go the same ways.",
            )


def _one_writer_each(flow: Flow) -> None:
    for direction in DIRECTIONS:
        writers: dict[str, Row] = {}
        for row in flow.rows:
            for path in row.paths(direction.target) if row.goes(direction) else ():
                if path in writers:
                    other = next(one for one in DIRECTIONS if one is not direction)
                    _refuse(
                        row.place(direction.target.name),
                        f"{direction.target.title} {path} is written already by the row in "
                        f"{writers[path].place(direction.target.name)}. "
                        f"Remove one of the two, or give one direction: {other.key}.",
                    )
                writers[path] = row


def _match_on(flow: Flow) -> None:
    mapped = [path for row in flow.rows for path in row.tripletex]
    for path in (path for criterion in flow.match_on for path in criterion):
        if path not in mapped:
            _refuse(
                flow.place("match_on"),
                f"match_on names {path}, which is no Tripletex property of this table. {suggestion(path, mapped)}",
            )
        for direction in DIRECTIONS:
            row = flow.row_of(path, direction)
            if flow.goes(direction) and row is None:
                _refuse(
                    flow.place("match_on"),
                    f"match_on names {path}, which is not carried {direction.key}. "
                    "Match on a property that goes both ways, or let its row do so.",
                )
            if row is not None and row.link is not None:
                _refuse(flow.place("match_on"), f"match_on names {path}, a link. Match on a value of the record.")


def _filters(flow: Flow, schemas: Schemas) -> None:
    for direction in DIRECTIONS:
        for condition in flow.condition(direction):
            _condition(condition, flow, direction, schemas)


def _condition(condition: Condition, flow: Flow, direction: Direction, schemas: Schemas) -> None:
    kind = _type_of(condition.property, condition.place, direction.source, flow, schemas)
    for value in (*condition.among, *condition.not_among):
        fits = isinstance(value, _PYTHON_TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
        if not fits:
            _refuse(
                condition.place,
                f"{direction.source.title} {condition.property} is {kind}, so {value!s} is never its value. "
                f"Write {_WRITTEN[kind]}.",
            )


def _after(flow: Flow, flows: dict[str, Flow]) -> None:
    for name in flow.after:
        other = flows.get(name)
        if other is None or other is flow:
            others = [one for one in flows if one != flow.name]
            _refuse(flow.place("after"), f"after names {name}, which is no other flow. {suggestion(name, others)}")
        if not any(flow.stream(side) == other.stream(side) for side in SIDES):
            _refuse(
                flow.place("after"),
                f"after names {name}, which reads no stream that {flow.name} reads too. Remove it.",
            )


def in_order(flows: Sequence[Flow], direction: Direction) -> tuple[Flow, ...]:
    """The flows that go in a direction; of those that read one stream, first the one that is offered a record first.

    Raises TableError: two of them read one stream and nothing says which comes first, or they wait for each other.
    """
    going = [flow for flow in flows if flow.goes(direction)]
    for index, flow in enumerate(going):
        for other in going[:index]:
            if flow.stream(direction.source) != other.stream(direction.source):
                continue
            if not (_is_after(flow, other, going) or _is_after(other, flow, going)):
                _refuse(
                    flow.place(),
                    f"the flows {other.name} and {flow.name} both read {direction.source.title}'s "
                    f"{flow.stream(direction.source)}. Say which is offered a record first: "
                    f"add after: [{other.name}] here, or after: [{flow.name}] in {other.place().file}.",
                )
    ordered: list[Flow] = []
    waiting = list(going)
    while waiting:
        ready = next((one for one in waiting if not any(_is_after(one, other, going) for other in waiting)), None)
        if ready is None:
            _refuse(
                waiting[0].place("after"),
                f"the flows {', '.join(one.name for one in waiting)} wait for each other. Remove one after:.",
            )
        ordered.append(ready)
        waiting.remove(ready)
    return tuple(ordered)


def _is_after(flow: Flow, other: Flow, flows: Sequence[Flow]) -> bool:
    """Whether a flow comes after another, be it through others between them."""
    seen: set[str] = set()
    waiting = list(flow.after)
    while waiting:
        name = waiting.pop()
        if name == other.name:
            return True
        if name not in seen:
            seen.add(name)
            waiting += [after for one in flows if one.name == name for after in one.after]
    return False


def _are(types: Sequence[str]) -> str:
    return f"is {types[0]}" if len(types) == 1 else f"are {' and '.join(types)}"


def _counted(types: Sequence[str]) -> str:
    return f"one {types[0]} property" if len(types) == 1 else f"{len(types)} properties ({' and '.join(types)})"


def _fitting(customcrm: tuple[str, ...], tripletex: tuple[str, ...]) -> str:
    names = [one.name for one in CONVERSIONS.values() if ((one.customcrm,), one.tripletex) == (customcrm, tripletex)]
    return f"Those that fit: {', '.join(names)}." if names else "None fits; map another property."


def _refuse(place: Place, message: str) -> NoReturn:
    raise TableError(str(place), message)
