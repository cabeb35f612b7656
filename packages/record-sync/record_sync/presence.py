"""Which links' records a complete read brought, and which it did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from record_sync.record import GONE, LIVE, SUSPECT

if TYPE_CHECKING:
    from record_sync.flow_sync import FlowSync

AT_ONCE = 1000
"""Suspects that are looked up together."""


class Seen:
    """Ids of links, one bit each: a million cost 125 kB."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, link_id: int) -> None:
        """This link's record came."""
        byte = link_id >> 3
        if byte >= len(self._bits):
            self._bits.extend(bytes(byte + 1024 - len(self._bits)))
        self._bits[byte] |= 1 << (link_id & 7)

    def __contains__(self, link_id: int) -> bool:
        byte = link_id >> 3
        return byte < len(self._bits) and bool(self._bits[byte] & 1 << (link_id & 7))


class Presence:
    """Turns absence into suspicion, and suspicion into certainty.

    A record that a complete read did not bring is *suspect*. Only the target that writes to its side can look it up;
    when that target next runs, the record is *gone* or cleared. Nothing is deleted on suspicion.
    """

    def __init__(self, flow: FlowSync) -> None:
        self._flow = flow
        self.seen = Seen()
        self.waiting_seen = Seen()
        """The same for the rows of records that wait."""

    def complete(self, read_began_ms: int) -> int:
        """A complete read of the source has ended: suspect what it did not bring; tells how many.

        Links made after the read began say nothing: their records may be too young for it.
        """
        flow = self._flow
        with flow.store.begin() as connection:
            number = 0
            for known in flow.links.live_before(connection, read_began_ms):
                missing = [link_id for link_id in known if link_id not in self.seen]
                flow.links.set_source_state(connection, missing, SUSPECT)
                number += len(missing)
            flow.waiting.forget_unseen(connection, self.waiting_seen.__contains__, read_began_ms)
        return number

    def verify(self) -> None:
        """Look up the target's records that the other line suspects."""
        flow = self._flow
        while True:
            with flow.store.reading() as connection:
                suspects = flow.links.target_suspect(connection, AT_ONCE)
            if not suspects:
                return
            there = flow.system.read(flow.rules.target_resource, [one.target.id for one in suspects], flow.rules.paths)
            for link in suspects:
                link.target.state = LIVE if link.target.id in there else GONE
            with flow.store.begin() as connection:
                flow.links.save(connection, suspects)
