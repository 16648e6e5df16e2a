"""What is to be said at the forge, written with what it follows from and sent afterwards, once for each key."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection, update

from tidegate.store.rows import changed, every, insert_once, one, present, select_as
from tidegate.store.tables import publications

Kind = Literal["check", "comment", "status"]
State = Literal["new", "sent", "failed"]
MOST = 100


class Publication(Struct, frozen=True):
    id: int
    change: int
    key: str
    kind: Kind
    forge_id: str | None
    state: State
    attempts: int
    made_at: str
    sent_at: str | None
    problem: str | None


class Put(Struct, frozen=True):
    publication: Publication
    new: bool


def put(connection: Connection, change: int, key: str, kind: Kind, at: str) -> Put:
    """Writes it once: where its key is there, what is there is answered."""
    values = {"change": change, "key": key, "kind": kind, "state": "new", "attempts": 0, "made_at": at}
    new = insert_once(connection, publications, values)
    return Put(present(by_key(connection, key)), new)


def by_key(connection: Connection, key: str) -> Publication | None:
    return one(connection, Publication, select_as(Publication, publications).where(publications.c.key == key))


def sent(connection: Connection, identifier: int, forge_id: str, at: str) -> bool:
    """Whether this is the first time that it was sent."""
    open_ = update(publications).where(publications.c.id == identifier, publications.c.state != "sent")
    values = {"state": "sent", "forge_id": forge_id, "sent_at": at, "problem": None}
    return changed(connection, open_.values(**values, attempts=publications.c.attempts + 1)) == 1


def failed(connection: Connection, identifier: int, problem: str, *, for_good: bool = False) -> bool:
    """Counts an attempt; the next is made later unless it failed for good."""
    open_ = update(publications).where(publications.c.id == identifier, publications.c.state == "new")
    values = {"state": "failed" if for_good else "new", "problem": problem}
    return changed(connection, open_.values(**values, attempts=publications.c.attempts + 1)) == 1


def unsent(connection: Connection, older_than: str, *, most: int = MOST) -> tuple[Publication, ...]:
    """Those that wait since before `older_than`, the oldest first."""
    waiting = (publications.c.state == "new", publications.c.made_at < older_than)
    query = select_as(Publication, publications).where(*waiting).order_by("made_at", "id").limit(most)
    return every(connection, Publication, query)


def last(connection: Connection, change: int, kind: Kind) -> Publication | None:
    """The last of its kind that was sent for the change: the comment that updates itself."""
    done = (publications.c.change == change, publications.c.kind == kind, publications.c.state == "sent")
    query = select_as(Publication, publications).where(*done).order_by(publications.c.id.desc()).limit(1)
    return one(connection, Publication, query)
