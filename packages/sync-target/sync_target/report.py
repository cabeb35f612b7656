"""What a run tells at its end: a line a flow and what needs a person, and one JSON line for programs."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

from record_sync.session import Session


def report(logger: logging.Logger, session: Session, side: str, requests: int) -> None:
    """Log what became of the records."""
    for note in session.notes:
        logger.warning("%s", note)
    counts = {name: session.tally.of(name) for name in session.flows}
    for name, told in counts.items():
        logger.info("%s: %s", name, _told(told))
        for reason in session.tally.first_reasons(name):
            logger.warning("%s %s", name, reason)
    logger.info("SYNC: %s", json.dumps({"to": side, "flows": counts, "requests": requests}))


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "nothing came in"
