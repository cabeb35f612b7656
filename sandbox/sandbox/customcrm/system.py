"""The Customcrm of this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.customcrm.app import customcrm_app
from sandbox.customcrm.register import Register
from sandbox.customcrm.resources import Held, resource_named
from sandbox.system import Record, System


class Customcrm(System):
    """A CRM that speaks the reference contract; resources may be named in singular or plural."""

    name = "customcrm"
    path_prefix = "/api/v1"
    api_key = "sandbox-api-key"

    def __init__(self, path: Path | None = None) -> None:
        super().__init__()
        self.register = Register(self.clock, path)
        self.app = customcrm_app(self)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """User-like operations inside are kept together or not at all."""
        with self.lock, self.register.store.transaction():
            yield

    def create(self, resource: str, /, **values: Any) -> Record:
        """Make a record as a user would; an `Id` given is taken. Raises CustomcrmRefusal."""
        record_id = values.pop("Id", None)
        with self.lock:
            return dict(self.register.create(resource_named(resource), values, record_id).record)

    def edit(self, resource: str, record_id: Any, /, **values: Any) -> Record:
        """Change a record as a user would. Raises CustomcrmRefusal."""
        kind = resource_named(resource)
        with self.lock:
            return dict(self.register.update(kind, self.register.live(kind, record_id), values).record)

    def remove(self, resource: str, record_id: Any, /) -> None:
        """Delete a record as a user would; its tombstone stays. Raises CustomcrmRefusal."""
        kind = resource_named(resource)
        with self.lock:
            self.register.delete(kind, self.register.live(kind, record_id))

    def get(self, resource: str, record_id: Any, /) -> Record | None:
        """One record, a tombstone too, or None."""
        with self.lock:
            held: Held | None = self.register.tables[resource_named(resource).name].rows.get(record_id)
        return None if held is None else dict(held.record)

    def all(self, resource: str, /, *, include_deleted: bool = False) -> list[Record]:
        """All records in the order in which they were made."""
        with self.lock:
            rows = list(self.register.tables[resource_named(resource).name].rows.values())
        return [dict(held.record) for held in rows if include_deleted or not held.record["Deleted"]]

    def count(self, resource: str, /) -> int:
        """How many records of a resource there are, tombstones included."""
        with self.lock:
            return len(self.register.tables[resource_named(resource).name].rows)

    def clear(self) -> None:
        """Empty the system."""
        with self.lock:
            super().clear()
            self.register.clock = self.clock
            self.register.normalise = None
            self.register.store.clear()

    def close(self) -> None:
        """Close the file behind it."""
        super().close()
        with self.lock:
            self.register.store.close()
