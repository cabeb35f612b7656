"""What the structs of the profile's format are made of: keys that say what they mean."""

from __future__ import annotations

import msgspec
from msgspec import Meta


def described(description: str) -> Meta:
    """What docs/profiles.md says of a key."""
    return Meta(description=description)


class Described(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the format."""
