"""A client for a CRM that a profile describes: reads, searches, writes that overwrite nothing unseen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from api_transport.answer import Answer
from api_transport.errors import AccessDenied, ApiError, Conflict, NotFound, OutcomeUnknown, Refused, told_again
from api_transport.transport import UNSET

from customcrm_client.bodies import Change, Unwritable
from customcrm_client.compiled import CompiledStream, Found
from customcrm_client.errors import is_own
from customcrm_client.etags import spellings
from customcrm_client.lists import Page
from customcrm_client.loading import reference
from customcrm_client.paths import ABSENT, first
from customcrm_client.profile import Profile
from customcrm_client.profile_writing import Compared
from customcrm_client.records import Raw, Record, is_id
from customcrm_client.schema import ID
from customcrm_client.searching import CustomcrmSearcher
from customcrm_client.writing import Sending, Values

_CREATE = "check write.create in the profile"
_MOVED = 412
_UPDATE = "check write.update in the profile"
_HARM = "set it right there, and see write.update.merges and write.update.whole in docs/profiles.md"


class CustomcrmClient(CustomcrmSearcher):
    """One CRM, as a profile has it. Raises the errors of `api_transport.errors`; safe to use from several threads.

    `page_size`, `in_flight`, `api_user` and `agent` are those of `CustomcrmReader` and `Connection`; other options go
    to the `Transport`. A stream or a kind of write that the profile does not have is a ValueError.
    """

    def __init__(self, api_url: str, api_key: str = "", *, profile: Profile | None = None, **options: Any) -> None:
        super().__init__(api_url, api_key, profile=profile or reference(), **options)

    def __enter__(self) -> CustomcrmClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def create(self, stream: str, values: Values) -> Found:
        """Make a record; the CRM's record of it.

        OutcomeUnknown where no answer came, or none that says which record it is: it may be there.
        """
        one = self._compiled(stream)
        made = self._created(one, values)
        own = one.bodies.relations(values, creating=True)
        return made if not own else self._related(one, made, own)

    def _related(self, one: CompiledStream, made: Found, own: Mapping[str, Any]) -> Found:
        """A new record with what its creation does not take. Where that fails it is taken back."""
        record_id = str(made.record[ID])
        try:
            answer = self._relate(one, record_id, own, {})
        except ApiError as error:
            problem = f"made, but without {', '.join(own)} ({error})"
            if one.writing.delete is None:
                raise OutcomeUnknown(problem, method=error.method, path=error.path) from None
            # Half a record would be taken for another one, and made once more.
            try:
                self._write(one, lambda: one.writer.delete(record_id))
            except ApiError as kept:
                raise OutcomeUnknown(f"{problem}, and not taken back ({kept})", method="", path="") from None
            raise
        return self._read_new(one, record_id, answer)

    def _relate(self, one: CompiledStream, record_id: str, own: Mapping[str, Any], before: Mapping[str, Any]) -> Answer:
        """Write what has requests of its own: first the new value, then away with the one before."""
        answer: Answer | None = None
        for path, value in own.items():
            how, old = one.bodies.relation(path), before.get(path)
            calls = [how.set] if value is not None else []
            is_left = old not in (None, ABSENT) and old != value and not (calls and how.replaces)
            calls += [how.clear] if how.clear is not None and is_left else []
            if value is None and how.clear is None:
                raise Refused(f"{path} cannot be cleared", todo="add relation.clear to it in the profile")
            for call in calls:
                try:
                    answer = self._write(one, partial(one.writer.relation, call, record_id, value, old))
                except NotFound as error:
                    if call is not how.clear:
                        raise
                    # Somebody took it away meanwhile: what else the record says now has to be looked at.
                    problem = "the record has changed since it was read"
                    raise Conflict(problem, method=error.method, path=error.path, todo="") from None
        if answer is None:
            raise Refused("there is nothing to write", todo="")
        return answer

    def _created(self, one: CompiledStream, values: Values) -> Found:
        how = one.writing.create
        answer = self._write(one, lambda: one.writer.create(values))
        if how is not None and how.record is not None:
            return one.found(answer, how.record)
        found = ABSENT if how is None or how.id is None else first(how.id)(answer.body)
        if not is_id(found):
            raise answer.unexpected(f"no id of the new record under '{how.id if how else ''}'", todo=_CREATE)
        return self._read_new(one, str(found), answer)

    def _read_new(self, one: CompiledStream, record_id: str, answer: Answer) -> Found:
        read = self._read_back(one, record_id, answer)
        if read is None:
            raise answer.unexpected("the new record cannot be read back", todo=_CREATE)
        return read

    def create_many(self, stream: str, records: Sequence[Values]) -> list[Found]:
        """Make records in one request, all or none; pair the answers by what they say. Raises as `create`."""
        one = self._compiled(stream)
        answer = self._write(one, lambda: one.writer.create_many(records))
        return one.several(answer, one.writing.create, len(records))

    def update(
        self,
        stream: str,
        record_id: str,
        values: Values,
        lock: Any,
        expected: Mapping[str, Any] | None = None,
        raw: Raw | None = None,
    ) -> Found:
        """Change these properties; the record after it.

        `lock` is the ETag or version it is written over: Conflict where the record has changed since. Where the CRM has
        none, the record is read just before, and it is Conflict where it no longer says what is `expected` (by dotted
        path). `raw` is the CRM's record as it was read; it is read where it is needed and missing. NotFound where the
        record is gone. Refused too where the CRM has changed more than it was asked to.
        """
        one = self._compiled(stream)
        change = Change(record_id, values, lock, expected, raw)
        own = one.bodies.relations(values, creating=False)
        if one.reads_before or (raw is None and (own or one.writer.needs_read(change))):
            change = msgspec.structs.replace(change, raw=self._before(one, record_id, lock, expected))
        how = one.writing.update
        if not own or len(own) < len(values):
            try:
                answer = self._write_over(
                    one, lock, lambda tag: one.writer.update(msgspec.structs.replace(change, lock=tag))
                )
            except ApiError as error:
                if how is not None and is_own(error, how.missing):
                    raise _gone(error) from None
                raise
        if own:
            try:
                answer = self._relate(one, record_id, own, _values_before(one, change))
            except NotFound as error:
                raise self._not_related(one, record_id, error) from None
            return self._after(one, change, None, answer)
        path = None if how is None or answer.body is None else how.record
        return self._after(one, change, None if path is None else one.found(answer, path, record_id), answer)

    def _not_related(self, one: CompiledStream, record_id: str, error: NotFound) -> Refused:
        """What it means that a relation is not found: its record is gone, or what it is to lead to."""
        if self._read(one, record_id) is None:
            return _gone(error)
        return told_again(error, Refused, "what the record is to lead to is not there")

    def update_many(self, stream: str, changes: Sequence[Change]) -> list[Found | Refused]:
        """Change records in one request, all or none. Raises as `update`.

        Refused stands for a record of which the CRM has changed more than it was asked to.
        """
        one = self._compiled(stream)
        how = one.writing.update
        ready = [
            msgspec.structs.replace(change, raw=self._before(one, change.record_id, change.lock, change.expected))
            if change.raw is None and one.writer.needs_read(change, in_batch=True)
            else change
            for change in changes
        ]
        answer = self._write(one, lambda: one.writer.update_many(ready))
        by_id = {each.record[ID]: each for each in one.several(answer, how, len(changes))}
        if any(change.record_id not in by_id for change in changes):
            raise answer.unexpected("the answer to a batch does not hold every record", todo=_UPDATE)
        results: list[Found | Refused] = []
        for change in ready:
            try:
                results.append(self._after(one, change, by_id[change.record_id], answer))
            except Refused as error:
                results.append(error)
        return results

    def _after(self, one: CompiledStream, change: Change, told: Found | None, answer: Answer) -> Found:
        """The record after a change, read back where the answer does not tell all of it. Refused where more changed."""
        if told is not None and not one.harm(change, told):
            return told
        read = self._read_back(one, change.record_id, answer)
        if read is None:
            raise NotFound("the record is gone", method=answer.method, path=answer.path, todo="")
        harm = one.harm(change, read)
        if harm:
            problem = f"the CRM changed more than it was asked to: {harm}"
            raise Refused(problem, method=answer.method, path=answer.path, status=answer.status, todo=_HARM)
        return read

    def _before(self, one: CompiledStream, record_id: str, lock: Any, expected: Mapping[str, Any] | None) -> Raw:
        """The CRM's record just before it is written. Conflict where it is not the one that was read."""
        where = one.writer.record_path(record_id)
        read = self._read(one, record_id)
        if read is None or one.is_gone(record := one.shape.read(read[0])):
            raise NotFound("the record is gone", method="GET", path=where, todo="")
        now = one.lock(*read)
        if lock is not None and now is not None and lock != now:
            raise Conflict("the record has changed since it was read", method="GET", path=where, todo="")
        if expected is not None and isinstance(one.writing.locking, Compared) and not _says(record, expected):
            raise Conflict("the record has changed since it was read", method="GET", path=where, todo="")
        return read[0]

    def unchanged(self, stream: str, expected: Mapping[str, Mapping[str, Any]]) -> dict[str, Found]:
        """The records that still say what is expected of each, by their ids."""
        now = self.get_many(stream, list(expected))
        return {one: now[one] for one, values in expected.items() if one in now and _says(now[one].record, values)}

    def delete(self, stream: str, record_id: str, lock: Any = None, expected: Mapping[str, Any] | None = None) -> bool:
        """Delete a record; False where it is gone already.

        `lock` and `expected` are those of `update`, Conflict too: an ETag goes with the request; a version, which has
        no place in one that deletes, is compared just before, as is what is `expected`. Without them it is deleted
        whatever it says.
        """
        one = self._compiled(stream)
        how = one.writing.delete
        if not one.tells_etags and (lock is not None or expected is not None):
            try:
                self._before(one, record_id, lock, expected)
            except NotFound:
                return False
        try:
            self._write_over(one, lock, lambda tag: one.writer.delete(record_id, tag))
        except ApiError as error:
            if how is not None and is_own(error, how.missing):
                return False
            raise
        return True

    def writes_many(self, stream: str, what: str) -> int:
        """How many records one request may create or update ("create", "update"); 1 where there are no batches."""
        one = self._compiled(stream)
        how = getattr(one.writing, what)
        if one.bodies.has_relations:
            return 1
        return 1 if how is None or how.batch is None else int(how.batch.size)

    def _write_over(self, one: CompiledStream, lock: Any, made: Callable[[Any], Sending]) -> Answer:
        """Write over an ETag in each spelling that the CRM may know it by, or over whatever else it is."""
        tags = spellings(lock) if one.tells_etags and lock else (lock,)
        places = sorted(range(len(tags)), key=lambda place: place != one.spelling)
        for place in places:
            try:
                answer = self._write(one, partial(made, tags[place]))
            except Conflict as error:
                if error.status != _MOVED or place == places[-1]:
                    raise
            else:
                one.spelling = place
                break
        return answer

    def _write(self, one: CompiledStream, made: Callable[[], Sending]) -> Answer:
        try:
            sending = made()
        except Unwritable as error:
            raise Refused(str(error), todo="check the properties in the profile") from None
        body = UNSET if sending.body is None else sending.body
        return self._send(
            one,
            sending.method,
            sending.path,
            params=sending.params,
            json=body,
            headers=sending.headers,
            idempotent=sending.idempotent,
            ok=sending.ok,
        )

    def _read_back(self, one: CompiledStream, record_id: str, written: Answer) -> Found | None:
        """The record after a write whose answer does not hold it; None where it is not there."""
        try:
            read = self._read(one, record_id)
        except AccessDenied:
            raise
        except ApiError as error:
            problem = f"written, but not read back ({error})"
            raise OutcomeUnknown(problem, method=written.method, path=written.path) from None
        return None if read is None else one.found_of(*read)

    def allows(self, stream: str, what: str) -> bool:
        """Whether the profile says how a record is created, updated or deleted ("create", "update", "delete")."""
        return getattr(self._compiled(stream).writing, what) is not None

    def needs_lock(self, stream: str) -> bool:
        """Whether a record is written over an ETag or a version."""
        return not isinstance(self._compiled(stream).writing.locking, Compared)


def _gone(error: ApiError) -> NotFound:
    return NotFound("the record is gone", method=error.method, path=error.path, status=error.status, todo="")


def _values_before(one: CompiledStream, change: Change) -> Mapping[str, Any]:
    """What the record said before, in the CRM's own types."""
    return {} if change.raw is None else one.bodies.relations(one.shape.read(change.raw), creating=False)


def _says(record: Record, expected: Mapping[str, Any]) -> bool:
    return all(_at(record, path) == value for path, value in expected.items() if _at(record, path) is not ABSENT)


def _at(record: Record, path: str) -> Any:
    here: Any = record
    for name in path.split("."):
        here = here.get(name, ABSENT) if isinstance(here, dict) else ABSENT
    return here


__all__ = ["Change", "CustomcrmClient", "Found", "Page"]
