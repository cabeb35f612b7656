"""Taps and mapper: what a line reads of a side, wholly or by its changes, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec

from tests.sync.going import GoingFlow
from tests.sync.histories.core import StreamRead, incoming
from tests.sync.histories.register import Register, Row, moment, text_of

LOOK_BACK = 300_000
"""A read of changes begins so many milliseconds before the newest one that was read."""
COMPLETE, CHANGES, REFRESH = "complete", "changes", "refresh"


@dataclass
class Bookmark:
    """How far a tap has read a stream."""

    as_of: int
    reached: int | None
    """The newest change, by the system's clock."""
    states: dict[str, int] = field(default_factory=dict)
    """Of a list that is read where its checksums differ."""


def read(
    register: Register,
    stream: str,
    flows: list[GoingFlow],
    bookmark: Bookmark | None,
    kind: str,
    now: int,
    left_out: str | None = None,
) -> StreamRead:
    """A complete read, one of the changes where the bookmark tells any, or one that begins anew.

    ``now`` is our own clock; ``left_out`` the tag of a record that the list leaves out, although it is there.
    """
    rows = [row for (of, _), row in register.rows.items() if of == stream and row.answers_as is None]
    by_checksum = register.side == "tripletex" and stream == "contact"
    tells_changes = bookmark is not None and (by_checksum or bookmark.reached is not None)
    is_full = kind != CHANGES or not tells_changes or not register.nature.versions
    if not is_full and bookmark is not None:
        rows = [row for row in rows if _is_news(row, bookmark, by_checksum=by_checksum)]
    if left_out is not None:
        rows = [row for row in rows if row.tag != left_out]
    known = None if kind == REFRESH else bookmark
    newest = max((row.modified for row in rows), default=None)
    if newest is not None:
        newest = min(newest, register.told_clock() + 999)
    reached = max((one for one in (newest, bookmark and bookmark.reached) if one is not None), default=None)
    as_of = max(now, bookmark.as_of if bookmark else 0)
    states = {row.id: row.state for row in register.all(stream)} if by_checksum else {}
    found = StreamRead(
        stream=stream,
        opening={} if known is None else {"as_of": text_of(known.as_of)},
        closing=Bookmark(as_of, reached if register.nature.versions else None, states),
        as_of=text_of(as_of),
        version=now if is_full else None,
    )
    read_at = moment(now)
    for going in flows:
        mapped = [_mapped(register, row, going) for row in rows]
        found.flows.append((going, [incoming(going, *one, (when, read_at)) for *one, when in mapped]))
    return found


def _is_news(row: Row, bookmark: Bookmark, *, by_checksum: bool) -> bool:
    if by_checksum:
        return row.state != bookmark.states.get(row.id)
    return bookmark.reached is None or row.modified >= bookmark.reached - LOOK_BACK


def _mapped(register: Register, row: Row, going: GoingFlow) -> tuple[dict[str, Any], bytes, Any]:
    """What the mapper makes of a record, its fingerprint, and when it last changed; made once for each state of it."""
    known = row.mapped.get(going.name)
    if known is None:
        built = going.build(_told(register, row, going))
        whole = blake2b(msgspec.json.encode(built), digest_size=8).digest()
        known = row.mapped[going.name] = built, whole, moment(row.modified) if register.nature.versions else None
    return known


def _told(register: Register, row: Row, going: GoingFlow) -> dict[str, Any]:
    """A record as the tap writes it."""
    times = register.nature.versions
    if register.side == "customcrm":
        changed = text_of(row.modified) if times else None
        blank = dict.fromkeys(going.rules.source_paths)
        told = {"Id": row.id, "CreatedAt": text_of(row.created), "UpdatedAt": changed, "Deleted": row.deleted}
        return {**blank, **row.values, **told}
    record: dict[str, Any] = {"id": int(row.id), "modifiedAt": text_of(row.modified)}
    record["version"] = row.count if times else None
    for path in sorted(going.rules.source_paths):
        *parents, name = path.split(".")
        here = record
        for parent in parents:
            here = here.setdefault(parent, {})
        here[name] = row.values.get(path)
    return record
