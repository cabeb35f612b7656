"""Connections that are kept open, each used by one thread at a time."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class HeadersAsGiven(requests.auth.AuthBase):
    """Sends the headers as they are.

    Without any `auth`, requests looks into ~/.netrc and would overwrite our Authorization with what it finds.
    """

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave the request alone."""
        return request


class Sessions:
    """A pool of HTTP sessions. A thread borrows one for an exchange, so none is ever used by two at once."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers)
        self._idle: list[requests.Session] = []
        self._lock = threading.Lock()

    @contextmanager
    def borrowed(self) -> Iterator[requests.Session]:
        """A session for one exchange; the most recently used one, its connection is the likeliest to be open still."""
        with self._lock:
            session = self._idle.pop() if self._idle else None
        session = session or self._new()
        try:
            yield session
        finally:
            with self._lock:
                self._idle.append(session)

    def close(self) -> None:
        """Close all idle connections; the pool can be used again afterwards."""
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()

    def _new(self) -> requests.Session:
        session = requests.Session()
        session.headers.update(self._headers)
        session.auth = HeadersAsGiven()
        # A cookie would make answers depend on earlier ones.
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return session
