"""Links: reading and writing them in sets, seen from one direction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from record_sync.record import End, Link
from record_sync.store import tables
from record_sync.store.base_blob import pack, unpack
from record_sync.store.store import FlowKey, Store
from record_sync.store.tables import new_id
from record_sync.store.times import from_ms, to_ms

CHUNK = 500
"""Ids in one look-up; databases limit the parameters of a statement."""

T = TypeVar("T")


def chunks(items: Collection[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """Cut a collection into pieces."""
    listed = list(items)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]


class Links:
    """The links of one flow; ids are looked up in the whole resource, so that other flows' links are seen too."""

    def __init__(self, store: Store, flow: FlowKey) -> None:
        self._store = store
        self._flow = flow
        self._source, self._target = ("left", "right") if flow.source_is_left else ("right", "left")
        self._flow_names: dict[int, str] = {flow.id: flow.name}

    def of_sources(self, connection: sa.Connection, ids: Collection[str]) -> dict[str, Link]:
        """The links that these source records have, in whichever flow, by any id they ever had."""
        return self._by_end(connection, self._source, self._flow.source_scope, ids)

    def of_targets(self, connection: sa.Connection, ids: Collection[str]) -> dict[str, Link]:
        """The links that these target records have, in whichever flow, by any id they ever had."""
        return self._by_end(connection, self._target, self._flow.target_scope, ids)

    def get(self, connection: sa.Connection, link_id: int) -> Link | None:
        """A link by its own id."""
        row = connection.execute(sa.select(tables.link).where(tables.link.c.id == link_id)).one_or_none()
        return None if row is None else self._link(connection, row)

    def _by_end(self, connection: sa.Connection, end: str, scope: int, ids: Collection[str]) -> dict[str, Link]:
        found: dict[str, Link] = {}
        in_scope = tables.link.c[f"{end}_scope"] == scope
        id_column = tables.link.c[f"{end}_id"]
        for some in chunks(ids):
            for row in connection.execute(sa.select(tables.link).where(in_scope, id_column.in_(some))):
                found[getattr(row, f"{end}_id")] = self._link(connection, row)
        missing = [one for one in ids if one not in found]
        for some in chunks(missing):
            query = (
                sa.select(tables.link, tables.alias.c.record_id)
                .join(tables.alias, tables.alias.c.link_id == tables.link.c.id)
                .where(tables.alias.c.scope_id == scope, tables.alias.c.record_id.in_(some))
            )
            for row in connection.execute(query):
                found[row.record_id] = self._link(connection, row)
        return found

    def _link(self, connection: sa.Connection, row: Any) -> Link:
        return Link(
            source=self._end(row, self._source),
            target=self._end(row, self._target),
            flow=self._flow_name(connection, row.flow_id),
            id=row.id,
            state=row.state,
        )

    def _flow_name(self, connection: sa.Connection, flow_id: int) -> str:
        if flow_id not in self._flow_names:
            name = connection.scalar(sa.select(tables.flow.c.name).where(tables.flow.c.id == flow_id))
            self._flow_names[flow_id] = str(name)
        return self._flow_names[flow_id]

    def _end(self, row: Any, end: str) -> End:
        values = row._mapping  # noqa: SLF001 - SQLAlchemy's documented access by name
        return End(
            id=values[f"{end}_id"],
            version=values[f"{end}_version"],
            own_version=values[f"{end}_own_version"],
            modified_at=from_ms(values[f"{end}_modified_at"]),
            edited_at=from_ms(values[f"{end}_edited_at"]),
            written_at=from_ms(values[f"{end}_written_at"]),
            base=unpack(values[f"{end}_base"], self._store.name_of),
            state=values[f"{end}_state"],
        )

    def add(self, connection: sa.Connection, link: Link) -> None:
        """Commit a new link with its bases."""
        result = connection.execute(
            sa.insert(tables.link).values(
                flow_id=self._flow.id,
                state=link.state,
                created_at=self._store.now_ms(),
                **{
                    f"{self._source}_scope": self._flow.source_scope,
                    **self._columns(link.source, self._source),
                },
                **{
                    f"{self._target}_scope": self._flow.target_scope,
                    **self._columns(link.target, self._target),
                },
            )
        )
        link.id = new_id(result)

    def save(self, connection: sa.Connection, links: Iterable[Link]) -> None:
        """Commit what changed on links."""
        rows = [
            {
                "b_id": link.id,
                "state": link.state,
                **self._columns(link.source, self._source),
                **self._columns(link.target, self._target),
            }
            for link in links
        ]
        if rows:
            statement = sa.update(tables.link).where(tables.link.c.id == sa.bindparam("b_id"))
            connection.execute(statement, rows)

    def _columns(self, end: End, name: str) -> dict[str, Any]:
        return {
            f"{name}_id": end.id,
            f"{name}_version": end.version,
            f"{name}_own_version": end.own_version,
            f"{name}_modified_at": to_ms(end.modified_at),
            f"{name}_edited_at": to_ms(end.edited_at),
            f"{name}_written_at": to_ms(end.written_at),
            f"{name}_state": end.state,
            f"{name}_base": pack(end.base, self._store.number_of),
        }

    def alias(self, connection: sa.Connection, link: Link, *, target_id: str | None = None) -> None:
        """Remember the id a link's target had before, and give it the new one."""
        if target_id is None or target_id == link.target.id:
            return
        connection.execute(
            sa.insert(tables.alias).values(scope_id=self._flow.target_scope, record_id=link.target.id, link_id=link.id)
        )
        link.target.id = target_id
