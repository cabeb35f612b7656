"""Bases packed for the store: a million links have two each, so a property costs ten bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable

from record_sync.fingerprint import SIZE
from record_sync.record import Base

_ENTRY = struct.Struct(f">H{SIZE}s")
_PROVISIONAL = 0x8000
MAX_PROPERTIES = _PROVISIONAL - 1


def pack(base: Base, number_of: Callable[[str], int]) -> bytes:
    """Pack a base; ``number_of`` tells the store's number for a property."""
    entries = [(number_of(path), mark) for path, mark in base.firm.items()]
    entries += [(number_of(path) | _PROVISIONAL, mark) for path, mark in base.provisional.items()]
    return b"".join(_ENTRY.pack(number, mark) for number, mark in sorted(entries))


def unpack(blob: bytes, name_of: Callable[[int], str]) -> Base:
    """The base that :func:`pack` packed."""
    base = Base()
    for number, mark in _ENTRY.iter_unpack(blob):
        if number & _PROVISIONAL:
            base.provisional[name_of(number & MAX_PROPERTIES)] = mark
        else:
            base.firm[name_of(number)] = mark
    return base
