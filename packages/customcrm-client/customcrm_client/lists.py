"""Reading a list page by page: requests out, pages in, as many ahead as are known and allowed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

from api_transport.answer import Answer
from api_transport.concurrency import begun
from api_transport.errors import ApiError

from customcrm_client.errors import is_own
from customcrm_client.paging import Pager, Turn, Turns
from customcrm_client.records import Record

Ask = Callable[[Turn], Answer]
ReadRecords = Callable[[Answer], list[Record]]


@dataclass(frozen=True)
class Page:
    """Some records of a list, and when (UTC, our clock) they were asked for."""

    values: list[Record]
    sent_at: datetime


class _Asked:
    """A turn whose answer is on its way, or is fetched where it is needed."""

    def __init__(self, ask: Ask, turn: Turn, *, ahead: bool) -> None:
        self.turn = turn
        self._future: Future[Answer] | None = begun(lambda: ask(turn)) if ahead else None
        self._ask = ask

    def answer(self) -> Answer:
        return self._ask(self.turn) if self._future is None else self._future.result()


def walk(
    pager: Pager, ask: Ask, read: ReadRecords, in_flight: int, ends: Collection[int] = (), empty: Collection[int] = ()
) -> Iterator[Page]:
    """Each page of a list, empty ones too.

    What is known of the rest is asked for in the background while a page is worked on, at most `in_flight` at a time;
    with 1 nothing is asked ahead. `ends` are the statuses that mean: past the last page, `empty` those that mean it of
    the first one. Whoever stops early leaves requests that nobody waits for.
    """
    waiting: deque[Turn] = deque()
    asked = deque([_Asked(ask, pager.begin(), ahead=False)])
    is_first = True
    while asked:
        now = asked.popleft()
        try:
            answer = now.answer()
        except ApiError as error:
            past_the_end = now.turn.offset and error.status in ends
            if not (is_own(error, empty) if is_first else past_the_end):
                raise
            turns, values, sent_at = pager.past_the_end(), None, None
        else:
            values, sent_at = read(answer), answer.sent_at
            turns = pager.after(now.turn, answer, values)
        is_first = False
        if turns.over or turns.moved:
            waiting.clear()
            asked.clear()
        waiting.extend(turns.more)
        while waiting and len(asked) < in_flight:
            asked.append(_Asked(ask, waiting.popleft(), ahead=in_flight > 1))
        if values is not None and sent_at is not None and not turns.moved:
            yield Page(_new(values, turns), sent_at)


def _new(values: list[Record], turns: Turns) -> list[Record]:
    return values if turns.records is None else turns.records
