"""Sections of docs/benchmarks.md: tables that a stranger can judge, and what was wanted beside what was measured."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import described

BEGIN, END = "<!-- measure: {} -->", "<!-- end of {} -->"

INTRODUCTION = """\
# Benchmarks

This project beside its peers, on the same work, in the same run, on the same machine. `make bench` measures all of it
again and writes this page (about 25 minutes); `make bench BENCH=tap-tripletex` measures one part.

- The API is a server in a process of its own that has its records ready as bytes, answers each request after a set
  time, and counts requests. It is the same for everybody, whatever client asks.
- Contestants run in turns, several times. A table has the median; *ours is faster by* is the median of the ratios of
  runs that were neighbours in time, so a machine that is slow for a while does not decide. Seconds are those of whole
  processes, from start to end; *processor s* is the processors' time of all processes in a pipe.
- Peak memory is the largest resident set of each process (`wait4`), in the order of the pipe.
- Peers are what a team would take otherwise, as their templates and manuals have them, in environments of their own,
  with pinned versions ([benchmarks/peers](../benchmarks/peers)).
- ✗ marks a figure that was wanted and not reached.
"""


@dataclass(frozen=True)
class Table:
    """A table with a caption."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """The table as it stands in the page."""
        lines = [self.columns, ("---", *("---:" for _ in self.columns[1:])), *self.rows]
        return "\n".join([self.caption, "", *(f"| {' | '.join(line)} |" for line in lines)])


@dataclass(frozen=True)
class Demand:
    """A figure that is wanted, and what it was."""

    what: str
    wanted: str
    measured: str
    met: bool

    def row(self) -> tuple[str, ...]:
        """A line of the table of demands."""
        return (self.what, self.wanted, self.measured if self.met else f"{self.measured} ✗")


@dataclass(frozen=True)
class Section:
    """What one measure has to tell. `text` explains the work; `remarks` what stands out, profiles included."""

    title: str
    text: str
    tables: Sequence[Table]
    demands: Iterable[Demand | None] = ()
    remarks: str = ""

    def markdown(self) -> str:
        """The section as it stands in the page."""
        rows = tuple(demand.row() for demand in self.demands if demand is not None)
        tables = [*self.tables, *([Table("Wanted:", ("", "wanted", "measured"), rows)] if rows else [])]
        parts = [f"## {self.title}", self.text.strip(), *(table.markdown() for table in tables), self.remarks.strip()]
        return "\n\n".join(part for part in parts if part)


def write(page: Path, sections: dict[str, Section], order: Sequence[str]) -> None:
    """Put sections in their places in the page; those that were not measured stay as they were."""
    told = _sections(page.read_text(encoding="utf-8")) if page.exists() else {}
    told |= {name: section.markdown() for name, section in sections.items()}
    parts = [INTRODUCTION.strip(), described()]
    parts += [f"{BEGIN.format(name)}\n{told[name]}\n{END.format(name)}" for name in order if name in told]
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _sections(text: str) -> dict[str, str]:
    found = re.finditer(r"<!-- measure: (\S+) -->\n(.*?)\n<!-- end of \1 -->", text, re.DOTALL)
    return {match[1]: match[2] for match in found}


def shape(markdown: str) -> list[str]:
    """What a section always has, whatever was measured: its headings, and its tables' columns."""
    lines = markdown.splitlines()
    return [
        line
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
        if line.startswith("#") or following.startswith("| ---")
    ]


def shapes(page: Path) -> dict[str, list[str]]:
    """The shape of each section of a page, by the measure's name."""
    return {name: shape(text) for name, text in _sections(page.read_text(encoding="utf-8")).items()}
