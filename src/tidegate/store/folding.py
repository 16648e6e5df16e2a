"""Rows that many messages make together: whoever writes first makes the row, everybody after takes what is there in.

Two that write at once both count: the later one waits for the row, reads what the first made of it, and adds to that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, Table, bindparam, select, update

from tidegate.store.rows import upsert

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
    statement = upsert(connection, table).on_conflict_do_nothing().returning(*(table.c[name] for name in names))
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
    query = select(table.c.id, table.c.key, table.c.state).where(table.c.sender == sender, table.c.key.in_(keys))
    found = connection.execute(query.order_by(table.c.key).with_for_update()).all()
    rows = [{"row": row.id, **again(row.key, row.state)} for row in found]
    if rows:
        names = [name for name in rows[0] if name != "row"]
        statement = update(table).where(table.c.id == bindparam("row"))
        connection.execute(statement.values({name: bindparam(f"new_{name}") for name in names}), _named(rows))


def _named(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{name if name == "row" else f"new_{name}": value for name, value in row.items()} for row in rows]
