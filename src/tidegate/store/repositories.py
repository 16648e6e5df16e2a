"""The repositories that a service looks after. One that was removed keeps its record."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection, update

from tidegate.store.rows import changed, every, one, present, select_as, upsert
from tidegate.store.tables import repositories

MOST = 100


class Repository(Struct, frozen=True):
    """`slug` is OWNER/NAME at the forge; `main` the branch that the population of an audit is read from."""

    id: int
    forge: str
    slug: str
    clone_url: str
    main: str
    added_at: str
    removed_at: str | None


class NewRepository(Struct, frozen=True):
    forge: str
    slug: str
    clone_url: str
    main: str


def add(connection: Connection, repository: NewRepository, at: str) -> Repository:
    """The repository, looked after from now on: new, or back again, or with another URL and branch than before."""
    values = {name: getattr(repository, name) for name in repository.__struct_fields__}
    connection.execute(
        upsert(connection, repositories)
        .values(**values, added_at=at)
        .on_conflict_do_update(
            index_elements=["forge", "slug"],
            set_={"clone_url": repository.clone_url, "main": repository.main, "removed_at": None},
        )
    )
    return present(find(connection, repository.forge, repository.slug))


def get(connection: Connection, identifier: int) -> Repository | None:
    return one(connection, Repository, select_as(Repository, repositories).where(repositories.c.id == identifier))


def find(connection: Connection, forge: str, slug: str) -> Repository | None:
    """Removed or not: see `removed_at`."""
    same = (repositories.c.forge == forge, repositories.c.slug == slug)
    return one(connection, Repository, select_as(Repository, repositories).where(*same))


def page(connection: Connection, *, after: int = 0, most: int = MOST) -> tuple[Repository, ...]:
    """Those that are looked after, by id, from after `after`."""
    live = (repositories.c.removed_at.is_(None), repositories.c.id > after)
    return every(connection, Repository, select_as(Repository, repositories).where(*live).order_by("id").limit(most))


def remove(connection: Connection, identifier: int, at: str) -> bool:
    live = update(repositories).where(repositories.c.id == identifier, repositories.c.removed_at.is_(None))
    return changed(connection, live.values(removed_at=at)) == 1
