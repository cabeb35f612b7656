"""The changes since a moment: what is asked for, and what is left out here because the CRM cannot be asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec

from customcrm_client.profile import Stream
from customcrm_client.records import Record
from customcrm_client.schema import UPDATED_AT
from customcrm_client.templates import filled
from customcrm_client.times import asked_as

TAP_LOOKS_BACK = dt.timedelta(minutes=5)
"""What every read of changes looks back already."""


def queries(stream: Stream, since: dt.datetime | None) -> list[dict[str, Any]]:
    """The parameters of each list that has to be asked for, to have all changes since a moment (None: everything)."""
    increments = stream.read.increments
    if increments is None:
        return [{}]
    if since is None:
        return [dict(increments.sort)]
    look_back = max(dt.timedelta(0), dt.timedelta(seconds=increments.look_back) - TAP_LOOKS_BACK)
    asked = asked_as(since - look_back, increments.format, inclusive=increments.inclusive, zone=stream.timezone)
    return [{**filled(params, {"since": asked}), **increments.sort} for params in increments.params or ({},)]


def newer(stream: Stream, since: dt.datetime | None) -> Callable[[Record], bool] | None:
    """Whether a record has changed since, where the CRM cannot be asked for that; None where it can.

    A record that does not tell when it changed has to be taken.
    """
    increments = stream.read.increments
    if since is None or increments is None or increments.params:
        return None
    return lambda record: is_newer(record, since)


def is_newer(record: Record, since: dt.datetime) -> bool:
    """Whether a record changed at that moment or later, or does not tell."""
    changed = moment_of(record.get(UPDATED_AT))
    return changed is None or changed >= since


def moment_of(text: Any) -> dt.datetime | None:
    """The moment that a record tells, in UTC; None where it tells none."""
    try:
        moment: dt.datetime = msgspec.convert(text, dt.datetime)
        return moment.replace(tzinfo=dt.timezone.utc) if moment.tzinfo is None else moment.astimezone(dt.timezone.utc)
    except (msgspec.ValidationError, OverflowError):
        return None
