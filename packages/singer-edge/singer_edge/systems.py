"""Which system a tap reads: told in its STATE, so that a target never takes one system's ids for another's.

    {"bookmarks": {…},
     "systems": {"tripletex": {"identity": "Tripletex company 17 at tripletex.no/v2", "known_by": "…"}}}

Objects all the way down: Meltano merges states of runs that failed key by key. Other targets pass a state on unread.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any


def identity_in(state: Mapping[str, Any], side: str) -> str | None:
    """Which system of a side was read; None where the tap does not say."""
    identity = _told(state, side).get("identity")
    return identity if isinstance(identity, str) else None


def remembered(state: Mapping[str, Any], side: str, asked_with: list[Any], ask: Callable[[], str]) -> dict[str, str]:
    """What STATE says of a system whose identity only the system itself knows.

    It is asked again only where it would be asked with anything else than the last time. Of that, credentials among it,
    the state holds a digest of eight bytes, from which nobody gets them back.
    """
    known_by = blake2b(json.dumps(asked_with).encode(), digest_size=8).hexdigest()
    identity = identity_in(state, side) if _told(state, side).get("known_by") == known_by else None
    return {"identity": ask() if identity is None else identity, "known_by": known_by}


def _told(state: Mapping[str, Any], side: str) -> Mapping[str, Any]:
    systems = state.get("systems")
    told = systems.get(side) if isinstance(systems, dict) else None
    return told if isinstance(told, dict) else {}
