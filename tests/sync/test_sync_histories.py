"""Random histories that cost little: the real record-sync, with the store and both systems in memory.

Beside test_sync_stateful.py, which has the real clients and HTTP. What fails is told by its seed, made as short as it
gets, with the command that plays it again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from tests.sync.histories.core import Memory
from tests.sync.histories.lies import LIES
from tests.sync.histories.play import ENABLED, Failure, play, shrunk

HISTORIES = int(os.environ.get("SYNC_HISTORIES") or ("400" if os.environ.get("CI") else "160"))
"""In all. `make soak` plays many more."""
FIRST_SEED = int(os.environ.get("SYNC_SEED") or "1")
CHOSEN = frozenset(LIES) if os.environ.get("SYNC_LIES") == "all" else ENABLED
SHARDS = 8
TOLD_AT_MOST = 3
"""Kinds of failures that are made short."""


@pytest.fixture(scope="module")
def memory() -> Iterator[Memory]:
    with Memory.open() as memory:
        yield memory


@pytest.mark.parametrize("shard", range(SHARDS))
def test_cheap_histories_converge_and_lose_nothing(memory: Memory, shard: int) -> None:
    seeds = range(FIRST_SEED + shard, FIRST_SEED + HISTORIES, SHARDS)
    began = time.process_time()
    failures: dict[str, Failure] = {}
    number = 0
    for seed in seeds:
        failure = play(memory, seed, lies=CHOSEN)
        if failure is not None:
            number += 1
            failures.setdefault(failure.kind, failure)
    taken = (time.process_time() - began) / max(1, len(seeds)) * 1000
    print(f"{len(seeds)} histories from seed {seeds.start} on, {taken:.0f} ms of processor time each")
    if failures:
        told = [str(shrunk(memory, one)) for one in list(failures.values())[:TOLD_AT_MOST]]
        pytest.fail("\n\n".join([f"{number} histories fail, in {len(failures)} ways", *told]), pytrace=False)


def test_a_seed_tells_the_whole_history(memory: Memory) -> None:
    one, another = [], []
    for log in (one, another):
        for seed in range(20):
            play(memory, seed, lies=CHOSEN, log=log)
    assert one == another
    assert any("is killed" in line for line in one)
