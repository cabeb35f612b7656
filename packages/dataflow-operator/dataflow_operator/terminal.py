"""What a command says: tables for people, JSON for programs.

Names, values and the systems' own words come from strangers: what could steer a terminal, or turn the direction of a
line, is shown as its code, and nothing is taken for markup.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
import msgspec
from api_transport.escaping import visible
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 300
"""Characters in a line where the output goes to a file or a program: rows stay whole."""
LONGEST_CELL = 160


def spelled(value: object) -> str:
    """A record's value: texts as they are, others as JSON has them."""
    if value is None:
        return "(no value)"
    if isinstance(value, str):
        return visible(value) if value.strip() else json.dumps(value)
    return visible(json.dumps(value, ensure_ascii=False))


def shortened(text: str) -> str:
    """The beginning of a text, for a list."""
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"


def show_json(value: Any) -> None:
    """Print structs as one JSON document, in ASCII."""
    click.echo(json.dumps(msgspec.to_builtins(value, str_keys=True), indent=2))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; cells are shown literally."""
    table = Table(box=box.SIMPLE)
    for column in columns:
        table.add_column(Text(visible(column)), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(one) for one in row))
    _print(table)


def show_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print what is known of one thing, a line each; what is empty is left out."""
    table = Table.grid(padding=(0, 2))
    for name, value in facts:
        if value not in (None, ""):
            table.add_row(Text(visible(name), "bold"), _cell(value, overflow="fold"))
    _print(table)


def say(text: str, *, aside: bool = False) -> None:
    """Print one line; aside, where it is no part of the answer."""
    click.echo(visible(text), err=aside)


def confirmed(question: str) -> bool:
    """Ask a person; who cannot be asked says no."""
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        click.echo(err=True)
        return False


def _cell(value: object, overflow: Any = None) -> Text:
    lines = value if isinstance(value, list) else [value]
    return Text("\n".join(visible(one) for one in lines if one is not None), overflow=overflow)


def _print(what: object) -> None:
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDE
    console.print(what)


def prepare() -> None:
    """What the terminal's encoding lacks is shown as its code instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
