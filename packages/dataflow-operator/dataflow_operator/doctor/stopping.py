"""Being told to stop: between two requests, so that of none it is unknown whether it was carried out."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stopping:
    """Takes over the signals that end a program until the block ends.

    The first is heeded before the next request, a second at once; while it is `undisturbed` none is.
    """

    def __init__(self) -> None:
        self._asked = False
        self._undisturbed = False
        self._kept: dict[int, Any] = {}

    def __enter__(self) -> Stopping:
        if threading.current_thread() is threading.main_thread():
            self._kept = {one: signal.signal(one, self._ask) for one in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for one, handler in self._kept.items():
            with suppress(TypeError):  # a handler that was not set from Python
                signal.signal(one, handler)

    def check(self) -> None:
        """Raise KeyboardInterrupt where it is to stop."""
        if self._asked and not self._undisturbed:
            raise KeyboardInterrupt

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Clean up, which nothing keeps it from."""
        self._undisturbed = True
        try:
            yield
        finally:
            self._undisturbed = False

    def ask(self) -> None:
        """Stop before the next request."""
        self._asked = True

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked and not self._undisturbed:
            raise KeyboardInterrupt
        self.ask()
