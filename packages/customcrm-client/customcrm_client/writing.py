"""What is sent to make, change and delete a record, as the profile has it. Nothing here asks anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from api_transport.address import segment

from customcrm_client.bodies import Bodies, Change, Piece, Unwritable
from customcrm_client.paths import places, put
from customcrm_client.profile import Stream
from customcrm_client.profile_writing import Batch, Call, Create, Delete, ETag, Update, VersionField, Write
from customcrm_client.records import Raw, typed_id
from customcrm_client.templates import filled, names_in
from customcrm_client.times import asked_as, moment_of
from customcrm_client.times import reader as time_reader

Values = Mapping[str, Any]
"""Dotted path of the stream's property to value."""


class Sending(msgspec.Struct, frozen=True):
    """One request that writes."""

    method: str
    path: str
    body: Any
    ok: tuple[int, ...]
    params: Mapping[str, Any] = {}
    headers: Mapping[str, str] = {}
    idempotent: bool | None = None


class Writer:
    """The requests that write one stream. Raises `Unwritable` for a record that cannot be written so."""

    def __init__(self, stream: Stream, bodies: Bodies) -> None:
        self._stream = stream
        self._bodies = bodies

    @property
    def how(self) -> Write:
        """How the stream is written. ValueError where it is read only."""
        if self._stream.write is None:
            raise ValueError("the stream is read only")
        return self._stream.write

    def record_path(self, record_id: str, template: str | None = None) -> str:
        """Where a record is. Raises ValueError for an id that names none."""
        own = None if self._stream.get is None else self._stream.get.path
        said = own if template is None and own is not None and "id" in names_in(own) else template
        if said is not None:
            return str(filled(said, {"id": segment(record_id)}))
        path = self._stream.path
        slash = "/" if path.endswith("/") else ""
        return f"{path.rstrip('/')}/{segment(record_id)}{slash}"

    def get_path(self, record_id: str) -> str:
        """Where a record is read."""
        own = None if self._stream.get is None else self._stream.get.path
        return self.record_path(record_id, own)

    def create(self, values: Values) -> Sending:
        """A new record."""
        how = self._asked(self.how.create, "create")
        body = filled(how.body, {"record": self._new(how, values), **self._bodies.beside(values)})
        return Sending(how.method, how.path or self._stream.path, body, how.ok, how.params, how.headers)

    def create_many(self, records: Sequence[Values]) -> Sending:
        """Several new records in one request."""
        how = self._asked(self.how.create, "create")
        batch = self._batch(how.batch)
        each = [filled(batch.each, {"record": self._new(how, one)}) for one in records]
        body = filled(batch.body, {"records": each})
        path, method = batch.path or how.path or self._stream.path, batch.method or how.method
        return Sending(method, path, body, how.ok, how.params, how.headers)

    def _new(self, how: Create, values: Values) -> Raw:
        made = self._bodies.new(values)
        for path, value in how.constants.items():
            if not put(made, places(path) or [path], value):
                raise Unwritable(f"the constant {path} cannot be written: a property is written in its place")
        return made

    def needs_read(self, change: Change, *, in_batch: bool = False) -> bool:
        """Whether a change can be sent only with what the record says besides."""
        return self._bodies.needs_read(change, self._besides(change, with_id=in_batch))

    def update(self, change: Change) -> Sending:
        """A change. Its `raw` is needed where `needs_read` says so."""
        how = self._asked(self.how.update, "update")
        sent = self._bodies.change(change, self._besides(change, with_id=how.with_id))
        known = {"id": self._typed(change.record_id)}
        return Sending(
            how.method,
            self.record_path(change.record_id, how.path),
            filled(how.body, {**known, "record": sent}),
            how.ok,
            {**filled(how.params, known)},
            {**how.headers, **self._over(change.lock)},
            idempotent=self._is_repeatable(how, change.lock),
        )

    def update_many(self, changes: Sequence[Change]) -> Sending:
        """Several changes in one request."""
        how = self._asked(self.how.update, "update")
        batch = self._batch(how.batch)
        # The id stands in the record, or beside it.
        inside = "id" not in names_in(batch.each)
        records = [
            filled(
                batch.each,
                {
                    "record": self._bodies.change(one, self._besides(one, with_id=inside)),
                    "id": self._typed(one.record_id),
                },
            )
            for one in changes
        ]
        body = filled(batch.body, {"records": records})
        path = batch.path or self._stream.path
        return Sending(batch.method or how.method, path, body, how.ok, how.params, how.headers, idempotent=None)

    def _besides(self, change: Change, *, with_id: bool) -> list[Piece]:
        """What is sent with a change: the version that it is over, and its id where that stands in the record."""
        locking = self.how.locking
        besides: list[Piece] = []
        if isinstance(locking, VersionField) and locking.header is None and change.lock is not None:
            besides.append((places(locking.path) or [locking.path], change.lock))
        if with_id:
            besides.append((places(self._stream.id) or [self._stream.id], self._typed(change.record_id)))
        return besides

    def _typed(self, record_id: str) -> str | int:
        return typed_id(self._stream, record_id)

    def _is_repeatable(self, how: Update, lock: Any) -> bool | None:
        """A change over a version is refused the second time; a PUT says the same twice."""
        if isinstance(self.how.locking, (ETag, VersionField)):
            return lock is not None
        return None if how.method == "PUT" else False

    def delete(self, record_id: str, lock: Any = None) -> Sending:
        """A deletion, of the state with this ETag alone where there is one."""
        how: Delete = self._asked(self.how.delete, "delete")
        known = {"id": self._typed(record_id)}
        body = None if how.body is None else filled(how.body, known)
        path = self.record_path(record_id, how.path)
        headers = {**how.headers, **self._over(lock)}
        return Sending(how.method, path, body, how.ok, filled(how.params, known), headers)

    def relation(self, call: Call, record_id: str, value: Any, before: Any) -> Sending:
        """One request that writes a property of its own."""
        known = {"id": self._typed(record_id), "value": value, "before": before}
        path = str(filled(call.path, {name: segment(str(one)) for name, one in known.items() if one is not None}))
        body = None if call.body is None else filled(call.body, known)
        params = filled(call.params, known)
        return Sending(call.method, path, body, call.ok, params, call.headers, idempotent=True)

    def _over(self, lock: Any) -> Mapping[str, str]:
        """The header that says which state of the record is written over."""
        locking = self.how.locking
        if isinstance(locking, ETag) and lock:
            return {"If-Match": str(lock)}
        if isinstance(locking, VersionField) and locking.header is not None and lock is not None:
            said = http_date(lock, self._stream) if locking.format == "http_date" else str(lock)
            return {locking.header: said}
        return {}

    def _asked(self, how: Any, what: str) -> Any:
        if how is None:
            raise ValueError(f"the profile has no write.{what}")
        return how

    def _batch(self, batch: Batch | None) -> Batch:
        if batch is None:
            raise ValueError("the profile has no batch")
        return batch


def http_date(lock: Any, stream: Stream) -> str:
    """A time as a header has it; as it is where it is none."""
    moment = moment_of(time_reader(stream.times, stream.timezone)(lock))
    return str(lock) if moment is None else str(asked_as(moment, "http_date", inclusive=True))
