"""What a measure is given: sizes, servers, programs, and a folder of its own."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.peers.environments import Environments
from benchmarks.server import Server, serving

SECRETS = {"consumer_token": "consumer", "employee_token": "employee", "api_key": "key"}
"""Anything will do."""


@dataclass
class Bench:
    """One run of the bench.

    `records` bounds every size, for trying things; `runs` is how often each contestant runs; `peers` None leaves the
    peers out.
    """

    folder: Path
    records: int | None = None
    runs: int = 3
    peers: Environments | None = None

    def size(self, wanted: int) -> int:
        """So many records, or as few as this run may have."""
        return wanted if self.records is None else min(wanted, self.records)

    def serve(self, customers: int = 0, crm_customers: int = 0, contacts: int = 0) -> AbstractContextManager[Server]:
        """Both systems, with so many customers, and contacts in Tripletex."""
        return serving(customers, crm_customers, contacts)

    def program(self, name: str) -> Path:
        """One of this project's programs."""
        return Path(sys.executable).with_name(name)

    def file(self, name: str, content: Mapping[str, Any] | bytes | str) -> Path:
        """A file in the bench's folder: settings, a catalog, a state, records."""
        path = self.folder / name
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content if isinstance(content, bytes) else msgspec.json.encode(content))
        return path

    def settings(self, name: str, server: Server, **more: Any) -> Path:
        """Settings of one of the project's plugins, called `<plugin>.json`."""
        is_tripletex = name.endswith("tripletex")
        secrets = ("consumer_token", "employee_token") if is_tripletex else ("api_key",)
        given = {"api_url": server.tripletex if is_tripletex else server.customcrm}
        return self.file(f"{name}.json", {**given, **{one: SECRETS[one] for one in secrets}, **more})

    def say(self, text: str) -> None:
        """Tell whoever waits how far it is."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201
