"""From rows to frozen values: a struct names the columns that it is made of, in their order in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import Connection, CursorResult, Select, Table, Update, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from tidegate.errors import InternalError

S = TypeVar("S", bound=Struct)


def select_as(kind: type[S], table: Table) -> Select[Any]:
    """Selects the columns of `table` that `kind` has as fields."""
    return select(*(table.c[name] for name in kind.__struct_fields__))


def one(connection: Connection, kind: type[S], query: Select[Any]) -> S | None:
    row = connection.execute(query).first()
    return None if row is None else kind(*row)


def every(connection: Connection, kind: type[S], query: Select[Any]) -> tuple[S, ...]:
    return tuple(kind(*row) for row in connection.execute(query))


def present(value: S | None) -> S:
    """What was just written is there; our own failure where it is not."""
    if value is None:
        raise InternalError("a row that was just written is not there")
    return value


def insert_once(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Whether the row was new: False where a unique key of the table holds already, and nothing was written."""
    return wrote(connection, upsert(connection, table).values(**values).on_conflict_do_nothing())


def upsert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insert that can say what to do on a conflict, in words that both databases share."""
    return upsert_in(connection.dialect.name, table)


def upsert_in(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """The same, for a database of this kind."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def wrote(connection: Connection, statement: Insert) -> bool:
    """Whether an insert of one row wrote it, where a conflict may have kept it from doing so."""
    return connection.execute(statement.returning(literal_column("1"))).first() is not None


def changed(connection: Connection, statement: Update) -> int:
    """How many rows the statement wrote."""
    result = connection.execute(statement)
    return result.rowcount if isinstance(result, CursorResult) else 0
