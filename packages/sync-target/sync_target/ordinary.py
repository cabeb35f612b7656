"""Streams of any other tap, loaded as by an ordinary Singer target: by id, by a look-up key, or created."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from record_sync.canonical import canonical, same, search_form
from record_sync.system import CreateRequest, Refused, Result, UpdateRequest, Written
from record_sync.values import Values, empty
from singer_edge.errors import RunFailed
from singer_sdk import Target
from singer_sdk.exceptions import InvalidRecord
from singer_sdk.sinks import BatchSink

from sync_target.connected import ConnectedSystem

ID_NAMES = ("id", "Id")


class Load:
    """Writes the records of one stream, without a link store. A refused record ends the run: nothing could keep it.

    Args:
        system: written to.
        stream: the system's resource.
        schema: of the records.
        key: the property by which a record without an id is found.
        may_create: whether a record that is not found is created.

    """

    def __init__(
        self, system: ConnectedSystem, stream: str, schema: Mapping[str, Any], key: str | None, *, may_create: bool
    ) -> None:
        self._system = system
        self._stream = stream
        self._key = key
        self._may_create = may_create
        self._paths = frozenset(_leaf_paths(schema.get("properties", {}), ""))

    def write(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Write records; of one that comes several times the newest values stand.

        Raises:
            RunFailed: a record was refused, or it cannot be told which one it is.

        """
        updates: dict[str, Values] = {}
        creates: dict[object, Values] = {}
        for number, record in enumerate(records):
            values = dict(_flat(record, ""))
            ids = [str(one) for one in map(values.get, ID_NAMES) if not empty(one)]
            for name in ID_NAMES:
                values.pop(name, None)
            wanted = None if self._key is None or ids else values.get(self._key)
            record_id = ids[0] if ids else None if empty(wanted) else self._found(wanted)
            if record_id is not None:
                updates.setdefault(record_id, {}).update(values)
            elif self._may_create:
                one = ("unnamed", number) if empty(wanted) else canonical("text", wanted)
                creates.setdefault(one, {}).update(values)
            else:
                raise self._unknown(wanted)
        self._update(updates)
        self._send(
            self._system.create,
            [CreateRequest("", {path: v for path, v in one.items() if not empty(v)}) for one in creates.values()],
        )

    def _found(self, wanted: Any) -> str | None:
        """The id of the record whose key has this value."""
        key = self._key or ""
        if isinstance(wanted, (dict, list)):
            raise RunFailed(f"Stream {self._stream!r}: a record's {key} is neither a text nor a number.")
        found = self._system.search(self._stream, {key: search_form("text", wanted)}, self._paths | {key})
        if isinstance(found, Refused):
            raise RunFailed(f"Stream {self._stream!r}: a search by {key} was refused. {found.reason}")
        matches = [one.id for one in found if same("text", one.get(key), wanted)]
        if len(matches) > 1:
            raise RunFailed(f"Stream {self._stream!r}: several records have the same {key}; give their ids instead.")
        return matches[0] if matches else None

    def _unknown(self, wanted: Any) -> RunFailed:
        if empty(wanted):
            what, todo = (
                "has no id",
                "Map it to one, name a property for it in lookup_keys, or allow create_without_match",
            )
        else:
            what, todo = f"has a {self._key} that no record there has", "Allow create_without_match to have it created"
        return RunFailed(f"A record of stream {self._stream!r} {what}. {todo}.")

    def _update(self, updates: Mapping[str, Values]) -> None:
        current = self._system.read(self._stream, list(updates), self._paths) if updates else {}
        for record_id in updates:
            if record_id not in current:
                raise RunFailed(f"Stream {self._stream!r}: there is no record {record_id} to update.")
        differing = {
            record_id: {path: v for path, v in values.items() if not same("text", v, current[record_id].get(path))}
            for record_id, values in updates.items()
        }
        self._send(
            self._system.update, [UpdateRequest(current[one], values) for one, values in differing.items() if values]
        )

    def _send(self, write: Callable[..., Iterable[Sequence[Result]]], requests: list[Any]) -> None:
        for results in write(self._stream, requests, self._paths) if requests else ():
            refused = [one.reason for one in results if not isinstance(one, Written)]
            if refused:
                told = f"{len(refused)} of {len(results)} records were refused. First: {refused[0]}"
                raise RunFailed(f"Stream {self._stream!r}: {told}")


class LoadingTarget(Target, ABC):
    """What the sinks need of their target."""

    @property
    @abstractmethod
    def system(self) -> ConnectedSystem:
        """The system written to."""


class OrdinarySink(BatchSink):
    """The SDK's side of a load: stream maps, the check against the schema, and batches."""

    max_size = 100

    def __init__(self, target: LoadingTarget, stream_name: str, schema: dict[str, Any], key_properties: Any) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        resources = target.system.resources
        if stream_name not in resources:
            raise RunFailed(
                f"Stream {stream_name!r} cannot be loaded: {target.name} knows {', '.join(resources)}. "
                "Rename it with stream_maps, or deselect it in the tap."
            )
        key = (self.config.get("lookup_keys") or {}).get(stream_name)
        may_create = bool(self.config.get("create_without_match"))
        self._load = Load(target.system, stream_name, schema, key, may_create=may_create)

    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        """Check a record against the schema. Dates stay the texts that they are: an API judges them itself."""
        try:
            if self._validator is not None:
                self._validator.validate(record)
        except InvalidRecord as error:
            raise RunFailed(
                f"A record of stream {self.stream_name!r} does not match its schema{_where(error)}."
            ) from None
        return record

    def process_batch(self, context: dict[str, Any]) -> None:
        """Write one batch."""
        self._load.write(context["records"])


def _where(error: InvalidRecord) -> str:
    """Which property is wrong, and how; not its value, which may be somebody's name."""
    cause: Any = error.__cause__
    path = ".".join(str(one) for one in getattr(cause, "absolute_path", ()))
    return f": {path} ({cause.validator} {cause.validator_value})" if path else ""


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
