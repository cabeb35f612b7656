"""Waiting for something to become true."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sandbox.lines.starter import SLOW, Hangs

GLANCE = 0.01
"""Seconds between two looks."""


def until(holds: Callable[[], object], timeout: float = SLOW) -> None:
    """Return as soon as the condition holds. Raises Hangs where it does not in time."""
    ends = time.monotonic() + timeout
    glance = threading.Event()
    while not holds():
        if time.monotonic() > ends:
            raise Hangs("What was waited for did not happen.")
        glance.wait(GLANCE)
