"""Changes as their forge described them when it was last read. An earlier read never undoes a later one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.store.rows import every, one, present, select_as, upsert, wrote
from tidegate.store.tables import changes

State = Literal["open", "merged", "closed"]
MOST = 100


class Read(Struct, frozen=True):
    """What the forge's API answered for one change at `read_at`: when the question was asked, not when it came back."""

    repository: int
    number: int
    title: str
    author: str
    target: str
    base: str
    head: str
    state: State
    forge_state: str
    """JSON: the rest of what it said."""
    opened_at: str
    read_at: str


class Change(Struct, frozen=True):
    id: int
    repository: int
    number: int
    title: str
    author: str
    target: str
    base: str
    head: str
    state: State
    forge_state: str
    opened_at: str
    read_at: str


class Kept(Struct, frozen=True):
    change: Change
    newer: bool
    """False where a later read was kept before, and this one was not."""


def keep(connection: Connection, read: Read) -> Kept:
    """Writes what was read, unless something that was read later is there."""
    values = {name: getattr(read, name) for name in read.__struct_fields__}
    statement = upsert(connection, changes).values(**values)
    fresh = {name: statement.excluded[name] for name in values if name not in ("repository", "number")}
    statement = statement.on_conflict_do_update(
        index_elements=["repository", "number"], set_=fresh, where=changes.c.read_at < statement.excluded.read_at
    )
    newer = wrote(connection, statement)
    return Kept(present(find(connection, read.repository, read.number)), newer)


def get(connection: Connection, identifier: int) -> Change | None:
    return one(connection, Change, select_as(Change, changes).where(changes.c.id == identifier))


def find(connection: Connection, repository: int, number: int) -> Change | None:
    same = (changes.c.repository == repository, changes.c.number == number)
    return one(connection, Change, select_as(Change, changes).where(*same))


def with_head(connection: Connection, repository: int, head: str) -> tuple[Change, ...]:
    """Those of a repository whose head is this commit: what a status or a check run of a commit is about."""
    same = (changes.c.repository == repository, changes.c.head == head)
    return every(connection, Change, select_as(Change, changes).where(*same).order_by("id"))


def with_heads(connection: Connection, repository: int, heads: Collection[str]) -> tuple[Change, ...]:
    """Those of a repository whose head is one of these commits."""
    same = (changes.c.repository == repository, changes.c.head.in_(heads))
    return every(connection, Change, select_as(Change, changes).where(*same).order_by("id"))


def with_numbers(connection: Connection, repository: int, numbers: Collection[int]) -> tuple[Change, ...]:
    """Those of a repository that have one of these numbers."""
    same = (changes.c.repository == repository, changes.c.number.in_(numbers))
    return every(connection, Change, select_as(Change, changes).where(*same).order_by("id"))


def newest(connection: Connection, repository: int, *, most: int = MOST) -> tuple[Change, ...]:
    """The changes of a repository that we learned of last, the newest first."""
    query = select_as(Change, changes).where(changes.c.repository == repository)
    return every(connection, Change, query.order_by(changes.c.id.desc()).limit(most))


def page(
    connection: Connection,
    *,
    after: int = 0,
    repository: int | None = None,
    state: State | None = None,
    most: int = MOST,
) -> tuple[Change, ...]:
    """By id, from after `after`."""
    query = select_as(Change, changes).where(changes.c.id > after).order_by("id").limit(most)
    if repository is not None:
        query = query.where(changes.c.repository == repository)
    if state is not None:
        query = query.where(changes.c.state == state)
    return every(connection, Change, query)
