"""Which record of the answer to a batch is which of those that were sent. Not every CRM keeps the order."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

Answered = TypeVar("Answered")
Values = Mapping[str, Any]


def pairs(sent: Sequence[Values], answered: Sequence[tuple[Values, Answered]]) -> list[Answered] | None:
    """What was answered of each that was sent; None where that is in doubt.

    Records that say just what was sent are told by that. Where a CRM words something otherwise, the order counts, if
    no record fits another's answer better.
    """
    paths = list(dict.fromkeys(path for values in sent for path in values))
    said = [[_plain(_at(values, path)) for path in paths] for values in sent]
    told = [[_plain(_at(values, path)) for path in paths] for values, _ in answered]
    by_words: dict[tuple[Any, ...], deque[Answered]] = defaultdict(deque)
    for words, (_, one) in zip(told, answered, strict=True):
        by_words[tuple(words)].append(one)
    paired = [by_words[key].popleft() for words in said if by_words[key := tuple(words)]]
    if len(paired) == len(sent):
        return paired
    return [one for _, one in answered] if len(sent) == len(answered) and _in_order(said, told) else None


def _in_order(said: list[list[Any]], told: list[list[Any]]) -> bool:
    likeness = [[_likeness(one, other) for other in told] for one in said]
    return all(
        any(a == b and a is not None for a, b in zip(said[place], told[place], strict=True))
        and likeness[place][place] >= max(*likeness[place], *(row[place] for row in likeness))
        for place in range(len(said))
    )


def _likeness(said: list[Any], told: list[Any]) -> int:
    return sum((a == b) - (a != b) for a, b in zip(said, told, strict=True) if not (a is None and b is None))


def _plain(value: Any) -> Any:
    """A value as it is compared, and can be looked for."""
    if isinstance(value, str):
        return " ".join(value.split()).casefold() or None
    return value if isinstance(value, (int, float)) or value is None else repr(value)


def _at(values: Values, path: str) -> Any:
    if path in values:
        return values[path]
    here: Any = values
    for name in path.split("."):
        here = here.get(name) if isinstance(here, Mapping) else None
    return here
