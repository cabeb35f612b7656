"""The last cycles as a picture: how much each one wrote and left waiting."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
from record_sync.outcome import Outcome

from dataflow_operator.store.runs import RunRow

WRITTEN = "written"
LINKED = "linked"
WAITING = "waiting"
UNTOUCHED = "untouched"
KINDS = {
    WRITTEN: (Outcome.CREATED, Outcome.UPDATED, Outcome.LINKED_UPDATED, Outcome.DELETED),
    LINKED: (Outcome.LINKED, Outcome.AGREED),
    WAITING: (
        *(Outcome.CONFLICT, Outcome.WAITING, Outcome.AMBIGUOUS, Outcome.PARKED),
        Outcome.HELD,
    ),
}
"""What the picture tells apart; all else is *untouched*."""
_KIND_OF = {outcome.value: kind for kind, outcomes in KINDS.items() for outcome in outcomes}

APART = timedelta(minutes=10)
"""A run that begins later than this after another one's end belongs to another cycle."""

HEIGHT = 96
WIDTH = 12
STEP = 16
_QUIET = 2
"""Height of a cycle that wrote nothing."""


class Cycle(msgspec.Struct, frozen=True):
    """Runs that belong together: one towards each side, or what there was of it."""

    runs: list[RunRow]
    """Oldest first."""

    @property
    def started_at(self) -> datetime | None:
        """When its first run began."""
        return self.runs[0].started_at

    @property
    def outcome(self) -> str:
        """That of the first run that did not end well; ``done`` where all did."""
        return next((run.outcome for run in self.runs if run.outcome != "done"), "done")

    @property
    def took(self) -> timedelta | None:
        """From the first run's beginning to the last one's end, if it has ended."""
        started, ended = self.runs[0].started_at, self.runs[-1].ended_at
        return None if started is None or ended is None else max(ended - started, timedelta())

    @property
    def requests(self) -> int:
        """Made by all its runs."""
        return sum(run.requests or 0 for run in self.runs)

    def counts(self) -> dict[str, int]:
        """Records by kind."""
        told = dict.fromkeys((*KINDS, UNTOUCHED), 0)
        for run in self.runs:
            for kind, count in kinds_of(run).items():
                told[kind] += count
        return told


class Part(msgspec.Struct, frozen=True):
    """One rectangle of a bar."""

    kind: str
    y: float
    height: float


class Bar(msgspec.Struct, frozen=True):
    """One cycle of the picture."""

    x: int
    parts: list[Part]
    cycle: Cycle


class Picture(msgspec.Struct, frozen=True):
    """Bars from old to new. Heights grow with the square root, so that a first load leaves the others visible."""

    width: int
    height: int
    bars: list[Bar]


def kinds_of(run: RunRow) -> dict[str, int]:
    """A run's records by kind."""
    told: dict[str, int] = {}
    for counts in run.counts.values():
        for outcome, count in counts.items():
            kind = _KIND_OF.get(outcome, UNTOUCHED)
            told[kind] = told.get(kind, 0) + count
    return told


def cycles(newest_first: Sequence[RunRow]) -> list[Cycle]:
    """Put runs together to cycles, newest first: each side is written to once, and one run follows the other."""
    return [Cycle(runs) for runs in _grouped(newest_first[::-1])][::-1]


def _grouped(runs: Sequence[RunRow]) -> Iterator[list[RunRow]]:
    group: list[RunRow] = []
    for run in runs:
        if group and (run.to in {one.to for one in group} or _apart(group[-1], run)):
            yield group
            group = []
        group.append(run)
    if group:
        yield group


def _apart(before: RunRow, after: RunRow) -> bool:
    ended = before.ended_at or before.started_at
    return ended is not None and after.started_at is not None and after.started_at - ended > APART


def picture(newest_first: Sequence[Cycle]) -> Picture:
    """Draw cycles, the newest one to the right."""
    counted = [(cycle, cycle.counts()) for cycle in newest_first[::-1]]
    most = max((sum(counts[kind] for kind in KINDS) for _, counts in counted), default=0)
    bars = [Bar(place * STEP, list(_parts(counts, most)), cycle) for place, (cycle, counts) in enumerate(counted)]
    return Picture(max(len(bars), 1) * STEP - (STEP - WIDTH), HEIGHT, bars)


def _parts(counts: dict[str, int], most: int) -> Iterator[Part]:
    total = sum(counts[kind] for kind in KINDS)
    if not total:
        yield Part(UNTOUCHED, HEIGHT - _QUIET, _QUIET)
        return
    whole = max(math.sqrt(total / most) * HEIGHT, 2 * _QUIET)
    y = float(HEIGHT)
    for kind in KINDS:
        height = round(whole * counts[kind] / total, 1)
        if height:
            y = round(y - height, 1)
            yield Part(kind, y, height)
