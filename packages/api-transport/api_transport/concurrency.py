"""Several calls of one API in flight, their results in the order of the calls."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


class InFlight:
    """Makes calls of one API, at most `limit` of them at a time, whoever asks for them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pool: ThreadPoolExecutor | None = None

    def begin(self, calls: Iterable[Callable[[], Sequence[Answered]]]) -> Iterator[list[Answered]]:
        """Begin calls, after those that were begun before; iterate for what they result in, in their order.

        With a limit of one nothing is begun before it is iterated over.
        """
        if self._limit <= 1:
            return (list(call()) for call in calls)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._limit, thread_name_prefix="in-flight")
        return Begun(self._pool, calls)

    def begin_portions(
        self, call: Callable[[Sequence[Asked]], Sequence[Answered]], asked: Sequence[Asked], size: int
    ) -> Iterator[list[Answered]]:
        """Begin a call for every so many of what is asked, as `begin` does."""
        return self.begin([partial(call, asked[start : start + size]) for start in range(0, len(asked), size)])


class Begun(Generic[Answered]):
    """Calls that were begun: gives their results in order, of all that are there by then together.

    An exception of a call comes where its results would have come. Calls not under way by then are never made, and
    those under way are waited for.
    """

    def __init__(self, pool: ThreadPoolExecutor, calls: Iterable[Callable[[], Sequence[Answered]]]) -> None:
        self._failure: BaseException | None = None
        self._waiting = deque([pool.submit(self._make, call) for call in calls])

    def _make(self, call: Callable[[], Sequence[Answered]]) -> Sequence[Answered]:
        if self._failure is None:
            try:
                return call()
            except BaseException as error:
                self._failure = error
                raise
        raise self._failure

    def __iter__(self) -> Begun[Answered]:
        return self

    def __next__(self) -> list[Answered]:
        results: list[Answered] = []
        while self._waiting and (not results or self._waiting[0].done()):
            if results and self._waiting[0].exception() is not None:
                break
            try:
                results += self._waiting.popleft().result()
            except BaseException:
                self.close()
                raise
        if not results and not self._waiting:
            raise StopIteration
        return results

    def close(self) -> None:
        """Let go of the calls."""
        waiting, self._waiting = self._waiting, deque()
        wait([one for one in waiting if not one.cancel()])


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
