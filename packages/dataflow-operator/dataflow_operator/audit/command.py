"""``dataflow audit``: what differs between both systems at the moment, and what of it nothing explains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from api_transport.errors import ApiError
from dataflow.errors import DataflowError
from record_sync.errors import SyncError

from dataflow_operator.audit.report import Audit
from dataflow_operator.errors import OperatorError
from dataflow_operator.options import Asked, limited, shared
from dataflow_operator.output import write
from dataflow_operator.terminal import say, show_json

DIFFERS = 1


class AuditFailed(OperatorError):  # noqa: N818 - reads as what happened
    """The audit could not be made, which is told from what an audit finds."""

    exit_code = 3


@click.command()
@click.option(
    "--html",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the report to a file too: the document's checklist, ticked. It holds readable values.",
)
@click.option("--table", "tables", multiple=True, help="A property table.  [default: those of the project's mappings]")
@limited
@shared
@click.pass_obj
def audit(asked: Asked, file: Path | None, tables: Sequence[str], limit: int) -> int:
    """Read both systems and tell, link by link and property by property, what is in sync.

    Told apart are pairs that differ (both values, and which side changed since the last agreement), records that are
    missing on one side, that are on both sides and not linked, and that fit several. What waits (a parked record, an
    open conflict, a write without an answer) explains a difference; an edit that no run has seen yet does not.

    Nothing is written to either system or to the link store. The settings are those of the targets.

    \b
    Exit codes: 0 in sync, or every difference is explained
                1 something differs that nothing explains
                2 the command line is none
                3 the audit could not be made
                130 interrupted
    """  # noqa: D301 - click's mark for lines that stay as they are
    with _told_apart():
        found = _made(asked, tables, limit)
        if file is not None:
            from dataflow_operator.audit.page import page_of  # noqa: PLC0415 - the other commands start without it

            write(file, page_of(found), private=True)
    if asked.as_json:
        show_json(found)
    else:
        from dataflow_operator.audit.table import show  # noqa: PLC0415 - the other commands start without it

        show(found, limit)
        if file is not None:
            say(f"Written to {file}, for its owner alone.", aside=True)
    return 0 if found.is_clean else DIFFERS


def _made(asked: Asked, tables: Sequence[str], limit: int) -> Audit:
    # The other commands start without what speaks to the systems.
    from dataflow_operator import project  # noqa: PLC0415
    from dataflow_operator.audit.auditing import audit as audit_of  # noqa: PLC0415
    from dataflow_operator.connections import connected  # noqa: PLC0415

    return audit_of(*asked.place, project.here(tables), connected(asked.environment), limit=limit)


@contextmanager
def _told_apart() -> Iterator[None]:
    """Whatever keeps the audit from being made is no finding."""
    try:
        yield
    except (OperatorError, SyncError, DataflowError, ApiError) as error:
        raise AuditFailed(str(error)) from None
