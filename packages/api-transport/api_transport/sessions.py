"""Connections that are kept open, each used by one thread at a time."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from contextlib import contextmanager
from functools import cached_property
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.utils import select_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HANDSHAKE = 2.0
"""Seconds that a server has to show that it speaks TLS."""


class HeadersAsGiven(requests.auth.AuthBase):
    """Sends the headers as they are.

    Without any `auth`, requests looks into ~/.netrc and would overwrite our Authorization with what it finds.
    """

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave the request alone."""
        return request


class Sessions:
    """A pool of HTTP sessions for one server. A thread borrows one for an exchange, so no two ever use the same.

    What the environment says of proxies and trusted certificates is read once, when it is first needed.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = url
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

    @cached_property
    def _environment(self) -> Mapping[str, Any]:
        """Proxies and trusted certificates. This machine is never asked by way of a proxy."""
        host = urlsplit(self._url).hostname or ""
        proxies = {"no_proxy": host} if _is_this_machine(host) else {}
        with requests.Session() as session:
            return session.merge_environment_settings(self._url, proxies, None, None, None)

    @cached_property
    def proxy(self) -> str:
        """Host and port of the proxy on the way, if there is one."""
        return urlsplit(select_proxy(self._url, self._environment["proxies"]) or "").netloc.rpartition("@")[2]

    def _new(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.proxies.update(self._environment["proxies"])
        session.verify = self._environment["verify"]
        session.headers.update(self._headers)
        session.auth = HeadersAsGiven()
        # A cookie would make answers depend on earlier ones.
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return session


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def speaks_tls(host: str, port: int) -> bool:
    """Whether a server that did not answer HTTP answers TLS. It is trusted with nothing: no request follows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), _HANDSHAKE) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except ssl.SSLError as error:
        # A refusal in TLS's own words.
        return "ALERT" in (error.reason or "")
    except (OSError, ValueError):
        return False
