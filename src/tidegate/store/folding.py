"""Rows that many messages make together: whoever writes first makes the row, everybody after takes what is there in.

Two that write at once both count: the later one waits for the row, reads what the first made of it, and adds to that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import Connection, Executable, Table, bindparam, select, update

from tidegate.store.rows import upsert_in

Values: TypeAlias = Mapping[str, Any]
CHUNK = 500


def fold_in(
    connection: Connection,
    table: Table,
    sender: str,
    first: Mapping[str, Values],
    again: Callable[[str, bytes], Values],
) -> int:
    """Writes the rows of `sender` by key; how many are new.

    `first`: the columns of each row as it is where none was before. `again` answers the columns for a row that is
    there, from its `state`.
    """
    new = 0
    for keys in in_chunks(sorted(first)):
        made = _insert(connection, table, [{"sender": sender, "key": key, **first[key]} for key in keys])
        new += len(made)
        there = [key for key in keys if key not in made]
        if there:
            _update(connection, table, sender, there, again)
    return new


def insert_many(connection: Connection, table: Table, rows: Sequence[Values], *names: str) -> list[tuple[Any, ...]]:
    """Those of the rows that were new, by the columns `names`; one whose unique key is there already stays as it is."""
    if not rows:
        return []
    statement = _inserting(connection.dialect.name, table, names)
    return [tuple(row) for row in connection.execute(statement, list(rows))]


def in_chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many at a time as one statement takes."""
    for at in range(0, len(keys), CHUNK):
        yield keys[at : at + CHUNK]


# Private


def _insert(connection: Connection, table: Table, rows: Sequence[Values]) -> frozenset[str]:
    return frozenset(key for (key,) in insert_many(connection, table, rows, "key"))


def _update(
    connection: Connection, table: Table, sender: str, keys: Sequence[str], again: Callable[[str, bytes], Values]
) -> None:
    found = connection.execute(_locking(table), {"sender": sender, "keys": keys}).all()
    rows = [{"row": row.id, **again(row.key, row.state)} for row in found]
    if rows:
        names = tuple(name for name in rows[0] if name != "row")
        connection.execute(_updating(table, names), _named(rows))


# To make a statement takes longer than to run it: each is made once.


@cache
def _inserting(dialect: str, table: Table, names: tuple[str, ...]) -> Executable:
    return upsert_in(dialect, table).on_conflict_do_nothing().returning(*(table.c[name] for name in names))


@cache
def _locking(table: Table) -> Executable:
    query = select(table.c.id, table.c.key, table.c.state).where(
        table.c.sender == bindparam("sender"), table.c.key.in_(bindparam("keys", expanding=True))
    )
    return query.order_by(table.c.key).with_for_update()


@cache
def _updating(table: Table, names: tuple[str, ...]) -> Executable:
    statement = update(table).where(table.c.id == bindparam("row"))
    return statement.values({name: bindparam(f"new_{name}") for name in names})


def _named(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{name if name == "row" else f"new_{name}": value for name, value in row.items()} for row in rows]
