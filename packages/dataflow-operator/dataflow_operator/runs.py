"""``dataflow runs``: the history of the sync."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import click

from dataflow_operator.options import Asked, limited, shared
from dataflow_operator.store.runs import DIED, RUNNING, RunRow
from dataflow_operator.store.runs import runs as newest_runs
from dataflow_operator.terminal import say, show_json, show_table
from dataflow_operator.timestamps import at, length, now

MOST_ERRORS = 3
"""Of one run; with --json there are more."""
_OUTCOME = {RUNNING: "running, or killed"}
"""Which of the two only the next run shows: its start needs the lock that a running one holds."""


@click.command()
@limited
@shared
@click.pass_obj
def runs(asked: Asked, limit: int) -> None:
    """Show the newest runs: when, how each ended, and what became of the records."""
    with asked.store() as store:
        found = newest_runs(store, limit)
    if asked.as_json:
        show_json({"runs": found})
    elif found:
        show_runs(found, now(), errors=MOST_ERRORS)
    else:
        say("No run yet.")


def show_runs(found: Sequence[RunRow], moment: datetime, *, errors: int = 0) -> None:
    """Print runs as a table; below it why some of them ended early, and so many of each one's first errors."""
    if not found:
        return
    show_table(
        ("Run", "Writes to", "Started (UTC)", "Took", "Outcome", "Records", "Requests", "Waited"),
        [
            (
                *(run.id, run.to, at(run.started_at), took(run, moment)),
                *(_OUTCOME.get(run.outcome, run.outcome), _records(run), run.requests, waited(run)),
            )
            for run in found
        ],
    )
    for run in found:
        if run.error:
            say(f"Run {run.id}: {run.error}")
        for one in run.first_errors[:errors]:
            say(f"Run {run.id}: {one.flow} {one.id} {one.outcome}: {one.reason}")


def took(run: RunRow, moment: datetime) -> str:
    """How long a run took, or has taken so far; empty where nobody knows."""
    if run.started_at is None or (run.ended_at is None and run.outcome == DIED):
        return ""
    return length(max(run.ended_at or moment, run.started_at) - run.started_at)


def waited(run: RunRow) -> str:
    """How long a run waited for the system written to, and how often; empty where it did not."""
    if not run.waits or run.waited_seconds is None:
        return ""
    times = "once" if run.waits == 1 else f"{run.waits} times"
    return f"{length(timedelta(seconds=run.waited_seconds))} ({times})"


def _records(run: RunRow) -> list[str]:
    told = {
        flow: ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        for flow, counts in run.counts.items()
    }
    return [f"{flow}: {counts}" for flow, counts in told.items() if counts] or ["nothing came in"] * bool(told)
