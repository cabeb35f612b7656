"""What a document is made of, whatever it is written in."""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class Code(msgspec.Struct, frozen=True):
    """A name that stands as it is written: a property, a file, a command."""

    text: str


Text: TypeAlias = tuple[str | Code, ...]
"""A line of prose."""


class Paragraph(msgspec.Struct, frozen=True, tag=True):
    """Some prose."""

    text: Text


class Points(msgspec.Struct, frozen=True, tag=True):
    """A list of short texts."""

    texts: tuple[Text, ...]


class Table(msgspec.Struct, frozen=True, tag=True):
    """Rows under a header."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]


Block: TypeAlias = Paragraph | Points | Table


class Section(msgspec.Struct, frozen=True):
    """Some blocks under a title."""

    title: str
    blocks: tuple[Block, ...]


class Document(msgspec.Struct, frozen=True):
    """One direction."""

    title: str
    sections: tuple[Section, ...]
    generated: str | None = None
    """When, where that is to be said: a document that is kept with the tables changes with them alone."""
