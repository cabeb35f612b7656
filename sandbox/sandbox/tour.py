"""`sandbox sync`: both systems, edited by their users, kept in sync by the project's own pipeline, before your eyes."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sandbox.edits import Edit, edit_as_users
from sandbox.lines.ran import accounts
from sandbox.systems import Systems, running

RESOURCES = ("customer", "contact", "product")
SIDE_NAMES = {"customcrm": "Customcrm", "tripletex": "Tripletex"}
MATCHED = ("linked", "linked and updated")
LEFT_ALONE = ("unchanged", "agreed", "kept", "stale", "unmatched", "filtered", "belongs to another flow")
WAITING = ("waiting", "ambiguous", "parked", "in conflict", "gone")

Counts = dict[str, dict[str, Counter[str]]]
"""Side written to, flow, outcome: how many records."""


class TourFailed(Exception):  # noqa: N818  it ends the command with one line
    """The pipeline did not do what it should; the text says where to look."""


def sync(project: Path) -> None:
    """Run the whole story. Raises TourFailed."""
    console = Console(highlight=False)
    if not (project / "meltano.yml").is_file():
        raise TourFailed(f"{project} has no meltano.yml. Run this in the project's folder.")
    folder = project / "var"
    folder.mkdir(exist_ok=True)
    with _workspace(folder) as workspace, running() as systems:
        console.print(
            "[bold]No credentials in .env: two systems on this machine stand in for the real ones.[/bold]\n"
            f"Customcrm at {systems.customcrm.api_url}, Tripletex at {systems.tripletex.api_url}.\n"
        )
        console.print(_stock(systems, "Before"))
        pipeline = Pipeline(project, workspace, systems, console)
        console.print(_account(pipeline.run("First run: who is who, and what is missing where"), "First run"))
        console.print(_stock(systems, "After the first run"))
        edits = edit_as_users(systems)
        console.print(_edits(edits, "Users edit records, here and there"))
        console.print(_account(pipeline.run("Second run: the edits cross over"), "Second run"))
        _check(edits, systems)
        console.print(_arrived(edits, systems))
        systems.clear_requests()
        pipeline.run("Third run: nothing has changed")
        _prove_quiet(systems, console)


class Pipeline:
    """`meltano run two-way` against the sandbox, with a link store and a state of its own."""

    def __init__(self, project: Path, workspace: Path, systems: Systems, console: Console) -> None:
        self._project = project
        self._workspace = workspace
        self._console = console
        self._runs = 0
        links = f"sqlite:///{workspace}/links.db"
        crm = {"API_URL": systems.customcrm.api_url, "API_KEY": systems.customcrm.api_key}
        tripletex = {
            "API_URL": systems.tripletex.api_url,
            "CONSUMER_TOKEN": systems.tripletex.consumer_token,
            "EMPLOYEE_TOKEN": systems.tripletex.employee_token,
        }
        self._environment = {
            **os.environ,
            "MELTANO_ENVIRONMENT": "sandbox",
            "MELTANO_DATABASE_URI": f"sqlite:///{workspace}/meltano.db",
            # Meltano hands catalog and state to a tap in files there; another run at the same time must not meet them.
            "MELTANO_SYS_DIR_ROOT": f"{workspace}/meltano",
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            **{f"TAP_CUSTOMCRM_{name}": value for name, value in crm.items()},
            **{f"TARGET_CUSTOMCRM_{name}": value for name, value in crm.items()},
            **{f"TAP_TRIPLETEX_{name}": value for name, value in tripletex.items()},
            **{f"TARGET_TRIPLETEX_{name}": value for name, value in tripletex.items()},
            "TARGET_CUSTOMCRM_LINKS_URL": links,
            "TARGET_TRIPLETEX_LINKS_URL": links,
        }

    def run(self, title: str) -> Counts:
        """One cycle, and what became of the records. Raises TourFailed."""
        self._runs += 1
        log = self._workspace.parent / f"sync-run-{self._runs}.log"
        doing = f"{title} (meltano run two-way, log in {log.relative_to(self._project)})"
        with self._console.status(doing), log.open("w", encoding="utf-8") as output:
            ended = subprocess.run(  # noqa: S603  the project's own command
                [Path(sys.executable).parent / "meltano", "run", "two-way"],
                cwd=self._project,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if ended.returncode != 0:
            raise TourFailed(f"meltano run two-way failed; its log is {log}")
        self._console.print(f"[bold]{title}[/bold]  [dim]meltano run two-way[/dim]")
        return _counts(log.read_text(encoding="utf-8"))


@contextmanager
def _workspace(folder: Path) -> Iterator[Path]:
    workspace = Path(tempfile.mkdtemp(prefix="sync-", dir=folder))
    try:
        yield workspace
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def _counts(log: str) -> Counts:
    counts: Counts = {}
    for run in accounts(log):
        counts[run["to"]] = {flow: Counter(outcomes) for flow, outcomes in run["flows"].items()}
    return counts


def _stock(systems: Systems, title: str) -> Table:
    table = Table("", *(SIDE_NAMES[side] for side in SIDE_NAMES), title=title, title_justify="left")
    crm, tripletex = systems.customcrm, systems.tripletex
    table.add_row("Customers", str(len(crm.all("customer"))), _with_inactive(tripletex.all("customer")))
    table.add_row("Contacts", str(len(crm.all("contact"))), f"{len(tripletex.all('contact'))} (products among them)")
    table.add_row("Products", str(len(crm.all("product"))), "as contacts")
    return table


def _with_inactive(customers: list[dict[str, Any]]) -> str:
    inactive = sum(bool(one.get("isInactive")) for one in customers)
    return f"{len(customers)} ({inactive} inactive)"


def _account(counts: Counts, title: str) -> Table:
    table = Table("To", "Flow", title=title, title_justify="left")
    for column in ("Matched", "Created", "Updated", "Left alone", "Waiting"):
        table.add_column(column, justify="right")
    for side, flows in counts.items():
        for flow in RESOURCES:
            told = flows.get(flow, Counter())
            table.add_row(
                SIDE_NAMES[side],
                flow,
                *(
                    str(sum(told[name] for name in names) or "·")
                    for names in (MATCHED, ("created",), ("updated",), LEFT_ALONE, WAITING)
                ),
            )
        table.add_section()
    return table


def _edits(edits: list[Edit], title: str) -> Table:
    table = Table("In", "Record", "Property", "Was", "Is now", title=title, title_justify="left")
    for edit in edits:
        table.add_row(SIDE_NAMES[edit.side], edit.record, edit.edited, _shown(edit.before), _shown(edit.after))
    return _folded(table)


def _arrived(edits: list[Edit], systems: Systems) -> Table:
    table = Table(
        "In", "Record", "Property", "Is now", title="… and this is what the other side says", title_justify="left"
    )
    for edit in edits:
        table.add_row(SIDE_NAMES[edit.other_side], edit.record, edit.carried, _shown(edit.seen(systems)))
    return _folded(table)


def _folded(table: Table) -> Table:
    """A table that loses nothing in a narrow terminal."""
    for column in table.columns:
        column.overflow = "fold"
    return table


def _shown(value: Any) -> str:
    return "—" if value is None else str(value)


def _check(edits: list[Edit], systems: Systems) -> None:
    lost = [edit for edit in edits if not edit.has_arrived(systems)]
    if lost:
        raise TourFailed(f"{len(lost)} edits did not arrive, the first one of {lost[0].record}; see var/sync-run-2.log")


def _prove_quiet(systems: Systems, console: Console) -> None:
    writes: Mapping[str, int] = {
        system.name: sum(seen.is_write and "token/session" not in seen.path for seen in system.requests)
        for system in systems.both
    }
    reads = sum(len(system.requests) for system in systems.both)
    if any(writes.values()):
        raise TourFailed(f"The third run wrote: {dict(writes)}; see var/sync-run-3.log")
    console.print(
        f"\n[bold green]Both systems say the same: the third run made no write request[/bold green] "
        f"({reads} requests in all, each one of the taps asking what is new)."
    )
