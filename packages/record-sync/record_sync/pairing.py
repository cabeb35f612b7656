"""Which answer to a list write is that of which record.

An answer names nothing but its new id, and no order is promised. So it is checked by what it says: one record taken for
another could not be told apart ever after, while a list of which it is not known is looked for by the next run.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from functools import lru_cache

from record_sync.canonical import canonical, same
from record_sync.values import Value, Values, empty


def order_of(sent: Sequence[Values], answers: Sequence[Values]) -> Sequence[int] | None:
    """The place of each record's answer, where a system may answer in another order; None where it is in doubt.

    Out of order they are told apart only if they repeat all that was sent.
    """
    if stand_in_order(sent, answers):
        return range(len(sent))
    paths = list(dict.fromkeys(path for one in sent for path in one))
    places: defaultdict[tuple[str, ...], deque[int]] = defaultdict(deque)
    for place, answer in enumerate(answers):
        places[_words(answer, paths)].append(place)
    order = [places[words].popleft() for one in sent if places[words := _words(one, paths)]]
    return order if len(order) == len(answers) else None


def _words(values: Values, paths: Sequence[str]) -> tuple[str, ...]:
    """What values say of these, without what a server tidies in a text."""
    return tuple(str(canonical("digits", values.get(path)) or "").casefold() for path in paths)


def stand_in_order(sent: Sequence[Values], answers: Sequence[Values]) -> bool:
    """Whether each answer surely is that of the record in its place.

    Servers tidy texts, so it need not repeat all that was sent; but some of it, and more than of any other record.
    """
    return len(sent) == len(answers) and all(
        _belongs(answer, one, sent) for one, answer in zip(sent, answers, strict=True)
    )


def _belongs(answer: Values, to: Values, sent: Sequence[Values]) -> bool:
    differing = _differing(to, answer, len(answer))
    if not any(path not in differing and not empty(to.get(path)) for path in answer):
        return all(map(empty, to.values()))
    enough = len(differing)
    return not enough or all(len(_differing(one, answer, enough)) > enough for one in sent if one != to)


def _differing(sent: Values, answer: Values, enough: int) -> list[str]:
    """The properties that an answer has otherwise than they were sent; no further than one more than enough."""
    differing = []
    for path, value in answer.items():
        before = sent.get(path)
        if before != value and not _alike(before, value):
            differing.append(path)
            if len(differing) > enough:
                break
    return differing


def _alike(one: Value, other: Value) -> bool:
    """Whether a server may have made one of the other by trimming, other capitals, blanks or a country's prefix."""
    if not isinstance(one, str) or not isinstance(other, str):
        return same("text", one, other)
    return any(form == other_form for form, other_form in zip(_forms(one), _forms(other), strict=True))


@lru_cache(maxsize=4096)
def _forms(text: str) -> tuple[Value, Value]:
    return str(canonical("digits", text)).casefold(), canonical("phone", text)
