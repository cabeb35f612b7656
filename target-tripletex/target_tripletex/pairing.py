"""Whether the answers to a list write stand in the order of what was sent.

Tripletex's description promises no order, and an answer names nothing but its new id. So they are taken in order, and
checked by what they say: one record taken for another could not be told apart ever after, while a list of which it is
not known is looked for by the next run.
"""

from __future__ import annotations

from collections.abc import Sequence

from record_sync.canonical import same
from record_sync.values import Value, Values, stated

_SPELLINGS = ("text", "email", "digits", "phone")
"""A server may keep a value trimmed, in other capitals, without its blanks, or without a country's prefix."""


def stand_in_order(sent: Sequence[Values], answers: Sequence[Values]) -> bool:
    """Whether each answer surely is that of the record in its place.

    Servers tidy texts, so it need not repeat all that was sent; but some of it, and more than of any other record.
    """
    return len(sent) == len(answers) and all(
        _belongs(answer, one, sent) for one, answer in zip(sent, answers, strict=True)
    )


def _belongs(answer: Values, to: Values, sent: Sequence[Values]) -> bool:
    said = stated(to)
    if said and not any(path in answer and _alike(value, answer[path]) for path, value in said.items()):
        return False
    differing = _differing(to, answer, len(answer))
    if not differing:
        return True
    return all(_differing(one, answer, differing) > differing for one in sent if one != to)


def _differing(sent: Values, answer: Values, enough: int) -> int:
    """How many properties an answer has otherwise than they were sent; counted no further than one more than enough."""
    differing = 0
    for path, value in answer.items():
        if not _alike(sent.get(path), value):
            differing += 1
            if differing > enough:
                break
    return differing


def _alike(one: Value, other: Value) -> bool:
    return any(same(kind, one, other) for kind in _SPELLINGS)
