"""Both systems in memory, for the tests of record-sync."""

from pathlib import Path

import pytest
from record_sync.testing.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Both systems, holding nothing yet, over a store on SQLite."""
    return World(f"sqlite:///{tmp_path}/links.db")


@pytest.fixture
def pair(world: World) -> str:
    """A customer on both sides, c1 in the CRM, in step; its id in Tripletex."""
    world.crm.put("customer", "c1", Name="A", Email="a@example.no")
    world.settle()
    (tripletex_id,) = world.tripletex.all("customer")
    return tripletex_id
