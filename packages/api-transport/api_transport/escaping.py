"""Texts of strangers where people read them: in log lines and on terminals."""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def visible(text: object) -> str:
    """Text with its control and format characters spelled out.

    They could steer a terminal, turn the direction of a line, or begin a line that looks like one of the log's own.
    """
    plain = str(text)
    if plain.isprintable():
        return plain
    return "".join(
        one.encode("unicode_escape").decode() if unicodedata.category(one) in _UNSEEN else one for one in plain
    )
