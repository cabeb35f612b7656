"""What one transaction says of many records: gathered while it goes through them, sent in sets at its end.

A statement a record would cost more than all else that is done for it.
"""

from __future__ import annotations

import sqlalchemy as sa

from record_sync.record import Link
from record_sync.store.conflicts import Conflicts
from record_sync.store.links import Links
from record_sync.store.waiting import Waiting, WaitingRecords


class Batch:
    """The changes of one transaction on one flow."""

    def __init__(self, connection: sa.Connection, links: Links, waiting: WaitingRecords, conflicts: Conflicts) -> None:
        self.connection = connection
        self._links = links
        self._waiting = waiting
        self._conflicts = conflicts
        self._new: list[Link] = []
        self._changed: dict[int, Link] = {}
        self._agreed: set[tuple[int, str]] = set()
        self._done: list[str] = []
        self._no_longer_waiting: list[str] = []
        self._kept_out: list[str] = []
        self._waits: list[Waiting] = []

    def add(self, link: Link) -> None:
        """A new link; it has its id when the transaction has ended."""
        self._new.append(link)

    def save(self, link: Link) -> None:
        """What changed on a link; its ids are changed by renaming alone."""
        self._changed[link.id or 0] = link

    def settle(self, link: Link, unit: str) -> None:
        """Both sides say the same on a unit now."""
        self._agreed.add((link.id or 0, unit))

    def done(self, record_id: str) -> None:
        """This source record is where it should be: it waits for nothing, and no filter keeps it out."""
        self._done.append(record_id)

    def wait(self, waiting: Waiting) -> None:
        """This source record is kept for later."""
        self._waits.append(waiting)

    def waits_no_longer(self, record_id: str) -> None:
        """Whatever this source record waited for, it does so no longer."""
        self._no_longer_waiting.append(record_id)

    def keep_out(self, record_id: str) -> None:
        """This source record is not carried over; it waits for nothing, and nothing waits for it."""
        self._kept_out.append(record_id)

    def send(self) -> None:
        """Send all of it."""
        connection = self.connection
        self._links.add(connection, self._new)
        self._links.save(connection, self._changed.values())
        self._conflicts.settle(connection, self._agreed)
        self._waiting.put(connection, self._waits)
        self._waiting.exclude(connection, self._kept_out)
        self._waiting.include(connection, self._done)
        self._waiting.remove(connection, [*self._done, *self._no_longer_waiting, *self._kept_out])
