"""The command `sandbox`."""

import argparse
import signal
import sqlite3
import sys
import threading
from pathlib import Path

from sandbox.serving import PortTaken
from sandbox.systems import Systems
from sandbox.tour import TourFailed, sync
from sandbox.tripletex.variants import Variant, known

CUSTOMCRM_PORT = 8701
TRIPLETEX_PORT = 8702


class Stop(Exception):  # noqa: N818  it ends the command with one line
    """The command cannot do what it was asked; the text says why and what to do."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description="A Customcrm and a Tripletex on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start", help="serve both systems until interrupted")
    start.add_argument("--customcrm-port", type=int, default=CUSTOMCRM_PORT, metavar="PORT")
    start.add_argument("--tripletex-port", type=int, default=TRIPLETEX_PORT, metavar="PORT")
    start.add_argument("--database", type=Path, metavar="DIR", help="keep the records in this directory")
    start.add_argument("--fresh", action="store_true", help="forget what the directory holds and begin anew")
    start.add_argument("--data", choices=("norwegian", "empty"), default="norwegian", help="what to begin with")
    start.add_argument("--customers", type=int, default=300, metavar="N", help="how many companies to invent")
    start.add_argument("--seed", type=int, default=1, help="the same seed makes the same data")
    start.add_argument(
        "--variant",
        action="append",
        default=[],
        metavar="WHAT=HOW",
        help=f"what nobody knows of Tripletex, or what differs between companies: {known()}",
    )
    start.add_argument("--oddities", action="store_true", help="add ambiguous and refused records")
    start.set_defaults(run=_start)
    story = commands.add_parser("sync", help="show a two-way sync: fill, run, edit on both sides, run again")
    story.set_defaults(run=_sync)
    return parser


def _systems(arguments: argparse.Namespace) -> Systems:
    """Both systems with their records: those of the directory, or sample data where it holds none."""
    try:
        variant = Variant(*arguments.variant)
    except ValueError as error:
        raise Stop(str(error)) from None
    try:
        systems = Systems(arguments.database, variant)
    except (OSError, sqlite3.Error) as error:
        raise Stop(
            f"{arguments.database} cannot be used to keep the records: {error}. Choose another --database."
        ) from None
    if arguments.fresh:
        systems.clear()
    if arguments.fresh or systems.is_empty:
        systems.load(arguments.data, customers=arguments.customers, seed=arguments.seed, oddities=arguments.oddities)
    return systems


def _start(arguments: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    systems = _systems(arguments)
    try:
        systems.start(arguments.customcrm_port, arguments.tripletex_port)
    except PortTaken as taken:
        raise Stop(
            f"Port {taken} is taken. Stop what listens there, or choose others: --customcrm-port, --tripletex-port."
        ) from None
    _tell(systems)
    try:
        stopped.wait()
    finally:
        systems.stop()


def _sync(_arguments: argparse.Namespace) -> None:
    """Tell the story of a sync, in the project of this folder."""
    try:
        sync(Path.cwd())
    except TourFailed as failed:
        raise Stop(str(failed)) from None


def _tell(systems: Systems) -> None:
    customcrm, tripletex = systems.customcrm, systems.tripletex
    tokens = f"consumer_token={tripletex.consumer_token}  employee_token={tripletex.employee_token}"
    print(f"Customcrm  {customcrm.api_url}  api_key={customcrm.api_key}")
    print(f"Tripletex  {tripletex.api_url}  {tokens}  company_id={tripletex.company_id}")
    print("What has been asked of them: /_sandbox/requests at either address. Stop with Ctrl-C.", flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Run the command; what cannot be done is one line on stderr and exit code 1."""
    parsed = _parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except Stop as stop:
        print(f"sandbox: {stop}", file=sys.stderr)
        sys.exit(1)
