"""Streams of any other tap, loaded as by an ordinary Singer target: by id, by a look-up key, or created."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from record_sync.canonical import same
from record_sync.record import Current
from record_sync.system import CreateRequest, Refused, Result, UpdateRequest, Written
from record_sync.values import Values
from singer_edge.errors import RunFailed
from singer_sdk.sinks import BatchSink

if TYPE_CHECKING:
    from sync_target.target import SyncTarget

ID_NAMES = ("id", "Id")


class OrdinarySink(BatchSink):
    """Writes records without a link store. A refused record ends the run, since nothing here could keep it."""

    max_size = 100

    @property
    def _target(self) -> SyncTarget:
        return self.__target

    def __init__(self, target: SyncTarget, stream_name: str, schema: dict[str, Any], key_properties: Any) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self.__target = target
        self._paths = frozenset(_leaf_paths(schema.get("properties", {}), ""))

    def setup(self) -> None:
        """Refuse a stream that the system has no resource for."""
        resources = self._target.system.resources
        if self.stream_name not in resources:
            raise RunFailed(
                f"Stream {self.stream_name!r} cannot be loaded: {self._target.name} knows {', '.join(resources)}. "
                "Rename it with stream_maps, or deselect it in the tap."
            )

    def _parse_timestamps_in_record(self, record: Any, schema: Any, treatment: Any) -> None:
        """Leave dates as they came: an API takes them as texts, and judges them itself."""
        del record, schema, treatment

    def process_batch(self, context: dict[str, Any]) -> None:
        """Write one batch; records that come several times one after the other, so that the last one stands."""
        named: set[tuple[str, str]] = set()
        some: list[Values] = []
        for record in context["records"]:
            values = dict(_flat(record, ""))
            name = self._name_of(values)
            if name is not None and name in named:
                self._write(some)
                named, some = set(), []
            if name is not None:
                named.add(name)
            some.append(values)
        self._write(some)

    def _name_of(self, values: Values) -> tuple[str, str] | None:
        """What a record says that it is: its id, or the value of the stream's look-up key."""
        for name in ID_NAMES:
            if values.get(name) is not None:
                return "id", str(values[name])
        key = self._lookup_key
        return None if key is None or values.get(key) is None else (key, str(values[key]))

    @property
    def _lookup_key(self) -> str | None:
        key: str | None = (self.config.get("lookup_keys") or {}).get(self.stream_name)
        return key

    def _write(self, records: list[Values]) -> None:
        updates: list[tuple[str, Values]] = []
        creates: list[CreateRequest] = []
        for values in records:
            record_id = self._id_of(values)
            if record_id is not None:
                updates.append((record_id, values))
            elif self.config.get("create_without_match"):
                creates.append(CreateRequest("", {p: v for p, v in values.items() if v is not None}))
            else:
                raise RunFailed(self._unknown(values))
        self._update(updates)
        for results in self._target.system.create(self.stream_name, creates, self._paths) if creates else ():
            self._check(results)

    def _unknown(self, values: Values) -> str:
        key = self._lookup_key
        if key is not None and values.get(key) is not None:
            return (
                f"Stream {self.stream_name!r}: there is no record with the {key} that one here has. "
                "Allow create_without_match to have it created."
            )
        return (
            f"A record of stream {self.stream_name!r} has no id. Map it to one, name a property for it in "
            "lookup_keys, or allow create_without_match."
        )

    def _id_of(self, values: Values) -> str | None:
        name = self._name_of(values)
        for one in ID_NAMES:
            values.pop(one, None)
        if name is None:
            return None
        kind, text = name
        if kind == "id":
            return text
        found = self._target.system.search(self.stream_name, {kind: values[kind]}, self._paths | {kind})
        if isinstance(found, Refused):
            raise RunFailed(f"Stream {self.stream_name!r}: a search by {kind} was refused. {found.reason}")
        matches = [one for one in found if same("text", one.get(kind), values[kind])]
        if len(matches) > 1:
            raise RunFailed(
                f"Stream {self.stream_name!r}: several records have the same {kind}; give their ids instead."
            )
        return matches[0].id if matches else None

    def _update(self, updates: list[tuple[str, Values]]) -> None:
        if not updates:
            return
        system = self._target.system
        read = system.read(self.stream_name, [record_id for record_id, _ in updates], self._paths)
        requests = []
        for record_id, values in updates:
            current = read.get(record_id)
            if current is None:
                raise RunFailed(f"Stream {self.stream_name!r}: there is no record {record_id} to update.")
            differing = _differing(values, current)
            if differing:
                requests.append(UpdateRequest(current, differing))
        for results in system.update(self.stream_name, requests, self._paths) if requests else ():
            self._check(results)

    def _check(self, results: Any) -> None:
        failed: list[Result] = [one for one in results if not isinstance(one, Written)]
        if failed:
            raise RunFailed(
                f"Stream {self.stream_name!r}: {len(failed)} of {len(results)} records were refused. "
                f"First: {failed[0].reason}"  # type: ignore[union-attr]
            )


def _differing(values: Values, current: Current) -> Values:
    return {path: value for path, value in values.items() if not same("text", value, current.get(path))}


def _leaf_paths(properties: Mapping[str, Any], prefix: str) -> list[str]:
    paths = []
    for name, schema in properties.items():
        nested = schema.get("properties") if isinstance(schema, dict) else None
        paths += _leaf_paths(nested, f"{prefix}{name}.") if nested else [prefix + name]
    return paths


def _flat(record: Mapping[str, Any], prefix: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in record.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{prefix}{name}.")
        else:
            found.append((prefix + name, value))
    return found
