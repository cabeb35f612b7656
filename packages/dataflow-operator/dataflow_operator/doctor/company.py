"""The company that is asked: its API as it is, envelopes and headers included."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from api_transport.answer import Answer
from api_transport.errors import AccessDenied, ApiError, Refused
from tripletex_client import TripletexClient
from tripletex_client.paging import value_of, values_of

from dataflow_operator.doctor.stopping import Stopping

TEST_ENVIRONMENT = "api-test.tripletex.tech"
PRODUCTION = "tripletex.no"

Record = dict[str, Any]


class Company:
    """A company's API. Nothing is asked of it once the doctor is told to stop, but for cleaning up."""

    def __init__(self, client: TripletexClient, settings: Mapping[str, Any], stopping: Stopping) -> None:
        self.client = client
        self.settings = settings
        self.stopping = stopping

    @property
    def timezone(self) -> str:
        """The zone that times without an offset are taken to be in."""
        return self.client.timezone

    @property
    def place(self) -> str:
        """What is asked, without its address."""
        host = self.client.transport.address.origin[1]
        known = {TEST_ENVIRONMENT: "the test environment", PRODUCTION: "the production system"}
        return "this machine" if _is_here(host) else known.get(host, "another address")

    @property
    def is_for_trying(self) -> bool:
        """Whether nobody's books are there."""
        host = self.client.transport.address.origin[1]
        return host == TEST_ENVIRONMENT or _is_here(host)

    def send(self, method: str, path: str, **said: Any) -> Answer:
        """A request. Raises the errors of `api_transport.errors`, and KeyboardInterrupt where it is to stop."""
        self.stopping.check()
        return self.client.send(method, path, **said)

    def list(
        self,
        resource: str,
        fields: str = "id",
        *,
        count: int = 1,
        offset: int = 0,
        where: Mapping[str, Any] | None = None,
    ) -> list[Any]:
        """Some of a list, in the order of ids; as the API has it: inactive ones only where it gives them."""
        asked = {**(where or {}), "from": offset, "count": count, "sorting": "id", "fields": fields}
        return values_of(self.send("GET", f"/{resource}", params=asked))

    def get(self, resource: str, record_id: int, fields: str) -> Record | None:
        """A record, or None."""
        self.stopping.check()
        return self.client.get(resource, record_id, fields)

    def put(self, resource: str, record_id: int, **body: Any) -> Record:
        """Change a record."""
        return value_of(self.send("PUT", f"/{resource}/{record_id}", json=body))

    def refusal(self, resource: str, record_id: int, **body: Any) -> ApiError | None:
        """Why a change is not made; None where it was."""
        try:
            self.put(resource, record_id, **body)
        except (Refused, AccessDenied) as error:
            return error
        return None


def told(error: ApiError) -> str:
    """An error in numbers: its own words may hold somebody's data."""
    if error.status is None:
        return type(error).__name__
    return f"{error.status}" if error.code is None else f"{error.status} (code {error.code})"


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
