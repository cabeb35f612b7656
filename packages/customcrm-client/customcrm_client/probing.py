"""Trying a profile on its CRM: what is found is told in a few lines, and a wrong profile is told from an empty CRM.

Nothing is written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import msgspec
from api_transport import redaction
from api_transport.errors import ApiError

from customcrm_client.client import CustomcrmClient
from customcrm_client.increments import asks_since
from customcrm_client.paging import size_of
from customcrm_client.paths import ABSENT, first
from customcrm_client.profile import Stream
from customcrm_client.profile_paging import NoPaging
from customcrm_client.profile_writing import ETag
from customcrm_client.records import Raw, Record
from customcrm_client.schema import ID, UPDATED_AT, properties_of
from customcrm_client.times import moment_of

LATELY = dt.timedelta(days=1)
"""What is older than this has not changed since now, whatever the CRM's clock and zone."""

SECOND = dt.timedelta(seconds=1)

MOST_PAGES = 10
"""Pages of changes that are looked through for one record."""

ROUND = frozenset({10, 15, 20, 25, 30, 50, 100, 200, 250, 500, 1000})
"""What CRMs give at most where nobody says how many are wanted."""

MOST_NAMES = 30


class Findings(msgspec.Struct):
    """What was found of one stream."""

    stream: str
    told: list[str] = msgspec.field(default_factory=list)
    problems: list[str] = msgspec.field(default_factory=list)

    def line(self) -> str:
        """What works, in one line."""
        return f"{self.stream}: {'; '.join(self.told)}."


def probe(client: CustomcrmClient, stream: str, in_words: Callable[[ApiError], str] = str) -> Findings:
    """Try a stream's list, its paging, its filter of changes, its search and the reading of one record.

    `in_words` says what a request was refused for; the CRM's own words may hold somebody's data.
    Raises the errors of `api_transport.errors` for what concerns more than this stream: credentials, connection.
    """
    return _Probe(client, stream, in_words).run()


class _Probe:
    def __init__(self, client: CustomcrmClient, stream: str, in_words: Callable[[ApiError], str]) -> None:
        self.client = client
        self.name = stream
        self.stream: Stream = client.profile.streams[stream]
        self.found = Findings(stream)
        self.in_words = in_words

    def run(self) -> Findings:
        records = self._try(self._list)
        if records:
            for step in (self._fields, self._changes, self._search, self._one):
                self._try(step, records)
        return self.found

    def _try(self, step: Callable[..., Any], *given: Any) -> Any:
        try:
            return step(*given)
        except ApiError as error:
            if error.status in (None, 401):
                raise
            self.found.problems.append(self.in_words(error))
        return None

    def _tell(self, text: str) -> None:
        self.found.told.append(text)

    def _problem(self, text: str) -> None:
        self.found.problems.append(text)

    def _list(self) -> list[Record]:
        """The first page, and whether another one follows."""
        pages = list(islice(self.client.pages(self.name, ahead=False), 2))
        records = pages[0].values if pages else []
        total = self.client.size(self.name)
        if not records:
            self._tell("the list is empty" if not total else f"the list is empty, though {total} records are told of")
            if total:
                self._problem(f"read.records finds none of the {total} records that the CRM tells of; check it")
            return []
        self._tell(f"{len(records)} records on the first page" + (f" of {total}" if total is not None else ""))
        self._paging(records, follows=len(pages) > 1 and bool(pages[1].values), total=total)
        return records

    def _paging(self, records: list[Record], *, follows: bool, total: int | None) -> None:
        paging = self.stream.read.paging
        if follows:
            self._tell("paging moves on")
        elif isinstance(paging, NoPaging):
            if len(records) in ROUND:
                self._problem(
                    f"there is no paging, and just {len(records)} records came: if there are more, add read.paging"
                )
        elif total is not None and len(records) < total:
            self._problem(f"nothing leads on from the first page, though there are {total} records; check read.paging")
        elif total is None and len(records) == (size_of(paging, self.client.page_size) if paging.size_param else None):
            self._problem("the first page is full, and nothing leads on from it; check read.paging")
        else:
            self._tell("that is all")

    def _fields(self, records: list[Record]) -> None:
        """Which properties come, and which never do."""
        raws = self.client.sample(self.name, len(records))
        seen = list(dict.fromkeys(name for record in records for name in record))
        self._tell(f"properties {_names(seen)}")
        paths = self._paths()
        missing = [name for name, path in paths.items() if not any(_has(raw, path) for raw in raws)]
        left_out = [name for name in missing if name in self._may_be_absent()]
        missing = [name for name in missing if name not in left_out]
        if left_out:
            self._tell(f"no record has a value in {_names(left_out)}")
        if missing:
            there = list(dict.fromkeys(name for raw in raws for name in raw))
            told = ", ".join(f"{name} ({paths[name]})" for name in missing)
            self._problem(f"no record has {told}; check properties. The CRM's records have {_names(there)}")
        times = [record.get(UPDATED_AT) for record in records if record.get(UPDATED_AT) is not None]
        if self.stream.updated_at and times and all(moment_of(one) is None for one in times):
            self._problem(f"updated_at holds no time as times: {self.stream.times} has it; check updated_at and times")

    def _may_be_absent(self) -> set[str]:
        """The properties that a record without a value leaves out."""
        stream = self.stream
        return {name for name, one in properties_of(stream).items() if (one.absent or stream.absent) == "empty"}

    def _paths(self) -> dict[str, str]:
        paths = {name: one.path or name for name, one in properties_of(self.stream).items()}
        if self.stream.updated_at:
            paths["updated_at"] = self.stream.updated_at[0]
        if self.stream.created_at:
            paths["created_at"] = self.stream.created_at
        return paths

    def _changes(self, records: list[Record]) -> None:
        """Whether the filter of changes is respected: since now it brings nothing old, since the newest just that."""
        increments = self.stream.read.increments
        if increments is None or not asks_since(increments):
            self._tell("changes cannot be asked for" if increments is None else "changes are picked out here")
            return
        now = dt.datetime.now(dt.timezone.utc)
        long_before = LATELY + dt.timedelta(seconds=increments.look_back)
        times = {one[ID]: moment for one in records if (moment := moment_of(one.get(UPDATED_AT))) is not None}
        if any(_is_before(one, now - long_before) for page in self._since(now, 1) for one in page):
            self._problem(
                "read.increments is ignored: changes since now bring records that changed long ago. "
                "Correct params, or take them away (changes are then picked out here)"
            )
        elif not times:
            self._tell("no record tells when it changed, so the filter of changes was not tried")
        else:
            newest = max(times, key=times.__getitem__)
            self._newest(newest, times[newest], times[newest] - long_before)

    def _newest(self, record_id: str, moment: dt.datetime, long_before: dt.datetime) -> None:
        """Whether the changes since a record's own moment bring it, and nothing that changed long before."""
        seen = is_same_day = 0
        for page in self._since(moment, MOST_PAGES):
            seen += 1
            if any(_is_before(one, long_before) for one in page):
                self._problem("read.increments brings what changed long before the time asked for; check params")
                return
            is_same_day |= any(_is_before(one, moment - SECOND) for one in page)
            if any(one[ID] == record_id for one in page):
                self._tell(
                    "the filter of changes brings older ones of the same day, if it is respected"
                    if is_same_day
                    else "the filter of changes is respected"
                )
                return
        if seen == MOST_PAGES:
            self._tell("the filter of changes brings nothing old")
            return
        self._problem(
            "read.increments passes over a record that changed just then; check params, and whether format: is how the "
            "CRM writes times, since some compare them as texts"
        )

    def _since(self, moment: dt.datetime, pages: int) -> Iterator[list[Record]]:
        for page in islice(self.client.pages(self.name, updated_since=moment, ahead=False), pages):
            yield page.values

    def _search(self, records: list[Record]) -> None:
        """Whether a record is found by what it says, and others are not."""
        search = self.stream.search
        if search is None:
            return
        for record in records:
            asked = [name for name, value in record.items() if value and self.client.can_ask(self.name, name, value)]
            if not asked:
                continue
            name = asked[0]
            # It is somebody's: no request that is told of shows it.
            redaction.hide(str(record[name]))
            page = next(iter(self.client.matching(self.name, {name: record[name]})), [])
            if not any(one[ID] == record[ID] for one in page):
                self._problem(f"search by {name} does not find a record that has just that value; check search.params")
            elif any(one.get(name) != record[name] for one in page):
                self._problem(f"search by {name} is ignored: it brings records with other values; check search.params")
            else:
                self._tell(f"search by {name} finds")
            return

    def _one(self, records: list[Record]) -> None:
        """Whether one record can be read by its id, and what it is written over."""
        record_id = records[0][ID]
        if self.stream.write is None:
            self._tell("read only")
            return
        read = self.client.get(self.name, record_id)
        if read is None:
            self._problem("a record of the list is not found by its id; check id:, get: and get_many:")
        elif self.client.needs_lock(self.name) and read.lock is None:
            lock = "an ETag" if isinstance(self.stream.write.locking, ETag) else "a version"
            self._problem(f"a record is read without {lock}, so nothing can be written over it; change write.locking")
        else:
            self._tell("read by its id")


def _is_before(record: Record, moment: dt.datetime) -> bool:
    changed = moment_of(record.get(UPDATED_AT))
    return changed is not None and changed < moment


def _has(raw: Raw, path: str) -> bool:
    return first(path)(raw) is not ABSENT


def _names(names: list[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
