"""Session tokens and the request allowance (reference: Tripletex API, Tokens; Errors, limits)."""

import base64
import binascii
import hmac
import math
import re
import secrets
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from sandbox.clock import Clock
from sandbox.tripletex.refusal import TripletexRefusal, invalid

DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", flags=re.ASCII)


class Session(msgspec.Struct):
    """A combined token: dead from the beginning of its expiration date, Norwegian time."""

    token: str
    expiration_date: date


class Sessions:
    """The session tokens given out."""

    def __init__(self, clock: Clock, zone: ZoneInfo) -> None:
        self.clock = clock
        self.zone = zone
        self.alive: dict[str, Session] = {}

    def today(self) -> date:
        """The date in Norway."""
        return self.clock.now().astimezone(self.zone).date()

    def create(self, expiration_date: str) -> Session:
        """A new token. Raises TripletexRefusal 422 where the date is none or has come already."""
        match = DATE.fullmatch(expiration_date)
        try:
            expires = date(*(int(part) for part in match.groups())) if match else None
        except ValueError:
            expires = None
        if expires is None:
            raise invalid("expirationDate", "Ugyldig dato.")
        if expires <= self.today():
            raise invalid("expirationDate", "Datoen må være frem i tid.")
        session = Session(secrets.token_urlsafe(24), expires)
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
        if scheme.lower() != "basic" or session is None or session.expiration_date <= self.today():
            raise TripletexRefusal(3000, "Invalid or expired session token")
        if company not in ("", "0", *map(str, companies)):
            raise TripletexRefusal(9000, f"No access to company {company[:20]}")
        return session

    def delete(self, token: str) -> None:
        """End a session. Raises TripletexRefusal 404."""
        if self.alive.pop(token, None) is None:
            raise TripletexRefusal(6000, "No such session")


class Allowance:
    """So many requests in a period for each token; past them every request is 429 until the period ends."""

    def __init__(self, clock: Clock, limit: int = 1_000_000, period: timedelta = timedelta(hours=1)) -> None:
        self.clock = clock
        self.limit = limit
        self.period = period
        self._used: dict[str, tuple[datetime, int]] = {}

    def spend(self, token: str) -> tuple[dict[str, str], bool]:
        """Count a request: the headers that tell of it, and whether it is allowed."""
        now = self.clock.now()
        began, used = self._used.get(token, (now, 0))
        if not began <= now < began + self.period:
            began, used = now, 0
        used += 1
        self._used[token] = began, used
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
