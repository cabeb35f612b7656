"""The changes since a moment: what is asked for, and what is left out here because the CRM cannot be asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from customcrm_client.list_request import ListRequest, laid_over
from customcrm_client.profile import Stream
from customcrm_client.profile_reading import Increments, Params
from customcrm_client.records import Record
from customcrm_client.schema import UPDATED_AT
from customcrm_client.templates import names_in
from customcrm_client.times import asked_as, moment_of

TAP_LOOKS_BACK = dt.timedelta(minutes=5)
"""What every read of changes looks back already."""


def changes(
    stream: Stream, base: ListRequest, since: dt.datetime | None, *, goes_on: bool = False
) -> list[ListRequest]:
    """Each list that has to be asked for, to have all changes since a moment (None: everything).

    One that `goes_on` from the newest change of the list before it does not look back once more.
    """
    increments = stream.read.increments
    if increments is None:
        return [base]
    if since is None:
        return [base.with_params(increments.sort)]
    asked = {"since": asked_at(stream, increments, since, looks_back=not goes_on)}
    together: tuple[Params, ...] = increments.params or ({},)
    return [laid_over(increments, base, {**one, **increments.sort}).filled(asked) for one in together]


def asked_at(stream: Stream, increments: Increments, since: dt.datetime, *, looks_back: bool = True) -> str | int:
    """What `{since}` is."""
    further = dt.timedelta(seconds=increments.look_back) - TAP_LOOKS_BACK
    look_back = max(dt.timedelta(0), further) if looks_back else dt.timedelta(0)
    return asked_as(since - look_back, increments.format, inclusive=increments.inclusive, zone=stream.timezone)


def asks_since(increments: Increments) -> bool:
    """Whether the CRM is asked for changes at all."""
    return "since" in set(names_in([increments.path, list(increments.params), increments.headers, increments.body]))


def newer(stream: Stream, since: dt.datetime | None) -> Callable[[Record], bool] | None:
    """Whether a record has changed since, where the CRM cannot be asked for that; None where it can.

    A record that does not tell when it changed has to be taken.
    """
    increments = stream.read.increments
    if since is None or increments is None or asks_since(increments):
        return None
    return lambda record: is_newer(record, since)


def is_newer(record: Record, since: dt.datetime) -> bool:
    """Whether a record changed at that moment or later, or does not tell."""
    changed = moment_of(record.get(UPDATED_AT))
    return changed is None or changed >= since
