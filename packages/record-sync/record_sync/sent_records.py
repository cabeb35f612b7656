"""Records that were sent, or are to be, by what they say: which of them is one that turns up? Pure.

Used for creations without an answer and for records that wait: the one that turns up in the system they were sent to
may be one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from record_sync.canonical import same
from record_sync.matching import contradicts, criterion_key, keys_at
from record_sync.rules import FlowRules
from record_sync.values import Values

T = TypeVar("T")


class Terms:
    """In which properties records are matched and compared: those of the side on which they turn up."""

    def __init__(self, criteria: Sequence[Sequence[str]], kinds: Mapping[str, str], compared: frozenset[str]) -> None:
        self.criteria = criteria
        self.kinds = kinds
        self.compared = compared
        self._match_paths = frozenset(path for criterion in criteria for path in criterion)

    @classmethod
    def of_target(cls, rules: FlowRules) -> Terms:
        """Records that turn up in the side that is written to."""
        return cls(rules.match_on, {one.path: one.compare for one in rules.properties}, rules.lasting_paths)

    @classmethod
    def of_source(cls, rules: FlowRules) -> Terms:
        """Records that turn up in the side that is read: the criteria in the properties that theirs are made of."""
        made_of = {one.path: one for one in rules.properties}
        criteria = tuple(tuple(path for name in one for path in made_of[name].sources) for one in rules.match_on)
        # A value that is made of several properties is compared as they stand.
        kinds = {one.sources[0]: one.compare for one in rules.properties if len(one.sources) == 1}
        return cls(criteria, kinds, rules.source_paths)

    def keys(self, values: Values) -> dict[str, Any]:
        """What a record can be matched by."""
        return keys_at(values, self._match_paths, self.kind)

    def kind(self, path: str) -> str:
        """How values at a path are compared."""
        return self.kinds.get(path, "text")

    def says_all(self, sent: Values, values: Values) -> bool:
        """Whether a record says all that was sent; what a side does not keep in sync may read as it likes."""
        return not self.differing(sent, values) and any(path in self.compared for path in sent if path in values)

    def differing(self, sent: Values, values: Values) -> list[str]:
        """What a record says otherwise than it was sent."""
        return [
            path
            for path, value in sent.items()
            if path in self.compared
            and path in values
            and not same("text", value, values[path])
            and not same(self.kind(path), value, values[path])
        ]


class SentRecords(Generic[T]):
    """Looked up by a whole merge criterion that no stronger one contradicts, else by all that was sent."""

    def __init__(self, terms: Terms, sent: Iterable[tuple[T, Values]]) -> None:
        self._terms = terms
        self._by_key: dict[tuple[int, tuple[Any, ...]], list[tuple[T, dict[str, Any]]]] = {}
        self._by_part: dict[tuple[str, Any], list[tuple[T, Values]]] = {}
        """By each match property alone."""
        self._without_key: dict[tuple[str, str], list[tuple[T, Values]]] = {}
        self._anchors: set[str] = set()
        for one, values in sent:
            self._file(one, values)

    def _file(self, one: T, values: Values) -> None:
        keys, has_key = self._terms.keys(values), False
        for part in keys.items():
            self._by_part.setdefault(part, []).append((one, values))
        for rank, criterion in enumerate(self._terms.criteria):
            key = criterion_key(criterion, keys)
            if key is not None:
                has_key = True
                self._by_key.setdefault((rank, key), []).append((one, keys))
        if has_key:
            return
        anchor = next((path for path in sorted(values) if path in self._terms.compared), None)
        if anchor is not None:
            self._anchors.add(anchor)
            self._without_key.setdefault((anchor, _anchored(values[anchor])), []).append((one, values))

    def of(self, values: Values, still: Callable[[T], bool] = lambda _: True) -> list[T]:
        """Those that a record with these values may be, by the strongest criterion that finds any.

        Args:
            values: of the record that turned up.
            still: whether one is still looked for.

        """
        keys = self._terms.keys(values)
        for rank, criterion in enumerate(self._terms.criteria):
            key = criterion_key(criterion, keys)
            if key is None:
                continue
            found = [
                one
                for one, its in self._by_key.get((rank, key), ())
                if still(one) and not contradicts(self._terms.criteria[:rank], keys, its)
            ]
            if found:
                return found
        return [
            one
            for anchor in self._anchors
            if anchor in values
            for one, sent in self._without_key.get((anchor, _anchored(values[anchor])), ())
            if still(one) and self._terms.says_all(sent, values)
        ]

    def near(self, values: Values, still: Callable[[T], bool] = lambda _: True) -> list[T]:
        """Those of which a record says all that was sent but for one property, part of a match criterion included.

        Where a whole criterion fits that a stronger one contradicts, the record is another one.
        """
        found: dict[int, T] = {}
        keys = self._terms.keys(values)
        for part in keys.items():
            for one, sent in self._by_part.get(part, ()):
                if id(one) not in found and still(one) and self._is_near(sent, values, keys):
                    found[id(one)] = one
        return list(found.values())

    def _is_near(self, sent: Values, values: Values, keys: Mapping[str, Any]) -> bool:
        if len(self._terms.differing(sent, values)) > 1:
            return False
        its = self._terms.keys(sent)
        fitting = (criterion_key(criterion, keys) for criterion in self._terms.criteria)
        theirs = (criterion_key(criterion, its) for criterion in self._terms.criteria)
        return not any(one is not None and one == other for one, other in zip(fitting, theirs, strict=True))


def _anchored(value: Any) -> str:
    """A rough form of a value: whatever servers do to a text, it mostly stays."""
    return "".join(str(value).split()).casefold()
