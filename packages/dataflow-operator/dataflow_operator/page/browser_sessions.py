"""Who may see the page, and which forms are ours."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

import msgspec

Kept = TypeVar("Kept")

LASTS_S = 12 * 60 * 60
"""So long after the token was given it has to be given again."""
SHORTEST_TOKEN = 16
_MOST = 1000
"""Visits that are remembered; the oldest go first."""


class Notice(msgspec.Struct, frozen=True):
    """What came of an action, told once on the next page."""

    lines: list[str]
    done: bool
    """Or it could not be done."""


class Visits:
    """The browsers that came by, each known by a random id in a cookie.

    Args:
        token: what has to be given once by each; None where everybody may see the page.
        now: a clock, in seconds.
    """

    def __init__(self, token: str | None, now: Callable[[], float] = time.monotonic) -> None:
        self._token = token
        self._now = now
        self._key = secrets.token_bytes(32)
        self._entered: OrderedDict[str, float] = OrderedDict()
        self._notices: OrderedDict[str, Notice] = OrderedDict()

    @property
    def asks(self) -> bool:
        """Whether the token has to be given."""
        return self._token is not None

    def new(self) -> str:
        """A visit that begins."""
        return secrets.token_urlsafe(24)

    def may_see(self, visit: str) -> bool:
        """Whether this visit gave the token, or needs none."""
        return not self.asks or self._entered.get(visit, 0) > self._now()

    def enter(self, token: str) -> str | None:
        """A visit that gave the token, under an id that nobody knew before; None where it is another token."""
        if self._token is None or not hmac.compare_digest(token.encode(), self._token.encode()):
            return None
        visit = self.new()
        _keep(self._entered, visit, self._now() + LASTS_S)
        return visit

    def leave(self, visit: str) -> None:
        """A visit ends: its cookie is worth nothing any more."""
        self._entered.pop(visit, None)
        self._notices.pop(visit, None)

    def form_token(self, visit: str) -> str:
        """What a form of ours carries, and no other page can know."""
        return hmac.new(self._key, visit.encode(), hashlib.sha256).hexdigest()

    def is_ours(self, visit: str, form_token: str) -> bool:
        """Whether a form was made by this page for this visit."""
        return hmac.compare_digest(form_token.encode(), self.form_token(visit).encode())

    def tell(self, visit: str, notice: Notice) -> None:
        """Keep what the visit's next page is to say."""
        _keep(self._notices, visit, notice)

    def told(self, visit: str) -> Notice | None:
        """What is to be said now; it is said once."""
        return self._notices.pop(visit, None)


def _keep(kept: OrderedDict[str, Kept], key: str, value: Kept) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > _MOST:
        kept.popitem(last=False)
