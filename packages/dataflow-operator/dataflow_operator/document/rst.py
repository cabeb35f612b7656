"""A document in reStructuredText, in the shape in which the dataflow was first described."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from dataflow_operator.document.structure import Block, Code, Document, Paragraph, Points, Table, Text

WIDTH = 120
_LITERAL = re.compile(r"[^\s`\\]([^`\n]*[^\s`\\])?")
"""What can stand in a literal, which knows no escapes."""


def rst(documents: Iterable[Document]) -> str:
    """The documents, one after the other."""
    return "\n\n".join("\n".join(_document(one)).rstrip() for one in documents) + "\n"


def _document(document: Document) -> Iterator[str]:
    rule = "=" * len(document.title)
    yield from (rule, document.title, rule, "")
    if document.generated:
        yield from (f"Generated: {document.generated}", "")
    for section in document.sections:
        yield from (_escaped(section.title), "-" * len(_escaped(section.title)), "")
        for block in section.blocks:
            yield from (*_block(block), "")


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(text):
            yield from _wrapped(_inline(text))
        case Points(texts):
            for one in texts:
                yield from _wrapped(_inline(one), "- ")
        case Table(columns, rows):
            yield from (".. list-table::", "   :header-rows: 1", "")
            for cells in (tuple((one,) for one in columns), *rows):
                for index, cell in enumerate(cells):
                    yield f"   {'*' if index == 0 else ' '} - {_inline(cell)}".rstrip()


def _wrapped(text: str, mark: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=mark,
        subsequent_indent=" " * len(mark),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _inline(text: Text) -> str:
    parts: list[str] = []
    for index, part in enumerate(text):
        if not isinstance(part, Code):
            parts.append(_escaped(part))
        elif _LITERAL.fullmatch(part.text):
            following = text[index + 1] if index + 1 < len(text) else ""
            # A literal is told from the letters around it by an escaped blank, which is not shown.
            before = "" if not parts or parts[-1][-1] in " (" else "\\ "
            after = "" if isinstance(following, str) and following[:1] in (*" .,;:)", "") else "\\ "
            parts.append(f"{before}``{part.text}``{after}")
        else:
            parts.append(f'"{_escaped(part.text)}"')
    return "".join(parts)


def _escaped(text: str) -> str:
    return re.sub(r"([\\*`|_])", r"\\\1", text)
