"""Bases packed for the store: a million links have two each, so a property costs ten bytes.

First come the store's numbers of all properties, two bytes each, then their fingerprints in the same order. Links of a
flow mostly have the same properties, so what is made of the first part is remembered.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache

from record_sync.fingerprint import SIZE
from record_sync.record import Base

_PROVISIONAL = 0x8000
_NUMBER = 2
_REMEMBERED = 4096
MAX_PROPERTIES = _PROVISIONAL - 1


class BasePacker:
    """Packs and unpacks bases.

    Args:
        number_of: the store's number of a property.
        name_of: the property of a number.
    """

    def __init__(self, number_of: Callable[[str], int], name_of: Callable[[int], str]) -> None:
        self._number_of = number_of
        self._name_of = name_of
        self._head = lru_cache(_REMEMBERED)(self._make_head)
        self._names = lru_cache(_REMEMBERED)(self._make_names)

    def pack(self, base: Base) -> bytes:
        """A base in few bytes."""
        head = self._head(tuple(base.firm), tuple(base.provisional))
        return b"".join((head, *base.firm.values(), *base.provisional.values()))

    def unpack(self, blob: bytes) -> Base:
        """The base that was packed."""
        start = len(blob) // (_NUMBER + SIZE) * _NUMBER
        firm, provisional, marks_of = self._names(blob[:start])
        marks = marks_of.unpack_from(blob, start)
        if not provisional:
            return Base(dict(zip(firm, marks, strict=True)))
        return Base(
            dict(zip(firm, marks[: len(firm)], strict=True)), dict(zip(provisional, marks[len(firm) :], strict=True))
        )

    def _make_head(self, firm: tuple[str, ...], provisional: tuple[str, ...]) -> bytes:
        numbers = [self._number_of(name) for name in firm]
        numbers += [self._number_of(name) | _PROVISIONAL for name in provisional]
        return struct.pack(f">{len(numbers)}H", *numbers)

    def _make_names(self, head: bytes) -> tuple[tuple[str, ...], tuple[str, ...], struct.Struct]:
        numbers = struct.unpack(f">{len(head) // _NUMBER}H", head)
        firm = tuple(self._name_of(number) for number in numbers if not number & _PROVISIONAL)
        provisional = tuple(self._name_of(number & MAX_PROPERTIES) for number in numbers if number & _PROVISIONAL)
        return firm, provisional, struct.Struct(f"{SIZE}s" * len(numbers))
