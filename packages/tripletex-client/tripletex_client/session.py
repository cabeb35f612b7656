"""The session token, which every request but the one that creates it carries (reference: Tripletex API, Tokens).

One is made when it is first needed, kept in memory, renewed before it ends, shared by the clients of a process that
have the same credentials, and ended with the last of them, at the latest with the program. One that is killed leaves
its session to expire.
"""

from __future__ import annotations

import atexit
import base64
import logging
import os
import threading
import weakref
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from api_transport.address import segment
from api_transport.errors import ApiError
from api_transport.redaction import hide

from tripletex_client.clock import OSLO, zone_of
from tripletex_client.credentials import new_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from api_transport.transport import Transport

    from tripletex_client.credentials import Credentials

logger = logging.getLogger(__name__)

RENEWED = timedelta(minutes=5)
"""So long before its end a session is replaced: no request takes longer."""

FAREWELL = 5.0
"""Seconds that ending a session may take: the program is done, and somebody waits for it."""


class Session:
    """The session of some credentials. Safe to use from several threads."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        timezone_name: str = OSLO,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        hide(*credentials.secrets)
        self.users = 0
        """Clients that share it."""
        self._credentials = credentials
        self._zone = zone_of(timezone_name)
        self._now = now
        self._lock = threading.Lock()
        self._token: str | None = None
        self._ends = self._now()
        self._made_by: Transport | None = None
        self._process = os.getpid()
        self._over = False

    def token(self, transport: Transport) -> str:
        """The session's token, made now where there is none that lasts.

        Raises AccessDenied where Tripletex does not take our credentials, RuntimeError once the session was ended: a
        request that is still under way then must not make another.
        """
        with self._lock:
            if self._over:
                raise RuntimeError("the session was ended")
            now = self._now().astimezone(self._zone)
            if self._token is None or now >= self._ends - RENEWED:
                self._token, self._ends = new_session(self._credentials, transport, now)
                self._made_by = transport
                hide(self._token)
            return self._token

    def drop(self, token: str) -> None:
        """Forget a token that Tripletex no longer takes, unless another thread has replaced it."""
        with self._lock:
            if self._token == token:
                self._token = None

    def end(self) -> None:
        """End the session in Tripletex, as far as that is soon done. A failure is nobody's trouble: it expires."""
        with self._lock:
            self._over = True
            token, self._token = self._token, None
        if token is None or self._made_by is None or self._process != os.getpid():
            return
        headers = {"Authorization": basic("0", token)}
        try:
            self._made_by.send("DELETE", f"/token/session/{segment(token)}", headers=headers, once=FAREWELL)
        except ApiError as error:
            logger.debug("The session is left to expire: %s", type(error).__name__)


def basic(company_id: int | str, token: str) -> str:
    """The Authorization header: the company is the user name, the session's token the password."""
    return f"Basic {base64.b64encode(f'{company_id}:{token}'.encode()).decode()}"


_Key = tuple[int, str, "Credentials"]
_shared: dict[_Key, Session] = {}
"""By process (a fork begins its own), address and credentials."""
_left: list[Session] = []
"""Sessions whose clients are gone without having been closed: ended with the program."""
_sharing = threading.RLock()
"""Entered again where clients are collected as garbage meanwhile."""


class Share:
    """A client's part in the session of its process for its credentials. It ends with the client.

    What is collected as garbage makes no request there: its session is ended with the program at the latest.
    """

    def __init__(self, client: object, address: str, credentials: Credentials, timezone_name: str) -> None:
        self._key = (os.getpid(), address, credentials)
        with _sharing:
            self.session = _shared.get(self._key) or Session(credentials, timezone_name=timezone_name)
            _shared[self._key] = self.session
            self.session.users += 1
        self._collected = weakref.finalize(client, self._give_up)
        self._collected.atexit = False

    def close(self) -> None:
        """End the session if no other client shares it."""
        if self._collected.detach() is not None and self._is_last():
            self.session.end()

    def _give_up(self) -> None:
        if self._is_last():
            _left.append(self.session)

    def _is_last(self) -> bool:
        with _sharing:
            self.session.users -= 1
            if self.session.users == 0:
                del _shared[self._key]
            return self.session.users == 0


@atexit.register
def _end_all() -> None:
    for session in [*_left, *_shared.values()]:
        session.end()
