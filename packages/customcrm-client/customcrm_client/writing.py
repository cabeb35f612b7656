"""What is sent to make, change and delete a record, as the profile has it. Nothing here asks anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from api_transport.address import segment

from customcrm_client.paths import names, put
from customcrm_client.profile import Batch, Create, Delete, ETag, Stream, Update, VersionField, Write
from customcrm_client.records import Raw, Shape, merged
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
    """The requests that write one stream."""

    def __init__(self, stream: Stream, shape: Shape, variables: Mapping[str, Any]) -> None:
        self._stream = stream
        self._shape = shape
        self._variables = dict(variables)

    @property
    def how(self) -> Write:
        """How the stream is written. ValueError where it is read only."""
        if self._stream.write is None:
            raise ValueError("the stream is read only")
        return self._stream.write

    def list_path(self) -> str:
        """Where the list is."""
        return str(filled(self._stream.path, self._variables))

    def record_path(self, record_id: str, template: str | None = None) -> str:
        """Where a record is. Raises ValueError for an id that names none."""
        own = None if self._stream.get is None else self._stream.get.path
        said = own if template is None and own is not None and "id" in names_in(own) else template
        if said is not None:
            return str(filled(said, {**self._variables, "id": segment(record_id)}))
        path = self.list_path()
        slash = "/" if path.endswith("/") else ""
        return f"{path.rstrip('/')}/{segment(record_id)}{slash}"

    def get_path(self, record_id: str) -> str:
        """Where a record is read."""
        own = None if self._stream.get is None else self._stream.get.path
        return self.record_path(record_id, own)

    def create(self, values: Values) -> Sending:
        """A new record."""
        how = self._asked(self.how.create, "create")
        body = filled(how.body, {**self._variables, "record": self._new(how, values)})
        return Sending(how.method, self._path(how.path), body, how.ok, self._params(how.params))

    def create_many(self, records: Sequence[Values]) -> Sending:
        """Several new records in one request."""
        how = self._asked(self.how.create, "create")
        batch = self._batch(how.batch)
        body = filled(batch.body, {**self._variables, "records": [self._new(how, one) for one in records]})
        path, method = self._path(batch.path or how.path), batch.method or how.method
        return Sending(method, path, body, how.ok, self._params(how.params))

    def _new(self, how: Create, values: Values) -> Raw:
        made = self._shape.body(values, creating=True)
        for path, value in how.constants.items():
            put(made, names(path) or [path], filled(value, self._variables))
        return made

    def update(self, record_id: str, values: Values, lock: Any, whole: Raw | None = None) -> Sending:
        """A change. `lock` is the ETag or version that was read; `whole` the CRM's record, where all of it is sent."""
        how = self._asked(self.how.update, "update")
        sent = self._change(values, lock, whole)
        known = {**self._variables, "id": record_id}
        return Sending(
            how.method,
            self.record_path(record_id, how.path),
            filled(how.body, {**known, "record": sent}),
            how.ok,
            {**filled(how.params, known)},
            self._if_match(lock),
            idempotent=self._is_repeatable(how, lock),
        )

    def update_many(self, changes: Sequence[tuple[str, Values, Any]]) -> Sending:
        """Several changes in one request: (id, values, lock) each."""
        how = self._asked(self.how.update, "update")
        batch = self._batch(how.batch)
        records = []
        for record_id, values, lock in changes:
            sent = self._change(values, lock, None)
            put(sent, names(self._stream.id) or [self._stream.id], record_id)
            records.append(sent)
        body = filled(batch.body, {**self._variables, "records": records})
        path = self._path(batch.path)
        return Sending(batch.method or how.method, path, body, how.ok, self._params(how.params), idempotent=None)

    def _change(self, values: Values, lock: Any, whole: Raw | None) -> Raw:
        changed = self._shape.body(values, creating=False)
        sent = changed if whole is None else merged(self._shape.whole(whole), changed)
        if isinstance(self.how.locking, VersionField) and lock is not None:
            put(sent, names(self.how.locking.path) or [self.how.locking.path], lock)
        return sent

    def _is_repeatable(self, how: Update, lock: Any) -> bool | None:
        """A change over a version is refused the second time; a PUT says the same twice."""
        if isinstance(self.how.locking, (ETag, VersionField)):
            return lock is not None
        return None if how.method == "PUT" else False

    def delete(self, record_id: str, lock: Any = None) -> Sending:
        """A deletion, of the state with this ETag alone where there is one."""
        how: Delete = self._asked(self.how.delete, "delete")
        known = {**self._variables, "id": record_id}
        body = None if how.body is None else filled(how.body, known)
        path = self.record_path(record_id, how.path)
        return Sending(how.method, path, body, how.ok, filled(how.params, known), self._if_match(lock))

    def _if_match(self, lock: Any) -> Mapping[str, str]:
        return {"If-Match": str(lock)} if isinstance(self.how.locking, ETag) and lock else {}

    def _path(self, template: str | None) -> str:
        return self.list_path() if template is None else str(filled(template, self._variables))

    def _params(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        made: Mapping[str, Any] = filled(params, self._variables)
        return made

    def _asked(self, how: Any, what: str) -> Any:
        if how is None:
            raise ValueError(f"the profile has no write.{what}")
        return how

    def _batch(self, batch: Batch | None) -> Batch:
        if batch is None:
            raise ValueError("the profile has no batch")
        return batch
