"""What people said caused an incident: every word once, also those that a later one replaced."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct, structs
from sqlalchemy import Connection, update

from tidegate.store.rows import changed, every, one, select_as
from tidegate.store.tables import causes

Through: TypeAlias = Literal["session", "token"]
MOST = 100


class NewCause(Struct, frozen=True, kw_only=True):
    """`cause`: a commit, or a word for what is no change."""

    incident: int
    person: int
    through: Through
    cause: str


class Cause(Struct, frozen=True):
    id: int
    incident: int
    person: int
    through: Through
    cause: str
    said_at: str
    entry: int | None


def put(connection: Connection, given: NewCause, at: str) -> bool:
    """Writes it; False where the last word about this incident is the same word of the same person.

    Of two at once both would write: call it where the row of the incident was written before in the transaction.
    """
    mine = select_as(Cause, causes).where(causes.c.incident == given.incident)
    last = one(connection, Cause, mine.order_by(causes.c.id.desc()).limit(1))
    if last is not None and (last.person, last.cause) == (given.person, given.cause):
        return False
    connection.execute(causes.insert().values(**structs.asdict(given), said_at=at))
    return True


def of_incident(connection: Connection, incident: int) -> tuple[Cause, ...]:
    """In the order in which they were said."""
    mine = select_as(Cause, causes).where(causes.c.incident == incident)
    return every(connection, Cause, mine.order_by(causes.c.id).limit(MOST))


def unrecorded(connection: Connection, *, most: int = MOST) -> tuple[Cause, ...]:
    """Those that no entry of the ledger is said for, the first said first."""
    waiting = select_as(Cause, causes).where(causes.c.entry.is_(None))
    return every(connection, Cause, waiting.order_by(causes.c.id).limit(most))


def set_entry(connection: Connection, identifier: int, entry: int) -> bool:
    """Says where the ledger holds it; whether it is there."""
    return changed(connection, update(causes).where(causes.c.id == identifier).values(entry=entry)) == 1
