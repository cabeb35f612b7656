"""On what was measured: processor, memory, system, versions."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from benchmarks.peers.environments import PEERS, pinned

PACKAGES = ("singer-sdk", "msgspec", "requests", "SQLAlchemy")


def described() -> str:
    """A table of the machine, and one of the versions."""
    rows = [
        ("measured", f"{datetime.now(timezone.utc):%Y-%m-%d}"),
        ("processor", f"{_processor()}, {os.cpu_count()} cores"),
        ("memory", _memory()),
        ("system", f"{platform.system()} {platform.release().partition('-')[0]}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("this project's", ", ".join(f"{name} {version(name)}" for name in PACKAGES)),
        ("the peers'", ", ".join(pin.replace("==", " ") for peer in PEERS for pin in pinned(peer)[:1])),
    ]
    return "\n".join(["| Machine | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory() -> str:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return "unknown"
    return f"{total / 2**30:.0f} GB"
