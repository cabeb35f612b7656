"""What a session is made of: an employee's token with the consumer's, or a company's API token.

Either goes in the request's body (reference: Tripletex API, As it really is).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from api_transport.errors import AccessDenied, Conflict, Refused, UnexpectedAnswer, told_again

from tripletex_client.errors import not_its_own
from tripletex_client.paging import value_of

if TYPE_CHECKING:
    from api_transport.answer import Answer
    from api_transport.transport import Transport

DAYS = 2
"""A session dies when its date begins: with tomorrow's date one made before midnight would last a minute."""

API_TOKEN_SESSION = timedelta(hours=1)
"""How long a session of an API token lasts; five minutes to eight hours are allowed."""

NOT_THERE = (404, 405)
"""Answers of a Tripletex that has no such operation."""

BUSY = 409
"""The answer to several programs that make a session of one token at the same moment."""


class Credentials(Protocol):
    """What a session is made of."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody may read."""

    @property
    def todo(self) -> str:
        """What to do where Tripletex does not take them."""

    def session(self, transport: Transport, now: datetime) -> tuple[str, datetime]:
        """Make a session: its token, and when it ends. `now` is the time in Norway."""


@dataclass(frozen=True)
class EmployeeTokens:
    """The token of the integration's maker, and the one that a company's administrator made."""

    consumer_token: str = field(repr=False)
    employee_token: str = field(repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Both tokens."""
        return self.consumer_token, self.employee_token

    @property
    def todo(self) -> str:
        """What to do where Tripletex does not take them."""
        return "check consumer_token and employee_token, that both are of this Tripletex (production or test)"

    def session(self, transport: Transport, now: datetime) -> tuple[str, datetime]:
        """Make a session: its token, and when it ends. A Tripletex without the POST is asked the deprecated way."""
        expires = now.date() + timedelta(days=DAYS)
        said = {
            "consumerToken": self.consumer_token,
            "employeeToken": self.employee_token,
            "expirationDate": expires.isoformat(),
        }
        try:
            answer = _ask(transport, "POST", ":create", json=said)
        except (Refused, UnexpectedAnswer) as error:
            if error.status not in NOT_THERE:
                raise
            answer = _ask(transport, "PUT", ":create", params=said)
        return _token(answer), datetime.combine(expires, time.min, now.tzinfo)


@dataclass(frozen=True)
class ApiToken:
    """A company's own token for an integration, which needs no consumer token."""

    refresh_token: str = field(repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The token."""
        return (self.refresh_token,)

    @property
    def todo(self) -> str:
        """What to do where Tripletex does not take it."""
        return "check refresh_token, that it is an API token of this Tripletex (production or test)"

    def session(self, transport: Transport, now: datetime) -> tuple[str, datetime]:
        """Make a session: its token, and when it ends."""
        said = {"refreshToken": self.refresh_token, "ttlSeconds": int(API_TOKEN_SESSION.total_seconds())}
        return _token(_ask(transport, "POST", ":createFromRefreshToken", json=said)), now + API_TOKEN_SESSION


def credentials_of(consumer_token: str, employee_token: str, refresh_token: str) -> Credentials:
    """The credentials that settings hold. An API token goes before the other two."""
    return ApiToken(refresh_token) if refresh_token else EmployeeTokens(consumer_token, employee_token)


def new_session(credentials: Credentials, transport: Transport, now: datetime) -> tuple[str, datetime]:
    """Make a session: its token, and when it ends.

    Raises `AccessDenied` where Tripletex does not take the credentials, whichever way it says so (400, 401, 403, 422),
    and never a `Refused`: without a session nothing has been said of a record.
    """
    try:
        return credentials.session(transport, now)
    except Conflict as error:
        raise told_again(
            error,
            UnexpectedAnswer,
            "no session, others of the same token are being made",
            todo="try again later, and start fewer programs with these credentials at the same moment",
        ) from None
    except (Refused, AccessDenied) as error:
        if error.status in NOT_THERE:
            raise not_its_own(error) from None
        raise told_again(error, AccessDenied, "no session", todo=credentials.todo) from None


def _ask(transport: Transport, method: str, operation: str, **said: Any) -> Answer:
    # A second session does no harm: asked again where the answer was lost.
    path = f"/token/session/{operation}"
    return transport.send(method, path, **said, ok=(200, 201), idempotent=True, passing=(BUSY,))


def _token(answer: Answer) -> str:
    token = value_of(answer).get("token")
    if not isinstance(token, str) or not token:
        raise answer.unexpected("the answer holds no session token")
    return token
