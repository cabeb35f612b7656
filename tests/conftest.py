"""Both systems on this machine and the project's own pipeline between them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox.lines import Lines, Starter

import sandbox


@pytest.fixture
def systems() -> Iterator[sandbox.Systems]:
    """A Customcrm and a Tripletex that hold nothing yet. What Tripletex tolerates nobody here may send."""
    with sandbox.running("empty") as systems:
        yield systems
        assert systems.tripletex.tolerated == []


@pytest.fixture
def lines(systems: sandbox.Systems, tmp_path: Path, starter: Starter, pytestconfig: pytest.Config) -> Lines:
    """Both lines between the two systems, with a link store and states of their own."""
    return Lines(systems, tmp_path, starter, pytestconfig.rootpath)
