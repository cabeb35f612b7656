"""How far a read has come: on a terminal a line a stream, on standard error, never among the messages."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Told: TypeAlias = Callable[[int, "int | None"], None]
"""Takes how many records came, and how many requests the API still allows in its period; None: it does not say."""

COUNTED_EVERY = 10.0
"""Seconds between two lines in the log that tell how many records came."""


@contextmanager
def progress(stream: str) -> Iterator[Told]:
    """Show a stream's progress until the block ends, where somebody can see it."""
    if not sys.stderr.isatty():
        yield lambda _records, _left: None
        return
    with _on_terminal(stream) as told:
        yield told


@contextmanager
def _on_terminal(stream: str) -> Iterator[Told]:
    # Most runs have no terminal, and are spared the import.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,.0f} records"),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    terminal = sys.stderr
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False) as shown:
        task = shown.add_task(stream, total=None, rate=0.0, left="")

        def told(records: int, left: int | None) -> None:
            shown.advance(task, records)
            now = shown.tasks[task]
            rate = now.completed / now.elapsed if now.elapsed else 0.0
            shown.update(task, rate=rate, left="" if left is None else f"{left:,} requests left")

        # Log lines go above the line that is redrawn.
        handlers = [one for one in logging.root.handlers if getattr(one, "stream", None) is terminal]
        for handler in handlers:
            handler.setStream(sys.stderr)  # type: ignore[attr-defined]
        try:
            yield told
        finally:
            for handler in handlers:
                handler.setStream(terminal)  # type: ignore[attr-defined]
