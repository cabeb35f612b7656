"""How much an API still allows, as its last answer said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

_OUR_TIMES = range(2000, 2200)
"""Years that a clock may be wrong by and still be one."""

_SECONDS = re.compile(r"\d{1,9}(\.\d*)?")
_NUMBER = re.compile(r"\d{1,15}(\.\d*)?")

ResetIs: TypeAlias = Literal["seconds", "milliseconds", "epoch", "epoch_ms"]
"""How an API says when the next period begins: in how many seconds or milliseconds, or at which time since 1970."""


@dataclass(frozen=True)
class RateHeaders:
    """What an API calls the headers by which it tells its limit."""

    limit: str = "X-Rate-Limit-Limit"
    remaining: str = "X-Rate-Limit-Remaining"
    reset: str = "X-Rate-Limit-Reset"
    reset_is: ResetIs = "seconds"


_USUAL = RateHeaders()

LONGEST_PERIOD = 86_400.0
"""Seconds that a limit may be for. What is told to be longer is a time in another unit, and not heeded."""


@dataclass(frozen=True)
class RateLimit:
    """What the headers say: requests allowed in a period, those left, seconds until the next one."""

    limit: int | None
    remaining: int | None
    reset_seconds: float | None


def rate_limit(headers: Mapping[str, str], named: RateHeaders = _USUAL) -> RateLimit | None:
    """Read what the headers of an answer say, None where they say nothing."""
    limit, remaining = (seconds(headers.get(name)) for name in (named.limit, named.remaining))
    reset = _until_reset(headers, named)
    if limit is None and remaining is None and reset is None:
        return None
    return RateLimit(
        limit=None if limit is None else int(limit),
        remaining=None if remaining is None else int(remaining),
        reset_seconds=reset,
    )


def asked_wait(headers: Mapping[str, str], named: RateHeaders = _USUAL) -> float | None:
    """Read the seconds to wait: `Retry-After` (seconds, or a date), else until the next period; None if not said."""
    asked = headers.get("Retry-After")
    wait = seconds(asked)
    if wait is None and asked and (until := http_date(asked)):
        wait = max(0.0, (until - _now(headers)).total_seconds())
    return _until_reset(headers, named) if wait is None else wait


def _until_reset(headers: Mapping[str, str], named: RateHeaders) -> float | None:
    """Seconds until the next period, 0 where it has begun; None where it is not said."""
    text = (headers.get(named.reset) or "").strip()
    if not _NUMBER.fullmatch(text):
        return None
    told = float(text) / (1000 if named.reset_is in ("milliseconds", "epoch_ms") else 1)
    if named.reset_is in ("epoch", "epoch_ms"):
        told = max(0.0, told - _now(headers).timestamp())
    return told if told <= LONGEST_PERIOD else None


def _now(headers: Mapping[str, str]) -> datetime:
    """The time of the server's own clock: ours may be off by more than a wait."""
    return http_date(headers.get("Date")) or datetime.now(timezone.utc)


def seconds(text: str | None) -> float | None:
    """Read a header's whole or decimal number, None where it is none."""
    return float(text) if text and _SECONDS.fullmatch(text := text.strip()) else None


def http_date(text: str | None) -> datetime | None:
    """Read a `Date` header as UTC, None where it is missing or not a date of our times."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
        moment = moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.year in _OUR_TIMES else None
