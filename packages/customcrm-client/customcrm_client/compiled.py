"""A stream with all that is made once of its profile: paths, shapes, requests, locks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from api_transport.answer import Answer
from api_transport.errors import NotFound
from api_transport.verdict import Hints

from customcrm_client.bodies import Bodies, Change
from customcrm_client.errors import Refusals
from customcrm_client.paths import ABSENT, every, first, plain_steps
from customcrm_client.profile import Compared, Create, ETag, NoPaging, Profile, Stream, Update, VersionField, Write
from customcrm_client.records import NoRecord, Raw, Record, Shape
from customcrm_client.schema import DELETED, ID
from customcrm_client.writing import Writer

HINTS = Hints(
    address="check api_url and that the CRM is up",
    credentials="check api_key",
    rights="check api_key and which rights it gives",
)

_LIST = "check api_url, and read.path and read.records in the profile"
_BATCH = "check batch in the profile"
_RECORD = "check api_url, and the paths to records and ids in the profile"


_ERRORS = 400
_KEY = re.compile(r"[\w$@][\w$.:-]{0,40}")


class Found(NamedTuple):
    """A record as the CRM has it now, and what it is written over: an ETag or a version, None where there is none."""

    record: Record
    lock: Any = None
    raw: Raw | None = None
    """The CRM's own; None where it is not wanted."""


class CompiledStream:
    """A stream with all that is made once of its profile."""

    def __init__(self, stream: Stream, profile: Profile) -> None:
        self.stream = stream
        self.refusals = Refusals(stream.errors or profile.errors, HINTS)
        self.shape = Shape(stream)
        self.bodies = Bodies(stream, self.shape)
        self.writer = Writer(stream, self.bodies)
        self.names = frozenset(stream.properties or (stream.schema or {}).get("properties", {}))
        self.list_path = stream.read.path or stream.path
        self.spelling = 0
        """Which spelling of an ETag the CRM took last."""
        self.empty = frozenset(stream.read.empty)
        if not isinstance(stream.read.paging, NoPaging):
            self.empty |= {status for status in stream.read.paging.end.statuses if status < _ERRORS}
        self.escapes = str.maketrans({} if stream.search is None else stream.search.escapes)
        self.takes_several = stream.search is not None and stream.search.separator is not None
        self._lists = [(path, plain_steps(path) is not None, every(path)) for path in stream.read.records]

    @property
    def writing(self) -> Write:
        """How the stream is written."""
        return self.writer.how

    @property
    def reads_before(self) -> bool:
        """Whether a record is read just before it is written, whatever is written."""
        return isinstance(self.writing.locking, Compared)

    @property
    def tells_etags(self) -> bool:
        """Whether a record is written over an ETag, which is told where it is read alone."""
        return self.stream.write is not None and isinstance(self.stream.write.locking, ETag)

    def records(self, answer: Answer) -> list[Record]:
        """The records in the answer of a list. UnexpectedAnswer where there are none, not even an empty list."""
        found: list[Record] = []
        for path, values in self._raws(answer):
            try:
                found += map(self.shape.read, values)
            except NoRecord as error:
                raise answer.unexpected(f"a record under '{path}' is none: {error}", todo=_RECORD) from None
        return found

    def keeping(self, raws: dict[str, Raw]) -> Callable[[Answer], list[Record]]:
        """The same, with the CRM's own records kept by their ids."""

        def records(answer: Answer) -> list[Record]:
            found = self.records(answer)
            values = [raw for _, some in self._raws(answer) for raw in some]
            raws.update((record[ID], raw) for record, raw in zip(found, values, strict=True))
            return found

        return records

    def _raws(self, answer: Answer) -> Iterator[tuple[str, list[Any]]]:
        for path, is_plain, get in self._lists:
            found = get(answer.body)
            if not is_plain and not any(isinstance(values, list) for values in found):
                yield path, found
                continue
            for values in found or [None]:
                if not isinstance(values, list):
                    raise answer.unexpected(f"no list of records under '{path}'{_keys_of(answer.body)}", todo=_LIST)
                yield path, values

    def checked(self, answer: Answer, raw: Any, path: str) -> Raw:
        """The CRM's record, if it is one. UnexpectedAnswer (OutcomeUnknown after a create) where it is not."""
        try:
            self.shape.read(raw)
        except NoRecord as error:
            where = "in the answer" if path == "$" else f"under '{path}'"
            raise answer.unexpected(f"no record {where}: {error}", todo=_RECORD) from None
        checked: Raw = raw
        return checked

    def is_another(self, answer: Answer, raw: Any, path: str, asked: str, *, may_be: bool = True) -> bool:
        """Whether the answer is another record: the one that the record asked for was merged into.

        UnexpectedAnswer where it is no record, only spells the id otherwise than its list, or may not be another.
        """
        found = self.shape.read(self.checked(answer, raw, path))[ID]
        if found != asked and (not may_be or found.casefold() == asked.casefold()):
            raise answer.unexpected(f"asked for record {asked}, answered with {found}", todo=_RECORD)
        return bool(found != asked)

    def found(self, answer: Answer, path: str, asked: str | None = None) -> Found:
        """The record in the answer to a write. NotFound where it is another one than the record `asked` to change."""
        raw = first(path)(answer.body)
        if asked is not None and self.is_another(answer, raw, path, asked):
            problem = "the record is gone: the CRM answers with another"
            raise NotFound(problem, method=answer.method, path=answer.path, status=answer.status, todo="")
        return self.found_of(self.checked(answer, raw, path), answer)

    def found_of(self, raw: Raw, answer: Answer | None) -> Found:
        """One of the CRM's records, with the answer that was for it alone."""
        return Found(self.shape.read(raw), self.lock(raw, answer), raw)

    def several(self, answer: Answer, how: Create | Update | None, count: int) -> list[Found]:
        """The records in the answer to a batch, in the order of the answer."""
        path = "$" if how is None or how.batch is None else how.batch.records
        values = first(path)(answer.body)
        if not isinstance(values, list) or len(values) != count:
            raise answer.unexpected(f"not {count} records under '{path}'", todo=_BATCH)
        return [self.found_of(self.checked(answer, raw, path), None) for raw in values]

    def lock(self, raw: Raw, answer: Answer | None) -> Any:
        """What a record is written over."""
        locking = None if self.stream.write is None else self.stream.write.locking
        if isinstance(locking, ETag):
            return None if answer is None else answer.headers.get("ETag")
        if isinstance(locking, VersionField):
            found = first(locking.path)(self.shape.read_raw(raw))
            return None if found is ABSENT else found
        return None

    def harm(self, change: Change, now: Found) -> str:
        """The names of what a change altered or lost that was not to be changed; empty where all is well."""
        return self.bodies.harm(change, now.record, now.raw)

    def is_gone(self, record: Record) -> bool:
        """Whether a record is a tombstone."""
        return record.get(DELETED) is True


def _keys_of(body: Any) -> str:
    """What an answer holds in place of a list, by its keys; those that are no names may be somebody's data."""
    keys = [key for key in body if _KEY.fullmatch(key)] if isinstance(body, dict) else []
    return f"; the answer has {', '.join(keys)[:200]}" if keys else ""
