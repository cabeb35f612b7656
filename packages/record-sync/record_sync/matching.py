"""First match: which record of the target an unlinked record of the source is. Pure.

Criteria are tried strongest first, compared exactly after normalisation. A criterion counts between two records only
where no stronger one contradicts it: the same e-mail with another organisation number is another company.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

import msgspec

from record_sync.canonical import LEAVING, NAMES, leftover, match_key, search_form
from record_sync.rules import FlowRules, leftover_of
from record_sync.values import Value, Values, empty

Keys = dict[str, Any]
"""Match keys of the properties that records are matched on, and what is left of them; only those that say something."""


class Candidate(msgspec.Struct, frozen=True):
    """A target record that may be the one looked for."""

    id: str
    keys: Keys


class MatchKind(Enum):
    """How a look-up ended."""

    NONE = "none"
    FOUND = "found"
    TWIN = "twin"
    """It says exactly the same, and has no match key."""
    AMBIGUOUS = "ambiguous"
    REFUSED = "refused"
    """The system does not answer the search."""


class Match(msgspec.Struct, frozen=True):
    """The outcome of a look-up; ``candidates`` are the ids that fit where it is ambiguous."""

    kind: MatchKind
    id: str | None = None
    candidates: tuple[str, ...] = ()
    reason: str = ""


def keys_of(values: Values, rules: FlowRules) -> Keys:
    """What a record can be matched by."""
    return keys_at(values, rules.match_paths, rules.kind)


def keys_at(values: Values, paths: Iterable[str], kind: Callable[[str], str]) -> Keys:
    """The match keys at some paths, each of its kind, and what is left of them."""
    keys = {}
    for path in paths:
        key = match_key(kind(path), values.get(path))
        if key is not None:
            keys[path] = key
    leaving = [(path, one) for path in keys if (one := kind(path)) in LEAVING]
    names = [keys[path] for path, one in leaving if one in NAMES]
    for path, one in leaving:
        keys[leftover_of(path)] = leftover(one, keys[path], names)
    return keys


def asked_for(criterion: Sequence[str], values: Values, rules: FlowRules) -> dict[str, Value]:
    """What a system is asked for, to find the records with a record's values for a criterion."""
    return {path: search_form(rules.kind(path), values[path]) for path in criterion}


def criterion_key(criterion: Sequence[str], keys: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """What a record is looked up by; ``None`` where it lacks a value of the criterion."""
    try:
        return tuple([keys[path] for path in criterion])
    except KeyError:
        return None


def contradicts(stronger: Iterable[Sequence[str]], one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two records have differing values for a property of a stronger criterion.

    A difference that may be one in spelling is none.
    """
    return any(
        path in one and path in other and one[path] != other[path] and not _leave_the_same(path, one, other)
        for criterion in stronger
        for path in criterion
    )


def _leave_the_same(path: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    left = one.get(leftover_of(path))
    return left is not None and left == other.get(leftover_of(path))


def is_another(values: Values, other: Values, rules: FlowRules) -> bool:
    """Whether the strongest criterion that both records have values for says that they are two."""
    mine, its = keys_of(values, rules), keys_of(other, rules)
    for criterion in rules.match_on:
        one, another = criterion_key(criterion, mine), criterion_key(criterion, its)
        if one is not None and another is not None:
            return contradicts([criterion], mine, its)
    return False


def is_stranger(values: Values, other: Values, rules: FlowRules) -> bool:
    """Whether two linked records are not the same any more: by the first criterion, and nothing else is the same.

    Where both say nothing else, somebody gave the record another name.
    """
    mine, its = keys_of(values, rules), keys_of(other, rules)
    first = rules.match_on[:1]
    if any(criterion_key(one, keys) is None for one in first for keys in (mine, its)) or not contradicts(
        first, mine, its
    ):
        return False
    said = [
        one
        for one in rules.properties
        if not (one.qualifies or one.create_only or one.path in rules.references or empty(values.get(one.path)))
    ]
    named = {path for criterion in first for path in criterion}
    says_more = any(one.path not in named and not empty(other.get(one.path)) for one in said)
    return says_more and not any(one.same(values, other) for one in said)


def first_match(
    keys: Keys,
    candidates: Iterable[Candidate],
    linked: Collection[str],
    match_on: Sequence[Sequence[str]],
) -> Match:
    """Find the one candidate that is the same record.

    Args:
        keys: of the record looked for.
        candidates: target records that share a criterion's values with it.
        linked: ids among them that belong to another source record already.
        match_on: the criteria, strongest first.

    """
    pool = list(candidates)
    if not pool:
        return NO_MATCH
    for rank, criterion in enumerate(match_on):
        wanted = criterion_key(criterion, keys)
        if wanted is None:
            continue
        fitting = [
            one
            for one in pool
            if criterion_key(criterion, one.keys) == wanted and not contradicts(match_on[:rank], keys, one.keys)
        ]
        free = sorted({one.id for one in fitting if one.id not in linked})
        taken = sorted({one.id for one in fitting if one.id in linked})
        what = " and ".join(criterion)
        if rank == 0 and taken:
            return Match(
                MatchKind.AMBIGUOUS,
                candidates=tuple(free),
                reason=f"{what}: the same as {_named(taken)}, which is linked to another record already",
            )
        if len(free) > 1:
            return Match(
                MatchKind.AMBIGUOUS,
                candidates=tuple(free),
                reason=f"{what}: the same as {_named(free)}, so it cannot be told which one it is",
            )
        if free:
            return Match(MatchKind.FOUND, id=free[0])
    return NO_MATCH


NO_MATCH = Match(MatchKind.NONE)


def _named(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:5])
    return shown if len(ids) <= 5 else f"{shown} and {len(ids) - 5} more"
