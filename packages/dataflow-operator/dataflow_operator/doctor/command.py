"""``dataflow doctor``: which of the Tripletexes that there may be a company is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import click
from api_transport.errors import ApiError
from dataflow.errors import DataflowError
from record_sync.errors import SyncError

from dataflow_operator.doctor.findings import FINE, MISBEHAVES, NOT_KNOWN, Diagnosis
from dataflow_operator.errors import OperatorError
from dataflow_operator.options import Asked, shared
from dataflow_operator.terminal import say, show_facts, show_json, show_table

if TYPE_CHECKING:
    from target_tripletex.system import TripletexSystem

SICK = 1


class DoctorFailed(OperatorError):  # noqa: N818 - reads as what happened
    """The company could not be asked, which is told from what is found of it."""

    exit_code = 3


@click.command()
@click.option(
    "--write",
    is_flag=True,
    help="Create a customer and a contact named “Dataflow doctor …”, try the company's rules on them, and remove them.",
)
@click.option("--i-mean-it", is_flag=True, help="Write elsewhere than in the test environment too.")
@click.option("--table", "tables", multiple=True, help="A property table.  [default: those of the project's mappings]")
@shared
@click.pass_obj
def doctor(asked: Asked, tables: Sequence[str], *, write: bool, i_mean_it: bool) -> int:
    """Ask a Tripletex company how it does what differs between companies, and tell what that means for the sync.

    Lists are read, a record or a page each; nothing is written without --write, and neither way is the link store
    looked at. What is told holds no names, values, ids, addresses and tokens: it can be sent to anybody. The settings
    are those of the target.

    \b
    Exit codes: 0 the sync works with this company, as far as is known
                1 it would misbehave
                2 the command line is none
                3 the company could not be asked
                130 interrupted; what was created is removed
    """  # noqa: D301 - click's mark for lines that stay as they are
    try:
        found = _made(asked, tables, write=write, anywhere=i_mean_it)
    except (OperatorError, SyncError, DataflowError, ApiError) as error:
        raise DoctorFailed(str(error)) from None
    if asked.as_json:
        show_json(found)
    else:
        _show(found)
    return 0 if found.is_healthy else SICK


def _made(asked: Asked, tables: Sequence[str], *, write: bool, anywhere: bool) -> Diagnosis:
    # The other commands start without what speaks to the systems.
    from target_tripletex.target import TargetTripletex  # noqa: PLC0415

    from dataflow_operator import project  # noqa: PLC0415
    from dataflow_operator.audit.flows import AuditedFlow  # noqa: PLC0415
    from dataflow_operator.connections import target_of  # noqa: PLC0415
    from dataflow_operator.doctor.company import Company  # noqa: PLC0415
    from dataflow_operator.doctor.diagnosis import diagnose  # noqa: PLC0415
    from dataflow_operator.doctor.stopping import Stopping  # noqa: PLC0415

    dataflow = project.here(tables)
    mapped: dict[str, frozenset[str]] = {}
    for flow in dataflow.flows:
        paths = AuditedFlow.of(dataflow, flow).paths(TargetTripletex.side)
        names = frozenset(path.partition(".")[0] for path in paths)
        mapped[flow.tripletex] = mapped.get(flow.tripletex, frozenset()) | names
    target = target_of(TargetTripletex, asked.environment)
    # Its own client: another one would share the session, which would not end with either alone.
    with Stopping() as stopping, cast("TripletexSystem", target.system).client as client:
        company = Company(client, target.config, stopping)
        if write and not (company.is_for_trying or anywhere):
            raise click.UsageError(
                "--write is for the test environment, and this is not: to write all the same, say --i-mean-it too"
            )
        return diagnose(company, mapped, write=write, warn=lambda text: say(text, aside=True))


def _show(found: Diagnosis) -> None:
    show_facts(
        [("Asked", found.asked), ("Written", "a customer and a contact, to try it" if found.wrote else "nothing")]
    )
    show_table(
        ("Question", "Assumption", "What this company does", "What that means for the sync", ""),
        [
            (one.name, one.assumption, one.here, one.means, "" if one.verdict == FINE else one.verdict)
            for one in found.findings
        ],
    )
    count = {verdict: sum(one.verdict == verdict for one in found.findings) for verdict in (MISBEHAVES, NOT_KNOWN)}
    if not found.is_healthy:
        say(f"The sync would misbehave: see the {count[MISBEHAVES]} marked so.")
    elif count[NOT_KNOWN]:
        say(f"The sync works with this company, as far as is known; {count[NOT_KNOWN]} could not be told.")
    else:
        say("The sync works with this company.")
    if not found.wrote:
        say("More is told by --write, in the test environment.")
