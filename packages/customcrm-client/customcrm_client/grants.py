"""OAuth2: what an access token is given for, and where it is asked for (RFC 6749, 4.4, 5 and 6)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, NoReturn, Protocol
from urllib.parse import urljoin

from api_transport import redaction
from api_transport.answer import Answer
from api_transport.error_text import ApiWords, read_error
from api_transport.errors import AccessDenied, ApiError, Refused
from api_transport.transport import Transport, user_agent
from api_transport.verdict import Hints

from customcrm_client.profile_auth import OAuth2
from customcrm_client.token_store import Kept, TokenStore

EARLY = 60.0
"""Seconds before its end at which a token is renewed; half its life where that is shorter."""

LIFE = 3600.0
"""Seconds for which a token holds that does not say so itself."""

PATIENCE = 60.0
"""Seconds for which a refresh token is tried: a program that is told to stop waits for its end."""

SPENT = ("invalid_grant", "invalid_code")
"""Errors by which a refresh token is refused: RFC 6749's, and Zoho's, which comes with status 200."""

TOKEN_HINTS = Hints(
    address="check auth.token_path in the profile",
    credentials="check api_user and api_key",
    rights="check api_user and api_key, and auth.scope in the profile",
)
_ANEW = "authorise the integration anew in the CRM, and set refresh_token to what it gives"


class Granted(NamedTuple):
    """An access token, and in how many seconds another one is due."""

    token: str
    seconds: float


class Grant(Protocol):
    """What an access token is given for."""

    def token(self, refused: str | None) -> Granted:
        """An access token, another one than that which the CRM `refused`. Raises the errors of `api_transport`."""


class Told(NamedTuple):
    """What the CRM answers to a grant."""

    access_token: str
    refresh_token: str | None
    seconds: float
    """Until another access token is due."""


class Endpoint:
    """Where tokens are given.

    The client, its id and its secret, is told by these `headers`, or else in the form. A refusal says nothing of any
    record, so it is an AccessDenied without a status: nobody may take it for the answer to the request that the token
    was for.
    """

    def __init__(
        self,
        auth: OAuth2,
        base_url: str,
        client: tuple[str, str],
        headers: Mapping[str, str],
        agent: str,
        **options: Any,
    ) -> None:
        # A path stands below the host of the API, not below the API's own path.
        path = auth.token_path if "://" in auth.token_path else f"/{auth.token_path.lstrip('/')}"
        self._url = urljoin(base_url.strip(), path)
        self._transport = Transport(
            urljoin(self._url, "/"),
            user_agent=user_agent(agent),
            hints=TOKEN_HINTS,
            read_error=_read_error,
            **options,
        )
        self._form = dict(auth.params)
        if auth.scope is not None:
            self._form["scope"] = auth.scope
        self._headers = headers
        if not headers:
            self._form |= {"client_id": client[0], **({"client_secret": client[1]} if client[1] else {})}

    def ask(self, form: Mapping[str, str]) -> Told:
        """Ask for a token. Asked again where the answer was lost."""
        form = {**self._form, **form}
        try:
            answer = self._transport.send(
                "POST", self._url, form=form, headers=self._headers, idempotent=True, ok=(200, 201)
            )
        except (Refused, AccessDenied) as error:
            _refuse(error, error.todo or TOKEN_HINTS.credentials)
        return _told(answer)


def _told(answer: Answer) -> Told:
    body = answer.body if isinstance(answer.body, dict) else {}
    token, refresh, life = body.get("access_token"), body.get("refresh_token"), body.get("expires_in")
    if not isinstance(token, str) or not token:
        todo = "check auth.token_path in the profile"
        error = answer.unexpected("no access_token in the answer", todo=todo)
        if isinstance(body.get("error"), str):
            error.code = body["error"]
            _refuse(error, TOKEN_HINTS.credentials)
        raise error
    refresh = refresh if isinstance(refresh, str) and refresh else None
    redaction.hide(token, refresh)
    seconds = float(life) if isinstance(life, (int, float)) and life > 0 else LIFE
    return Told(token, refresh, max(seconds - EARLY, seconds / 2))


def _refuse(error: ApiError, todo: str) -> NoReturn:
    spent = error.code in SPENT
    problem = "the refresh token holds no longer" if spent else "no token"
    status = "" if error.status is None else f" ({error.status} {error.code or ''}".rstrip() + ")"
    raise AccessDenied(
        problem + status,
        method=error.method,
        path=error.path,
        message=error.message,
        request_id=error.request_id,
        todo=_ANEW if spent else todo,
    ) from None


def _read_error(status: int, body: Any, headers: Mapping[str, str]) -> ApiWords:
    """RFC 6749, 5.2: the code is `error`, the words are `error_description`."""
    usual = read_error(status, body, headers)
    code = body.get("error") if isinstance(body, dict) else None
    if not isinstance(code, str):
        return usual
    words = body.get("error_description")
    return ApiWords(code, words if isinstance(words, str) else "", request_id=usual.request_id)


class ClientGrant:
    """The client's own credentials."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def token(self, refused: str | None) -> Granted:
        """A new token each time."""
        del refused
        told = self._endpoint.ask({"grant_type": "client_credentials"})
        return Granted(told.access_token, told.seconds)


class RefreshGrant:
    """A refresh token that a person set, or the one that the CRM gave in its place.

    Of several programs one renews, and the others take what it kept: a CRM that finds a refresh token used twice
    withdraws all that came of it. What is kept is on the disk before any of it is used. Lost is a new token only where
    the machine or the process dies between the CRM's answer and the write that follows it.
    """

    def __init__(self, endpoint: Endpoint, seed: str, store: TokenStore) -> None:
        redaction.hide(seed)
        self._endpoint = endpoint
        self._seed = seed
        self._store = store

    def token(self, refused: str | None) -> Granted:
        """The token that is kept, if it holds and is not the one refused; else a new one."""
        # A signal cuts the main thread alone: not between an answer and what is kept of it.
        with ThreadPoolExecutor(1, thread_name_prefix="renewing") as apart:
            return apart.submit(self._kept_or_new, refused).result()

    def _kept_or_new(self, refused: str | None) -> Granted:
        with self._store.locked():
            kept = self._store.read() or Kept(self._seed, "", 0.0)
            redaction.hide(kept.refresh_token, kept.access_token)
            left = kept.renew_at - time.time()
            if left > 0 and kept.access_token not in ("", refused):
                return Granted(kept.access_token, left)
            with self._store.room() as keep:
                asked_at = time.time()
                told = self._endpoint.ask({"grant_type": "refresh_token", "refresh_token": kept.refresh_token})
                kept = Kept(told.refresh_token or kept.refresh_token, told.access_token, asked_at + told.seconds)
                keep(kept)
            return Granted(told.access_token, kept.renew_at - time.time())


__all__ = ["ClientGrant", "Endpoint", "Grant", "Granted", "RefreshGrant"]
