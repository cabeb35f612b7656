"""The API server in its own process, from the bench's side."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
ANSWERS_WITHIN = 120
"""Seconds: an edit of many records takes some."""


@dataclass(frozen=True)
class Server:
    """A running API server."""

    address: str

    @property
    def tripletex(self) -> str:
        """Tripletex's address."""
        return f"{self.address}/v2"

    @property
    def customcrm(self) -> str:
        """The CRM's address."""
        return f"{self.address}/api/v1"

    def counts(self) -> dict[str, int]:
        """Requests since the last reset, by method and path."""
        return self._ask("GET", "counts")

    def requests(self, *prefixes: str) -> int:
        """Requests since the last reset, all or those whose method and path begin so."""
        return sum(count for what, count in self.counts().items() if not prefixes or what.startswith(prefixes))

    def reset(self) -> None:
        """Count from nought."""
        self._ask("POST", "reset")

    def set_latency(self, milliseconds: int) -> None:
        """Let every answer take so long from now on."""
        self._ask("POST", f"latency?ms={milliseconds}")

    def edit(self, system: str, count: int) -> None:
        """Edit so many customers in `tripletex` or `customcrm`."""
        self._ask("POST", f"edit?system={system}&count={count}")

    def enter(self, count: int) -> None:
        """Enter so many new customers in the CRM."""
        self._ask("POST", f"enter?count={count}")

    def _ask(self, method: str, what: str) -> dict[str, int]:
        request = urllib.request.Request(f"{self.address}/-/{what}", method=method)  # noqa: S310 - our own server
        with urllib.request.urlopen(request, timeout=ANSWERS_WITHIN) as answer:  # noqa: S310
            counts: dict[str, int] = json.load(answer)
        return counts


@contextmanager
def serving(customers: int = 0, crm_customers: int = 0, contacts: int = 0) -> Iterator[Server]:
    """Serve so many customers in both systems, and contacts in Tripletex, until the block ends, however it ends."""
    held = {"customers": customers, "crm-customers": crm_customers, "contacts": contacts}
    command = [sys.executable, "-m", "benchmarks.api", *(f"--{what}={number}" for what, number in held.items())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:  # noqa: S603
        try:
            address = process.stdout.readline().strip() if process.stdout else ""
            if not address:
                raise RuntimeError("the API server did not start; its words are above")
            yield Server(address)
        finally:
            process.kill()
