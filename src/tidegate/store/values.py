"""Single values by name: what the service must remember of itself."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from tidegate.store.rows import insert_once, upsert
from tidegate.store.tables import values


def read(connection: Connection, name: str) -> str | None:
    return connection.execute(select(values.c.value).where(values.c.name == name)).scalar()


def write(connection: Connection, name: str, value: str, at: str) -> None:
    """The last one stands."""
    statement = upsert(connection, values).values(name=name, value=value, set_at=at)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value, "set_at": at}))


def write_once(connection: Connection, name: str, value: str, at: str) -> str:
    """The first one stands; answers it. Of two processes that start together both get the same."""
    insert_once(connection, values, {"name": name, "value": value, "set_at": at})
    found = read(connection, name)
    return value if found is None else found


def forget(connection: Connection, prefix: str, before: str) -> int:
    """Takes away those whose names begin so and that were written before; how many there were."""
    old = delete(values).where(values.c.name.startswith(prefix, autoescape=True), values.c.set_at < before)
    return connection.execute(old).rowcount


def keep_newest(connection: Connection, prefix: str, most: int) -> int:
    """Takes away those whose names begin so, but for the `most` that were written last; how many there were."""
    ours = values.c.name.startswith(prefix, autoescape=True)
    newest = select(values.c.name).where(ours).order_by(values.c.set_at.desc(), values.c.name).limit(most)
    return connection.execute(delete(values).where(ours, values.c.name.not_in(newest))).rowcount
