"""How fast an API is asked: what it allows is counted for everybody who uses the same token, not for us alone."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from api_transport.rate_limit import RateLimit

logger = logging.getLogger(__name__)

RESERVE = 10
"""One part in so many of a period's requests is never spent: people's own integrations go on working."""
HALF = 2
AT_A_TIME = 8
"""Requests at a time while less than half of a period's requests is left; fewer as these run out."""


class Pace:
    """Lets requests through: all at once while there is plenty, fewer at a time as it runs out, none of the reserve.

    `sleep` and `clock` are the transport's.
    """

    def __init__(self, sleep: Callable[[float], None], clock: Callable[[], float]) -> None:
        self._sleep = sleep
        self._clock = clock
        self._changed = threading.Condition()
        self._under_way = 0
        self._told: RateLimit | None = None
        self._ends = 0.0
        self.waited = 0.0
        """Seconds waited for new periods so far."""

    def note(self, limit: RateLimit) -> None:
        """Take in what an answer says is left."""
        with self._changed:
            self._told = limit
            self._ends = self._clock() + (limit.reset_seconds or 0.0)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until a request may be sent; it is under way until the block ends."""
        self._wait()
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _wait(self) -> None:
        while True:
            with self._changed:
                seconds = self._ends - self._clock()
                left = self._left() if seconds > 0 else None
                if left is None or left > 0:
                    if left is None or self._under_way < self._at_a_time(left):
                        self._under_way += 1
                        return
                    self._changed.wait()
                    continue
                if self._under_way:
                    # Its answer may tell of a new period.
                    self._changed.wait()
                    continue
                self._told = None
                self.waited += seconds
            logger.info("Only the last tenth of the requests that the API allows is left: waiting %.0f s", seconds)
            self._sleep(seconds)

    def _left(self) -> int | None:
        """Requests that may still be sent in this period, those under way taken off; None where nothing is known."""
        told = self._told
        if told is None or told.limit is None or told.remaining is None or not told.reset_seconds:
            return None
        return told.remaining - self._under_way - told.limit // RESERVE

    def _at_a_time(self, left: int) -> int:
        limit = self._told.limit if self._told is not None and self._told.limit else 0
        plenty = limit // HALF - limit // RESERVE
        return left if left >= plenty else max(1, AT_A_TIME * left // max(plenty, 1))
