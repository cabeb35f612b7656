"""Records of the other side that wait: the one that turns up on this side may be the counterpart of one of them.

A search finds what the target has, in the spelling that is asked for. What waits is compared here as records are
matched, so that a refused record is not doubled because its counterpart spells its number otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

from record_sync.flow import Flow
from record_sync.matching import Match, MatchKind
from record_sync.references import Resolved
from record_sync.sent_records import SentRecords, Terms
from record_sync.waiting import AMBIGUOUS, DELETION


class Parked:
    """What waits to be carried over from the other side, looked up by what it says."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._waiting: SentRecords[str] | None = None

    def check(self, matches: list[tuple[Resolved, Match]]) -> list[tuple[Resolved, Match]]:
        """Look among what waits for the records that the target does not seem to have."""
        if all(match.kind is not MatchKind.NONE for _, match in matches):
            return matches
        waiting = self._read()
        if waiting is None:
            return matches
        found = {
            one.record.id: waiting.of(one.original.source) for one, match in matches if match.kind is MatchKind.NONE
        }
        free = self._free({record_id for some in found.values() for record_id in some})
        return [(one, self._match(match, found.get(one.record.id, ()), free)) for one, match in matches]

    def _match(self, match: Match, found: Sequence[str], free: set[str]) -> Match:
        ids = [one for one in found if one in free]
        if not ids:
            return match
        if len(ids) == 1:
            return Match(MatchKind.FOUND, id=ids[0])
        return Match(MatchKind.AMBIGUOUS, candidates=tuple(ids), reason=f"the same as {', '.join(ids[:5])}, which wait")

    def _free(self, ids: set[str]) -> set[str]:
        """Those of the records that wait which are still there, and not linked meanwhile."""
        if not ids:
            return set()
        with self._flow.ledger.reading() as now:
            linked = now.links.holding_targets(ids)
        return set(self._flow.target.read(ids - linked.keys()))

    def _read(self) -> SentRecords[str] | None:
        """What waits; while this line runs, the other one adds nothing to it."""
        if self._waiting is None:
            with self._flow.ledger.reading() as now:
                if not now.waiting.any_of_other_side():
                    return None
                sent = [
                    (one.record.id, one.record.values)
                    for one in now.waiting.of_other_side()
                    if one.kind not in (AMBIGUOUS, DELETION)
                ]
            self._waiting = SentRecords(Terms.of_source(self._flow.rules), sent)
        return self._waiting
