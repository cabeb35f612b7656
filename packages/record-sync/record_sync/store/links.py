"""Links: reading and writing them in sets, seen from one direction."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, TypeVar

import sqlalchemy as sa

from record_sync.record import ENDED, GONE, LIVE, SUSPECT, End, Link
from record_sync.store import tables
from record_sync.store.among import among, among_named
from record_sync.store.base_blob import BasePacker
from record_sync.store.store import FlowKey, Store
from record_sync.store.tables import execute_many, insert_all
from record_sync.store.times import from_ms, to_ms

CHUNK = 5000
"""Ids in one look-up."""

T = TypeVar("T")

_KEPT = ("version", "own_version", "modified_at", "edited_at", "written_at", "base", "whole", "state")
"""The columns of one end beside its id."""


def chunks(items: Collection[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """Cut a collection into pieces."""
    listed = list(items)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]


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
                columns.state == LIVE,
                columns[f"{source}_state"] == LIVE,
                columns.created_at < sa.bindparam("moment"),
            )
            .order_by(columns.id)
            .limit(at_most)
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
    id_column, whole = columns[f"{source}_id"], columns[f"{source}_whole"]
    waits = sa.exists().where(
        waiting.flow_id == columns.flow_id, waiting.side == sa.bindparam("of_side"), waiting.record_id == id_column
    )
    return sa.select(id_column, columns.id, columns[f"{source}_version"], whole).where(
        columns[f"{source}_scope"] == sa.bindparam("scope"),
        among_named(id_column, "ids"),
        _ALSO_OF_FLOW,
        columns.state == LIVE,
        columns[f"{source}_state"] == LIVE,
        columns[f"{target}_state"].in_((LIVE, SUSPECT)),
        whole.is_not(None),
        ~waits,
    )


_asked = functools.cache(_Asked)


def _end(name: str) -> tuple[str, ...]:
    """The columns of one end: its id, and what is kept of it."""
    return tuple(f"{name}_{column}" for column in ("id", *_KEPT))


class Links:
    """The links of one flow; ids are looked up in the whole resource, so that other flows' links are seen too."""

    def __init__(self, store: Store, flow: FlowKey) -> None:
        self._store = store
        self._flow = flow
        self._source, self._target = ("left", "right") if flow.source_is_left else ("right", "left")
        self._flow_names: dict[int, str] = {flow.id: flow.name}
        self._bases = BasePacker(store.number_of, store.name_of)
        self._asked = _asked(self._source, self._target)
        (source_id, *source), (target_id, *target) = _end(self._source), _end(self._target)
        scopes = (f"{self._source}_scope", f"{self._target}_scope")
        self._added = ("flow_id", "created_at", *scopes, "state", source_id, target_id, *source, *target)
        self._saved = ("b_id", "state", *source, *target)

    def of_sources(self, connection: sa.Connection, ids: Collection[str]) -> dict[str, Link]:
        """The links that these source records have, in whichever flow, by any id they ever had."""
        return self._by_end(connection, self._source, self._flow.source_scope, ids)

    def of_targets(self, connection: sa.Connection, ids: Collection[str]) -> dict[str, Link]:
        """The links that these target records have, in whichever flow, by any id they ever had."""
        return self._by_end(connection, self._target, self._flow.target_scope, ids)

    def settled(self, connection: sa.Connection, ids: Collection[str]) -> Iterator[tuple[str, int, str | None, bytes]]:
        """The source records that were agreed as a whole, on links that nothing is to be done for.

        Yields source id, link's id, version and fingerprint of the whole. Records that wait are left out.
        """
        mine = {"flow": self._flow.id, "of_side": self._flow.source_side, "scope": self._flow.source_scope}
        for some in chunks(ids):
            yield from connection.execute(self._asked.settled, {**mine, "ids": some}).tuples()

    def get(self, connection: sa.Connection, link_id: int) -> Link | None:
        """A link by its own id."""
        row = connection.execute(self._asked.one, {"link": link_id}).one_or_none()
        return None if row is None else self._link(connection, row)

    def live_before(self, connection: sa.Connection, moment_ms: int) -> Iterator[Sequence[int]]:
        """Ids of the links whose source was there when last looked at, and that are older than a moment.

        In portions; between two of them such links may be changed.
        """
        last, more = 0, True
        while more:
            wanted = {"flow": self._flow.id, "last": last, "moment": moment_ms, "at_most": CHUNK}
            ids = connection.scalars(self._asked.live_before, wanted).all()
            more = len(ids) == CHUNK
            if ids:
                yield ids
                last = ids[-1]

    def set_source_state(self, connection: sa.Connection, ids: Collection[int], state: str) -> None:
        """Say of the sources of links what is known of their presence."""
        for some in chunks(ids):
            connection.execute(
                sa.update(tables.link).where(among(tables.link.c.id, some)).values({f"{self._source}_state": state})
            )

    def source_gone(self, connection: sa.Connection) -> list[Link]:
        """The links whose source is gone, and that are not ended, oldest first."""
        found = connection.execute(self._asked.source_gone, {"flow": self._flow.id}).all()
        return [self._link(connection, row) for row in sorted(found, key=itemgetter(0))]

    def target_suspect(self, connection: sa.Connection, at_most: int) -> list[Link]:
        """So many of the links whose target the other line suspects to be gone, and that are not ended."""
        wanted = {"flow": self._flow.id, "at_most": at_most}
        return [self._link(connection, row) for row in connection.execute(self._asked.target_suspect, wanted)]

    def _by_end(self, connection: sa.Connection, end: str, scope: int, ids: Collection[str]) -> dict[str, Link]:
        found: dict[str, Link] = {}
        for some in chunks(ids):
            for row in connection.execute(self._asked.by_id[end], {"scope": scope, "ids": some}):
                found[row[0]] = self._link(connection, row[1:])
        missing = [one for one in ids if one not in found]
        for some in chunks(missing):
            for row in connection.execute(self._asked.by_alias, {"scope": scope, "ids": some}):
                found[row.record_id] = self._link(connection, row)
        return found

    def _link(self, connection: sa.Connection, row: Sequence[Any]) -> Link:
        link_id, flow_id, state = row[:3]
        return Link(
            source=self._end(*row[3:12]),
            target=self._end(*row[12:21]),
            flow=self._flow_names.get(flow_id) or self._flow_name(connection, flow_id),
            id=link_id,
            state=state,
        )

    def _flow_name(self, connection: sa.Connection, flow_id: int) -> str:
        if flow_id not in self._flow_names:
            name = connection.scalar(sa.select(tables.flow.c.name).where(tables.flow.c.id == flow_id))
            self._flow_names[flow_id] = str(name)
        return self._flow_names[flow_id]

    def _end(
        self,
        record_id: str,
        version: str | None,
        own_version: str | None,
        modified_at: int | None,
        edited_at: int | None,
        written_at: int | None,
        base: bytes,
        whole: bytes | None,
        state: str,
    ) -> End:
        agreed = self._bases.unpack(base)
        agreed.whole = None if whole is None else bytes(whole)
        return End(
            record_id,
            version,
            own_version,
            from_ms(modified_at),
            from_ms(edited_at),
            from_ms(written_at),
            agreed,
            state,
        )

    def add(self, connection: sa.Connection, links: Sequence[Link]) -> None:
        """Commit new links with their bases; they get their ids."""
        if not links:
            return
        once = (self._flow.id, self._store.now_ms(), self._flow.source_scope, self._flow.target_scope)
        rows = [
            (*once, link.state, link.source.id, link.target.id, *self._values(link.source), *self._values(link.target))
            for link in links
        ]
        for link, new_id in zip(links, insert_all(connection, tables.link, self._added, rows), strict=True):
            link.id = new_id

    def save(self, connection: sa.Connection, links: Iterable[Link]) -> None:
        """Commit what changed on links; their ids are changed by renaming alone."""
        rows = [(link.id, link.state, *self._values(link.source), *self._values(link.target)) for link in links]
        if rows:
            execute_many(connection, _SAVE, self._saved, rows)

    def _values(self, end: End) -> tuple[Any, ...]:
        """An end's values for the columns of _KEPT."""
        return (
            end.version,
            end.own_version,
            to_ms(end.modified_at),
            to_ms(end.edited_at),
            to_ms(end.written_at),
            self._bases.pack(end.base),
            end.base.whole,
            end.state,
        )

    def rename_target(self, connection: sa.Connection, link: Link, target_id: str) -> None:
        """Give a link's target a new id, and remember the one it had."""
        self._rename(connection, self._flow.target_scope, self._target, link, target_id)

    def rename_source(self, connection: sa.Connection, link: Link, source_id: str) -> None:
        """Give a link's source a new id, and remember the one it had."""
        self._rename(connection, self._flow.source_scope, self._source, link, source_id)

    def _rename(self, connection: sa.Connection, scope: int, name: str, link: Link, new_id: str) -> None:
        end = link.source if name == self._source else link.target
        if new_id == end.id:
            return
        columns = tables.alias.c
        connection.execute(
            sa.delete(tables.alias).where(columns.scope_id == scope, columns.record_id.in_((end.id, new_id)))
        )
        connection.execute(sa.insert(tables.alias).values(scope_id=scope, record_id=end.id, link_id=link.id))
        connection.execute(sa.update(tables.link).where(tables.link.c.id == link.id).values({f"{name}_id": new_id}))
        end.id = new_id
