"""The circuit breaker: a run that would delete or overwrite much of what is there stops and asks. Pure."""

from __future__ import annotations

import msgspec

DELETIONS = "deletions"
OVERWRITES = "overwrites"


class Limits(msgspec.Struct, frozen=True):
    """How much of what is linked one run may change without asking. Shares are of a flow's links that are not ended."""

    delete_share: float = 0.1
    overwrite_share: float = 0.5
    floor: int = 20
    """So many are always allowed: in a small register every share is soon reached."""

    def allowed(self, what: str, linked: int) -> int:
        """How many records one run may delete or overwrite."""
        share = self.delete_share if what == DELETIONS else self.overwrite_share
        return max(self.floor, int(share * linked))


USUAL = Limits()


class Held(msgspec.Struct, frozen=True):
    """What is held back in a flow, as ``side:deletions`` or ``side:overwrites``, and what a person let through."""

    back: frozenset[str] = frozenset()
    let_through: frozenset[str] = frozenset()

    @classmethod
    def of(cls, breaker: str | None, let_through: str | None) -> Held:
        """Read the columns ``flow.breaker`` and ``flow.let_through``."""
        return cls(frozenset(words(breaker)), frozenset(words(let_through)))

    @property
    def breaker_text(self) -> str | None:
        """The column ``flow.breaker``."""
        return text_of(self.back)

    @property
    def let_through_text(self) -> str | None:
        """The column ``flow.let_through``."""
        return text_of(self.let_through)


def words(text: str | None) -> list[str]:
    """What ``flow.breaker`` or ``flow.let_through`` says, word by word."""
    return [one for one in (text or "").split(",") if one]


def text_of(chosen: frozenset[str] | set[str]) -> str | None:
    """The column's text for these words: the same for the same words, nothing for none."""
    return ",".join(sorted(chosen)) or None
