"""``dataflow failures``: records that could not be carried over yet, why, and what to do with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import zip_longest

import click
import msgspec
from record_sync.waiting import CONFLICT, INVALID, REFERENCE

from dataflow_operator.errors import OperatorError
from dataflow_operator.listing import Listing
from dataflow_operator.options import Asked, limited, shared
from dataflow_operator.store import waiting
from dataflow_operator.store.waiting import KINDS, UNTRIED, Content, Retried, WaitingRow
from dataflow_operator.terminal import confirmed, say, shortened, show_facts, show_json, show_table, spelled
from dataflow_operator.timestamps import age, at, now

_kind = click.option("--kind", type=click.Choice(KINDS), help="Only those that wait for this reason.")
_flow = click.option("--flow", help="Only this flow's.")


class Failures(msgspec.Struct, frozen=True):
    """Some of the records that wait, and how many do."""

    failures: list[WaitingRow]
    total: int


class Failure(msgspec.Struct, frozen=True):
    """One record that waits, with all that is kept of it."""

    failure: WaitingRow
    content: Content


@click.group(cls=Listing)
def failures() -> None:
    """Records that wait: parked, invalid, ambiguous, for another record, or in conflict."""


@failures.command("list")
@_flow
@_kind
@limited
@shared
@click.pass_obj
def list_(asked: Asked, flow: str | None, kind: str | None, limit: int) -> None:
    """List what waits, the oldest first. This is what `dataflow failures` alone does."""
    with asked.store() as store:
        found = Failures(
            waiting.waiting(store, flow=flow, kind=kind, limit=limit), waiting.how_many(store, flow=flow, kind=kind)
        )
    if asked.as_json:
        show_json(found)
        return
    if not found.failures:
        say("Nothing waits.")
        return
    moment = now()
    show_table(
        ("Number", "Flow", "From", "Record", "Kind", "Since", "Next try", "Reason"),
        [
            (
                *(row.id, row.flow, row.side, row.record_id, row.kind),
                "" if row.first_at is None else age(row.first_at, moment),
                next_try(row, moment),
                shortened(row.reason),
            )
            for row in found.failures
        ],
    )
    if found.total > len(found.failures):
        say(f"{found.total - len(found.failures)} more of {found.total}: --flow, --kind or --limit")


@failures.command()
@click.argument("number", type=int)
@shared
@click.pass_obj
def show(asked: Asked, number: int) -> None:
    """Show one record that waits: what the API said, and what would be written."""
    with asked.store() as store:
        row, content = waiting.one_waiting(store, number)
        other = store.sync.other(row.side)
    if asked.as_json:
        show_json(Failure(row, content))
        return
    moment = now()
    show_facts(
        [
            ("Record", f"{row.record_id} of {row.side}"),
            ("Flow", row.flow),
            ("Kind", row.kind),
            ("Reason", row.reason),
            ("Details", row.details or None),
            *((f"Candidates in {side}", ", ".join(ids)) for side, ids in content.candidates.items()),
            ("Waits since", f"{at(row.first_at)} UTC"),
            ("Tried again", f"{row.attempts} times, last at {at(row.last_at)} UTC" if row.attempts else None),
            ("Next try", next_try(row, moment)),
            ("Version", content.version),
            ("Modified at", content.modified_at),
        ]
    )
    here = [(name, spelled(value)) for name, value in content.source.items()]
    there = [(name, spelled(value)) for name, value in content.values.items()]
    if here or there:
        pairs = zip_longest(here, there, fillvalue=("", ""))
        show_table(("Property", f"From {row.side}", "Property", f"For {other}"), [(*one, *two) for one, two in pairs])


@failures.command()
@click.argument("numbers", type=int, nargs=-1, metavar="[NUMBER]...")
@click.option("--all", "everything", is_flag=True, help="All of them, or all that --flow and --kind leave.")
@_flow
@_kind
@shared
@click.pass_obj
def retry(asked: Asked, numbers: Sequence[int], flow: str | None, kind: str | None, *, everything: bool) -> None:
    """Let the next run try these records, without waiting for their time."""
    if bool(numbers) == (everything or flow is not None or kind is not None):
        raise click.UsageError("Say the numbers of the records, or --all, which --flow and --kind may narrow.")
    if not numbers and not everything:
        raise click.UsageError("Say --all together with --flow or --kind.")
    with asked.store(to_change=True) as store:
        told = waiting.retry(store, numbers, flow=flow, kind=kind)
    if asked.as_json:
        show_json({"retried": [row.id for row in told.due], "left": [row.id for row in told.left]})
        return
    for line in retried(told):
        say(line)


@failures.command()
@click.argument("numbers", type=int, nargs=-1, required=True, metavar="NUMBER...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shared
@click.pass_obj
def drop(asked: Asked, numbers: Sequence[int], *, yes: bool) -> None:
    """Forget records that wait. A record comes again when it changes, or by --full-refresh."""
    with asked.store() as store:
        rows = waiting.named(store, numbers)
    if not yes:
        for row in rows:
            say(f"{row.id}: {row.flow} {row.record_id} of {row.side}, {row.kind}: {shortened(row.reason)}", aside=True)
        if not confirmed("Forget that?"):
            raise OperatorError("Nothing was dropped. Where nobody can be asked, say --yes.")
    with asked.store(to_change=True) as store:
        waiting.drop(store, rows)
    if asked.as_json:
        show_json({"dropped": [row.id for row in rows]})
        return
    for row in rows:
        say(dropped(row))


def retried(told: Retried) -> list[str]:
    """What comes of trying again, in words."""
    lines = [f"The next run tries {told.count} {'record' if told.count == 1 else 'records'}."]
    for kind, why in UNTRIED.items():
        left = sum(row.kind == kind for row in told.left)
        lines += [f"Left alone: {left} of kind {kind}; {why}."] if left else []
    return lines


def dropped(row: WaitingRow) -> str:
    """What comes of a record that was forgotten, in words."""
    return (
        f"Dropped {row.flow} {row.record_id}. It is sent again when it changes in {row.side}, "
        "or by a run with --full-refresh."
    )


def next_try(row: WaitingRow, moment: datetime) -> str:
    """When a record that waits is tried again, in words."""
    if row.kind == INVALID:
        return "when it comes again"
    if row.kind == CONFLICT:
        return "when it is decided"
    if row.kind == REFERENCE or row.next_at is None or row.next_at <= moment:
        return "next run"
    return f"after {at(row.next_at)} UTC"
