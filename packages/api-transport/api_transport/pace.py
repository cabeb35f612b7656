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
WIDEST = 64.0
"""Requests at a time where nothing is in the way: more than anybody has."""


class Pace:
    """Lets requests through: all at once while there is plenty, fewer at a time as it runs out, none of the reserve.

    Where the API refuses one all the same (429), others use up what is allowed, or it tells nothing of it: none goes
    out for a while, then half as many at a time, and by and by more again. `sleep` and `clock` are the transport's.
    """

    def __init__(self, sleep: Callable[[float], None], clock: Callable[[], float]) -> None:
        self._sleep = sleep
        self._clock = clock
        self._changed = threading.Condition()
        self._under_way = 0
        self._told: RateLimit | None = None
        self._ends = 0.0
        self._held_until = 0.0
        self._width = WIDEST
        """Requests at a time, by what became of the latest ones."""
        self.waited = 0.0
        """Seconds waited for new periods, and after refusals of others, so far."""

    def note(self, limit: RateLimit) -> None:
        """Take in what an answer says is left."""
        with self._changed:
            self._told = limit
            self._ends = self._clock() + (limit.reset_seconds or 0.0)

    def answered(self) -> None:
        """Take in that a request was let in: after as many as go at a time, one more may."""
        if self._width < WIDEST:
            with self._changed:
                self._width = min(WIDEST, self._width + 1 / self._width)
                self._changed.notify_all()

    def refused(self, seconds: float) -> None:
        """Take in that one was not, and how long whoever sent it waits."""
        with self._changed:
            now = self._clock()
            # The others of the same moment are refused as well, and say nothing new.
            if now >= self._held_until:
                self._width = max(1.0, min(self._width, self._under_way + 1) / HALF)
            self._held_until = max(self._held_until, now + seconds)

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
        heeded = 0.0
        while True:
            with self._changed:
                held = self._held_until
                seconds = held - self._clock()
                if seconds <= 0 or held == heeded:
                    left = self._left()
                    if self._under_way < self._at_a_time(left):
                        self._under_way += 1
                        return
                    if left is None or left > 0 or self._under_way:
                        # An answer makes room, or tells of a new period.
                        self._changed.wait()
                        continue
                    seconds = self._ends - self._clock()
                    self._told = None
                    logger.info("Only the last tenth of what the API allows is left: waiting %.0f s", seconds)
                heeded = held
                self.waited += seconds
            self._sleep(seconds)

    def _left(self) -> int | None:
        """Requests that may still be sent in this period, those under way taken off; None where nothing is known."""
        told = self._told
        if told is None or told.limit is None or told.remaining is None or self._ends <= self._clock():
            return None
        return told.remaining - self._under_way - told.limit // RESERVE

    def _at_a_time(self, left: int | None) -> int:
        width = int(self._width)
        if left is None or self._told is None or self._told.limit is None:
            return width
        plenty = self._told.limit // HALF - self._told.limit // RESERVE
        if left < plenty:
            width = min(width, max(1, AT_A_TIME * left // plenty))
        return min(width, left)
