"""Playing a history from its seed, and making one that fails as short as it gets."""

from __future__ import annotations

import re
import traceback
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from tests.sync.histories.checks import settle_and_check
from tests.sync.histories.core import Memory
from tests.sync.histories.lies import LIES
from tests.sync.histories.lines import STEPS
from tests.sync.histories.target import BrokenRuleError
from tests.sync.histories.world import MINUTE, SECOND, World, chance

STEPS_OF_A_HISTORY = 30
ENABLED = frozenset(name for name, lie in LIES.items() if lie.enabled)


@dataclass
class Failure:
    """What went wrong, and how it came to it."""

    seed: int
    what: str
    steps: list[int]
    lies: frozenset[str]
    log: list[str] = field(default_factory=list)
    trace: str = ""

    @property
    def kind(self) -> str:
        """The same for failures that are most likely one fault."""
        return re.sub(r"\{.*\}|\[.*\]|\(.*\)|'[^']*'|v\d+x\d+|\d+", "_", self.what)

    def __str__(self) -> str:
        steps, lies = ",".join(map(str, self.steps)), ",".join(sorted(self.lies))
        return "\n".join(
            [
                f"seed {self.seed}: {self.what}",
                *(f"  {line}" for line in self.log),
                f"replay: python -m tests.sync.histories {self.seed} --steps {steps} --lies {lies!r}",
                self.trace,
            ]
        )


def plan(seed: int, length: int, lies: Collection[str]) -> list[tuple[int, str]]:
    """The steps of a history by number."""
    draw = chance(seed, "steps")
    names = list(STEPS)
    weights = [weight for weight, _, _ in STEPS.values()]
    chosen = draw.choices(names, weights, k=length)
    return [(number, name) for number, name in enumerate(chosen, 1) if STEPS[name][2] in (None, *lies)]


def play(
    memory: Memory,
    seed: int,
    *,
    length: int = STEPS_OF_A_HISTORY,
    steps: Collection[int] | None = None,
    lies: Collection[str] = ENABLED,
    log: list[str] | None = None,
) -> Failure | None:
    """Play a history, all of its steps or some; tells what went wrong, if anything did, and what happened in a log."""
    world = World(memory, seed, frozenset(lies), [] if log is None else log)
    done = [one for one in plan(seed, length, world.lies) if steps is None or one[0] in steps]
    world.log.append(f"{', '.join(world.flows)}; conflict: {world.policy}; deletes: {world.deletes}")
    world.log += [f"{side}: {register.nature}" for side, register in world.registers.items()]
    try:
        for number, name in done:
            draw = chance(seed, number)
            world.salt = number
            world.time += draw.choice([1, SECOND // 4, 20 * SECOND, 10 * MINUTE])
            told = STEPS[name][1](world, draw)
            world.log.append(f"{number}. {told}")
        world.salt = length + 1
        settle_and_check(world)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told with its history
        what = str(error) if isinstance(error, BrokenRuleError) else f"{type(error).__name__}: {error}"
        trace = "" if isinstance(error, BrokenRuleError) else traceback.format_exc()
        return Failure(seed, what, [number for number, _ in done], world.lies, world.log, trace)
    return None


def shrunk(memory: Memory, failure: Failure, length: int = STEPS_OF_A_HISTORY) -> Failure:
    """The same failure with fewer steps and fewer lies, as far as leaving out one after the other gets."""
    best = failure

    def fails(steps: Sequence[int], lies: frozenset[str]) -> bool:
        nonlocal best
        found = play(memory, failure.seed, length=length, steps=steps, lies=lies)
        if found is None or found.kind != failure.kind:
            return False
        best = found
        return True

    size = len(best.steps)
    while size:
        start = 0
        while start < len(best.steps):
            if not fails(best.steps[:start] + best.steps[start + size :], best.lies):
                start += size
        size = size // 2 if size > 1 or start == 0 else 0
    for lie in sorted(best.lies):
        fails(best.steps, best.lies - {lie})
    for number in list(best.steps):
        fails([one for one in best.steps if one != number], best.lies)
    return best
