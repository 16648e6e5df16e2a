"""What people say for a deployment: yes to a revision, or that a demand is set aside for a while.

An exception holds when two people gave it: the second joins the row of the first. Whether two rows are two people is
for the gate, which knows who is who.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct, structs
from sqlalchemy import Connection, Select, or_, update

from tidegate.store.rows import changed, every, insert_once, one, present, select_as
from tidegate.store.tables import deployment_approvals

Covers: TypeAlias = Literal["", "freeze", "blast", "budget", "bake", "order", "reversal"]
MOST = 1000


class NewWord(Struct, frozen=True, kw_only=True):
    """`covers` "" is an approval of `revision`; else the demand that is set aside, for `revision` or ("") whatever is
    deployed, and of a freeze for the window `freeze` or ("") any. Times are Unix seconds.
    """

    person: int
    repository: int
    covers: Covers
    environment: str
    service: str
    revision: str
    freeze: str
    reason: str
    starts: float
    ends: float
    joins: int | None = None


class Word(Struct, frozen=True):
    id: int
    person: int
    repository: int
    covers: Covers
    environment: str
    service: str
    revision: str
    freeze: str
    reason: str
    starts: float
    ends: float
    joins: int | None
    given_at: str
    revoked_at: str | None
    entry: int | None


class Put(Struct, frozen=True):
    word: Word
    new: bool


def put(connection: Connection, given: NewWord, at: str) -> Put:
    """Writes it once: the same of the same person for the same time is the same, also after it was revoked."""
    digest = hashlib.sha256(msgspec.json.encode(given)).hexdigest()
    new = insert_once(connection, deployment_approvals, {**structs.asdict(given), "digest": digest, "given_at": at})
    found = one(connection, Word, _all().where(deployment_approvals.c.digest == digest))
    return Put(present(found), new)


def get(connection: Connection, identifier: int) -> Word | None:
    return one(connection, Word, _all().where(deployment_approvals.c.id == identifier))


def live(connection: Connection, repository: int, environment: str, at: float) -> tuple[Word, ...]:
    """Those that are neither revoked nor over at `at`, in their order."""
    table = deployment_approvals.c
    here = (table.repository == repository, table.environment == environment)
    return every(
        connection,
        Word,
        _all().where(*here, table.revoked_at.is_(None), table.ends > at).order_by(table.id).limit(MOST),
    )


def page(
    connection: Connection,
    *,
    repository: int | None = None,
    environment: str | None = None,
    before: int | None = None,
    most: int = 100,
) -> tuple[Word, ...]:
    """The last that was given first, from before the one with id `before`."""
    table = deployment_approvals.c
    query = _all().order_by(table.id.desc()).limit(most)
    if repository is not None:
        query = query.where(table.repository == repository)
    if environment is not None:
        query = query.where(table.environment == environment)
    if before is not None:
        query = query.where(table.id < before)
    return every(connection, Word, query)


def revoke(connection: Connection, identifier: int, at: str) -> bool:
    """False where it was revoked before: the first time stands."""
    table = deployment_approvals.c
    living = update(deployment_approvals).where(table.id == identifier, table.revoked_at.is_(None))
    return changed(connection, living.values(revoked_at=at)) == 1


def set_entry(connection: Connection, identifier: int, entry: int) -> bool:
    """Says where the ledger holds it, once. False where another entry is said already."""
    table = deployment_approvals.c
    free = or_(table.entry.is_(None), table.entry == entry)
    mine = update(deployment_approvals).where(table.id == identifier, free)
    return changed(connection, mine.values(entry=entry)) == 1


# Private


def _all() -> Select[Any]:
    return select_as(Word, deployment_approvals)
