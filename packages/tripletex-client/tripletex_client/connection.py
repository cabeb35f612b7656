"""Requests that carry the session's token, and lists as they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api_transport.answer import decoded
from api_transport.errors import AccessDenied, NotFound
from api_transport.transport import UNSET

from tripletex_client.errors import not_its_own
from tripletex_client.paging import LARGEST
from tripletex_client.session import basic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from api_transport.answer import Answer
    from api_transport.transport import Transport

    from tripletex_client.session import Session


class Connection:
    """A transport, the session that its requests need, and the company that they are about."""

    def __init__(self, transport: Transport, session: Session, company_id: int | str) -> None:
        self._transport = transport
        self._session = session
        self._company_id = company_id

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = UNSET,
        headers: Mapping[str, str] | None = None,
        ok: tuple[int, ...] = (200,),
        read: Callable[[bytes], Any] = decoded,
        once: float | None = None,
    ) -> Answer:
        """Send with the session's token. One that Tripletex no longer takes (401) is renewed once.

        What is to be sent `once` has so many seconds, waits for nothing and is not sent again.
        """

        def attempt(token: str) -> Answer:
            carried = {**(headers or {}), "Authorization": basic(self._company_id, token)}
            return self._transport.send(
                method, path, params=params, json=json, headers=carried, ok=ok, read=read, once=once
            )

        token = self._session.token(self._transport)
        try:
            return attempt(token)
        except AccessDenied as error:
            if error.status != 401:
                raise
        self._session.drop(token)
        return attempt(self._session.token(self._transport))

    def list(
        self,
        resource: str,
        *,
        fields: str,
        offset: int,
        params: Mapping[str, Any] | None,
        page_size: int,
        checksum: str | None = None,
        read: Callable[[bytes], Any] = decoded,
    ) -> Answer:
        """One page of a list in the order of ids; with a checksum the status may be 304.

        A list that is not there (404) is not an empty list: `UnexpectedAnswer`. ValueError for a page size that the
        API would cut.
        """
        if not 1 <= page_size <= LARGEST:
            raise ValueError(f"a page of {page_size} values: it can have 1 to {LARGEST}")
        asked = {**(params or {}), "from": offset, "count": page_size, "sorting": "id", "fields": fields}
        condition = {} if checksum is None else {"If-None-Match": checksum}
        ok = (200,) if checksum is None else (200, 304)
        try:
            return self.send("GET", f"/{resource}", params=asked, headers=condition, ok=ok, read=read)
        except NotFound as error:
            raise not_its_own(error) from None
