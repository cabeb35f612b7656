"""Fixtures for tests of what an operator sees.

pytest_plugins = ["dataflow_operator.testing.fixtures"]

def test_something(world, dataflow):
    world.crm.put("customer", "c1", Name="Fjord AS")
    world.cycle()
    assert dataflow("links", "--json").told["total"] == 1
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dataflow_operator.testing.world import Said, World, say_to


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Both systems, and a store on SQLite."""
    return World(f"sqlite:///{tmp_path}/links.db")


@pytest.fixture
def dataflow(world: World) -> Callable[..., Said]:
    """The command, on the world's store."""
    return lambda *arguments, answer=None: say_to(world.url, *arguments, answer=answer)
