"""Talking to Tripletex: session tokens, fields, paging, checksum, rate limit, errors, writes.

The names below are loaded when they are first used, so that `tripletex_client.schema` and `tripletex_client.fields`
can be had without the HTTP library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tripletex_client.changes import created_at, modified_at
    from tripletex_client.client import TripletexClient, WhoAmI
    from tripletex_client.clock import to_local_for_changed_since, to_utc
    from tripletex_client.countries import Countries
    from tripletex_client.paging import Page

__all__ = [
    "Countries",
    "Page",
    "TripletexClient",
    "WhoAmI",
    "created_at",
    "modified_at",
    "to_local_for_changed_since",
    "to_utc",
]

_HOMES = {
    "Countries": "countries",
    "Page": "paging",
    "TripletexClient": "client",
    "WhoAmI": "client",
    "created_at": "changes",
    "modified_at": "changes",
    "to_local_for_changed_since": "clock",
    "to_utc": "clock",
}

if not TYPE_CHECKING:  # a wrong name stays an error for the type checker

    def __getattr__(name: str) -> object:
        if name in _HOMES:
            return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
