"""Looking for records in the target: by single queries while they are few, by one listing when that is cheaper."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping

from record_sync.candidates import Candidates, Key, Sought, keys_under
from record_sync.errors import ListingRefusedError
from record_sync.fingerprint import Fingerprints
from record_sync.flow import FEW_SEARCHES
from record_sync.matching import Candidate, asked_for, keys_of
from record_sync.record import TargetRecord
from record_sync.rules import FlowRules
from record_sync.system import Refused
from record_sync.target import Target
from record_sync.values import Value, Values


class Finder:
    """Candidates for unlinked records of one flow, during one run."""

    def __init__(self, target: Target, rules: FlowRules, prints: Fingerprints) -> None:
        self._target = target
        self._rules = rules
        self._prints = prints
        self._filed = Candidates(rules.match_keys)
        self._near: dict[Key, list[Candidate]] = {}
        """Of those filed: what the records at hand are looked up by."""
        self._asked: dict[Key, list[Candidate]] = {}
        self._refused: dict[Key, str] = {}
        """Searches that the system refuses, with its reasons."""
        self._listed = False
        self._twins_listed = False
        self._listing_cost: int | None = None

    def sought(self, values: Values) -> Sought:
        """What a record can be matched by, as fingerprints."""
        keys = {path: self._prints.of(form) for path, form in keys_of(values, self._rules).items()}
        return Sought(keys, keys_under(self._rules.match_on, keys))

    def prepare(self, wanted: Iterable[tuple[Values, Sought]]) -> None:
        """Get ready for a batch of records, and what each is looked for by; chooses the cheaper way before."""
        keys = {key: values for values, sought in wanted for key in sought.under}
        if not self._listed:
            answered = self._asked.keys() | self._refused.keys()
            self._ask({key: values for key, values in keys.items() if key not in answered})
        self._near = self._filed.find(keys.keys())

    def _ask(self, unasked: Mapping[Key, Values]) -> None:
        if not unasked:
            return
        self._list_if_cheaper(len(unasked))
        if self._listed:
            return
        criteria = [self._criterion(key, values) for key, values in unasked.items()]
        for key, some in zip(unasked, self._target.search_each(criteria), strict=True):
            if isinstance(some, Refused):
                self._refused[key] = some.reason
            else:
                self._asked[key] = [Candidate(one.id, self.sought(one.values).keys) for one in some]

    def refusal(self, sought: Sought) -> str | None:
        """Why the system does not say whether it has a record: it refuses to search for it."""
        return next((self._refused[key] for key in sought.under if key in self._refused), None)

    def _list_if_cheaper(self, more: int) -> None:
        """List where all queries so far, and so many more, would come to more requests than that."""
        if more <= FEW_SEARCHES:
            return
        if self._listing_cost is None:
            self._listing_cost = self._target.listing_cost()
        if len(self._asked) + more > self._listing_cost:
            try:
                for current in self._target.listing(to_match=True):
                    self._file(current.id, current.values)
            except ListingRefusedError:
                # What was filed before is there all the same.
                self._listing_cost = sys.maxsize
                return
            self._listed = True
            self._asked = {}

    def candidates(self, sought: Sought) -> list[Candidate]:
        """The target records that share some criterion's values with a record that was prepared for."""
        found: dict[str, Candidate] = {}
        for key in sought.under:
            for one in self._near.get(key, ()):
                found[one.id] = one
            for one in self._asked.get(key, ()):
                found.setdefault(one.id, one)
        return list(found.values())

    def _criterion(self, key: Key, values: Values) -> dict[str, Value]:
        return asked_for(self._rules.match_on[key[0]], values, self._rules)

    def twin(self, values: Values, linked: Callable[[list[str]], Collection[str]]) -> str | None:
        """The free target record that says exactly what a record says that has nothing to be matched by.

        Several of them cannot be told apart; the first is as good as any.
        """
        if not self._twins_listed:
            self._twins_listed = True
            for current in self._target.listing():
                if not self.sought(current.values).under:
                    self._filed.add_twin(current.id, self._all_said(current.values))
        said = self._all_said(values)
        found = self._filed.twins(said)
        taken = linked(found) if found else ()
        free = next((one for one in found if one not in taken), None)
        if free is not None:
            self._filed.take_twin(free, said)
        return free

    def _all_said(self, values: Values) -> bytes:
        return self._prints.of_record(
            {path: form for unit in self._rules.units for path, form in unit.stated_forms(values).items()}
        )

    def created(self, current: TargetRecord, sent: Values, sought: Sought | None) -> None:
        """A record that this run created, after looking for it by what is sought, can be found from now on."""
        told = {path: value for path in self._rules.match_paths if (value := current.values.get(path)) is not None}
        if sought is None or any(sent.get(path) != value for path, value in told.items()):
            sought = self.sought({**{path: sent.get(path) for path in self._rules.match_paths}, **told})
        self._filed.add(current.id, sought.keys, sought.under)

    def _file(self, record_id: str, values: Values) -> None:
        sought = self.sought(values)
        self._filed.add(record_id, sought.keys, sought.under)
