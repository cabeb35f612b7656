"""A request as it is sent, the reply as it came back, and the time both may take together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api_transport.answer import decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

_HEADER_VALUE = re.compile(r"(?:[^\s][\t\x20-\x7e\x80-\xff]*)?")


@dataclass(frozen=True)
class Request:
    """One request, ready to be sent any number of times. `path` and `host` are for texts, `url` is not."""

    method: str
    path: str
    host: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    idempotent: bool
    ok: tuple[int, ...]
    read: Callable[[bytes], Any] = decoded
    proxy: str = ""
    """Host and port of the proxy that it goes by, for texts."""
    passing: tuple[int, ...] = ()
    """Statuses by which the API says "not now"."""


@dataclass(frozen=True)
class Reply:
    """What one attempt brought back, not yet judged."""

    status: int
    headers: Mapping[str, str]
    raw: bytes
    sent_at: datetime


class Budget:
    """The seconds that one request may take, with all its attempts and waits.

    Time slept is counted by itself as well: a `sleep` that does not sleep must not make retrying endless.
    """

    def __init__(self, allowed: float, clock: Callable[[], float]) -> None:
        self._allowed = allowed
        self._clock = clock
        self._started = clock()
        self._slept = 0.0

    def left(self, at_most: float | None = None) -> float:
        """Return the seconds left, of the whole or of a smaller allowance."""
        allowed = self._allowed if at_most is None else min(at_most, self._allowed)
        return allowed - max(self._clock() - self._started, self._slept)

    def slept(self, seconds: float) -> None:
        """Count a wait."""
        self._slept += seconds


def unsendable(headers: Mapping[str, str]) -> str | None:
    """Name the first header whose value HTTP cannot carry (a line break, a letter beyond Latin-1), if any."""
    return next((name for name, value in headers.items() if not _HEADER_VALUE.fullmatch(value)), None)
