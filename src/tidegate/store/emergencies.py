"""Breaking the glass: one person asks, another confirms, and it ends by itself."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection, insert, or_, update

from tidegate.store.rows import changed, every, one, present, select_as
from tidegate.store.tables import emergencies


class Emergency(Struct, frozen=True):
    id: int
    change: int
    reason: str
    asked_by: int
    confirmed_by: int | None
    asked_at: str
    confirmed_at: str | None
    expires_at: str
    entry: int | None


def ask(connection: Connection, change: int, reason: str, by: int, at: str, expires_at: str) -> Emergency:
    new = insert(emergencies).values(change=change, reason=reason, asked_by=by, asked_at=at, expires_at=expires_at)
    return present(get(connection, connection.execute(new.returning(emergencies.c.id)).scalar_one()))


def get(connection: Connection, identifier: int) -> Emergency | None:
    return one(connection, Emergency, select_as(Emergency, emergencies).where(emergencies.c.id == identifier))


def confirm(connection: Connection, identifier: int, by: int, at: str) -> bool:
    """False where the same person asked, it was confirmed before, or it expired."""
    open_ = update(emergencies).where(
        emergencies.c.id == identifier,
        emergencies.c.confirmed_by.is_(None),
        emergencies.c.asked_by != by,
        emergencies.c.expires_at > at,
    )
    return changed(connection, open_.values(confirmed_by=by, confirmed_at=at)) == 1


def in_force(connection: Connection, change: int, at: str) -> Emergency | None:
    """The last one of the change that two people made and that has not expired."""
    live = (emergencies.c.change == change, emergencies.c.confirmed_at <= at, emergencies.c.expires_at > at)
    query = select_as(Emergency, emergencies).where(*live).order_by(emergencies.c.id.desc()).limit(1)
    return one(connection, Emergency, query)


def page(
    connection: Connection, *, after: int = 0, change: int | None = None, most: int = 100
) -> tuple[Emergency, ...]:
    """All that were ever asked for, confirmed or not, by id: each is an exception that an auditor is shown."""
    query = select_as(Emergency, emergencies).where(emergencies.c.id > after).order_by("id").limit(most)
    return every(connection, Emergency, query if change is None else query.where(emergencies.c.change == change))


def set_entry(connection: Connection, identifier: int, entry: int) -> bool:
    """Says where the ledger holds it, once. False where another entry is said already."""
    free = or_(emergencies.c.entry.is_(None), emergencies.c.entry == entry)
    mine = update(emergencies).where(emergencies.c.id == identifier, free)
    return changed(connection, mine.values(entry=entry)) == 1
