"""What Tripletex keeps of an object."""

from datetime import datetime
from typing import Any

import msgspec

from sandbox.tripletex.types import PATHS

KEPT_CHANGES = 20


class Change(msgspec.Struct, frozen=True):
    """Who changed an object when; the time is Norwegian local time, and how far that was off from UTC."""

    timestamp: str
    employee_id: int
    change_type: str
    offset: str = "+0100"

    def as_json(self, *, offset: bool = False) -> dict[str, Any]:
        """As the API tells it, without the offset or with it."""
        zone = f"{self.offset[:3]}:{self.offset[3:]}" if offset else ""
        return {"employeeId": self.employee_id, "timestamp": self.timestamp + zone, "changeType": self.change_type}


class Row(msgspec.Struct, frozen=True):
    """An object: its plain values, the ids of what it refers to, its version and changes."""

    id: int
    type_name: str
    version: int
    values: dict[str, Any]
    refs: dict[str, int | None]
    changes: tuple[Change, ...] = ()

    @property
    def key(self) -> int:
        """What the row is found by."""
        return self.id

    @property
    def changed(self) -> str:
        """The newest change's time, empty where there was none."""
        return self.changes[-1].timestamp if self.changes else ""

    def revised(self, values: dict[str, Any], refs: dict[str, int | None], change: Change) -> "Row":
        """The object after a change: the next version. CREATE and the last changes are remembered."""
        changes = (*self.changes, change)
        if len(changes) > KEPT_CHANGES:
            changes = (changes[0], *changes[2:])
        return msgspec.structs.replace(self, version=self.version + 1, values=values, refs=refs, changes=changes)


def url_of(host: str, type_name: str, object_id: int) -> str:
    """An object's address as the API writes it: without a scheme."""
    return f"{host}/v2/{PATHS.get(type_name, type_name)}/{object_id}"


def wall_time(moment: datetime) -> str:
    """A local time as `changes` shows it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}"
