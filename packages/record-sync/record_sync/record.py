"""What travels: the record that comes in from the source, the record as the target now has it, and the link."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from record_sync.record_id import version_of
from record_sync.values import Value, Values

LIVE = "live"
SUSPECT = "suspect"
"""A complete read did not bring it."""
GONE = "gone"
"""It was looked up, and is not there."""
ENDED = "ended"
"""Of a link: deleted on one side, and passed on by the flow's policy."""
CONTESTED = "contested"
"""Of a link: deleted on one side and edited on the other; a person decides."""


class Base(msgspec.Struct):
    """Fingerprints of one side's synchronised properties, as last agreed there.

    A *provisional* entry stands for a value that was sent but that the answer did not repeat. A firm one is of the
    value as it was read, or as it was sent (:meth:`Fingerprints.of_sent`) where the system may keep that otherwise.
    """

    firm: dict[str, bytes] = msgspec.field(default_factory=dict)
    provisional: dict[str, bytes] = msgspec.field(default_factory=dict)
    record_fingerprint: bytes | None = None
    """Fingerprint of the record as it came in when all that it said was agreed; none once anything else is agreed."""

    def agree(self, path: str, fingerprint: bytes) -> None:
        """Take a value as agreed."""
        self.record_fingerprint = None
        self.firm[path] = fingerprint
        self.provisional.pop(path, None)

    def expect(self, path: str, fingerprint: bytes) -> None:
        """Take a value as sent; the next read says how the system keeps it."""
        self.record_fingerprint = None
        self.provisional[path] = fingerprint
        self.firm.pop(path, None)

    def forget(self, path: str) -> None:
        """Take a value as never agreed."""
        self.record_fingerprint = None
        self.firm.pop(path, None)
        self.provisional.pop(path, None)

    def knows(self, path: str) -> bool:
        """Whether anything was ever agreed on this property."""
        return path in self.firm or path in self.provisional

    def copy(self) -> Base:
        """A base that can be changed without changing this one."""
        return Base(dict(self.firm), dict(self.provisional), self.record_fingerprint)


class LinkSide(msgspec.Struct):
    """One side of a link: which record it is, and how far it was taken into account."""

    id: str
    version: str | None = None
    """Newest version taken into account, our own writes' answers included."""
    own_version: str | None = None
    """The version our newest write resulted in; a record still at it has no later edit."""
    modified_at: datetime | None = None
    edited_at: datetime | None = None
    """When somebody other than us last changed it."""
    written_at: datetime | None = None
    """When we last wrote to it, or found that it is gone, by our own clock."""
    base: Base = msgspec.field(default_factory=Base)
    state: str = LIVE
    """live, suspect or gone"""

    def is_at_own_write(self, version: str | None) -> bool:
        """Whether the record that is now at this version was written by nobody since we did."""
        return version is not None and version == self.own_version

    def edited(self, version: str | None, modified_at: datetime | None) -> datetime | None:
        """When the record that is now at this version was last edited by somebody other than us."""
        return self.edited_at if self.is_at_own_write(version) else modified_at


class Link(msgspec.Struct):
    """A source record and a target record that are one and the same."""

    source: LinkSide
    target: LinkSide
    flow: str
    id: int | None = None
    state: str = LIVE
    """live, ended or contested"""


class RawRecord(msgspec.Struct):
    """A record of the source that was not looked into yet."""

    id: str
    version: Any
    record_fingerprint: bytes
    """Fingerprint of all of it as it came in."""


class SourceRecord(msgspec.Struct):
    """A record of the source, as the mapper sent it."""

    id: str
    version: str | None
    modified_at: datetime | None
    values: Values
    """Target property path to value."""
    source: Values
    """Source property path to raw value."""
    read_at: datetime | None = None
    """When the request that read it was sent."""
    deleted: bool = False
    filtered: bool = False
    record_fingerprint: bytes | None = None
    """Fingerprint of all of it as it came in; none where some of it cannot be written yet."""

    def older_than(self, end: LinkSide) -> bool:
        """Whether this is an earlier state of the record than one already taken into account."""
        if self.version is None or end.version is None or self.version == end.version:
            return False
        if self.version.isdecimal() and end.version.isdecimal():
            return int(self.version) < int(end.version)
        if self.modified_at is None or end.modified_at is None:
            return False
        return self.modified_at < end.modified_at


def incoming_of(stored: bytes) -> SourceRecord:
    """A record as the store holds it. Earlier releases stored a version that is not a text as it came."""
    try:
        return msgspec.json.decode(stored, type=SourceRecord)
    except msgspec.ValidationError:
        content = msgspec.json.decode(stored)
        return msgspec.convert({**content, "version": version_of(content["version"])}, SourceRecord)


class TargetRecord(msgspec.Struct):
    """A record of the target, as just read or answered. Paths the answer leaves out are unknown."""

    id: str
    version: str | None
    modified_at: datetime | None
    values: Values
    created_at: datetime | None = None
    handle: Any = None
    """What the target system needs to write it again (an ETag, ids of sub-objects)."""

    def get(self, path: str) -> Value:
        """The value at a path; a property the system does not have has no value."""
        return self.values.get(path)
