"""Looking up many rows by their ids, as one parameter of a statement that always reads the same.

A list of a thousand parameters costs more to write out and to bind than the rows cost to find.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

if TYPE_CHECKING:
    from typing_extensions import Self


def among(column: sa.ColumnElement[Any], values: Collection[Any]) -> sa.ColumnElement[bool]:
    """Whether a column's value is one of these."""
    return _Among(column, sa.bindparam(None, list(values), type_=_Many(column.type), unique=True))


def among_named(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """The same for values that are given when the statement is carried out, under a name."""
    return _Among(column, sa.bindparam(name, type_=_Many(column.type)))


class _Among(FunctionElement[bool]):
    name = "among"
    type = sa.Boolean()
    inherit_cache = True

    def self_group(self, against: object = None) -> Self:
        """Stand as it is: SQLite finds nothing by an index that is compared with true (`… IN (…) = 1`)."""
        del against
        return self


class _Many(sa.types.TypeDecorator[list[Any]]):
    """Values of a column's type: a JSON text for SQLite, an array for PostgreSQL."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, one: sa.types.TypeEngine[Any]) -> None:
        super().__init__()
        self.one = one

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """How the database takes them."""
        if dialect.name == "sqlite":
            return sa.Text()
        inner = self.one.impl_instance if isinstance(self.one, sa.types.TypeDecorator) else self.one
        return sa.ARRAY(inner)

    def process_bind_param(self, value: list[Any] | None, dialect: sa.Dialect) -> Any:
        """Each as its column has it."""
        listed = value or []
        if isinstance(self.one, sa.types.TypeDecorator):
            listed = [self.one.process_bind_param(one, dialect) for one in listed]
        return msgspec.json.encode(listed).decode() if dialect.name == "sqlite" else listed


@compiles(_Among, "sqlite")
def _in_json(element: _Among, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both were compiled


@compiles(_Among, "postgresql")
def _in_array(element: _Among, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} = ANY({values})"
