"""A stream with all that is made once of its profile: paths, shapes, requests, locks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from api_transport.answer import Answer
from api_transport.errors import NotFound
from api_transport.verdict import Hints

from customcrm_client.bodies import Bodies, Change
from customcrm_client.errors import Refusals
from customcrm_client.list_request import of_list
from customcrm_client.paths import ABSENT, every, first, plain_steps
from customcrm_client.profile import Profile, Stream
from customcrm_client.profile_paging import NoPaging
from customcrm_client.profile_reading import Deletions
from customcrm_client.profile_writing import Compared, Create, ETag, Update, VersionField, Write
from customcrm_client.records import NoRecord, Raw, Record, Shape, is_id
from customcrm_client.schema import DELETED, ID, UPDATED_AT
from customcrm_client.templates import names_in
from customcrm_client.times import reader as time_reader
from customcrm_client.writing import Writer

HINTS = Hints(
    address="check api_url and that the CRM is up",
    credentials="check api_key",
    rights="check api_key and which rights it gives",
)

_LIST = "check api_url, and read.path and read.records in the profile"
_BATCH = "check batch in the profile"
_DELETIONS = "check read.deletions in the profile"
_RECORD = "check api_url, and the paths to records and ids in the profile"


_ERRORS = 400
KEY = re.compile(r"[\w$@][\w$.:-]{0,40}")
"""A key that may be a name; any other may be somebody's data."""


class Found(NamedTuple):
    """A record as the CRM has it now, and what it is written over: an ETag or a version, None where there is none."""

    record: Record
    lock: Any = None
    raw: Raw | None = None
    """The CRM's own; None where it is not wanted."""


class ReadRecords(Protocol):
    """Finds the records in an answer; puts the CRM's own into `raws` by their ids, where that is given."""

    def __call__(self, answer: Answer, raws: dict[str, Raw] | None = None) -> list[Record]:
        """Give them. UnexpectedAnswer where there are none, not even an empty list."""


Lists: TypeAlias = list[tuple[str, bool, Callable[[Any], list[Any]]]]


class CompiledStream:
    """A stream with all that is made once of its profile."""

    def __init__(self, name: str, stream: Stream, profile: Profile) -> None:
        self.name = name
        self.stream = stream
        self.refusals = Refusals(stream.errors or profile.errors, HINTS, profile.rate.codes)
        self.shape = Shape(stream)
        self.bodies = Bodies(stream, self.shape)
        self.writer = Writer(stream, self.bodies)
        self.names = frozenset(stream.properties or (stream.schema or {}).get("properties", {}))
        self.list = of_list(stream)
        self.spelling = 0
        """Which spelling of an ETag the CRM took last."""
        self.empty = frozenset(stream.read.empty)
        if not isinstance(stream.read.paging, NoPaging):
            self.empty |= {status for status in stream.read.paging.end.statuses if status < _ERRORS}
        search = stream.search
        self.takes_several = search is not None and (search.separator is not None or "values" in names_in(search.body))
        self.records = self.reader(stream.read.records)
        """The records in the answer of a list. UnexpectedAnswer where there are none, not even an empty list."""

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
        """Whether a record is written over an ETag that is told only where it is read alone."""
        locking = None if self.stream.write is None else self.stream.write.locking
        return isinstance(locking, ETag) and locking.path is None

    def reader(self, paths: Sequence[str]) -> ReadRecords:
        """The function that finds the records in an answer, at the list's paths where none are given."""
        lists = _lists(paths or self.stream.read.records)

        def records(answer: Answer, raws: dict[str, Raw] | None = None) -> list[Record]:
            found: list[Record] = []
            for path, values in _raws(answer, lists):
                try:
                    some = [self.shape.read(raw) for raw in values]
                except NoRecord as error:
                    raise answer.unexpected(f"a record under '{path}' is none: {error}", todo=_RECORD) from None
                if raws is not None:
                    raws.update((record[ID], raw) for record, raw in zip(some, values, strict=True))
                found += some
            return found

        return records

    def tombstones(self, paths: Sequence[str], how: Deletions) -> Callable[[Answer], list[Record]]:
        """The function that makes tombstones of a list of deleted records."""
        lists = _lists(paths)
        get_id = first(how.id)
        when = None if how.deleted_at is None else first(how.deleted_at)
        time = time_reader(self.stream.times, self.stream.timezone)

        def tombstones(answer: Answer) -> list[Record]:
            found: list[Record] = []
            for path, values in _raws(answer, lists):
                for raw in values:
                    record_id = get_id(raw)
                    if not is_id(record_id):
                        raise answer.unexpected(f"an entry under '{path}' has no '{how.id}'", todo=_DELETIONS)
                    at = ABSENT if when is None else when(raw)
                    told = {} if at in (None, ABSENT) else {UPDATED_AT: time(at)}
                    found.append({ID: str(record_id), DELETED: True, **told})
            return found

        return tombstones

    def ids_in(self, path: str) -> Callable[[Answer], list[Record]]:
        """The function that finds ids in an answer: records that hold nothing else."""
        get = every(path)

        def ids(answer: Answer) -> list[Record]:
            found = [one for some in get(answer.body) for one in (some if isinstance(some, list) else [some])]
            if any(one is None or isinstance(one, (dict, list, bool)) for one in found):
                raise answer.unexpected(f"no ids under '{path}'", todo="check ids in the profile")
            return [{ID: str(one)} for one in found]

        return ids

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
        if isinstance(locking, ETag) and locking.path is None:
            return None if answer is None else answer.headers.get("ETag")
        if isinstance(locking, (ETag, VersionField)) and locking.path is not None:
            found = first(locking.path)(raw)
            found = first(locking.path)(self.shape.read_raw(raw)) if found is ABSENT else found
            return None if found is ABSENT else found
        return None

    def harm(self, change: Change, now: Found) -> str:
        """The names of what a change altered or lost that was not to be changed; empty where all is well."""
        return self.bodies.harm(change, now.record, now.raw)

    def is_gone(self, record: Record) -> bool:
        """Whether a record is a tombstone."""
        return record.get(DELETED) is True


def _lists(paths: Sequence[str]) -> Lists:
    return [(path, plain_steps(path) is not None, every(path)) for path in paths]


def _raws(answer: Answer, lists: Lists) -> Iterator[tuple[str, list[Any]]]:
    for path, is_plain, get in lists:
        found = get(answer.body)
        if not is_plain and not any(isinstance(values, list) for values in found):
            yield path, found
            continue
        for values in found or [None]:
            if not isinstance(values, list):
                raise answer.unexpected(f"no list of records under '{path}'{_keys_of(answer.body)}", todo=_LIST)
            yield path, values


def _keys_of(body: Any) -> str:
    """What an answer holds in place of a list, by its keys; those that are no names may be somebody's data."""
    keys = [key for key in body if KEY.fullmatch(key)] if isinstance(body, dict) else []
    return f"; the answer has {', '.join(keys)[:200]}" if keys else ""
