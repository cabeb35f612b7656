"""Looking for records in the target: by single queries while they are few, by one listing when that is cheaper."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from record_sync.canonical import canonical
from record_sync.matching import Candidate, Keys, criterion_key, keys_of
from record_sync.record import Current
from record_sync.rules import FlowRules
from record_sync.system import TargetSystem
from record_sync.values import Value, Values

FEW = 3
"""So many queries are made without asking first what a listing would cost."""


class Finder:
    """Candidates for unlinked records of one flow, during one run."""

    def __init__(self, connect: Callable[[], TargetSystem], rules: FlowRules) -> None:
        self._connect = connect
        self._rules = rules
        self._index: dict[tuple[int, Any], list[Candidate]] = {}
        self._asked: dict[tuple[int, Any], list[Candidate]] = {}
        self._listed = False
        self._twins: dict[tuple[Any, ...], list[str]] | None = None
        self._listing_cost: int | None = None

    def prepare(self, wanted: Sequence[Keys]) -> None:
        """Choose the cheaper way before a batch of records is looked for."""
        if self._listed or not self._rules.match_paths:
            return
        queries = {
            (rank, key)
            for keys in wanted
            for rank, criterion in enumerate(self._rules.match_on)
            if (key := criterion_key(criterion, keys)) is not None and (rank, key) not in self._asked
        }
        if len(queries) <= FEW:
            return
        if self._listing_cost is None:
            self._listing_cost = self._connect().listing_cost(self._rules.target_resource)
        if len(queries) > self._listing_cost:
            for current in self._connect().listing(self._rules.target_resource, self._rules.match_paths):
                self._file(current.id, current.values)
            self._listed = True

    def candidates(self, values: Values, keys: Keys) -> list[Candidate]:
        """The target records that share some criterion's values with a record."""
        found: dict[str, Candidate] = {}
        for rank, criterion in enumerate(self._rules.match_on):
            key = criterion_key(criterion, keys)
            if key is None:
                continue
            for one in self._index.get((rank, key), ()):
                found[one.id] = one
            if not self._listed:
                for one in self._ask(rank, key, {path: self._asked_for(path, values[path]) for path in criterion}):
                    found.setdefault(one.id, one)
        return list(found.values())

    def _asked_for(self, path: str, value: Value) -> Value:
        """The spelling that a system is most likely to keep a value in."""
        kind = self._rules.kind(path)
        if kind == "digits":
            return canonical(kind, value)
        return value.strip() if isinstance(value, str) else value

    def _ask(self, rank: int, key: Any, criterion: Mapping[str, Any]) -> list[Candidate]:
        if (rank, key) not in self._asked:
            self._asked[rank, key] = [
                Candidate(one.id, keys_of(one.values, self._rules))
                for one in self._connect().search(self._rules.target_resource, criterion, self._rules.match_paths)
            ]
        return self._asked[rank, key]

    def twin(self, values: Values, linked: Callable[[list[str]], Collection[str]]) -> str | None:
        """The free target record that says exactly what a record says that has nothing to be matched by.

        Several of them cannot be told apart; the first is as good as any.
        """
        if self._twins is None:
            self._twins = {}
            for current in self._connect().listing(self._rules.target_resource, self._rules.paths):
                keys = keys_of(current.values, self._rules)
                if all(criterion_key(criterion, keys) is None for criterion in self._rules.match_on):
                    self._twins.setdefault(self._all_said(current.values), []).append(current.id)
        found = self._twins.get(self._all_said(values), [])
        taken = linked(found)
        free = next((one for one in found if one not in taken), None)
        if free is not None:
            found.remove(free)
        return free

    def _all_said(self, values: Values) -> tuple[Any, ...]:
        return tuple(
            canonical(one.compare, values.get(one.path)) for unit in self._rules.units for one in unit.properties
        )

    def created(self, current: Current, sent: Values) -> None:
        """A record that this run created can be found from now on."""
        known = {path: sent.get(path) for path in self._rules.match_paths}
        known |= {path: told for path in known if (told := current.values.get(path)) is not None}
        self._file(current.id, known)

    def _file(self, record_id: str, values: Values) -> None:
        keys = keys_of(values, self._rules)
        candidate = Candidate(record_id, keys)
        for rank, criterion in enumerate(self._rules.match_on):
            key = criterion_key(criterion, keys)
            if key is not None:
                self._index.setdefault((rank, key), []).append(candidate)
