"""Which links' records a complete read brought, and which it did not."""

from __future__ import annotations

from collections.abc import Mapping

from record_sync.agreement import observe_gone
from record_sync.flow import AT_ONCE, Flow
from record_sync.record import ENDED, LIVE, SUSPECT, Link
from record_sync.waiting import Waiting


class Seen:
    """Ids of links or rows, one bit each: a million cost 125 kB."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, link_id: int | None) -> None:
        """This link's record came, or this row's. What is not stored yet has no id, and needs none."""
        byte = (link_id or 0) >> 3
        if byte >= len(self._bits):
            self._bits.extend(bytes(byte + 1024 - len(self._bits)))
        self._bits[byte] |= 1 << ((link_id or 0) & 7)

    def __contains__(self, link_id: int) -> bool:
        byte = link_id >> 3
        return byte < len(self._bits) and bool(self._bits[byte] & 1 << (link_id & 7))


class Presence:
    """Turns absence into suspicion, and suspicion into certainty.

    A record that a complete read did not bring is *suspect*. Only the target that writes to its side can look it up;
    when that target next runs, the record is *gone* or cleared. Nothing is deleted on suspicion.
    """

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self.seen = Seen()
        self.waiting_seen = Seen()
        """The same for the rows of records that wait."""

    def saw(self, links: Mapping[str, Link], waiting: Mapping[str, Waiting]) -> None:
        """The records with these links, and those that wait in these rows, came; what they say does not matter."""
        for link in links.values():
            self.seen.add(link.id)
        for row in waiting.values():
            self.waiting_seen.add(row.id)

    def complete(self, read_began_ms: int) -> int:
        """A complete read of the source has ended: suspect what it did not bring; tells how many.

        Links made after the read began say nothing: their records may be too young for it.
        """
        with self._flow.ledger.transaction() as now:
            number = 0
            for known in now.links.live_before(read_began_ms):
                missing = [link_id for link_id in known if link_id not in self.seen]
                now.links.set_source_state(missing, SUSPECT)
                number += len(missing)
            unseen = now.waiting.unseen(self.waiting_seen.__contains__, read_began_ms)
            links = now.links.of_sources(unseen)
            for record_id in unseen:
                link = links.get(record_id)
                if link is None or link.source.id != record_id or link.state == ENDED:
                    # There is nobody who looks it up: it is gone, and has nothing to wait for.
                    now.waiting.waits_no_longer(record_id)
        return number

    def verify(self) -> None:
        """Look up the target's records that the other line suspects."""
        flow = self._flow
        while True:
            with flow.ledger.reading() as now:
                suspects = now.links.target_suspect(AT_ONCE)
            if not suspects:
                return
            there = flow.target.read([one.target.id for one in suspects])
            with flow.ledger.transaction() as now:
                for link in suspects:
                    if link.target.id in there:
                        link.target.state = LIVE
                    else:
                        observe_gone(link.target, flow.ledger.store.now())
                        now.waiting.remove_of_targets([link.target.id])
                    now.links.save(link)
