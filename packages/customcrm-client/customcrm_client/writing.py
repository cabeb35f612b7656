"""What is sent to make, change and delete a record, as the profile has it. Nothing here asks anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from api_transport.address import segment

from customcrm_client.bodies import Bodies, Change, Piece, Unwritable
from customcrm_client.paths import names, put
from customcrm_client.profile import Batch, Create, Delete, ETag, Stream, Update, VersionField, Write
from customcrm_client.records import Raw
from customcrm_client.templates import filled, names_in

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
        body = filled(how.body, {"record": self._new(how, values)})
        return Sending(how.method, how.path or self._stream.path, body, how.ok, how.params)

    def create_many(self, records: Sequence[Values]) -> Sending:
        """Several new records in one request."""
        how = self._asked(self.how.create, "create")
        batch = self._batch(how.batch)
        body = filled(batch.body, {"records": [self._new(how, one) for one in records]})
        path, method = batch.path or how.path or self._stream.path, batch.method or how.method
        return Sending(method, path, body, how.ok, how.params)

    def _new(self, how: Create, values: Values) -> Raw:
        made = self._bodies.new(values)
        for path, value in how.constants.items():
            if not put(made, names(path) or [path], value):
                raise Unwritable(f"the constant {path} cannot be written: a property is written in its place")
        return made

    def needs_read(self, change: Change, *, in_batch: bool = False) -> bool:
        """Whether a change can be sent only with what the record says besides."""
        return self._bodies.needs_read(change, self._besides(change, in_batch=in_batch))

    def update(self, change: Change) -> Sending:
        """A change. Its `raw` is needed where `needs_read` says so."""
        how = self._asked(self.how.update, "update")
        sent = self._bodies.change(change, self._besides(change))
        known = {"id": change.record_id}
        return Sending(
            how.method,
            self.record_path(change.record_id, how.path),
            filled(how.body, {**known, "record": sent}),
            how.ok,
            {**filled(how.params, known)},
            self._if_match(change.lock),
            idempotent=self._is_repeatable(how, change.lock),
        )

    def update_many(self, changes: Sequence[Change]) -> Sending:
        """Several changes in one request."""
        how = self._asked(self.how.update, "update")
        batch = self._batch(how.batch)
        records = [self._bodies.change(one, self._besides(one, in_batch=True)) for one in changes]
        body = filled(batch.body, {"records": records})
        path = batch.path or self._stream.path
        return Sending(batch.method or how.method, path, body, how.ok, how.params, idempotent=None)

    def _besides(self, change: Change, *, in_batch: bool = False) -> list[Piece]:
        """What is sent with a change: the version that it is over, and in a batch its id."""
        locking = self.how.locking
        besides = []
        if isinstance(locking, VersionField) and change.lock is not None:
            besides.append((names(locking.path) or [locking.path], change.lock))
        if in_batch:
            besides.append((names(self._stream.id) or [self._stream.id], change.record_id))
        return besides

    def _is_repeatable(self, how: Update, lock: Any) -> bool | None:
        """A change over a version is refused the second time; a PUT says the same twice."""
        if isinstance(self.how.locking, (ETag, VersionField)):
            return lock is not None
        return None if how.method == "PUT" else False

    def delete(self, record_id: str, lock: Any = None) -> Sending:
        """A deletion, of the state with this ETag alone where there is one."""
        how: Delete = self._asked(self.how.delete, "delete")
        known = {"id": record_id}
        body = None if how.body is None else filled(how.body, known)
        path = self.record_path(record_id, how.path)
        return Sending(how.method, path, body, how.ok, filled(how.params, known), self._if_match(lock))

    def _if_match(self, lock: Any) -> Mapping[str, str]:
        return {"If-Match": str(lock)} if isinstance(self.how.locking, ETag) and lock else {}

    def _asked(self, how: Any, what: str) -> Any:
        if how is None:
            raise ValueError(f"the profile has no write.{what}")
        return how

    def _batch(self, batch: Batch | None) -> Batch:
        if batch is None:
            raise ValueError("the profile has no batch")
        return batch
