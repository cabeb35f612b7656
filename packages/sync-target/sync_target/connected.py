"""What a target needs of its system beyond writing to it."""

from __future__ import annotations

from typing import Protocol

from record_sync.outcome import Waits
from record_sync.system import TargetSystem
from record_sync.values import Values


class ConnectedSystem(TargetSystem, Protocol):
    """A system that is written to over HTTP."""

    @property
    def requests(self) -> int:
        """Requests made so far."""
        ...

    @property
    def waits(self) -> Waits:
        """How often and how long it had to be waited for so far."""
        ...

    @property
    def deactivates(self) -> bool:
        """Whether it knows inactive records, which can be made active again."""
        ...

    def refusal(self, resource: str, values: Values) -> str | None:
        """Why these values would be refused without asking the system; None where it would be asked."""
        ...

    @property
    def address(self) -> str:
        """How its stamp ends: what of it is known without asking the system."""
        ...

    @property
    def resources(self) -> tuple[str, ...]:
        """The resources that can be written."""
        ...
