"""``dataflow forget``: one person's readable data leaves the link store."""

from __future__ import annotations

import click

from dataflow_operator.options import Asked, shared
from dataflow_operator.store.forgetting import forget as take_out
from dataflow_operator.terminal import confirmed, say, show_json


@click.command()
@click.option("--flow", required=True, help="The record's flow, for example contact.")
@click.option("--id", "record_id", required=True, help="Its id on either side.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shared
@click.pass_obj
def forget(asked: Asked, flow: str, record_id: str, *, yes: bool) -> None:
    """Take out what can be read of one record: what waits of it, its conflicts, and words on it in the runs' history.

    Delete the person in both systems first, or what is there comes again. The link stays: ids and fingerprints.
    """
    question = f"Forget what is kept of {flow} {record_id}? What waits of it is not carried over any more."
    if not yes and not confirmed(question):
        say("Nothing was changed.", aside=True)
        return
    forgotten = take_out(*asked.place, flow, record_id)
    if asked.as_json:
        show_json(forgotten)
        return
    if not (forgotten.waiting or forgotten.conflicts or forgotten.runs):
        say(f"Nothing readable was kept of {flow} {record_id}.")
        return
    say(
        f"Forgotten of {flow} {record_id}: {forgotten.waiting} waiting, {forgotten.conflicts} in conflict, "
        f"named in {forgotten.runs} runs."
    )
