"""What can be a record's id, which stands in addresses and in the store's indexes, and what its version."""

from __future__ import annotations

import re
from decimal import Decimal
from hashlib import blake2b

LONGEST = 500
"""Characters. PostgreSQL indexes 2,700 bytes, and one takes up to four."""
_SHOWN = 40
_HALVES = re.compile("[\ufffd\ud800-\udfff]")


def fault_of(record_id: str) -> str | None:
    """Why a text can be no record's id; None where it can."""
    if not record_id.strip():
        return "its id is empty"
    if record_id in (".", ".."):
        return f"its id {record_id!r} would lead to another resource"
    if len(record_id) > LONGEST:
        return f"its id is longer than {LONGEST} characters"
    if _HALVES.search(record_id) is not None:
        return "its id holds half a character"
    return None


def storable(record_id: str) -> str:
    """A name under which a record with any id can wait: long ones are shortened, and told apart all the same."""
    if len(record_id) <= LONGEST:
        return record_id
    mark = blake2b(record_id.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{record_id[:_SHOWN]}…{mark}"


def version_of(value: object) -> str | None:
    """A version as a text, whatever type it came as; None where it is neither a text nor a number."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        return None
    return str(value)
