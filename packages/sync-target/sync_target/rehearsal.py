"""A target's system in a rehearsal."""

from __future__ import annotations

from record_sync.outcome import Waits
from record_sync.rehearsal import RehearsedSystem, Unwritten
from singer_edge.rehearsal import Rehearsal, Write

from sync_target.connected import ConnectedSystem


class RehearsedConnection(RehearsedSystem):
    """Reads over the target's own connection; writes go to the rehearsal's notes."""

    def __init__(self, system: ConnectedSystem, rehearsal: Rehearsal) -> None:
        super().__init__(system, self._keep, deactivates=system.deactivates, refusal=system.refusal)
        self.deactivates = system.deactivates
        self.refusal = system.refusal
        self.address = system.address
        self.resources = system.resources
        self._connection = system
        self._rehearsal = rehearsal

    def _keep(self, unwritten: Unwritten) -> None:
        current = unwritten.current
        self._rehearsal.note(
            Write(
                side=self.side,
                resource=unwritten.resource,
                kind=unwritten.kind,
                id=current.id,
                before=unwritten.before,
                after=unwritten.after,
                version=current.version,
                modified_at="" if current.modified_at is None else current.modified_at.isoformat(),
                record=current.values,
            )
        )

    @property
    def requests(self) -> int:
        """Requests made so far."""
        return self._connection.requests

    @property
    def waits(self) -> Waits:
        """How often and how long it had to be waited for so far."""
        return self._connection.waits
