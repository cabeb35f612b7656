"""The command ``dataflow``. Exit codes: 0 done, 1 it could not be done, 2 the command line is none, 130 interrupted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import click
from api_transport.escaping import visible
from dataflow.errors import DataflowError
from record_sync.errors import SyncError

from dataflow_operator.audit.command import audit
from dataflow_operator.conflicts import conflicts
from dataflow_operator.doctor.command import doctor
from dataflow_operator.document.command import document
from dataflow_operator.errors import OperatorError
from dataflow_operator.failures import failures
from dataflow_operator.forget import forget
from dataflow_operator.let_through import let_through
from dataflow_operator.links import links
from dataflow_operator.options import shared
from dataflow_operator.plan import plan
from dataflow_operator.runs import runs
from dataflow_operator.serve import serve
from dataflow_operator.status import status
from dataflow_operator.terminal import prepare

INTERRUPTED = 130


class Dataflow(click.Group):
    """Tells every failure in one line."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 - click's signature
        **extra: Any,
    ) -> Any:
        """Run, and leave with an exit code."""
        prepare()
        run = partial(super().main, args, prog_name, complete_var, standalone_mode=False, **extra)
        if not standalone_mode:
            return run()
        sys.exit(_exit_code_of(run))


def _exit_code_of(run: Callable[[], Any]) -> int:
    try:
        left = run()
    except click.ClickException as error:
        path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "dataflow"
        _fail(f"{error.format_message().rstrip('.')}; see {path} --help")
        return error.exit_code
    except (OperatorError, SyncError, DataflowError) as error:
        _fail(str(error))
        return getattr(error, "exit_code", 1)
    except click.Abort:
        _fail("Interrupted.")
        return INTERRUPTED
    return left if isinstance(left, int) else 0


def _fail(text: str) -> None:
    click.echo(f"dataflow: {visible(' '.join(text.split()))}", err=True)


@click.group(cls=Dataflow, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@shared
@click.version_option(package_name="customcrm-tripletex-dataflow-operator")
@click.pass_context
def main(context: click.Context) -> None:
    """See what the sync does, and decide what it leaves to a person.

    The link store is found as the targets find it: --links-url, LINKS_URL, the targets' TARGET_…_LINKS_URL, else that
    of the Meltano environment (MELTANO_ENVIRONMENT, production unless said).
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (status, plan, links, failures, conflicts, let_through, runs, audit, doctor, document, serve, forget):
    main.add_command(command)
