"""Customcrm's records and the rules by which they are written."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from sandbox.clock import Clock
from sandbox.customcrm.refusal import CustomcrmRefusal
from sandbox.customcrm.resources import RESOURCES, SERVER_OWNED, Held, Resource
from sandbox.store import Store, Table

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def stamp_text(milliseconds: int) -> str:
    """Milliseconds since 1970 as the contract writes times: RFC 3339, UTC, milliseconds."""
    moment = EPOCH + timedelta(milliseconds=milliseconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def _index(name: str) -> Any:
    return lambda held: held.record[name]


Normalise = Callable[[str, str, str], str]


class Register:
    """All records; whoever calls holds the system's lock.

    `normalise(stream, property, text)` is what the server makes of a text it is sent.
    """

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self.clock = clock
        self.normalise: Normalise | None = None
        self.tables: dict[str, Table[Held]] = {
            resource.name: Table(
                Held,
                {name: _index(name) for name in resource.filters if name != "Id"},
                order=lambda held: (held.record["UpdatedAt"], held.record["Id"]),
            )
            for resource in RESOURCES.values()
        }
        self.store = Store(self.tables, path)

    def live(self, resource: Resource, record_id: str) -> Held:
        """The record, which must exist and not be deleted. Raises CustomcrmRefusal 404."""
        held = self.tables[resource.name].rows.get(record_id)
        if held is None or held.record["Deleted"]:
            raise CustomcrmRefusal(404, ("Id", f"There is no {resource.stream} {record_id!r}"))
        return held

    def create(self, resource: Resource, values: Mapping[str, Any], record_id: str | None = None) -> Held:
        """Make a record. Raises CustomcrmRefusal 422."""
        blank = dict.fromkeys(resource.properties)
        record = self._checked(resource, blank, values)
        with self.store.transaction():
            if record_id is None:
                record_id = f"{resource.id_prefix}{self.store.next(resource.name, 1)}"
            if record_id in self.tables[resource.name].rows:
                raise CustomcrmRefusal(409, ("Id", f"{record_id!r} is taken"))
            stamp = self._stamp(None)
            record = {"Id": record_id, "CreatedAt": stamp, "UpdatedAt": stamp, "Deleted": False, **record}
            return self._put(resource, Held(record, 1))

    def update(self, resource: Resource, held: Held, values: Mapping[str, Any]) -> Held:
        """Change the properties named in `values`. Raises CustomcrmRefusal 422."""
        record = self._checked(resource, held.record, values)
        with self.store.transaction():
            record["UpdatedAt"] = self._stamp(held)
            return self._put(resource, Held(record, held.revision + 1))

    def delete(self, resource: Resource, held: Held) -> None:
        """Make a tombstone of a record."""
        with self.store.transaction():
            record = {**held.record, "Deleted": True, "UpdatedAt": self._stamp(held)}
            self._put(resource, Held(record, held.revision + 1))

    def _put(self, resource: Resource, held: Held) -> Held:
        self.tables[resource.name].put(held)
        return held

    def _stamp(self, held: Held | None) -> str:
        """A time that never goes back, and moves on with each change of one record.

        Records changed within one millisecond do share a stamp, as they do in real systems.
        """
        now = (self.clock.now() - EPOCH) // timedelta(milliseconds=1)
        newest = self.store.counters.get("newest stamp", 0)
        now = max(now, newest)
        if held is not None and held.record["UpdatedAt"] >= stamp_text(now):
            now += 1
        self.store.counters["newest stamp"] = now
        return stamp_text(now)

    def _checked(self, resource: Resource, before: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """The record as it would be. Raises CustomcrmRefusal 422, naming every fault."""
        errors = [fault for name, value in values.items() if (fault := self._fault(resource, name, value, before))]
        if self.normalise is not None:
            values = {
                name: self.normalise(resource.stream, name, value) if isinstance(value, str) else value
                for name, value in values.items()
            }
        after = {**before, **values}
        if not errors and not any((after[name] or "").strip() for name in resource.one_of):
            what = "is required" if len(resource.one_of) == 1 else f"or {resource.one_of[1]} is required"
            errors.append((resource.one_of[0], what))
        if errors:
            raise CustomcrmRefusal(422, *errors)
        return after

    def _fault(self, resource: Resource, name: str, value: Any, before: Mapping[str, Any]) -> tuple[str, str] | None:
        if name in SERVER_OWNED:
            return name, "is set by the server"
        kind = resource.properties.get(name)
        if kind is None:
            return name, "is unknown"
        if value is None:
            return None
        types = str if kind == "string" else (int, float)
        if isinstance(value, bool) or not isinstance(value, types):
            return name, f"must be a {kind} or null"
        if name == "CustomerId" and value != before.get(name):
            customer = self.tables["customers"].rows.get(value)
            if customer is None or customer.record["Deleted"]:
                return name, "names no customer"
        return None
