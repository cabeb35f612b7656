"""What is sent again, and after how long: pure decisions, nothing here waits or sends.

The one question that matters: can the request have been carried out already? Where it can, only an idempotent one is
sent again.
"""

from __future__ import annotations

import ssl
from enum import Enum
from typing import TYPE_CHECKING

import backoff
from requests.exceptions import (
    ContentDecodingError,
    InvalidSchema,
    InvalidURL,
    MissingSchema,
    ProxyError,
    ReadTimeout,
)
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    LocationValueError,
    NewConnectionError,
    ReadTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
TOO_MANY = 429
"""What an API says to more requests than it allows."""

PERIOD = 1.0
"""Seconds after which it may allow more at the earliest, where it does not say."""

PASSING_STATUSES = frozenset({502, 503, 504})
"""What a gateway says while the system behind it restarts."""

LONGEST_WAIT = 30.0
"""Seconds between two attempts at most, where the server does not ask for more."""

FIRST_CONTACT = 15.0
"""Seconds for which an address that never answered is tried: most likely it is mistyped, and the user waits."""


_NEVER_CONNECTED = (NewConnectionError, ConnectTimeoutError)
_TIME_OUTS = (TimeoutError, ReadTimeout, ReadTimeoutError)
_NOT_AN_ADDRESS = (InvalidURL, MissingSchema, InvalidSchema, LocationValueError, UnicodeError)


class Failure(Enum):
    """How a request failed on the way."""

    NEVER_SENT = "no connection to {host}"
    """Surely not carried out: refused, unknown host, no route."""

    NO_PROXY = "no connection by way of the proxy {proxy}"
    """The same: it is not there, or does not let the request through."""

    UNTRUSTED = "the certificate of {host} is not trusted"
    """Surely not carried out, and trying again will not help: neither with the three below."""

    NOT_HTTPS = "{host} does not speak HTTPS"
    NOT_HTTP = "{host} speaks HTTPS, and was asked by HTTP"
    NO_ADDRESS = "{host} is no address, or the file of trusted certificates is missing"

    DROPPED = "no whole answer from {host}"
    """The connection broke after the request may have left: nobody knows what became of it."""

    TIMED_OUT = "no whole answer from {host} in time"
    """The same, after a wait."""

    GARBLED = "the answer of {host} is not encoded as its Content-Encoding says"
    """The same, and trying again will not help."""

    def at(self, host: str, proxy: str = "") -> str:
        """The failure in words."""
        return self.value.format(host=host, proxy=proxy)


UNCERTAIN = frozenset({Failure.DROPPED, Failure.TIMED_OUT, Failure.GARBLED})
"""Failures after which nobody knows whether a request was carried out."""


def is_idempotent(method: str, idempotent: bool | None = None) -> bool:  # noqa: FBT001 - one of three answers
    """Whether doing it twice is doing it once: as the caller says, else by the method (never POST and PATCH)."""
    return method.upper() in IDEMPOTENT_METHODS if idempotent is None else idempotent


def failure_of(error: Exception) -> Failure:
    """Which failure an exception of the HTTP library is."""
    reasons = list(_reasons(error))
    if any(isinstance(reason, ssl.SSLCertVerificationError) for reason in reasons):
        return Failure.UNTRUSTED
    if any(isinstance(reason, ssl.SSLError) and reason.reason == "WRONG_VERSION_NUMBER" for reason in reasons):
        return Failure.NOT_HTTPS
    if any(isinstance(reason, ProxyError) for reason in reasons):
        return Failure.NO_PROXY
    if any(isinstance(reason, _NEVER_CONNECTED) for reason in reasons):
        return Failure.NEVER_SENT
    if any(isinstance(reason, (ContentDecodingError, DecodeError)) for reason in reasons):
        return Failure.GARBLED
    # A plain OSError comes before any connection: the bundle of trusted certificates is not there.
    if isinstance(error, _NOT_AN_ADDRESS) or type(error) is OSError:
        return Failure.NO_ADDRESS
    return Failure.TIMED_OUT if any(isinstance(reason, _TIME_OUTS) for reason in reasons) else Failure.DROPPED


def retries_failure(failure: Failure, *, idempotent: bool) -> bool:
    """Whether a request that failed on the way may be sent again."""
    surely_not = failure in (Failure.NEVER_SENT, Failure.NO_PROXY)
    return surely_not or (idempotent and failure in (Failure.DROPPED, Failure.TIMED_OUT))


def passes(status: int, *, idempotent: bool) -> bool:
    """Whether a request that was answered so may be sent again."""
    return idempotent and status in PASSING_STATUSES


def patience(failure: Failure, *, reached: bool) -> float | None:
    """Seconds for which such a failure is worth trying again, None where only the request's own time counts.

    `reached` is whether the system has ever answered.
    """
    return None if reached or failure is Failure.TIMED_OUT else FIRST_CONTACT


def waits() -> Iterator[float]:
    """Seconds before each further attempt: exponential, with full jitter so that clients do not come back together."""
    steps = backoff.expo(base=2, factor=0.5, max_value=LONGEST_WAIT)
    next(steps)  # the generator's own start, not a step
    return (backoff.full_jitter(step) for step in steps)


def wait_before_next(planned: float, asked: float | None) -> float:
    """Seconds to wait: what the server asks for and a little more, so that nobody is early; else what is planned."""
    return planned if not asked else asked + min(planned, 1.0)


def _reasons(error: BaseException) -> Iterator[BaseException]:
    """The exception and those it wraps.

    The HTTP libraries keep these in `args` and `reason`. `__context__` would also lead to whatever the caller was
    just handling, and from there to a wrong "never sent".
    """
    waiting: list[object] = [error]
    for _ in range(20):
        if not waiting:
            return
        found = waiting.pop()
        if isinstance(found, BaseException):
            yield found
            waiting += [*found.args, getattr(found, "reason", None)]
