"""``dataflow document``: what is synchronised with what, for people, made of the property tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import click
from dataflow.side import DIRECTIONS

from dataflow_operator import project
from dataflow_operator.document.content import documents
from dataflow_operator.document.markdown import markdown
from dataflow_operator.document.rst import rst
from dataflow_operator.document.structure import Document
from dataflow_operator.options import Asked, shared
from dataflow_operator.output import write
from dataflow_operator.terminal import say, show_json
from dataflow_operator.timestamps import now


def _html(documents: Iterable[Document]) -> str:
    # All commands are loaded together; the others start without what makes pages.
    from dataflow_operator.document.html import html  # noqa: PLC0415

    return html(documents)


FORMATS: Mapping[str, Callable[[Iterable[Document]], str]] = {"markdown": markdown, "rst": rst, "html": _html}
_NAMES = {direction.name: direction for direction in DIRECTIONS}


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="markdown",
    show_default=True,
    help="How it is written.",
)
@click.option(
    "--direction", type=click.Choice(list(_NAMES)), help="Only the document of this direction.  [default: both]"
)
@click.option("--to", "file", type=click.Path(path_type=Path, dir_okay=False), help="A file, in place of the output.")
@click.option("--table", "tables", multiple=True, help="A property table.  [default: those of the project's mappings]")
@click.option("--dated", is_flag=True, help="Say when it was generated.")
@shared
@click.pass_obj
def document(
    asked: Asked, form: str, direction: str | None, file: Path | None, tables: Sequence[str], *, dated: bool
) -> None:
    """Write the dataflow document: every pair of entities, how records are matched, and every property.

    It is made of the property tables alone; no link store and neither system is read. The same tables give the same
    document.
    """
    directions = DIRECTIONS if direction is None else (_NAMES[direction],)
    made = documents(project.here(tables), directions, generated=now() if dated else None)
    if asked.as_json:
        show_json({"documents": made})
        return
    text = FORMATS[form](made)
    if file is None:
        click.echo(text, nl=False)
    else:
        write(file, text)
        say(f"Written to {file}.", aside=True)
