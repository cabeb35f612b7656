"""Session tokens and the request allowance (reference: Tripletex API, Tokens; Errors, limits)."""

import base64
import binascii
import hmac
import math
import re
import secrets
from datetime import date, datetime, time, timedelta
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from sandbox.clock import Clock
from sandbox.tripletex.refusal import TripletexRefusal, invalid

DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", flags=re.ASCII)
# How many seconds a session of an API token may last.
SHORTEST, LONGEST = 300, 28_800
RECORDED_LIMIT, RECORDED_PERIOD = 100, timedelta(seconds=1)


class Session(msgspec.Struct):
    """A session token, when it dies, and whose token it is made of."""

    token: str
    ends: datetime
    employee: str


class Sessions:
    """The session tokens given out."""

    def __init__(self, clock: Clock, zone: ZoneInfo) -> None:
        self.clock = clock
        self.zone = zone
        self.alive: dict[str, Session] = {}
        self.apart = 0.0
        """Seconds within which a second session of one token counts as made at the same moment, and is refused."""
        self._made: dict[str, float] = {}

    def clear(self) -> None:
        """As if none had ever been made."""
        self.apart = 0.0
        self.alive.clear()
        self._made.clear()

    def today(self) -> date:
        """The date in Norway."""
        return self.clock.now().astimezone(self.zone).date()

    def create(self, expiration_date: str, employee_token: str = "") -> Session:
        """A session of an employee token: dead from the beginning of its date, Norwegian time.

        Raises TripletexRefusal 422 where the date is none or has come already, 409 where one was made just now.
        """
        match = DATE.fullmatch(expiration_date)
        try:
            expires = date(*(int(part) for part in match.groups())) if match else None
        except ValueError:
            expires = None
        if expires is None:
            raise invalid("expirationDate", "Ugyldig dato.")
        if expires <= self.today():
            raise invalid("expirationDate", "Datoen må være frem i tid.")
        return self._new(datetime.combine(expires, time.min, self.zone), employee_token)

    def create_for(self, seconds: Any, api_token: str = "") -> Session:
        """A session of an API token. Raises TripletexRefusal 422 for another time than it may last."""
        if not isinstance(seconds, int) or not SHORTEST <= seconds <= LONGEST:
            raise invalid("ttlSeconds", f"Må være fra {SHORTEST} til {LONGEST}.")
        return self._new(self.clock.now() + timedelta(seconds=seconds), api_token)

    def _new(self, ends: datetime, whose: str) -> Session:
        now = monotonic()
        if now - self._made.get(whose, -math.inf) < self.apart:
            raise TripletexRefusal(8000, "Another session of this token is being made")
        self._made[whose] = now
        session = Session(secrets.token_urlsafe(24), ends, whose)
        self.alive[session.token] = session
        return session

    def authenticate(self, authorization: str, companies: set[int]) -> Session:
        """The session of a request. Raises TripletexRefusal: 401 (3000), or 403 (9000) for another company."""
        scheme, _, credentials = authorization.partition(" ")
        try:
            company, _, token = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            company = token = ""
        session = self.alive.get(token)
        if scheme.lower() != "basic" or session is None or session.ends <= self.clock.now():
            raise TripletexRefusal(3000, "Invalid or expired session token")
        if company not in ("", "0", *map(str, companies)):
            raise TripletexRefusal(9000, f"No access to company {company[:20]}")
        return session

    def delete(self, token: str) -> None:
        """End a session. Raises TripletexRefusal 404."""
        if self.alive.pop(token, None) is None:
            raise TripletexRefusal(6000, "No such session")


class Allowance:
    """So many requests in a period for each employee, over all sessions; past them every request is 429 until it ends.

    As it is recorded, real seconds count; a period of a test's own is one of the system's clock.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.limit = RECORDED_LIMIT
        self.period = RECORDED_PERIOD
        self._real = Clock()
        self._used: dict[str, tuple[datetime, int]] = {}

    def spend(self, employee: str) -> tuple[dict[str, str], bool]:
        """Count a request: the headers that tell of it, and whether it is allowed."""
        now = (self._real if self.period == RECORDED_PERIOD else self.clock).now()
        began, used = self._used.get(employee, (now, 0))
        if not began <= now < began + self.period:
            began, used = now, 0
        used += 1
        self._used[employee] = began, used
        left = math.ceil((began + self.period - now).total_seconds())
        headers = {
            "X-Rate-Limit-Limit": str(self.limit),
            "X-Rate-Limit-Remaining": str(max(0, self.limit - used)),
            "X-Rate-Limit-Reset": str(left),
        }
        return headers, used <= self.limit


def same_secret(given: str, known: str) -> bool:
    """Whether a token is the known one."""
    return hmac.compare_digest(given.encode(), known.encode())
