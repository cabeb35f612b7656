"""What a refusal for too many requests says: asked for by so many that one is refused, for a second."""

from __future__ import annotations

from api_transport.answer import Answer
from api_transport.concurrency import in_order
from api_transport.rate_limit import asked_wait

from dataflow_operator.doctor.company import Company
from dataflow_operator.doctor.findings import Found

RECORDED_LIMIT = 100
"""Requests in a period, where a company does not tell (reference: Tripletex API, As it really is)."""
MOST = 500
"""Requests that are made for this at most."""
AT_ONCE = 8
SECONDS = 10.0


def rate_headers(company: Company) -> Found | None:
    """Whether a refusal says when the next request may come; None where none of twice as many was refused."""
    limit = company.client.rate_limit
    allowed = RECORDED_LIMIT if limit is None or limit.limit is None else limit.limit
    refused: list[Answer] = []

    def ask() -> None:
        if not refused:
            answer = company.client.send("GET", "/token/session/>whoAmI", ok=(200, 429), once=SECONDS)
            if answer.status == 429:
                refused.append(answer)

    try:
        # To the last, so that none is under way afterwards.
        for _ in in_order([ask] * min(2 * allowed, MOST), AT_ONCE):
            company.stopping.check()
    finally:
        # Until requests are let in again, the session could not be ended either.
        company.client.who_am_i()
    if not refused:
        return None
    return Found("untold" if asked_wait(refused[0].headers) is None else "told")
