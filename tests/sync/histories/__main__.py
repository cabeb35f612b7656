"""Play histories from the command line.

python -m tests.sync.histories 42                plays the history of a seed, and makes it short where it fails
python -m tests.sync.histories 1 --number 1000   plays so many, and tells each kind of failure once
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

from tests.sync.histories.core import Memory
from tests.sync.histories.lies import LIES
from tests.sync.histories.play import ENABLED, STEPS_OF_A_HISTORY, play, shrunk


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sync.histories", description="Random histories of a sync.")
    parser.add_argument("seed", type=int)
    parser.add_argument("--number", type=int, default=1, help="histories, from this seed on")
    parser.add_argument("--length", type=int, default=STEPS_OF_A_HISTORY, help="steps of each")
    parser.add_argument("--steps", help="only these steps, by their numbers")
    parser.add_argument("--lies", help="only these, or: all")
    parser.add_argument("--whole", action="store_true", help="do not make failures short")
    asked = parser.parse_args()
    lies = (
        frozenset(LIES) if asked.lies == "all" else ENABLED if asked.lies is None else frozenset(asked.lies.split(","))
    )
    steps = None if asked.steps is None else [int(one) for one in asked.steps.split(",") if one]
    kinds: Counter[str] = Counter()
    taken = 0.0
    with Memory.open() as memory:
        for seed in range(asked.seed, asked.seed + asked.number):
            began = time.process_time()
            failure = play(memory, seed, length=asked.length, steps=steps, lies=lies)
            taken += time.process_time() - began
            if (seed + 1 - asked.seed) % 500 == 0:
                print(f"up to seed {seed}: {sum(kinds.values())} fail", flush=True)
            if failure is None:
                continue
            kinds[failure.kind] += 1
            if kinds[failure.kind] == 1:
                print(failure if asked.whole else shrunk(memory, failure, asked.length), end="\n\n", flush=True)
    for kind, times in kinds.most_common():
        print(f"{times} times: {kind}")
    each = taken / asked.number * 1000
    print(f"{asked.number} histories, {sum(kinds.values())} fail, {each:.1f} ms of processor time each")
    return bool(kinds)


if __name__ == "__main__":
    raise SystemExit(main())
