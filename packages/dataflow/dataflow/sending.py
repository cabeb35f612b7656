"""What a tap says it sends, against what the tables want of it."""

from __future__ import annotations

from collections.abc import Callable

from dataflow.errors import StreamError
from dataflow.side import Direction
from dataflow.streams import Schema, json_type, leaf_of
from dataflow.table import Flow
from dataflow.tables import Dataflow, Leg

Warn = Callable[..., None]

_ALSO = {"number": ("integer",)}
"""A property that holds numbers may be sent as integers."""


def legs_sent(dataflow: Dataflow, flow: Flow, direction: Direction, schema: Schema, *, warn: Warn) -> tuple[Leg, ...]:
    """The rows whose properties the tap sends; of each other one it is said that it stays as it is.

    Raises StreamError: the tap leaves out what the flow cannot do without, or sends a property as another type.
    """
    stream = flow.stream(direction.source)
    _identity(direction, stream, schema, warn)
    for condition in flow.condition(direction):
        if leaf_of(schema, condition.property) is None:
            raise StreamError(
                f"{condition.place}: the filter needs {condition.property}, which the tap does not send. "
                f"Select {stream}.{condition.property} in the tap, or remove the condition."
            )
    missing = [
        (leg, [path for path in leg.sources if leaf_of(schema, path) is None]) for leg in dataflow.legs(flow, direction)
    ]
    broken = {leg.row.group: paths for leg, paths in missing if paths and leg.row.group}
    sent = []
    for leg, paths in missing:
        if paths:
            what = " and ".join(leg.targets) if leg.row.group is None else f"all of the group {leg.row.group}"
            warn(
                "%s: the tap does not send %s, so %s is left as it is. Select %s in the tap to synchronise it.",
                leg.row.place(),
                " and ".join(paths),
                what,
                " and ".join(f"{stream}.{path}" for path in paths),
            )
        lacking = paths or broken.get(leg.row.group or "")
        if lacking:
            _matched(flow, leg, lacking, stream)
        else:
            _types(leg, direction, schema)
            sent.append(leg)
    return tuple(sent)


def _identity(direction: Direction, stream: str, schema: Schema, warn: Warn) -> None:
    source = direction.source
    if leaf_of(schema, source.id) is None:
        raise StreamError(
            f"The tap does not send {source.id} of {stream}, without which no record can be told from another. "
            f"Select {stream}.{source.id} in the tap."
        )
    for path in dict.fromkeys((source.version, source.modified_at, source.deleted)):
        if path is not None and leaf_of(schema, path) is None:
            warn(
                "The tap does not send %s of %s, so later edits or deletions may be told apart less well. "
                "Select %s.%s in the tap.",
                path,
                stream,
                stream,
                path,
            )


def _matched(flow: Flow, leg: Leg, missing: list[str], stream: str) -> None:
    for path in (path for criterion in flow.match_on for path in criterion):
        if path in leg.row.tripletex:
            raise StreamError(
                f"{flow.place('match_on')}: records are matched on {path}, but the tap does not send "
                f"{' and '.join(missing)}. Select {stream}.{missing[0]} in the tap, or match on something else."
            )


def _types(leg: Leg, direction: Direction, schema: Schema) -> None:
    for path, expected in zip(leg.sources, leg.source_types, strict=True):
        found = json_type(leaf_of(schema, path) or {})
        if found not in (expected, "any", *_ALSO.get(expected, ())):
            raise StreamError(
                f"{leg.row.place(direction.source.name)}: the tap sends {path} as {found}, "
                f"the table takes it as {expected}. Use the tap made for this system, or remove the row."
            )
