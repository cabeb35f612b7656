"""In which ways a history may be unkind, and which of them wait until a fault of the core is mended.

A lie is something that a real system, its users or a clock do, against which the rules of docs/architecture.md have to
hold. What is switched off is drawn all the same, so that a seed stays what it was when the rest is switched on.
"""

from __future__ import annotations

from typing import NamedTuple


class Lie(NamedTuple):
    """One way of being unkind; ``waits_for`` is why it is not switched on yet."""

    meaning: str
    share: float
    """Of the histories that have it."""
    waits_for: str = ""

    @property
    def enabled(self) -> bool:
        return not self.waits_for


LIES: dict[str, Lie] = {
    "skew": Lie("the systems' clocks differ from each other by minutes", 0.4),
    "whole seconds": Lie("times, and versions that are times, in whole seconds", 0.4),
    "no versions": Lie("a CRM that tells neither version nor time of a change", 0.15),
    "silent edits": Lie("an edit of an address changes neither version nor time", 0.15),
    "trims": Lie("texts lose the blanks around them", 0.4),
    "respells": Lie("phone numbers, e-mails, organisation numbers and web addresses are kept as the system likes", 0.3),
    "escapes": Lie("what is written by the API is kept HTML-escaped", 0.2),
    "terse answers": Lie("answers to writes leave properties out that no edit changes at the same version", 0.25),
    "echoes": Lie("answers to writes repeat what was sent, not what is kept", 0.15),
    "versions stand": Lie("a write that changes nothing makes no version", 0.3),
    "no tombstones": Lie("the CRM's deleted records are gone without a word", 0.3),
    "short lists": Lie("a complete list leaves out a record that is there", 0.2),
    "ids again": Lie("a new record gets the id of a deleted one, told apart by the strongest criterion alone", 0.2),
    "merges": Lie("a user merges two; the id of one answers with the other", 0.2),
    "system restored": Lie("a system is brought back from a backup", 0.15),
    "store restored": Lie("the link store is brought back from a backup", 0.2),
    "spelled numbers": Lie("organisation numbers as people write them", 0.3),
    "letters in parts": Lie("texts typed on a Mac: NFD", 0.3),
    "look-alikes": Lie("users make records that share an e-mail with another", 0.4),
    "look-alikes of lost records": Lie("a user makes one when a creation got lost", 0.4),
    "clocks jump": Lie("a system's clock jumps, forth and back", 0.15),
    "refusals": Lie("writes of some records are refused", 0.3),
    "refused searches": Lie("a search is refused for what the value holds", 0.2),
    "crashes": Lie("the process ends at any write or commit", 0.7),
    "lost writes": Lie("a write gets no answer, carried out or not", 0.6),
    "races": Lie("users edit between reading and writing", 0.6),
    "stale reads": Lie("a run works on what was read before the other line wrote", 0.5),
    "put back": Lie("a person wants a lost value back", 0.5),
    "restored after return": Lie("a deleted record is restored when its successor is there already", 0.1),
}


CHECKS: dict[str, str] = {
    "every record has one outcome": "",
    "newer edits win": "",
    "deletions stay": "",
    "conflicts end": "one stays whose record ends or is made again; that of a deletion comes back under `ignore`",
    "what was never agreed bars a deletion": "both sides differed from the first: a deletion passes over an edit",
    "what returns is active again": "not where the inactive record was edited before its return was seen",
}
"""What is checked besides, each with what it waits for; nothing where it is checked."""


def is_checked(name: str) -> bool:
    return not CHECKS[name]
