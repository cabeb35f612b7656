"""How the CRM knows who asks: what each kind of `auth` adds to a request."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urljoin

from api_transport import redaction
from api_transport.transport import Transport, user_agent
from api_transport.verdict import Hints

from customcrm_client.profile import Auth, Basic, Bearer, ClientCredentials, HeaderKey, NoAuth, QueryKey

EARLY = 60.0
"""Seconds before its end at which a token is renewed; half its life where that is shorter."""

LIFE = 3600.0
"""Seconds for which a token holds that does not say so itself."""

TOKEN_HINTS = Hints(
    address="check auth.token_path in the profile",
    credentials="check api_user and api_key",
    rights="check api_user and api_key, and auth.scope in the profile",
)


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
    """An OAuth2 token of client credentials: asked for once, renewed before it ends and where the CRM wants another."""

    def __init__(
        self,
        auth: ClientCredentials,
        client: str,
        secret: str,
        transport: Transport,
        path: str,
        clock: Callable[[], float],
    ) -> None:
        self._auth = auth
        self._client = client
        self._secret = secret
        self._transport = transport
        self._path = path
        self._clock = clock
        self._token: str | None = None
        self._renew_at = 0.0
        self._lock = threading.Lock()

    def headers(self) -> Mapping[str, str]:
        """The token, a new one where it is due. Raises the errors of `api_transport.errors`."""
        with self._lock:
            if self._token is None or self._clock() >= self._renew_at:
                self._fetch()
            return {"Authorization": f"Bearer {self._token}"}

    def params(self) -> Mapping[str, str]:
        """None."""
        return {}

    def renew(self) -> bool:
        """Forget the token: the CRM may have withdrawn it before its end."""
        with self._lock:
            had, self._token = self._token is not None, None
        return had

    def _fetch(self) -> None:
        form = {"grant_type": "client_credentials", **self._auth.params}
        if self._auth.scope is not None:
            form["scope"] = self._auth.scope
        headers = {}
        if self._auth.client_in == "header":
            headers = basic(self._client, self._secret)
        else:
            form |= {"client_id": self._client, "client_secret": self._secret}
        asked_at = self._clock()
        answer = self._transport.send("POST", self._path, form=form, headers=headers, idempotent=True, ok=(200, 201))
        token = answer.body.get("access_token") if isinstance(answer.body, dict) else None
        if not isinstance(token, str) or not token:
            raise answer.unexpected("no access_token in the answer", todo="check auth.token_path in the profile")
        redaction.hide(token)
        told = answer.body.get("expires_in")
        life = float(told) if isinstance(told, (int, float)) and told > 0 else LIFE
        self._token, self._renew_at = token, asked_at + max(life - EARLY, life / 2)


def basic(user: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic."""
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    redaction.hide(encoded)
    return {"Authorization": f"Basic {encoded}"}


def needs(auth: Auth) -> tuple[str, ...]:
    """The settings that a kind of auth cannot do without."""
    if isinstance(auth, NoAuth):
        return ()
    return ("api_user", "api_key") if isinstance(auth, (Basic, ClientCredentials)) else ("api_key",)


def credentials(auth: Auth, base_url: str, user: str, key: str, agent: str, **options: Any) -> Credentials:
    """What an `auth` adds to requests. The key is hidden from every text of this process."""
    redaction.hide(key)
    if isinstance(auth, ClientCredentials):
        # A path stands below the host of the API, not below the API's own path.
        path = auth.token_path if "://" in auth.token_path else f"/{auth.token_path.lstrip('/')}"
        url = urljoin(base_url.strip(), path)
        transport = Transport(urljoin(url, "/"), user_agent=user_agent(agent), hints=TOKEN_HINTS, **options)
        clock = options.get("clock", time.monotonic)
        return Token(auth, user, key, transport, url, clock)
    if isinstance(auth, Bearer):
        return Fixed({"Authorization": f"Bearer {key}"})
    if isinstance(auth, HeaderKey):
        return Fixed({auth.name: f"{auth.prefix}{key}"})
    if isinstance(auth, QueryKey):
        return Fixed(params={auth.name: key})
    return Fixed(basic(user, key)) if isinstance(auth, Basic) else Fixed()
