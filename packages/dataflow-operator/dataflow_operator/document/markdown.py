"""A document in Markdown, with the tables that forges show."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from dataflow_operator.document.structure import Block, Code, Document, Paragraph, Points, Table, Text

WIDTH = 120


def markdown(documents: Iterable[Document]) -> str:
    """The documents, one after the other."""
    return "\n".join("\n".join(_document(one)) for one in documents)


def _document(document: Document) -> Iterator[str]:
    yield from (f"# {_escaped(document.title)}", "")
    if document.generated:
        yield from (f"Generated: {document.generated}", "")
    for section in document.sections:
        yield from (f"## {_escaped(section.title)}", "")
        for block in section.blocks:
            yield from (*_block(block), "")


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(text):
            yield from textwrap.wrap(_inline(text), WIDTH, break_long_words=False, break_on_hyphens=False)
        case Points(texts):
            yield from (f"- {_inline(one)}" for one in texts)
        case Table(columns, rows):
            yield _row(_escaped(one) for one in columns)
            yield _row("---" for _ in columns)
            for cells in rows:
                yield _row(_inline(one) for one in cells)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(one.replace('|', chr(92) + '|') for one in cells)} |"


def _inline(text: Text) -> str:
    return "".join(_code(part.text) if isinstance(part, Code) else _escaped(part) for part in text)


def _code(text: str) -> str:
    """A code span; a longer fence holds what has backticks itself."""
    longest = max((len(one) for one in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    gap = " " if longest else ""
    return f"{fence}{gap}{text}{gap}{fence}"


def _escaped(text: str) -> str:
    return re.sub(r"([\\*`_\[\]<>#])", r"\\\1", text)
