"""How much an API still allows, as its last answer said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_OUR_TIMES = range(2000, 2200)
"""Years that a clock may be wrong by and still be one."""

_SECONDS = re.compile(r"\d{1,9}(\.\d*)?")


@dataclass(frozen=True)
class RateLimit:
    """The `X-Rate-Limit-*` headers: requests allowed in a period, those left, seconds until the next one."""

    limit: int | None
    remaining: int | None
    reset_seconds: float | None


def rate_limit(headers: Mapping[str, str]) -> RateLimit | None:
    """Read what the headers of an answer say, None where they say nothing."""
    limit, remaining, reset = (seconds(headers.get(f"X-Rate-Limit-{name}")) for name in ("Limit", "Remaining", "Reset"))
    if limit is None and remaining is None and reset is None:
        return None
    return RateLimit(
        limit=None if limit is None else int(limit),
        remaining=None if remaining is None else int(remaining),
        reset_seconds=reset,
    )


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Read the seconds to wait: `Retry-After` (seconds, or a date), else `X-Rate-Limit-Reset`; None if not said."""
    asked = headers.get("Retry-After")
    wait = seconds(asked)
    if wait is None and asked and (until := http_date(asked)):
        # Measured against the server's own clock: ours may be off by more than the wait.
        now = http_date(headers.get("Date")) or datetime.now(timezone.utc)
        wait = max(0.0, (until - now).total_seconds())
    return seconds(headers.get("X-Rate-Limit-Reset")) if wait is None else wait


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
