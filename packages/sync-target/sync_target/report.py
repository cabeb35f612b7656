"""What a run tells the operator at its end: a line a flow, and what needs a person."""

from __future__ import annotations

import logging

from record_sync.session import Session


def report(logger: logging.Logger, session: Session, requests: int) -> None:
    """Log what became of the records."""
    for note in session.notes:
        logger.warning("%s", note)
    for name in session.flows:
        counts = session.tally.of(name)
        told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "nothing came in"
        logger.info("%s: %s", name, told)
        for reason in session.tally.first_reasons(name):
            logger.warning("%s %s", name, reason)
    logger.info("%d requests made", requests)
