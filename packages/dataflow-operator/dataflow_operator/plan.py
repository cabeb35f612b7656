"""``dataflow plan``: what a whole cycle would do, with nothing written anywhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click
from singer_edge.rehearsal import Rehearsal

from dataflow_operator.options import MOST, Asked, limited, shared
from dataflow_operator.planned import COLUMNS, PlannedCycle, PlannedWrite, planned
from dataflow_operator.rehearsing import Project, private_folder
from dataflow_operator.store.copying import copy_store
from dataflow_operator.store.opening import opened
from dataflow_operator.terminal import say, shortened, show_json, show_table, spelled

TWO_WAY = "two-way"
_ALWAYS = ("matched", "created", "changed")
_SHOWN = {"deactivate": "set inactive", "restore": "made active again", "delete": "deleted"}


@click.command()
@click.argument("blocks", nargs=-1, metavar="[JOB|TAP MAPPING TARGET]...")
@click.option("--full-refresh", is_flag=True, help="As the run with this option: everything is read again.")
@limited
@shared
@click.pass_obj
def plan(asked: Asked, blocks: tuple[str, ...], limit: int, *, full_refresh: bool) -> None:
    """Show what the next cycle would do: the same run, but for its writes.

    Both systems are read, as by `meltano run two-way` (or the job or line named), which takes as long. Neither is
    written to, nor the link store, nor Meltano's state. Works in the folder of a Meltano project.
    """
    links_url, sync_name = asked.place
    project = Project(Path(os.environ.get("MELTANO_PROJECT_ROOT") or Path.cwd()), os.environ)
    with private_folder() as folder:
        rehearsal = Rehearsal(folder)
        copy_store(links_url, sync_name, folder / "links.db")
        say("Reading both systems; nothing is written to either.", aside=True)
        lines = project.rehearse(rehearsal, blocks or (TWO_WAY,), full_refresh=full_refresh)
        with opened(rehearsal.links_url, sync_name) as store:
            found = planned(store, rehearsal, lines)
    if asked.as_json:
        show_json(found)
    else:
        _show(found, limit)


def _show(found: PlannedCycle, limit: int) -> None:
    if found.flows:
        columns = [name for name in COLUMNS if name in _ALWAYS or any(one.counts[name] for one in found.flows)]
        show_table(
            ("To", "Flow", *(name.capitalize() for name in columns)),
            [(one.to, one.flow, *(one.counts[name] or "·" for name in columns)) for one in found.flows],
        )
    if found.writes:
        show_table(
            ("To", "Flow", "Record", "Of", "Property", "Is", "Would be"),
            [row for write in found.writes[:limit] for row in _rows(write)],
        )
    if len(found.writes) > limit:
        say(f"{len(found.writes) - limit} more writes of {len(found.writes)}: --limit, or --json for all")
    if not found.writes:
        say("The cycle would write nothing.")
    for remark in found.remarks[:MOST]:
        say(remark)
    for reason in found.held:
        say(f"The run would end there with an error: {reason}")


def _rows(write: PlannedWrite) -> Iterator[tuple[object, ...]]:
    head: tuple[object, ...] = (write.to, write.flow, write.id, write.source_id)
    if not write.after:
        yield (*head, "", "", _SHOWN.get(write.kind, write.kind))
    for path, value in write.after.items():
        before = spelled(write.before.get(path)) if path in write.before else ""
        yield (*head, path, shortened(before), shortened(spelled(value)))
        head = ("",) * len(head)
