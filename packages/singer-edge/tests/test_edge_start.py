"""What a console script does before its plugin runs."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from singer_edge.start import Command


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    """The tests' own process goes on after a start."""
    yield
    gc.unfreeze()


def test_a_plugin_runs_with_garbage_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    collecting = []

    class Plugin:
        @staticmethod
        def cli() -> None:
            collecting.append(gc.isenabled())

    module = ModuleType("started")
    module.Plugin = Plugin  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "started", module)
    Command("started", "Plugin")()
    assert collecting == [True]


def test_a_plugin_that_cannot_be_imported_leaves_all_as_it_was() -> None:
    with pytest.raises(ModuleNotFoundError):
        Command("no_such_module", "Plugin")()
    assert gc.isenabled()
