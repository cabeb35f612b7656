"""Several calls of one API in flight, their results in the order of the calls."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Answered = TypeVar("Answered")

AHEAD = 2
"""Calls taken up for each that may be in flight: while the first one's result is awaited, others go on."""


def as_ready(calls: Iterable[Callable[[], Answered]], limit: int) -> Iterator[list[Answered]]:
    """Make calls, at most `limit` of them at a time; yields the results in order, all that are there by then together.

    An exception of a call comes where its result would have come; calls not begun by then are never made, and those
    begun are waited for.
    """
    if limit <= 1:
        for call in calls:
            yield [call()]
        return
    waiting: deque[Future[Answered]] = deque()
    with ThreadPoolExecutor(limit, thread_name_prefix="in-flight") as pool:
        try:
            for call in calls:
                waiting.append(pool.submit(call))
                if len(waiting) >= AHEAD * limit:
                    yield from _first(waiting)
            while waiting:
                yield from _first(waiting)
        finally:
            for future in waiting:
                future.cancel()


def in_order(calls: Iterable[Callable[[], Answered]], limit: int) -> Iterator[Answered]:
    """Make calls that only read, at most `limit` at a time, also while a result is worked on; yields them in order.

    An exception of a call comes where its result would have come. Whoever stops early, or is told to, does not wait
    for those under way: nothing depends on them.
    """
    waiting: deque[Future[Answered]] = deque()
    for call in calls:
        if len(waiting) < limit:
            waiting.append(begun(call))
            continue
        # Awaited before the next one is begun: it counts as well.
        result = waiting.popleft().result()
        waiting.append(begun(call))
        yield result
    while waiting:
        yield waiting.popleft().result()


def begun(call: Callable[[], Answered]) -> Future[Answered]:
    """A call in a thread of its own, which a process that ends does not wait for."""
    future: Future[Answered] = Future()

    def make() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - told where its result is awaited
            future.set_exception(error)

    threading.Thread(target=make, name="ahead", daemon=True).start()
    return future


def _first(waiting: deque[Future[Answered]]) -> Iterator[list[Answered]]:
    """Wait for the first result, and take those behind it that are there already."""
    results = [waiting.popleft().result()]
    failed = None
    while waiting and waiting[0].done():
        try:
            results.append(waiting.popleft().result())
        except Exception as error:  # noqa: BLE001 - told where it happened, after the results before it
            failed = error
            break
    yield results
    if failed is not None:
        raise failed
