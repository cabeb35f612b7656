"""Links of one flow in a transaction, read and written in sets, seen from one direction."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from record_sync.record import ENDED, GONE, LIVE, SUSPECT, Link, LinkSide
from record_sync.store import tables
from record_sync.store.base_blob import BasePacker
from record_sync.store.emptiness import Emptiness
from record_sync.store.sql_in import among_named
from record_sync.store.store import FlowKey, Store
from record_sync.store.tables import execute_many, insert_all
from record_sync.store.timestamps import from_ms, to_ms

_KEPT = ("version", "own_version", "modified_at", "edited_at", "written_at", "base", "whole", "state")
"""The columns of one end beside its id."""


_ALSO_OF_FLOW = tables.link.c.flow_id + 0 == sa.bindparam("flow")
"""Reckoned with, and what it goes with in no order, or SQLite would go through all links of the flow, by the index of
those, where another one finds the few in question."""


_SAVE = sa.update(tables.link).where(tables.link.c.id == sa.bindparam("b_id"))


class _Asked:
    """What a direction asks of links; made once, as making a statement takes longer than a small store's answer."""

    def __init__(self, source: str, target: str) -> None:
        columns = tables.link.c
        at_most = sa.bindparam("at_most", type_=sa.Integer)
        read = [columns[name] for name in ("id", "flow_id", "state", *_end(source), *_end(target))]
        self.one = sa.select(*read).where(columns.id == sa.bindparam("link"))
        self.some = sa.select(*read).where(among_named(columns.id, "ids"))
        self.by_id = {end: _by_id(end, read) for end in (source, target)}
        self.by_alias = (
            sa.select(*read, tables.alias.c.record_id)
            .join(tables.alias, tables.alias.c.link_id == columns.id)
            .where(tables.alias.c.scope_id == sa.bindparam("scope"), among_named(tables.alias.c.record_id, "ids"))
        )
        self.settled = _settled(source, target)
        self.live_before = (
            sa.select(columns.id)
            .where(
                columns.flow_id == sa.bindparam("flow"),
                columns.id > sa.bindparam("last"),
                columns.state != ENDED,
                columns[f"{source}_state"] == LIVE,
                columns.created_at < sa.bindparam("moment"),
            )
            .order_by(columns.id)
            .limit(at_most)
        )
        mine = (columns.flow_id == sa.bindparam("flow")) & (columns.state != ENDED)
        missing = (sa.select(columns.id).where(mine, words) for words in (tables.LEFT_MISSING, tables.RIGHT_MISSING))
        self.some_missing = sa.select(sa.or_(*map(sa.exists, missing)))
        self.set_source_state = (
            sa.update(tables.link).where(among_named(columns.id, "ids")).values({f"{source}_state": sa.bindparam("to")})
        )
        lasting = sa.select(*read).where(_ALSO_OF_FLOW, columns.state != ENDED)
        self.source_gone = lasting.where(*_missing(source, GONE))
        self.target_suspect = lasting.where(*_missing(target, SUSPECT)).limit(at_most)


def _by_id(end: str, read: Sequence[sa.ColumnElement[Any]]) -> sa.Select[Any]:
    columns = tables.link.c
    id_column = columns[f"{end}_id"]
    in_scope = columns[f"{end}_scope"] == sa.bindparam("scope")
    return sa.select(id_column, *read).where(in_scope, among_named(id_column, "ids"))


def _missing(end: str, state: str) -> tuple[sa.ColumnElement[bool], sa.TextClause]:
    """That an end is in this state; said twice, as the index of what is missing says it."""
    return tables.link.c[f"{end}_state"] == state, tables.LEFT_MISSING if end == "left" else tables.RIGHT_MISSING


def _settled(source: str, target: str) -> sa.Select[Any]:
    columns, waiting = tables.link.c, tables.waiting.c
    id_column, record_fingerprint = columns[f"{source}_id"], columns[f"{source}_whole"]
    waits = sa.exists().where(
        waiting.flow_id == columns.flow_id, waiting.side == sa.bindparam("of_side"), waiting.record_id == id_column
    )
    return sa.select(id_column, columns.id, columns[f"{source}_version"], record_fingerprint).where(
        columns[f"{source}_scope"] == sa.bindparam("scope"),
        among_named(id_column, "ids"),
        _ALSO_OF_FLOW,
        columns.state == LIVE,
        columns[f"{source}_state"] == LIVE,
        columns[f"{target}_state"] != GONE,
        record_fingerprint.is_not(None),
        ~waits,
    )


_asked = functools.cache(_Asked)


def _end(name: str) -> tuple[str, ...]:
    """The columns of one end: its id, and what is kept of it."""
    return tuple(f"{name}_{column}" for column in ("id", *_KEPT))


PORTION = 5000
"""Ids of links that are gone through together."""


class LinkLayout:
    """Where the links of a flow stand, seen from one direction; made once a run."""

    def __init__(self, store: Store, flow: FlowKey) -> None:
        self.store = store
        self.flow = flow
        self.source, self.target = ("left", "right") if flow.source_is_left else ("right", "left")
        self.flow_names: dict[int, str] = {flow.id: flow.name}
        self.bases = BasePacker(store.number_of, store.name_of)
        self.asked = _asked(self.source, self.target)
        (source_id, *source), (target_id, *target) = _end(self.source), _end(self.target)
        scopes = (f"{self.source}_scope", f"{self.target}_scope")
        self.added = ("flow_id", "created_at", *scopes, "state", source_id, target_id, *source, *target)
        self.saved = ("b_id", "state", *source, *target)


class Links:
    """Links; ids are looked up in the whole resource, so that other flows' links are seen too.

    What is added and saved is gathered, and sent at the end of the transaction.
    """

    def __init__(self, connection: sa.Connection, layout: LinkLayout, empty: Emptiness) -> None:
        self._connection = connection
        self._layout = layout
        self._flow = layout.flow
        self._empty = empty
        self._new: list[Link] = []
        self._changed: dict[int, Link] = {}

    # -- reading

    def of_sources(self, ids: Collection[str]) -> dict[str, Link]:
        """The links that these source records have, in whichever flow, by any id they ever had."""
        return self._by_end(self._layout.source, self._flow.source_scope, ids)

    def of_targets(self, ids: Collection[str]) -> dict[str, Link]:
        """The links that these target records have, in whichever flow, by any id they ever had."""
        return self._by_end(self._layout.target, self._flow.target_scope, ids)

    def holding_targets(self, ids: Collection[str]) -> dict[str, Link]:
        """The links that these target records belong to: one under a former id of a live record is on its own."""
        return {
            record_id: link
            for record_id, link in self.of_targets(ids).items()
            if link.target.id == record_id or link.target.state == GONE
        }

    def settled(self, ids: Collection[str]) -> Iterator[tuple[str, int, str | None, bytes]]:
        """The source records that were agreed as a whole, on links that nothing is to be done for.

        Yields source id, link's id, version and fingerprint of the whole. Records that wait are left out.
        """
        mine = {"flow": self._flow.id, "of_side": self._flow.source_side, "scope": self._flow.source_scope}
        yield from self._connection.execute(self._layout.asked.settled, {**mine, "ids": ids}).tuples()

    def get(self, link_id: int) -> Link | None:
        """A link by its own id."""
        row = self._connection.execute(self._layout.asked.one, {"link": link_id}).one_or_none()
        return None if row is None else self._link(row)

    def by_ids(self, link_ids: Collection[int]) -> dict[int, Link]:
        """Links by their own ids."""
        rows = self._connection.execute(self._layout.asked.some, {"ids": link_ids}) if link_ids else ()
        return {row[0]: self._link(row) for row in rows}

    def live_before(self, moment_ms: int) -> Iterator[Sequence[int]]:
        """Ids of the links whose source was there when last looked at, and that are older than a moment.

        In portions; between two of them such links may be changed.
        """
        last, more = 0, True
        while more:
            wanted = {"flow": self._flow.id, "last": last, "moment": moment_ms, "at_most": PORTION}
            ids = self._connection.scalars(self._layout.asked.live_before, wanted).all()
            more = len(ids) == PORTION
            if ids:
                yield ids
                last = ids[-1]

    def is_some_missing(self) -> bool:
        """Whether a side of a link that is not ended is suspect or gone."""
        return bool(self._connection.scalar(self._layout.asked.some_missing, {"flow": self._flow.id}))

    def source_gone(self) -> list[Link]:
        """The links whose source is gone, and that are not ended, oldest first."""
        found = self._connection.execute(self._layout.asked.source_gone, {"flow": self._flow.id}).all()
        return [self._link(row) for row in sorted(found, key=itemgetter(0))]

    def target_suspect(self, at_most: int) -> list[Link]:
        """So many of the links whose target the other line suspects to be gone, and that are not ended."""
        wanted = {"flow": self._flow.id, "at_most": at_most}
        return [self._link(row) for row in self._connection.execute(self._layout.asked.target_suspect, wanted)]

    def number_live(self) -> int:
        """How many links of the flow are not ended."""
        columns = tables.link.c
        query = sa.select(sa.func.count()).where(columns.flow_id == self._flow.id, columns.state != ENDED)
        return int(self._connection.scalar(query) or 0)

    def _by_end(self, end: str, scope: int, ids: Collection[str]) -> dict[str, Link]:
        if not ids:
            return {}
        found: dict[str, Link] = {}
        for row in self._connection.execute(self._layout.asked.by_id[end], {"scope": scope, "ids": ids}):
            found[row[0]] = self._link(row[1:])
        missing = [one for one in ids if one not in found]
        if missing and not self._empty.is_empty(self._connection, tables.alias, scope_id=scope):
            for row in self._connection.execute(self._layout.asked.by_alias, {"scope": scope, "ids": missing}):
                found[row.record_id] = self._link(row)
        return found

    def _link(self, row: Sequence[Any]) -> Link:
        link_id, flow_id, state = row[:3]
        return Link(
            source=self._side(*row[3:12]),
            target=self._side(*row[12:21]),
            flow=self._layout.flow_names.get(flow_id) or self._flow_name(flow_id),
            id=link_id,
            state=state,
        )

    def _flow_name(self, flow_id: int) -> str:
        names = self._layout.flow_names
        if flow_id not in names:
            name = self._connection.scalar(sa.select(tables.flow.c.name).where(tables.flow.c.id == flow_id))
            names[flow_id] = str(name)
        return names[flow_id]

    def _side(
        self,
        record_id: str,
        version: str | None,
        own_version: str | None,
        modified_at: int | None,
        edited_at: int | None,
        written_at: int | None,
        base: bytes,
        record_fingerprint: bytes | None,
        state: str,
    ) -> LinkSide:
        agreed = self._layout.bases.unpack(base)
        agreed.record_fingerprint = None if record_fingerprint is None else bytes(record_fingerprint)
        return LinkSide(
            record_id,
            version,
            own_version,
            from_ms(modified_at),
            from_ms(edited_at),
            from_ms(written_at),
            agreed,
            state,
        )

    # -- changing

    def add(self, link: Link) -> None:
        """A new link with its bases; it has its id when the transaction has ended."""
        self._new.append(link)

    def save(self, link: Link) -> None:
        """What changed on a link; its ids are changed by renaming alone."""
        self._changed[link.id or 0] = link

    def set_source_state(self, ids: Collection[int], state: str) -> None:
        """Say of the sources of links what is known of their presence."""
        if ids:
            self._connection.execute(self._layout.asked.set_source_state, {"ids": ids, "to": state})

    def rename_target(self, link: Link, target_id: str) -> None:
        """Give a link's target a new id, and remember the one it had."""
        self._rename(self._flow.target_scope, self._layout.target, link, link.target, target_id)

    def rename_source(self, link: Link, source_id: str) -> None:
        """Give a link's source a new id, and remember the one it had."""
        self._rename(self._flow.source_scope, self._layout.source, link, link.source, source_id)

    def release_source(self, link: Link) -> None:
        """Free the source id of a link: the system gave it to another record. Nobody is known by it any more."""
        self._release(self._layout.source, link, link.source)

    def release_target(self, link: Link) -> None:
        """The same of the target id."""
        self._release(self._layout.target, link, link.target)

    def _release(self, name: str, link: Link, end: LinkSide) -> None:
        end.id = f"{end.id} (ended link {link.id})"
        self._set_id(name, link, end.id)

    def _rename(self, scope: int, name: str, link: Link, end: LinkSide, new_id: str) -> None:
        if new_id == end.id:
            return
        columns = tables.alias.c
        self._connection.execute(
            sa.delete(tables.alias).where(columns.scope_id == scope, columns.record_id.in_((end.id, new_id)))
        )
        self._empty.no_longer(tables.alias, scope_id=scope)
        self._connection.execute(sa.insert(tables.alias).values(scope_id=scope, record_id=end.id, link_id=link.id))
        self._set_id(name, link, new_id)
        end.id = new_id

    def _set_id(self, name: str, link: Link, new_id: str) -> None:
        statement = sa.update(tables.link).where(tables.link.c.id == link.id).values({f"{name}_id": new_id})
        self._connection.execute(statement)

    def send(self) -> None:
        """Send what was gathered."""
        layout = self._layout
        if self._new:
            once = (self._flow.id, layout.store.now_ms(), self._flow.source_scope, self._flow.target_scope)
            rows = [
                (*once, one.state, one.source.id, one.target.id, *self._values(one.source), *self._values(one.target))
                for one in self._new
            ]
            given = insert_all(self._connection, tables.link, layout.added, rows)
            for link, new_id in zip(self._new, given, strict=True):
                link.id = new_id
        changed = [
            (one.id, one.state, *self._values(one.source), *self._values(one.target)) for one in self._changed.values()
        ]
        if changed:
            execute_many(self._connection, _SAVE, layout.saved, changed)
        self._new, self._changed = [], {}

    def _values(self, end: LinkSide) -> tuple[Any, ...]:
        """An end's values for the columns of _KEPT."""
        return (
            end.version,
            end.own_version,
            to_ms(end.modified_at),
            to_ms(end.edited_at),
            to_ms(end.written_at),
            self._layout.bases.pack(end.base),
            end.base.record_fingerprint,
            end.state,
        )
