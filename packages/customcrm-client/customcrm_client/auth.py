"""How the CRM knows who asks: what each kind of `auth` adds to a request."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from api_transport import redaction
from api_transport.errors import AccessDenied

from customcrm_client.grants import PATIENCE, ClientGrant, Endpoint, Grant, RefreshGrant
from customcrm_client.profile_auth import Auth, Basic, Bearer, HeaderKey, NoAuth, OAuth2, QueryKey
from customcrm_client.token_store import TokenStore


class Credentials(Protocol):
    """What is added to each request."""

    def headers(self) -> Mapping[str, str]:
        """Headers, made anew for each attempt."""

    def params(self) -> Mapping[str, str]:
        """Query parameters."""

    def renew(self) -> bool:
        """Whether there are newer credentials to try after a 401."""


class Fixed:
    """Credentials that do not change during a run."""

    def __init__(self, headers: Mapping[str, str] | None = None, params: Mapping[str, str] | None = None) -> None:
        self._headers = dict(headers or {})
        self._params = dict(params or {})

    def headers(self) -> Mapping[str, str]:
        """The same headers each time."""
        return self._headers

    def params(self) -> Mapping[str, str]:
        """The same parameters each time."""
        return self._params

    def renew(self) -> bool:
        """There are no others."""
        return False


class Token:
    """An OAuth2 token: asked for once, renewed before it ends and where the CRM wants another."""

    def __init__(self, grant: Grant, prefix: str, clock: Callable[[], float]) -> None:
        self._grant = grant
        self._prefix = prefix
        self._clock = clock
        self._token: str | None = None
        self._refused: str | None = None
        self._renew_at = 0.0
        self._denied: AccessDenied | None = None
        self._lock = threading.Lock()
        self._given = threading.local()

    def headers(self) -> Mapping[str, str]:
        """The token, a new one where it is due. Raises the errors of `api_transport.errors`.

        What is denied once is not asked for again.
        """
        self._given.token = None
        with self._lock:
            if self._denied is not None:
                raise self._denied
            if self._token is None or self._clock() >= self._renew_at:
                self._token = None
                self._fetch()
            self._given.token = self._token
            return {"Authorization": f"{self._prefix}{self._token}"}

    def params(self) -> Mapping[str, str]:
        """None."""
        return {}

    def renew(self) -> bool:
        """Forget the token that this thread sent: the CRM may have withdrawn it before its end.

        Whether there was one: where none could be got there is nothing to renew.
        """
        given = getattr(self._given, "token", None)
        with self._lock:
            # Another thread may have renewed it meanwhile.
            if given is not None and self._token == given:
                self._refused, self._token = given, None
        return given is not None

    def _fetch(self) -> None:
        asked_at = self._clock()
        try:
            granted = self._grant.token(self._refused)
        except AccessDenied as error:
            self._denied = error
            raise
        self._token, self._renew_at = granted.token, asked_at + granted.seconds


def basic(user: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic."""
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    redaction.hide(encoded)
    return {"Authorization": f"Basic {encoded}"}


def needs(auth: Auth) -> tuple[str, ...]:
    """The settings that a kind of auth cannot do without."""
    if isinstance(auth, NoAuth):
        return ()
    if isinstance(auth, OAuth2) and auth.grant == "refresh_token":
        return ("api_user", "refresh_token")
    return ("api_user", "api_key") if isinstance(auth, (Basic, OAuth2)) else ("api_key",)


def credentials(
    auth: Auth,
    base_url: str,
    user: str,
    key: str,
    agent: str,
    *,
    refresh_token: str = "",
    token_store: Path | None = None,
    **options: Any,
) -> Credentials:
    """What an `auth` adds to requests. The key and the tokens are hidden from every text of this process.

    `token_store` is the folder of refresh tokens; without one they cannot be used. Other options are the `Transport`'s.
    """
    redaction.hide(key, refresh_token)
    if isinstance(auth, OAuth2):
        return Token(
            _grant(auth, base_url, (user, key), agent, refresh_token, token_store, options),
            auth.prefix,
            options.get("clock", time.monotonic),
        )
    if isinstance(auth, Bearer):
        return Fixed({"Authorization": f"Bearer {key}"})
    if isinstance(auth, HeaderKey):
        return Fixed({auth.name: f"{auth.prefix}{key}"})
    if isinstance(auth, QueryKey):
        return Fixed(params={auth.name: key})
    return Fixed(basic(user, key)) if isinstance(auth, Basic) else Fixed()


def _grant(
    auth: OAuth2,
    base_url: str,
    client: tuple[str, str],
    agent: str,
    refresh_token: str,
    token_store: Path | None,
    options: Mapping[str, Any],
) -> Grant:
    # A public client has no secret that could be sent as a password.
    headers = basic(*client) if auth.client_in == "header" and client[1] else {}
    if auth.grant == "client_credentials":
        return ClientGrant(Endpoint(auth, base_url, client, headers, agent, **options))
    if token_store is None:
        raise ValueError("a refresh token needs a token_store")
    endpoint = Endpoint(auth, base_url, client, headers, agent, **{"max_elapsed": PATIENCE, **options})
    return RefreshGrant(endpoint, refresh_token, TokenStore(token_store, refresh_token))
