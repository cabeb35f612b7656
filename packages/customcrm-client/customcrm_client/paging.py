"""From one page of a list to the next: a small class for each kind of paging. Nothing here asks anybody.

A turn is what to ask for; `after` tells, by an answer, which turns come next. Where several are known they may be asked
together.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol
from urllib.parse import parse_qsl, urlsplit

import msgspec
from api_transport.answer import Answer
from requests.utils import parse_header_links

from customcrm_client.flags import is_set
from customcrm_client.paths import ABSENT, first
from customcrm_client.profile_paging import (
    CursorPaging,
    LinkHeaderPaging,
    NextHeaderPaging,
    NextUrlPaging,
    NoPaging,
    OffsetPaging,
    PagePaging,
    Paging,
)
from customcrm_client.records import Record
from customcrm_client.schema import ID

BROKEN = "check read.paging in the profile, or tell whoever runs the CRM that its paging is broken"
FURTHER_BACK = 10
"""Times as far back each time, until a record is met that is known."""
AGAIN = 2
"""Times that numbered pages are read again because the list moved: one that always moves has to end somewhere."""


class Turn(msgspec.Struct, frozen=True):
    """One page to ask for: by where it begins (a number, an offset, a cursor), or by a whole link."""

    at: Any = ABSENT
    link: str | None = None
    offset: int = 0


class Turns(msgspec.Struct, frozen=True):
    """What an answer tells of the rest of the list."""

    more: tuple[Turn, ...] = ()
    over: bool = False
    """This was the last page: turns that were known before are of no more use."""
    moved: bool = False
    """The list has moved under the walk: this page is not to be used, and turns that were known are others now."""
    records: list[Record] | None = None
    """What of the page is new, where not all of it is."""


class Pager(Protocol):
    """One walk through a list. `after` is called for each answer, in order."""

    def begin(self) -> Turn:
        """The first page."""

    def after(self, turn: Turn, answer: Answer, records: list[Record]) -> Turns:
        """What comes after an answer. Raises the errors of `api_transport.errors` where the list does not move on."""

    def past_the_end(self) -> Turns:
        """What comes after a status that means: past the last page."""


def size_of(paging: Paging, wanted: int) -> int | None:
    """How many records a page is asked to have; None where the CRM is not told."""
    if isinstance(paging, NoPaging):
        return None
    return wanted if paging.size_at_most is None else min(wanted, paging.size_at_most)


def pager(paging: Paging, wanted: int, *, says_size: bool) -> Pager:
    """A walk by this kind of paging, with pages of at most so many records.

    `says_size` is whether the CRM is told how many; else they are as many as it gives.
    """
    if isinstance(paging, NoPaging):
        return _Whole()
    size = size_of(paging, wanted) if says_size else paging.size_at_most
    if isinstance(paging, PagePaging):
        return _Pages(paging, size)
    if isinstance(paging, OffsetPaging):
        return _Offsets(paging, size)
    if isinstance(paging, CursorPaging):
        return _Cursors(paging, size)
    return _Links(paging, size)


class _Whole:
    def begin(self) -> Turn:
        return Turn()

    def after(self, turn: Turn, answer: Answer, records: list[Record]) -> Turns:
        del turn, answer, records
        return Turns(over=True)

    def past_the_end(self) -> Turns:
        return Turns(over=True)


class _End:
    """When a list is over, as `end` says. Keeps the last page, to notice one that comes again."""

    def __init__(self, paging: Any, size: int | None) -> None:
        end = paging.end
        self._end = end
        self._size = size
        self._total = None if end.total is None else first(end.total)
        self._more = None if end.more is None else first(end.more)
        self._before: list[Record] = []
        self._seen = 0

    def again(self) -> None:
        """Forget what came: the list is read anew."""
        self._before, self._seen = [], 0

    def total(self, answer: Answer) -> int | None:
        """How many records there are, as the answer tells it."""
        return None if self._total is None else _number(self._total(answer.body))

    def look(self, answer: Answer, records: list[Record], seen: int | None = None) -> None:
        """Count a page. Raises UnexpectedAnswer where it is the one before it once more."""
        before = self._before
        if records and len(records) == len(before) and _same_page(records, before):
            raise answer.unexpected("the same page came twice", todo=BROKEN)
        self._before = records
        self._seen = self._seen + len(records) if seen is None else seen

    def is_last(self, answer: Answer, records: list[Record]) -> bool:
        """Whether `end` says so."""
        if self._more is not None and ((more := self._more(answer.body)) is ABSENT or not is_set(more)):
            return True
        if self._end.short_page and self._size is not None and len(records) < self._size:
            return True
        if self._end.empty_page and not records:
            return True
        total = self.total(answer)
        return total is not None and self._seen >= total


def _same_page(one: list[Record], other: list[Record]) -> bool:
    if len(one) > 1:
        return all(a.get(ID) == b.get(ID) for a, b in zip(one, other, strict=True))
    # A list of changes may give its one record again that was just edited.
    return one == other


class _Pages:
    """Numbered pages. All are known as soon as the first one tells how many there are.

    A list that moved meanwhile (its total changed, or a record came twice) is read once more, or what slipped to a page
    that was read already would be passed over.
    """

    def __init__(self, paging: PagePaging, size: int | None) -> None:
        self._paging = paging
        self._end = _End(paging, size)
        self._pages = None if paging.end.pages is None else first(paging.end.pages)
        self._planned = 0
        self._ids: set[str] = set()
        self._total: int | None = None
        self._moved = False
        self._left = AGAIN

    def begin(self) -> Turn:
        return self._turn(0)

    def _turn(self, index: int) -> Turn:
        return Turn(self._paging.first + index, offset=index)

    def after(self, turn: Turn, answer: Answer, records: list[Record]) -> Turns:
        end, index = self._end, turn.offset
        end.look(answer, records)
        total, pages = end.total(answer), None if self._pages is None else _number(self._pages(answer.body))
        self._watch(index, records, total)
        if not records or end.is_last(answer, records) or (pages is not None and index + 1 >= pages):
            return self._over()
        if index < self._planned:
            return Turns()
        known = pages if pages is not None else 0 if total is None else math.ceil(total / len(records))
        until = max(index + 2, known if index == 0 else 0)
        more = tuple(self._turn(one) for one in range(index + 1, until))
        self._planned = until - 1
        return Turns(more)

    def past_the_end(self) -> Turns:
        """A status said that there is no such page."""
        return self._over()

    def _watch(self, index: int, records: list[Record], total: int | None) -> None:
        ids = {record[ID] for record in records}
        self._moved = self._moved or not self._ids.isdisjoint(ids) or (index > 0 and total != self._total)
        self._ids |= ids
        self._total = total

    def _over(self) -> Turns:
        if not self._moved or not self._left:
            return Turns(over=True)
        self._left -= 1
        self._end.again()
        self._planned, self._ids, self._moved = 0, set(), False
        return Turns((self.begin(),), over=True)


class _Offsets:
    """Offsets. Each page begins with the last record of the one before it, so that a list that moves is noticed.

    Offsets mean other records once one before them is gone. Where a page does not begin with a record that is known, it
    is read again from further ahead.
    """

    def __init__(self, paging: OffsetPaging, size: int | None) -> None:
        self._step = size if paging.step == "size" else None
        self._overlap = 1 if paging.overlap and self._step is None and (size is None or size > 1) else 0
        self._end = _End(paging, size)
        self._known: dict[str, Record] = {}
        self._planned = 0
        self._back = 1

    def begin(self) -> Turn:
        return self._turn(0)

    def _turn(self, offset: int) -> Turn:
        return Turn(offset, offset=offset)

    def after(self, turn: Turn, answer: Answer, records: list[Record]) -> Turns:
        offset, end = turn.offset, self._end
        if self._overlap and self._known and offset and not (records and records[0][ID] in self._known):
            return self._further_back(offset)
        self._back = 1
        end.look(answer, records, offset + len(records))
        new = [one for one in records if self._known.get(one[ID]) != one] if self._known else records
        # A page of one record has none left to begin the next one with.
        self._known = {one[ID]: one for one in records} if self._overlap < len(records) and self._overlap else {}
        if not new or end.is_last(answer, records):
            return Turns(over=True, records=new)
        if offset < self._planned:
            return Turns(records=new)
        step = self._step or max(1, len(records) - self._overlap)
        total = end.total(answer) if offset == 0 else None
        offsets = list(range(offset + step, (total or 0) - self._overlap, step)) or [offset + step]
        self._planned = offsets[-1]
        return Turns(tuple(self._turn(one) for one in offsets), records=new)

    def past_the_end(self) -> Turns:
        """A status said that there is nothing from this offset on."""
        return Turns(over=True)

    def _further_back(self, offset: int) -> Turns:
        self._back *= FURTHER_BACK
        start = max(0, offset - self._back)
        if start == 0:
            self._known = {}
        self._end.again()
        self._planned = start
        return Turns((self._turn(start),), moved=True)


class _Chained(ABC):
    """Pages each of which tells the next one."""

    what: ClassVar[str]
    """What it tells, in an error's words."""

    def __init__(self, paging: Any, size: int | None) -> None:
        self._end = _End(paging, size)
        self._followed: set[str] = set()

    def begin(self) -> Turn:
        return Turn()

    def after(self, turn: Turn, answer: Answer, records: list[Record]) -> Turns:
        del turn
        self._end.look(answer, records)
        if self._end.is_last(answer, records):
            return Turns(over=True)
        following = self._following(answer)
        if following is None:
            return Turns(over=True)
        if str(following) in self._followed:
            raise answer.unexpected(f"{self.what} came twice", todo=BROKEN)
        self._followed.add(str(following))
        return Turns((self._turn(following),))

    def past_the_end(self) -> Turns:
        return Turns(over=True)

    @abstractmethod
    def _following(self, answer: Answer) -> Any:
        """What the answer tells of the next page; None where it is the last one."""

    @abstractmethod
    def _turn(self, following: Any) -> Turn:
        """The next page, by what was told of it."""


class _Cursors(_Chained):
    """A cursor that the body holds."""

    what = "a cursor"

    def __init__(self, paging: CursorPaging, size: int | None) -> None:
        super().__init__(paging, size)
        self._cursor = first(paging.cursor)

    def _following(self, answer: Answer) -> Any:
        cursor = self._cursor(answer.body)
        if isinstance(cursor, (dict, list)):
            raise answer.unexpected("the cursor is no text or number", todo=BROKEN)
        return None if cursor in (None, ABSENT, "", False) else cursor

    def _turn(self, following: Any) -> Turn:
        return Turn(following)


class _Links(_Chained):
    """The next page's address: in the body, in the Link header, or in a header of another name."""

    what = "a next link"

    def __init__(self, paging: NextUrlPaging | LinkHeaderPaging | NextHeaderPaging, size: int | None) -> None:
        super().__init__(paging, size)
        self._paging = paging
        self._url = first(paging.url) if isinstance(paging, NextUrlPaging) else None

    def _following(self, answer: Answer) -> str | None:
        if self._url is not None:
            found = self._url(answer.body)
            if found in (None, ABSENT, "", False):
                return None
            if not isinstance(found, str):
                raise answer.unexpected("the next page's address is no text", todo=BROKEN)
            return found
        if isinstance(self._paging, NextHeaderPaging):
            return answer.headers.get(self._paging.name) or None
        links = parse_header_links(answer.headers.get("Link") or "")
        return next((str(one["url"]) for one in links if "next" in str(one.get("rel", "")).split()), None) or None

    def _turn(self, following: Any) -> Turn:
        return Turn(link=following)


def without(params: Mapping[str, str], link: str) -> dict[str, str]:
    """The parameters that a link does not have already."""
    there = {name for name, _ in parse_qsl(urlsplit(link).query, keep_blank_values=True)}
    return {name: value for name, value in params.items() if name not in there}


def _number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return int(value)
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else None
