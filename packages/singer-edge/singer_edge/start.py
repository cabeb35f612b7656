"""Starting a program: a plugin is imported only when its command runs, and without looking for garbage meanwhile.

An import leaves hardly any, and looking for it is a tenth of the time that a start takes.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from importlib import import_module


def command(module: str, plugin: str) -> Callable[[], None]:
    """The console script of a plugin, by the module and the class that it is."""

    def main() -> None:
        gc.disable()
        try:
            imported = getattr(import_module(module), plugin)
        finally:
            # What was imported stays: it is never looked through.
            gc.freeze()
            gc.enable()
        imported.cli()

    return main
