"""Fingerprints of values, so that a store can tell a change without holding anybody's data.

Keyed BLAKE2b over one canonical encoding; the key is made per store, so that a fingerprint of a known name or number
cannot be looked up in a table made elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from functools import partial
from hashlib import blake2b
from html import unescape
from typing import TYPE_CHECKING, Any

from record_sync.values import Value, Values

if TYPE_CHECKING:
    from typing_extensions import Buffer

SIZE = 8
"""Bytes a fingerprint has. Two values of one property collide once in 2**64, which no register reaches."""

_REMEMBERED = 2**14
"""Texts whose fingerprints are kept at hand: those of the records being created and of those made ready meanwhile."""
_SHORT = 200
"""Characters of a text that is."""


def encode(value: Value) -> bytes:
    """One byte string for one value: 1, 1.0 and Decimal("1.00") are one; 1 and "1" are two."""
    if value is None:
        return b"n"
    if isinstance(value, str):
        return b"s" + value.encode("utf-8", "surrogatepass")
    if isinstance(value, bool):
        return b"b1" if value else b"b0"
    if isinstance(value, (int, float, Decimal)):
        return b"d" + _number(value).encode()
    return b"j" + json.dumps(value, sort_keys=True, default=_number, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )


def _number(value: Any) -> str:
    number = Decimal(str(value))
    return format(number.normalize(), "f") if number.is_finite() and abs(number.adjusted()) < 400 else str(number)


def _unescaped(text: str) -> str:
    """What a text says whose special characters were escaped, be it several times."""
    while "&" in text and (plain := unescape(text)) != text:
        text = plain
    return text


def _digest(keyed: blake2b, content: Buffer) -> bytes:
    anew = keyed.copy()
    anew.update(content)
    return anew.digest()


class Fingerprints:
    """Makes fingerprints with one store's key."""

    def __init__(self, key: bytes) -> None:
        # A copy of a hash that has taken in the key costs half of what a new one does.
        self._keyed = blake2b(digest_size=SIZE, key=key)
        self._keyed_for_records = blake2b(digest_size=16, key=key)
        keyed_for_sent = self._keyed.copy()
        keyed_for_sent.update(b"sent:")
        self._known = _Known(self._keyed)
        self._known_sent = _Known(keyed_for_sent)

    def of(self, value: Value) -> bytes:
        """The fingerprint of a raw value."""
        return self._known.of(value)

    def of_sent(self, value: Value) -> bytes:
        """The fingerprint of a value that was sent, however servers keep it: trimmed, HTML-escaped, "" as none."""
        return self._known_sent.of((_unescaped(value).strip() or None) if isinstance(value, str) else value)

    def of_record(self, values: Mapping[str, Value]) -> bytes:
        """One fingerprint of a whole record."""
        return _digest(
            self._keyed_for_records, b"\0".join(path.encode() + b"=" + encode(values[path]) for path in sorted(values))
        )

    def of_record_bytes(self, schema: bytes) -> Callable[[Buffer], bytes]:
        """What makes fingerprints of records by their bytes as they come in: the same only under the same schema."""
        keyed = self._keyed.copy()
        keyed.update(schema)
        return partial(_digest, keyed)

    def of_all(self, values: Values, paths: AbstractSet[str] | None = None) -> dict[str, bytes]:
        """The fingerprint of each value, or of those at some paths."""
        if paths is not None and not values.keys() <= paths:
            values = {path: value for path, value in values.items() if path in paths}
        known = self._known
        try:
            return dict(zip(values, map(known.__getitem__, values.values()), strict=True))
        except TypeError:  # a list or an object among them
            return {path: known.of(value) for path, value in values.items()}


class _Known(dict[Value, bytes]):
    """Fingerprints of short texts. The same one mostly stands on both sides, and often in several places.

    Nothing but texts and None is kept: 1 and True would be one key.
    """

    def __init__(self, keyed: blake2b) -> None:
        super().__init__()
        self._keyed = keyed

    def of(self, value: Value) -> bytes:
        """The fingerprint of any value."""
        return self[value] if value is None or type(value) is str else _digest(self._keyed, encode(value))

    def __missing__(self, value: Value) -> bytes:
        if value is not None and type(value) is not str:
            return _digest(self._keyed, encode(value))
        mark = _digest(self._keyed, b"n" if value is None else b"s" + value.encode("utf-8", "surrogatepass"))
        if value is None or len(value) <= _SHORT:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[value] = mark
        return mark
