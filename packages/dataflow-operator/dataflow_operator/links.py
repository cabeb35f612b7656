"""``dataflow links``: which records belong together."""

from __future__ import annotations

from collections.abc import Iterator

import click

from dataflow_operator.options import Asked, limited, shared
from dataflow_operator.store.links import LinkRow, find
from dataflow_operator.terminal import say, show_json, show_table
from dataflow_operator.timestamps import at


@click.command()
@click.option("--flow", help="Only this flow's.")
@click.option("--id", "record_id", help="Only those of the record that has, or had, this id on either side.")
@limited
@shared
@click.pass_obj
def links(asked: Asked, flow: str | None, record_id: str | None, limit: int) -> None:
    """Show links: both ids, states, versions and times. A link store knows no values."""
    with asked.store() as store:
        found = find(store, flow=flow, record_id=record_id, limit=limit)
    if asked.as_json:
        show_json(found)
        return
    if not found.links:
        say("No links." if record_id is None else f"No link of a record {record_id}.")
        return
    show_table(
        ("Link", "Flow", "State", "Side", "Id", "Record", "Version", "Edited (UTC)", "Written (UTC)", "Earlier ids"),
        [row for link in found.links for row in _rows(link)],
    )
    if found.total > len(found.links):
        say(f"{found.total - len(found.links)} more of {found.total}: --id, --flow or --limit")


def _rows(link: LinkRow) -> Iterator[tuple[object, ...]]:
    head: tuple[object, ...] = (link.id, link.flow, link.state)
    for side, end in link.ends.items():
        times = (at(end.edited_at), at(end.written_at))
        yield (*head, side, end.id, end.state, end.version, *times, ", ".join(end.former_ids))
        head = ("", "", "")
