"""The SCHEMA message of a flow: the target's properties, and all that the target needs to know to write them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dataflow.groups import policy_of
from dataflow.side import CUSTOMCRM, TRIPLETEX, Direction
from dataflow.table import Flow
from dataflow.tables import Dataflow, Leg

SOURCE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id", "deleted"],
    "properties": {
        "id": {"type": "string"},
        "version": {"type": ["string", "null"]},
        "modified_at": {"type": ["string", "null"]},
        "deleted": {"type": "boolean"},
        "filtered": {"type": "boolean"},
        "values": {"type": "object"},
    },
}
"""Where a record comes from. ``modified_at`` has no ``format``: a date that is none must not end the target's run."""


def target_schema(
    dataflow: Dataflow, flow: Flow, direction: Direction, legs: Collection[Leg] | None = None
) -> dict[str, Any]:
    """The schema of a flow's records as the target gets them; ``legs`` where the source does not send all of them."""
    sent = dataflow.legs(flow, direction) if legs is None else legs
    sent_paths = {path for leg in sent for path in leg.targets}
    properties: dict[str, Any] = {}
    for leg in sent:
        for path, json_type, compare in zip(leg.targets, leg.target_types, leg.compare, strict=True):
            _place(properties, path, {"type": [json_type, "null"], **_rules(flow, leg, compare, sent_paths)})
    properties["_source"] = SOURCE_SCHEMA
    return {
        "type": "object",
        "x-sync": {
            "flow": flow.name,
            "from": direction.source.name,
            "to": direction.target.name,
            "resource": {side.name: flow.stream(side) for side in (CUSTOMCRM, TRIPLETEX)},
            "match_on": [list(criterion) for criterion in dataflow.match_on(flow, direction)],
            "conflict": flow.conflict,
            "create": flow.creates(direction),
            "on_delete": flow.on_delete(direction),
            "references": {leg.targets[0]: leg.row.link for leg in sent if leg.row.link is not None},
            "after": list(dataflow.before(flow, direction)),
            "timeless": flow.timeless,
            "digest": dataflow.digest(flow),
        },
        "properties": properties,
    }


def _rules(flow: Flow, leg: Leg, compare: str, sent: Collection[str]) -> dict[str, Any]:
    """What the target has to know of a property."""
    rules: dict[str, Any] = {"x-from": list(leg.sources), "x-compare": compare}
    if leg.country in sent:
        rules["x-country"] = leg.country
    if leg.row.group is not None:
        rules["x-group"] = leg.row.group
    policy = policy_of(flow, leg.row)
    if policy is not None:
        rules["x-conflict"] = policy
    if leg.row.when == "create":
        rules["x-when"] = "create"
    return rules


def _place(properties: dict[str, Any], path: str, leaf: dict[str, Any]) -> None:
    *parents, name = path.split(".")
    here = properties
    for parent in parents:
        here = here.setdefault(parent, {"type": ["object", "null"], "properties": {}})["properties"]
    here[name] = leaf
