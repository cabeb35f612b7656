"""The two systems, and the two directions between them."""

from __future__ import annotations

import msgspec


class Side(msgspec.Struct, frozen=True):
    """One of the two systems, and how its records tell what every record must tell."""

    name: str
    title: str
    id: str
    """The property that holds the record's id."""
    version: str
    """The property that changes with every edit."""
    modified_at: str
    deleted: str | None
    """The property that marks a tombstone; ``None`` where the system has none."""


CUSTOMCRM = Side("customcrm", "Customcrm", "Id", "UpdatedAt", "UpdatedAt", "Deleted")
TRIPLETEX = Side("tripletex", "Tripletex", "id", "version", "modifiedAt", None)


class Direction(msgspec.Struct, frozen=True):
    """From one system to the other."""

    name: str
    """As the mapper's setting and Meltano's mapping call it."""
    key: str
    """As the tables call it."""
    source: Side
    target: Side


TO_TRIPLETEX = Direction("customcrm-to-tripletex", "to-tripletex", CUSTOMCRM, TRIPLETEX)
TO_CUSTOMCRM = Direction("tripletex-to-customcrm", "to-customcrm", TRIPLETEX, CUSTOMCRM)
DIRECTIONS = (TO_TRIPLETEX, TO_CUSTOMCRM)
