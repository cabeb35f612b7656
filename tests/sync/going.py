"""The project's own tables as both kinds of random histories use them: flows, and what the mapper makes of records."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from dataflow.compiling import compile_flow
from dataflow.schema import target_schema
from dataflow.side import TO_CUSTOMCRM, TO_TRIPLETEX
from dataflow.tables import Dataflow
from record_sync.rules import FlowRules

ROOT = Path(__file__).parents[2]
SIDES = ("customcrm", "tripletex")
POLICIES = ("latest", "customcrm", "tripletex", "manual")
TABLES = [f"transforms/{name}.yml" for name in ("contact", "customer", "product")]


class GoingFlow(NamedTuple):
    """A flow in one direction: what the mapper makes of its records, and what the target knows of it."""

    name: str
    stream: str
    build: Callable[[dict[str, Any]], dict[str, Any]]
    schema: dict[str, Any]
    rules: FlowRules


def resource(flow: str, side: str) -> str:
    """What a side calls a flow's records."""
    return "contact" if (flow, side) == ("product", "tripletex") else flow


@functools.cache
def going(policy: str, deletes: str, to: str) -> tuple[GoingFlow, ...]:
    """The flows towards a side."""
    direction = TO_TRIPLETEX if to == "tripletex" else TO_CUSTOMCRM
    mapped = dataflow(policy, deletes)
    found = []
    for flow in mapped.going(direction):
        schema = target_schema(mapped, flow, direction)
        build = compile_flow(mapped.legs(flow, direction), flow.condition(direction), direction)
        rules = FlowRules.from_schema(schema, to)
        found.append(GoingFlow(flow.name, flow.stream(direction.source), build, schema, rules))
    return tuple(found)


@functools.cache
def dataflow(policy: str, deletes: str) -> Dataflow:
    """The project's own tables, with other policies where both sides edit, and for deletions in the CRM."""
    with tempfile.TemporaryDirectory() as folder:
        for name in TABLES:
            text = (ROOT / name).read_text(encoding="utf-8")
            table = Path(folder) / name
            table.parent.mkdir(exist_ok=True)
            text = text.replace("\nconflict: latest\n", f"\nconflict: {policy}\n")
            text = text.replace("{to-tripletex: deactivate,", f"{{to-tripletex: {deletes},")
            table.write_text(text, encoding="utf-8")
        return Dataflow.load(TABLES, Path(folder))
