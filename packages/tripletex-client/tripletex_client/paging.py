"""A page of a list, and the walk from page to page (reference: Tripletex API, Reading)."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from api_transport.answer import decoded
from api_transport.concurrency import begun
from api_transport.errors import UnexpectedAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from concurrent.futures import Future
    from datetime import datetime

    from api_transport.answer import Answer

LARGEST = 1000
"""Values in a page at most: the API's default. With more asked for, a page cut by the API would look like the last."""

Answered = TypeVar("Answered", "Page", "Page | None")
Value = TypeVar("Value")

_FURTHER_BACK = 10
"""Times as far back each time, until a record is met that is known."""


@dataclass(frozen=True)
class Page:
    """Some values of a list.

    `offset` is the index of the first; `sent_at` is when it was asked for (our clock, UTC); `digest` is the checksum
    to send next time, None where none was asked for or the list is empty.
    """

    values: list[Any]
    """Dictionaries, or where a type of record was given, records of it: a page is one or the other."""
    offset: int
    sent_at: datetime
    digest: str | None = None


@dataclass(frozen=True)
class Typed:
    """Reads a list whose records are of a type; one that they do not match is read as any other."""

    decoder: msgspec.json.Decoder[Any]

    @classmethod
    def of(cls, record: type) -> Typed:
        """For records of this type, which has an `id`."""
        return cls(msgspec.json.Decoder(_List[record]))  # type: ignore[valid-type]

    def __call__(self, raw: bytes) -> Any:
        """The list's envelope. Raises `NotJson`."""
        try:
            return self.decoder.decode(raw)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return decoded(raw)


class _List(msgspec.Struct, Generic[Value], gc=False):
    values: list[Value]
    versionDigest: Any = None  # noqa: N815 - the API's


def values_of(answer: Answer) -> list[Any]:
    """The values of a list envelope.

    Raises `UnexpectedAnswer` where they are missing (never an empty list: absence would mean deletion), or
    `OutcomeUnknown` after a POST.
    """
    if isinstance(answer.body, _List):
        return answer.body.values
    values = answer.body.get("values") if isinstance(answer.body, dict) else None
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise answer.unexpected("the answer holds no list of values")
    return values


def value_of(answer: Answer) -> dict[str, Any]:
    """The value of a single envelope. Raises as `values_of` does where it is missing."""
    value = answer.body.get("value") if isinstance(answer.body, dict) else None
    if not isinstance(value, dict):
        raise answer.unexpected("the answer holds no value")
    return value


def page_of(answer: Answer, offset: int) -> Page:
    """The page that an answer holds."""
    values = values_of(answer)
    body = answer.body
    digest = body.versionDigest if isinstance(body, _List) else body.get("versionDigest")
    return Page(values, offset, answer.sent_at, digest if isinstance(digest, str) and digest else None)


def _id_of(value: Any) -> Any:
    return value.get("id") if isinstance(value, dict) else value.id


def by_id(page: Page) -> dict[int, dict[str, Any]]:
    """The values by their ids. Raises `UnexpectedAnswer` for one without."""
    if not all(isinstance(value.get("id"), int) for value in page.values):
        raise UnexpectedAnswer("a listed record has no id", method="GET")
    return {value["id"]: value for value in page.values}


def walk(read: Callable[[int], Page], page_size: int, in_flight: int = 1) -> Iterator[Page]:
    """Page after page, `read(offset)`, until one has fewer than `page_size` values; an empty list is one empty page.

    Offsets mean other records once somebody deletes or adds one before them. Each page therefore begins with the last
    record of the one before it (which is left out of what is given); where it does not, the list has moved, and is read
    again from further ahead. So nothing is passed over, in whichever order pages asked for together are answered.
    Raises `UnexpectedAnswer` where the API does not move on.
    """
    overlap = 1 if page_size > 1 else 0
    start, back = 0, 1
    known: set[Any] = set()
    while True:
        with closing(read_on(read, start, page_size, in_flight, overlap=overlap)) as pages:
            for page in pages:
                values = page.values
                if overlap and known and page.offset and not (values and _id_of(values[0]) in known):
                    back *= _FURTHER_BACK
                    start = max(0, page.offset - back)
                    break
                new = [value for value in values if _id_of(value) not in known] if overlap else values
                if not new and len(values) == page_size and back == 1:
                    raise UnexpectedAnswer(f"the page from {page.offset} is the page before it once more", method="GET")
                back = 1
                yield replace(page, values=new)
                if len(values) < page_size:
                    return
                known = {_id_of(value) for value in values}


def read_on(
    read: Callable[[int], Answered],
    start: int,
    page_size: int,
    in_flight: int,
    *,
    overlap: int = 0,
    expected: int = 0,
) -> Generator[Answered, None, None]:
    """The pages from an offset on, without end: whoever reads them stops at the first that has fewer values.

    At most `in_flight` are asked for at a time. The API tells no total, so what is not `expected` to be there (that
    many values, by an earlier reading) is asked for ahead no further than full pages came: a short list costs next to
    nothing in vain, a long one is soon read at full width.
    """
    step = page_size - overlap
    if in_flight <= 1:
        for offset in count(start, step):
            yield read(offset)
    asked: deque[Future[Answered]] = deque()
    asked_until = wanted = start
    ahead = 1

    def ask(until: int) -> None:
        nonlocal asked_until
        while len(asked) < in_flight and asked_until < until:
            asked.append(begun(partial(read, asked_until)))
            asked_until += step

    while True:
        ask(max(expected, wanted + step))
        page = asked.popleft().result()
        wanted += step
        if page is None:
            ask(expected)
        elif len(page.values) == page_size:
            ahead += 1
            ask(max(expected, wanted + ahead * step))
        yield page
