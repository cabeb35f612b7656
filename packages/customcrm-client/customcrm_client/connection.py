"""The way to a CRM: its address, the credentials of every request, and what its refusals say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from api_transport.answer import Answer
from api_transport.errors import AccessDenied
from api_transport.rate_limit import RateHeaders
from api_transport.transport import Transport, user_agent

from customcrm_client.auth import credentials
from customcrm_client.compiled import HINTS, CompiledStream
from customcrm_client.paging import without
from customcrm_client.profile import Profile

Watch: TypeAlias = Callable[[CompiledStream, str, Mapping[str, Any], Answer], None]


class Connection:
    """HTTP to one CRM, as its profile has it. Raises the errors of `api_transport.errors`."""

    def __init__(
        self,
        api_url: str,
        api_key: str,
        *,
        profile: Profile,
        api_user: str = "",
        agent: str = "customcrm-client",
        refresh_token: str = "",
        token_store: Path | None = None,
        **transport_options: Any,
    ) -> None:
        self.profile = profile
        self._credentials = credentials(
            profile.auth,
            api_url,
            api_user,
            api_key,
            agent,
            refresh_token=refresh_token,
            token_store=token_store,
            **transport_options,
        )
        self._headers = profile.headers
        self.watch: Watch | None = None
        """Is told each request that was answered, and the answer."""
        rate = profile.rate
        self.transport = Transport(
            api_url,
            user_agent=user_agent(agent),
            auth=self._credentials.headers,
            hints=HINTS,
            rate=RateHeaders(rate.limit, rate.remaining, rate.reset, rate.reset_is),
            **transport_options,
        )

    def close(self) -> None:
        """Close the connections kept open."""
        self.transport.close()

    def identity(self) -> str:
        """Which CRM this is: its address in one spelling. Its ids mean the same for as long as this is the same."""
        address = self.transport.address
        return f"Customcrm at {address.origin[0]}://{address.place}"

    def _send(self, one: CompiledStream, method: str, path: str, *, link: bool = False, **asked: Any) -> Answer:
        """One request for a stream with the credentials, with renewed ones where they ran out."""
        asked["headers"] = {**self._headers, **(asked.get("headers") or {})}
        key = self._credentials.params()
        if key:
            asked["params"] = {**(asked.get("params") or {}), **(without(key, path) if link else key)}
        judge = one.refusals.judge
        try:
            answer = self.transport.send(method, path, judge=judge, **asked)
        except AccessDenied as error:
            if error.status != 401 or not self._credentials.renew():
                raise
            answer = self.transport.send(method, path, judge=judge, **asked)
        if self.watch is not None:
            self.watch(one, method, asked, answer)
        one.refusals.check(answer)
        return answer
