"""A CRM behind a strict OAuth2 server, on this machine: refresh tokens that are good for one use (RFC 9700, 4.14.2)."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

from api_transport.testing import Asked, Said, Server, serving

from customcrm_client.testing import KEY, USER, profile_for, small_crm

TOKEN_PATH = "/oauth2/token"  # noqa: S105  where they are given
_FORM = {"grant_type", "refresh_token", "client_id", "client_secret", "scope"}


class Family:
    """All that came of one authorisation: the refresh token that is good now, those used up, the access tokens."""

    def __init__(self) -> None:
        self.good = ""
        self.used: set[str] = set()
        self.access: set[str] = set()
        self.is_withdrawn = False


class TokenServer:
    """Gives tokens; one that finds a refresh token used twice withdraws all that came of the same authorisation.

    `rotates`: each refresh token is replaced. `secret` is None for a public client, `life` is what is said of an access
    token, in seconds. `before` may answer in place of the server; `given` is called with each answer before it leaves.
    """

    def __init__(self, *, rotates: bool = True, secret: str | None = KEY, life: float = 3600) -> None:
        self.rotates = rotates
        self.secret = secret
        self.life = life
        self.families: list[Family] = []
        self.tokens: list[str] = []
        """Every token that was ever given, of both kinds."""
        self.renewals = 0
        self.before: Callable[[Asked], Any] = lambda _: None
        self.given: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def authorise(self) -> str:
        """Let somebody authorise the integration; the refresh token that is shown to them."""
        family = Family()
        self.families.append(family)
        family.good = self._made("refresh")
        return family.good

    def respond(self, asked: Asked) -> Any:
        """Answer a request for a token, as RFC 6749 has it."""
        said = self.before(asked)
        if said is not None:
            return said
        with self._lock:
            answer = self._answer(asked)
        self.given()
        return answer

    def knows(self, authorization: str | None, prefix: str = "Bearer ") -> bool:
        """Whether a request's header holds an access token that is good."""
        token = (authorization or "").removeprefix(prefix)
        return authorization == prefix + token and any(
            token in one.access for one in self.families if not one.is_withdrawn
        )

    def withdraw(self) -> None:
        """Let no access token be good any more."""
        for family in self.families:
            family.access.clear()

    def _made(self, kind: str) -> str:
        self.tokens.append(f"{kind}/token+number={len(self.tokens) + 1}")
        return self.tokens[-1]

    def _answer(self, asked: Asked) -> Said:
        pairs = parse_qsl(asked.body.decode(), strict_parsing=True)
        form = dict(pairs)
        if asked.method != "POST" or asked.headers.get("Content-Type") != "application/x-www-form-urlencoded":
            return _no("invalid_request", "a form is needed")
        if set(form) - _FORM or len(pairs) != len(form):
            return _no("invalid_request", f"what is {sorted(set(form) - _FORM)}?")
        if self._client_of(asked, form) != (USER, self.secret):
            return Said({"error": "invalid_client"}, 401, {"WWW-Authenticate": "Basic"})
        if form.get("grant_type") != "refresh_token":
            return _no("unsupported_grant_type", "")
        return self._renewed(form.get("refresh_token", ""))

    def _client_of(self, asked: Asked, form: dict[str, str]) -> tuple[str | None, str | None]:
        header = asked.headers.get("Authorization")
        if header is None:
            return form.get("client_id"), form.get("client_secret")
        if {"client_id", "client_secret"} & set(form):
            return None, None
        user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
        return user, password

    def _renewed(self, sent: str) -> Said:
        family = next((one for one in self.families if sent in (one.good, *one.used)), None)
        if family is None or family.is_withdrawn or sent in family.used:
            if family is not None:
                family.is_withdrawn = True
            return _no("invalid_grant", f"the token {sent} is not good")
        self.renewals += 1
        answer = {"access_token": self._made("access"), "token_type": "Bearer", "expires_in": self.life}
        family.access.add(self.tokens[-1])
        if self.rotates:
            family.used.add(sent)
            family.good = answer["refresh_token"] = self._made("refresh")
        return Said(answer, headers={"Cache-Control": "no-store"})


def _no(error: str, words: str) -> Said:
    return Said({"error": error, "error_description": words}, 400)


@contextmanager
def guarded_crm(tokens: TokenServer, *, prefix: str = "Bearer ") -> Iterator[Server]:
    """Run a CRM with one person that asks for the tokens of this server, which is at `TOKEN_PATH` of the same host."""
    with small_crm(auth="none") as (crm, behind):
        crm.add("Kari")

        def respond(asked: Asked) -> Any:
            if asked.path == TOKEN_PATH:
                return tokens.respond(asked)
            if not tokens.knows(asked.headers.get("Authorization"), prefix):
                return Said({"error": {"message": "this token is not good"}}, 401)
            return crm.respond(asked)

        del behind
        with serving(respond) as server:
            crm.url = server.url
            yield server


def guarded_profile(**auth: Any) -> dict[str, Any]:
    """The profile of such a CRM; `auth` is laid over what it says of the grant."""
    said = {"kind": "oauth2", "grant": "refresh_token", "token_path": TOKEN_PATH}
    return {**profile_for(), "auth": {**said, **auth}}
