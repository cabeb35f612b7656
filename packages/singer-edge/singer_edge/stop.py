"""Being told to stop by a signal: between two pieces of work, never in the middle of one."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType


class Stop:
    """Guards the work that a signal must not cut in two.

        with stop:
            write(message)

    Args:
        before_leaving: called between the end of the guarded work and the exit, to finish what is still under way.

    """

    def __init__(self, before_leaving: Callable[[], None] = lambda: None) -> None:
        self.before_leaving = before_leaving
        self._depth = 0
        self._exit_code: int | None = None

    def request(self, signum: int) -> None:
        """Take a signal: leave when the guarded work has ended; at once where there is none, or at a second signal.

        Raises:
            SystemExit: with the exit code of a process that this signal ended.

        """
        exit_code = 128 + signum
        if not self._depth or self._exit_code is not None:
            raise SystemExit(exit_code)
        self._exit_code = exit_code

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave where a signal came meanwhile. An error of the work goes before it: it is what has to be told."""
        self._depth -= 1
        if self._exit_code is not None and not self._depth and kind is None:
            self.before_leaving()
            raise SystemExit(self._exit_code)
