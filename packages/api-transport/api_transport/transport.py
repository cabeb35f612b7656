"""Sending one request to an API until there is an answer, or a reason why there is none."""

from __future__ import annotations

import http.client
import logging
import math
import threading
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import requests
import urllib3

from api_transport import redaction, retry
from api_transport.address import Address
from api_transport.answer import decoded, encoded, form_encoded
from api_transport.error_text import read_error
from api_transport.errors import without_query
from api_transport.exchange import Budget, Reply, Request, unsendable
from api_transport.pace import Pace
from api_transport.rate_limit import RateHeaders, asked_wait, http_date, rate_limit
from api_transport.retry import Failure
from api_transport.sessions import Sessions, speaks_tls
from api_transport.verdict import Hints, Judge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from api_transport.answer import Answer
    from api_transport.error_text import ReadError
    from api_transport.rate_limit import RateLimit

logger = logging.getLogger(__name__)

UNSET: Any = object()
"""Stands for "no body"; None is a body, JSON's null."""

_CHUNK = 16384
_SHORTEST_TIMEOUT = 1.0
"""Seconds that an attempt gets even where the time allowed is nearly over: less would be an attempt in vain."""

_ON_THE_WAY = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    UnicodeError,
)
_DEFAULT_HINTS = Hints()
_USUAL_RATE = RateHeaders()


class Transport:
    """HTTP to one API.

    Only requests that cannot have been carried out, or are idempotent, are sent again. Redirects are never followed.
    Whatever goes wrong is an `ApiError`; no exception of the HTTP library escapes. Safe to use from several threads.

    How many requests go out at a time, and when none does, follows what the API says is left (`pace`); a wait for that
    comes before a request's own time begins. `auth` gives the headers of each attempt. `timeout` is (seconds to
    connect, seconds between two bytes). `max_elapsed` bounds one request with all its attempts and waits, in seconds;
    a write that must not be repeated is however never cut short, so it may take one `timeout` longer. `rate` names the
    headers that tell the API's limit. `clock` is monotonic, in seconds.
    """

    def __init__(
        self,
        base_url: str,
        *,
        user_agent: str,
        auth: Callable[[], Mapping[str, str]] | None = None,
        timeout: tuple[float, float] = (10, 60),
        max_elapsed: float = 300,
        read_error: ReadError = read_error,
        hints: Hints = _DEFAULT_HINTS,
        rate: RateHeaders = _USUAL_RATE,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.address = Address(base_url)
        self.requests = 0
        self.waits = 0
        """How often nothing was sent for a while: for a new period, or before another attempt."""
        self.waited = 0.0
        """Seconds that this took."""
        self.server_clock: datetime | None = None
        self.rate_limit: RateLimit | None = None
        self._auth = auth
        self._timeout = timeout
        self._max_elapsed = max_elapsed
        self._judge = Judge(read_error, hints)
        self._rate = rate
        self._sleep = sleep
        self._clock = clock
        self._reached = False
        self._lock = threading.Lock()
        self.pace = Pace(self._pause, clock)
        self._sessions = Sessions(str(self.address), {"User-Agent": user_agent, "Accept": "application/json"})
        redaction.install()

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections kept open."""
        self._sessions.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = UNSET,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool | None = None,
        judge: Judge | None = None,
        ok: tuple[int, ...] = (200, 201, 204),
        read: Callable[[bytes], Any] = decoded,
        passing: tuple[int, ...] = (),
        once: float | None = None,
    ) -> Answer:
        """Send a request and return the answer, if its status is one of `ok`.

        `path` is below the base address (or a whole URL on the same host), its segments already percent-encoded
        (`address.segment`). The body is `json`, or the fields of a `form`. `idempotent` says whether doing it twice is
        doing it once; by default GET, PUT and DELETE are, POST and PATCH are not. `read` makes the answer's `body` of
        its bytes; `NotJson` from it is told like any other body that is not JSON. Statuses that are `passing` for this
        request are waited out like 429. A request that is to be sent `once` has so many seconds, waits for nothing and
        is not sent again. Raises the errors of `api_transport.errors`, as `judge` tells them where a path has its own;
        ValueError or TypeError for a body that is not JSON.
        """
        body, content = None, {}
        if form is not None:
            body, content = form_encoded(form), {"Content-Type": "application/x-www-form-urlencoded"}
        elif json is not UNSET:
            body, content = encoded(json), {"Content-Type": "application/json; charset=utf-8"}
        request = Request(
            method=method.upper(),
            path=without_query(path),
            host=self.address.host,
            url=self.address.url(path, params),
            headers={**content, **(headers or {})},
            body=body,
            idempotent=retry.is_idempotent(method, idempotent),
            ok=ok,
            read=read,
            proxy=self._sessions.proxy,
            passing=passing,
        )
        judge = judge or self._judge
        if once is None:
            return self._until_answered(request, judge)
        came = self._attempt(request, Budget(once, self._clock))
        if isinstance(came, Reply):
            self._is_too_many(came, judge)
            return judge.answer(request, came)
        raise judge.unanswered(request, came)

    def _until_answered(self, request: Request, judge: Judge) -> Answer:
        budget, waits = Budget(self._max_elapsed, self._clock), retry.waits()
        while True:
            with self.pace.turn():
                came = self._attempt(request, budget)
            asked = asked_wait(came.headers, self._rate) if isinstance(came, Reply) else None
            too_many = isinstance(came, Reply) and self._is_too_many(came, judge)
            if isinstance(came, Reply):
                passes = came.status in request.passing or retry.passes(came.status, idempotent=request.idempotent)
                if not too_many and (came.status in judge.permanent or not passes):
                    return judge.answer(request, came)
                left = budget.left()
            elif not retry.retries_failure(came, idempotent=request.idempotent):
                left = 0.0
            else:
                left = budget.left(retry.patience(came, reached=self._reached))
            wait = retry.wait_before_next(next(waits), asked)
            if too_many:
                wait = wait if asked else retry.PERIOD + wait
                self.pace.refused(wait)
            if wait >= left:
                if isinstance(came, Reply):
                    raise judge.given_up(request, came, asked)
                raise judge.unanswered(request, came)
            why = came.status if isinstance(came, Reply) else came.at(request.host, request.proxy)
            logger.info("%s %s: %s, trying again in %.1f s", request.method, request.path, why, wait)
            budget.slept(wait)
            self._pause(wait)

    def _pause(self, seconds: float) -> None:
        with self._lock:
            self.waits += 1
            self.waited += seconds
        self._sleep(seconds)

    def _attempt(self, request: Request, budget: Budget) -> Reply | Failure:
        """Send once. The HTTP library's exceptions end here, because their texts hold the URL."""
        headers = {**(self._auth() if self._auth else {}), **request.headers}
        if header := unsendable(headers):
            raise self._judge.unsendable(request, header)
        connect, read = self._timeout
        began, left = self._clock(), math.inf
        if request.idempotent:
            left = max(budget.left(), _SHORTEST_TIMEOUT)
            connect, read = min(connect, left), min(read, left)
        with self._lock:
            self.requests += 1
        sent_at = datetime.now(timezone.utc)
        with self._sessions.borrowed() as session:
            try:
                with session.request(
                    request.method,
                    request.url,
                    data=request.body,
                    headers=headers,
                    timeout=(connect, read),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    raw = self._body(response, until=began + left)
            except _ON_THE_WAY as error:
                return self._failure(retry.failure_of(error))
        if raw is None:
            return Failure.TIMED_OUT
        reply = Reply(response.status_code, response.headers, raw, sent_at)
        self._note(reply)
        logger.debug("%s %s: %d in %.2f s", request.method, request.path, reply.status, self._clock() - began)
        return reply

    def _failure(self, failure: Failure) -> Failure:
        """The failure, told from that of a server that speaks only HTTPS: it drops what it is asked by HTTP."""
        scheme, host, port = self.address.origin
        is_first = failure is Failure.DROPPED and not self._reached and not self._sessions.proxy
        return Failure.NOT_HTTP if is_first and scheme == "http" and speaks_tls(host, port) else failure

    def _body(self, response: requests.Response, until: float) -> bytes | None:
        """The whole body, None where it has not arrived by that time of our clock."""
        parts = []
        for part in response.iter_content(_CHUNK):
            parts.append(part)
            if self._clock() > until:
                return None
        return b"".join(parts)

    def _note(self, reply: Reply) -> None:
        """Keep what a reply says about the server itself."""
        moment, limit = http_date(reply.headers.get("Date")), rate_limit(reply.headers, self._rate)
        with self._lock:
            self._reached = True
            if moment and (self.server_clock is None or moment > self.server_clock):
                self.server_clock = moment
            if limit:
                self.rate_limit = limit
        if limit:
            self.pace.note(limit)

    def _is_too_many(self, reply: Reply, judge: Judge) -> bool:
        """Whether the API says that it allows no more for now; the pace takes in that it let a request in."""
        too_many = judge.is_too_many(reply)
        if not too_many:
            self.pace.answered()
        return too_many


def user_agent(plugin: str) -> str:
    """Name one of this project's plugins to a server: `customcrm-tripletex/0.1 (+tap-tripletex)`."""
    return f"customcrm-tripletex/0.1 (+{plugin})"
