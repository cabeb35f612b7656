"""Time as one system sees it: injectable, and off from everybody else's where a test wants that."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone


def utc_now() -> datetime:
    """The machine's time, in UTC."""
    return datetime.now(timezone.utc)


class Clock:
    """A system's own clock.

    `source` says what time it really is, `offset` how far this system is off from it; both may be set at any time.
    """

    def __init__(self, source: Callable[[], datetime] = utc_now) -> None:
        self.source = source
        self.offset = timedelta()

    def now(self) -> datetime:
        """This system's idea of the time, in UTC."""
        return self.source() + self.offset

    def freeze(self, at: datetime | None = None) -> None:
        """Stop the clock, at `at` (with a zone) or where it stands."""
        moment = (at or self.now()).astimezone(timezone.utc) - self.offset
        self.source = lambda: moment

    def run(self) -> None:
        """Let the clock follow the machine's time again; the offset stays."""
        self.source = utc_now

    def advance(self, step: timedelta) -> None:
        """Move the clock by `step`, whether it runs or stands."""
        before = self.source
        self.source = lambda: before() + step

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Do something at another time, as when records of last year are made today."""
        before = self.source, self.offset
        self.offset = timedelta()
        self.freeze(moment)
        try:
            yield
        finally:
            self.source, self.offset = before
