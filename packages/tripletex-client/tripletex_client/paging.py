"""A page of a list, and the walk from page to page (reference: Tripletex API, Reading)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api_transport.errors import UnexpectedAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from api_transport.answer import Answer

LARGEST = 1000
"""Values in a page at most: the API's default. With more asked for, a page cut by the API would look like the last."""


@dataclass(frozen=True)
class Page:
    """Some values of a list.

    `offset` is the index of the first; `sent_at` is when it was asked for (our clock, UTC); `digest` is the checksum
    to send next time, None where none was asked for or the list is empty.
    """

    values: list[dict[str, Any]]
    offset: int
    sent_at: datetime
    digest: str | None = None


def values_of(answer: Answer) -> list[dict[str, Any]]:
    """The values of a list envelope.

    Raises `UnexpectedAnswer` where they are missing (never an empty list: absence would mean deletion), or
    `OutcomeUnknown` after a POST.
    """
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
    digest = answer.body.get("versionDigest") if isinstance(answer.body, dict) else None
    return Page(values_of(answer), offset, answer.sent_at, digest if isinstance(digest, str) and digest else None)


def by_id(page: Page) -> dict[int, dict[str, Any]]:
    """The values by their ids. Raises `UnexpectedAnswer` for one without."""
    if not all(isinstance(value.get("id"), int) for value in page.values):
        raise UnexpectedAnswer("a listed record has no id", method="GET")
    return {value["id"]: value for value in page.values}


def walk(read: Callable[[int], Page], page_size: int) -> Iterator[Page]:
    """Page after page, `read(offset)`, until one has fewer than `page_size` values; an empty list is one empty page.

    `fullResultSize` is not exact and not looked at. Raises `UnexpectedAnswer` where the API does not move on.
    """
    offset = 0
    before: list[dict[str, Any]] = []
    while True:
        page = read(offset)
        if page.values and page.values == before:
            raise UnexpectedAnswer(f"the page from {offset} is the page before it once more", method="GET")
        yield page
        if len(page.values) < page_size:
            return
        before, offset = page.values, offset + len(page.values)
