"""What every command can be asked: which store, which sync name, and JSON instead of tables."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from dataflow_operator import settings
from dataflow_operator.store.opening import OpenStore, opened

Command = TypeVar("Command", bound=Callable[..., Any])

MOST = 50
"""Rows that a list shows unasked."""


class Asked(msgspec.Struct):
    """The options that all commands share, wherever on the command line they stand."""

    links_url: str | None = None
    sync_name: str | None = None
    as_json: bool = False

    @property
    def place(self) -> tuple[str, str]:
        """Address of the store, and sync name.

        Raises:
            OperatorError: the environment contradicts itself.
        """
        environment = self.environment
        return (
            settings.links_url(self.links_url, environment, Path.cwd()),
            settings.sync_name(self.sync_name, environment),
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables, with those of the project's .env file."""
        return settings.environment(os.environ, Path.cwd())

    @contextmanager
    def store(self, *, to_change: bool = False) -> Iterator[OpenStore]:
        """One transaction on the store that is meant."""
        with opened(*self.place, to_change=to_change) as store:
            yield store


def shared(command: Command) -> Command:
    """Give a command the options that all have."""
    for option in (
        click.option("--json", "as_json", is_flag=True, expose_value=False, callback=_keep, help="For programs."),
        click.option(
            "--sync-name",
            expose_value=False,
            callback=_keep,
            help="Whose rows, where the store serves several companies.  [default: as the targets' settings say]",
        ),
        click.option(
            "--links-url",
            expose_value=False,
            callback=_keep,
            help="Address of the link store; as LINKS_URL a password in it stays out of the process list."
            "  [default: as the targets' settings say]",
        ),
    ):
        command = option(command)
    return command


def limited(command: Command) -> Command:
    """Give a list an option for its length."""
    return click.option(
        "--limit", type=click.IntRange(1), default=MOST, show_default=True, help="Show so many at the most."
    )(command)


def _keep(context: click.Context, option: click.Parameter, value: object) -> None:
    asked = context.find_root().ensure_object(Asked)
    if value:
        setattr(asked, option.name or "", value)
