"""Names of people: ``Kari`` and ``Nordmann`` in two fields, ``Kari Nordmann`` or ``Nordmann, Kari`` in one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from value_spelling.text import composed

_BETWEEN = re.compile(r"[\s,]+")


def words_of(parts: Iterable[str]) -> tuple[str, ...]:
    """The words of a name, however they are divided among its parts, and in whichever order."""
    return tuple(sorted(word for part in parts for word in _BETWEEN.split(composed(part).casefold()) if word))
