"""Plain requests to a system, as any program would make them: for tests and for trying things out."""

from datetime import timedelta
from typing import Any

import requests

from sandbox.customcrm import Customcrm
from sandbox.tripletex import Tripletex


class Caller(requests.Session):
    """A session with credentials; paths are relative to the API's address.

    Nothing is retried and no status is an exception.
    """

    def __init__(self, system: Customcrm | Tripletex) -> None:
        super().__init__()
        self.base = system.api_url
        if isinstance(system, Customcrm):
            self.headers["Authorization"] = f"Bearer {system.api_key}"
        else:
            self.auth = ("0", self.create_token(system))

    def create_token(self, tripletex: Tripletex) -> str:
        """A new session token that dies in two days."""
        params = {
            "consumerToken": tripletex.consumer_token,
            "employeeToken": tripletex.employee_token,
            "expirationDate": (tripletex.sessions.today() + timedelta(days=2)).isoformat(),
        }
        answer = requests.put(f"{self.base}/token/session/:create", params=params, timeout=60)
        token: str = answer.json()["value"]["token"]
        return token

    def call(self, method: str, path: str, json: Any = None, headers: Any = None, **params: Any) -> requests.Response:
        """One request; what is not named otherwise goes into the query."""
        return self.request(method, self.base + path, params=params, json=json, headers=headers, timeout=60)

    def expect(self, status: int, method: str, path: str, json: Any = None, headers: Any = None, **params: Any) -> Any:
        """The decoded body of one request's answer. Raises ValueError where its status is another."""
        answer = self.call(method, path, json, headers, **params)
        if answer.status_code != status:
            raise ValueError(f"{method} {path}: {answer.status_code} instead of {status}: {answer.text[:500]}")
        return answer.json() if answer.content else None
