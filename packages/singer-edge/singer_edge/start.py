"""Starting a program: a plugin is imported only when its command runs, and without looking for garbage meanwhile.

An import leaves hardly any, and looking for it is a tenth of the time that a start takes.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import Any

GARBAGE_AFTER = 20_000
"""New objects before a target looks for garbage. A batch leaves hardly any that is not freed anyway, and looking for it
as often as usual is a tenth of a load's time."""


class Command:
    """The console script of a plugin, by the module and the class that it is."""

    def __init__(self, module: str, plugin: str) -> None:
        self._module = module
        self._plugin = plugin

    def load(self) -> Any:
        """Import the plugin. What was imported stays: it is never looked through."""
        gc.disable()
        try:
            return getattr(import_module(self._module), self._plugin)
        finally:
            gc.freeze()
            gc.enable()

    def __call__(self) -> None:
        """Run it with the arguments of this process.

        With a standard stream missing the next file to be opened, the link store say, would be taken for it.
        """
        for name, stream in (("input", sys.stdin), ("output", sys.stdout), ("error", sys.stderr)):
            if stream is None:
                sys.exit(f"Standard {name} is closed. Give it {os.devnull} where it is not needed.")
        self.load().cli()
