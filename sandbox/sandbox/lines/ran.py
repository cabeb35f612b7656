"""What a line left behind when it had ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SUMMARY = '{"sync_run":'
"""How a target's account of its run begins."""


def accounts(log: str) -> list[dict[str, Any]]:
    """What the targets told programs at their ends, in a log of whatever shape."""
    found = []
    for line in log.splitlines():
        start = line.find(SUMMARY)
        if start >= 0:
            told, _ = json.JSONDecoder().raw_decode(line[start:])
            found.append(told)
    return found


@dataclass(frozen=True)
class Ran:
    """Exit codes and logs by plug-in, and the states that the target emitted, in their order."""

    codes: Mapping[str, int]
    logs: Mapping[str, str]
    output: str

    @property
    def ok(self) -> bool:
        """Whether every process ended well."""
        return not any(self.codes.values())

    @property
    def states(self) -> list[dict[str, Any]]:
        """The target's state lines."""
        return [json.loads(line) for line in self.output.splitlines()]

    @property
    def log(self) -> str:
        """All that was logged."""
        return "".join(self.logs.values())

    @property
    def summary(self) -> dict[str, Any]:
        """What the target told programs at its end; nothing where it did not get so far."""
        told = accounts(self.log)
        return told[-1] if told else {"flows": {}, "requests": 0}

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """How many records of each flow had which outcome; flows in which nothing came in are left out."""
        return {flow: counts for flow, counts in self.summary["flows"].items() if counts}

    def errors(self, plugin: str) -> list[str]:
        """The lines that a plug-in logged as errors, and what it wrote without the logger's doing (a traceback)."""
        return [
            line
            for line in self.logs[plugin].splitlines()
            if not any(f" | {level} " in line for level in ("DEBUG", "INFO", "WARNING"))
        ]
