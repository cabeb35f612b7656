"""What a run tells at its end: a line a flow and what needs a person, and one JSON line for programs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from record_sync.outcome import Waits

if TYPE_CHECKING:
    from record_sync.session import Session


def report(logger: logging.Logger, session: Session) -> None:
    """Log what became of the records."""
    for note in session.notes:
        logger.warning("%s", note)
    for name in session.flows:
        logger.info("%s: %s", name, _told(session.tally.of(name)))
        for reason in session.tally.first_reasons(name):
            logger.warning("%s %s", name, reason)


def account(
    session: Session, side: str, outcome: str, error: BaseException | None, requests: int, waits: Waits
) -> dict[str, Any]:
    """What the JSON line says (docs/operating.md). Ids and counts; no values, and nobody's words."""
    return {
        "sync_run": session.run_id,
        "sync_name": session.store.sync_name,
        "to": side,
        "outcome": outcome,
        "error": None if error is None else type(error).__name__,
        "started_at": _text(session.started_at),
        "ended_at": _text(session.store.now()),
        "flows": {name: session.tally.of(name) for name in session.flows},
        "requests": requests,
        "waits": waits.number,
        "waited_seconds": round(waits.seconds, 3),
        "first_errors": [
            {"flow": one.flow, "id": one.id, "outcome": one.outcome} for one in session.tally.first_errors()
        ],
    }


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "nothing came in"


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
