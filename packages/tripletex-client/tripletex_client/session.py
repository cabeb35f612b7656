"""The session token, which every request but the one that creates it carries (reference: Tripletex API, Tokens)."""

from __future__ import annotations

import base64
import threading
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from api_transport.errors import AccessDenied, Refused
from api_transport.redaction import hide

from tripletex_client.clock import OSLO, zone_of
from tripletex_client.paging import value_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from api_transport.errors import ApiError
    from api_transport.transport import Transport

CREDENTIALS = "check consumer_token and employee_token, that both are of this Tripletex (production or test)"

DAYS = 2
"""A token dies when its date begins: with tomorrow's date one made before midnight would last a minute."""


class Session:
    """One session token, made when it is first needed and kept in memory.

    It is left to expire. Ending it would cost a request a run and carry the token in a path that proxies log; and a
    run that is killed could not do it anyway.
    """

    def __init__(
        self,
        transport: Transport,
        consumer_token: str,
        employee_token: str,
        company_id: int | str = 0,
        *,
        timezone_name: str = OSLO,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        hide(consumer_token, employee_token)
        self._transport = transport
        self._consumer_token = consumer_token
        self._employee_token = employee_token
        self._company_id = company_id
        self._zone = zone_of(timezone_name)
        self._now = now
        self._authorization: str | None = None
        self._lock = threading.Lock()

    def authorization(self) -> str:
        """The Authorization header, with a token that is made now if there is none.

        Raises AccessDenied where Tripletex does not take our tokens.
        """
        with self._lock:
            if self._authorization is None:
                # HTTP Basic: the company is the user name, the token the password.
                basic = base64.b64encode(f"{self._company_id}:{self._new_token()}".encode()).decode()
                self._authorization = f"Basic {basic}"
            return self._authorization

    def drop(self, authorization: str) -> None:
        """Forget the token in a header that Tripletex no longer takes, unless another thread has replaced it."""
        with self._lock:
            if self._authorization == authorization:
                self._authorization = None

    def _new_token(self) -> str:
        expires = self._now().astimezone(self._zone).date() + timedelta(days=DAYS)
        params = {
            "consumerToken": self._consumer_token,
            "employeeToken": self._employee_token,
            "expirationDate": expires.isoformat(),
        }
        try:
            answer = self._transport.send("PUT", "/token/session/:create", params=params)
        except (Refused, AccessDenied) as error:
            raise _denied(error) from None
        token = value_of(answer).get("token")
        if not isinstance(token, str) or not token:
            raise answer.unexpected("the answer holds no session token")
        hide(token)
        return token


def _denied(error: ApiError) -> AccessDenied:
    """Whichever way Tripletex says it (401, 403, 422): without a session, the tokens are wrong."""
    return AccessDenied(
        "no session",
        method=error.method,
        path=error.path,
        status=error.status,
        code=error.code,
        message=error.message,
        details=error.details,
        request_id=error.request_id,
        todo=CREDENTIALS,
    )
