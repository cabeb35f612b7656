"""``dataflow doctor``: which known variant of Tripletex a company is, and whether the CRM is as its profile says."""

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
    from customcrm_client.probing import Findings
    from target_tripletex.system import TripletexSystem

SICK = 1
FAILURES = (OperatorError, SyncError, DataflowError, ApiError)


class DoctorFailed(OperatorError):  # noqa: N818 - reads as what happened
    """A system could not be asked, which is told from what is found of it."""

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

    Of the CRM it tells whether its profile fits, as `tap-customcrm --test=connection` does. Lists are read, a record or
    a page each; nothing is written without --write, and then to Tripletex alone; the link store is not looked at. What
    is told holds no values, ids, addresses and tokens, and nobody's names: it can be sent to anybody. The settings are
    those of the targets.

    \b
    Exit codes: 0 the sync works with both, as far as is known
                1 it would misbehave
                2 the command line is none
                3 one of the two could not be asked
                130 interrupted; what was created is removed
    """  # noqa: D301 - click's mark for lines that stay as they are
    try:
        found = _of_tripletex(asked, tables, write=write, anywhere=i_mean_it)
    except FAILURES as error:
        raise DoctorFailed(f"Tripletex could not be asked: {error}") from None
    failed: Exception | None = None
    try:
        found.crm = _of_crm(asked)
    except FAILURES as error:
        failed = error
    if asked.as_json:
        show_json(found)
    else:
        _show(found)
    if failed is not None:
        raise DoctorFailed(f"The CRM could not be asked: {failed}")
    return SICK if found.misbehaviours else 0


def _of_crm(asked: Asked) -> list[Findings]:
    from dataflow_operator.doctor.crm import diagnose_crm  # noqa: PLC0415

    return diagnose_crm(asked.environment)


def _of_tripletex(asked: Asked, tables: Sequence[str], *, write: bool, anywhere: bool) -> Diagnosis:
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
    if found.crm is not None:
        show_table(
            ("Stream of the CRM", "What the profile finds", ""),
            [
                (one.stream, text, verdict)
                for one in found.crm
                for texts, verdict in (
                    ([f"{'; '.join(one.told)}."] if one.told else [], ""),
                    (one.problems, MISBEHAVES),
                )
                for text in texts
            ],
        )
    unknown = sum(one.verdict == NOT_KNOWN for one in found.findings) + (found.crm is None)
    if found.misbehaviours:
        say(f"The sync would misbehave: see the {found.misbehaviours} marked so.")
    elif unknown:
        say(f"The sync works, as far as is known; {unknown} could not be told.")
    else:
        say("The sync works with both systems.")
    if not found.wrote:
        say("--write tells more, in the test environment.")
