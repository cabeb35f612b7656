"""Names of people: ``Kari`` and ``Nordmann`` in two fields, ``Kari Nordmann`` or ``Nordmann, Kari`` in one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from value_spelling.text import composed

_BETWEEN = re.compile(r"[\s,]+")
_LAST_NAME_FIRST = re.compile(r"([^\s,]+),([^,]+)")


def words_of(parts: Iterable[str]) -> tuple[str, ...]:
    """The words of a name, however they are divided among its parts, and in whichever order."""
    return tuple(sorted(word for part in parts for word in _BETWEEN.split(composed(part).casefold()) if word))


def joined(parts: Iterable[str]) -> str:
    """A name in one text, as it is said: ``Nordmann, Kari`` is ``Kari Nordmann``. Empty where no part says anything."""
    name = " ".join(" ".join(map(composed, parts)).split())
    turned = _LAST_NAME_FIRST.fullmatch(name)
    return f"{turned[2].strip()} {turned[1]}" if turned else name


def divided(name: str) -> tuple[str, str]:
    """The first names and the last name, which is the last word; a single word is a first name."""
    *first, last = joined([name]).split(" ")
    return (" ".join(first), last) if first else (last, "")
