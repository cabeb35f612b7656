"""A rehearsal: the plug-ins run as always, and write to neither system (`dataflow plan`).

Whoever starts one names a folder in the environment variable :data:`REHEARSAL`. In it lie a copy of the link store,
which is used in place of the real one, and for each side what would have been written there. The second line of a
cycle reads the system that the first one did not write to; what it would find is told by these notes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from singer_edge.errors import RunFailed

REHEARSAL = "DATAFLOW_REHEARSAL"
"""The environment variable. It is no setting: a project whose settings lack it must not write in earnest."""

CREATE = "create"
UPDATE = "update"
DEACTIVATE = "deactivate"
DELETE = "delete"
RESTORE = "restore"


class Write(msgspec.Struct, frozen=True):
    """A write that was not made."""

    side: str
    resource: str
    kind: str
    id: str
    """Of a record that would be created: made up, such as no system gives."""
    before: dict[str, Any]
    """Property to the value that would be overwritten."""
    after: dict[str, Any]
    """Property to the value that would be written."""
    version: str | None
    """The version that the record would have then, and the time of its change: made up, but told alike everywhere."""
    modified_at: str
    record: dict[str, Any]
    """Property to value: all that is known of the record as it would be."""


class Rehearsal:
    """What one rehearsal keeps, in a folder that only its owner can read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def asked(cls, environment: Mapping[str, str] = os.environ) -> Rehearsal | None:
        """The rehearsal that this process is part of; None where it is to work in earnest.

        Raises:
            RunFailed: its folder is not there.

        """
        name = environment.get(REHEARSAL)
        if not name:
            return None
        if not Path(name).is_dir():
            raise RunFailed(f"The folder that {REHEARSAL} names is not there, so nothing can be rehearsed: {name}")
        return cls(Path(name))

    @property
    def links_url(self) -> str:
        """The copy of the link store."""
        return f"sqlite:///{self.folder / 'links.db'}"

    def note(self, write: Write) -> None:
        """Keep a write that was not made."""
        line = json.dumps(msgspec.to_builtins(write, enc_hook=_plain), default=_plain)
        descriptor = os.open(self._notes(write.side), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as notes:
            notes.write(f"{line}\n")

    def writes(self, side: str) -> Iterator[Write]:
        """What would have been written to a side, in its order."""
        notes = self._notes(side)
        if notes.exists():
            with notes.open(encoding="ascii") as lines:
                for line in lines:
                    yield msgspec.convert(json.loads(line), Write)

    def _notes(self, side: str) -> Path:
        return self.folder / f"{side}.jsonl"


def _plain(value: Any) -> Any:
    return float(value) if hasattr(value, "as_integer_ratio") else str(value)
