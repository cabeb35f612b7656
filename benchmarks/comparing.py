"""Contestants on the same work, in turns: medians, and ratios of runs that were neighbours in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.bench import Bench
from benchmarks.processes import Ran
from benchmarks.report import Demand, Table


@dataclass(frozen=True)
class Taken:
    """What one run took."""

    records: int
    ran: Ran
    requests: int

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.ran.seconds


@dataclass(frozen=True)
class Contestant:
    """Somebody who does the work; the first one of a comparison is ours. `run` does it once."""

    name: str
    run: Callable[[], Taken]
    runs: int | None = None
    """Where every run of the bench would be too many of a slow one."""


@dataclass
class Compared:
    """All runs, by contestant, in the order in which they were made."""

    ours: str
    runs: dict[str, list[Taken]] = field(default_factory=dict)

    def ratio(self, name: str) -> float:
        """How many times as many records a second ours does, by the median of pairs of neighbouring runs."""
        return median(our.rate / their.rate for our, their in zip(self.runs[self.ours], self.runs[name], strict=False))

    def median(self, name: str, figure: Callable[[Taken], float]) -> float:
        """The median of some figure of a contestant's runs."""
        return median(figure(taken) for taken in self.runs[name])

    def peak_mb(self, name: str) -> dict[str, float]:
        """The largest memory of each process in any run."""
        processes = self.runs[name][0].ran.peak_mb
        return {process: max(taken.ran.peak_mb[process] for taken in self.runs[name]) for process in processes}

    def table(self, caption: str) -> Table:
        """A line a contestant."""
        rows = []
        for name, runs in self.runs.items():
            peaks = " / ".join(f"{peak:.0f}" for peak in self.peak_mb(name).values())
            rows.append(
                (
                    name,
                    f"{self.median(name, lambda taken: taken.rate):,.0f}",
                    f"{self.median(name, lambda taken: taken.ran.seconds):.2f}",
                    f"{self.median(name, lambda taken: taken.ran.processor):.2f}",
                    f"{runs[0].records:,}",
                    f"{max(taken.requests for taken in runs):,}",
                    peaks,
                    "" if name == self.ours else f"{self.ratio(name):.1f}",
                )
            )
        columns = ("", "records/s", "seconds", "processor s", "records", "requests", "peak MB", "ours is faster by")
        return Table(caption, columns, tuple(rows))

    def demand(self, name: str, at_least: float) -> Demand | None:
        """That ours is so many times as fast as a contestant; None where it did not take part."""
        if name not in self.runs:
            return None
        ratio = self.ratio(name)
        return Demand(f"as fast as {name}, at least", f"{at_least:g}×", f"{ratio:.1f}×", met=ratio >= at_least)


def compare(bench: Bench, contestants: Sequence[Contestant]) -> Compared:
    """Let each run in turn, as often as the bench says, in another order each time."""
    compared = Compared(contestants[0].name, {contestant.name: [] for contestant in contestants})
    for round_ in range(bench.runs):
        order = contestants if round_ % 2 == 0 else tuple(reversed(contestants))
        for contestant in order:
            if round_ < (contestant.runs or bench.runs):
                taken = contestant.run()
                compared.runs[contestant.name].append(taken)
                told = f"{taken.rate:,.0f} records/s, {taken.ran.seconds:.2f} s, processor {taken.ran.processor:.2f} s"
                bench.say(f"  {contestant.name}: {told}")
    return compared
