"""The store of what leaves only commit to: prompts, diffs, names. A body can be erased, and every proof still holds.

What erasing reaches, and what not. SQLite: freed pages are overwritten with zeros (secure_delete), and the write-ahead
log is emptied. PostgreSQL: the table is rewritten, and its old file removed; segments of its own write-ahead log keep
the bytes until they are reused. What a file system, a disk, a replica or a backup kept is theirs to forget.
"""

from __future__ import annotations

import sqlite3

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, func, select, text, update
from sqlalchemy.exc import DBAPIError

from tidegate.errors import InputError, InternalError
from tidegate.ledger.commitments import Commitment, check, commit, new_salt
from tidegate.store.engine import Database
from tidegate.store.rows import changed, insert_once
from tidegate.store.tables import bodies


class Body(Struct, frozen=True):
    """`owner` is the pseudonym of the person whose data it is."""

    owner: str
    kind: str
    data: bytes


class Erased(Struct, frozen=True):
    """How many bodies were erased, which commitments nobody can open any more, and where bytes may be left."""

    commitments: tuple[Commitment, ...]
    left: tuple[str, ...]

    @property
    def count(self) -> int:
        return len(self.commitments)


def keep(connection: Connection, body: Body, at: str, salt: bytes | None = None) -> Commitment:
    """What a leaf holds in the body's place. With a salt that was drawn before, the same body is kept once.

    InputError where that very body was erased.
    """
    drawn = new_salt() if salt is None else salt
    commitment = commit(drawn, body.data)
    values = {"owner": body.owner, "kind": body.kind, "salt": drawn, "body": body.data, "made_at": at}
    if not insert_once(connection, bodies, {"commitment": commitment, **values}):
        erased = select(bodies.c.erased_at).where(bodies.c.commitment == commitment)
        if connection.execute(erased).scalar() is not None:
            raise InputError("this body was erased, and is not kept again")
    return commitment


def read(connection: Connection, commitment: Commitment) -> Body | None:
    """The body; None where it was erased, or never kept. InternalError where it is not what the leaf commits to."""
    query = select(bodies.c.owner, bodies.c.kind, bodies.c.body, bodies.c.salt)
    row = connection.execute(query.where(bodies.c.commitment == commitment)).first()
    if row is None or row.body is None:
        return None
    if row.salt is None or not check(commitment, bytes(row.salt), bytes(row.body)):
        raise InternalError("a kept body is not the one that the ledger vouches for", where=commitment)
    return Body(row.owner, row.kind, bytes(row.body))


def salt_of(connection: Connection, commitment: Commitment) -> bytes | None:
    """What opens the commitment for whoever has the body; None where it was erased."""
    return connection.execute(select(bodies.c.salt).where(bodies.c.commitment == commitment)).scalar()


def count_of(connection: Connection, owner: str) -> int:
    """How many bodies of this person can still be read."""
    mine = select(func.count()).where(bodies.c.owner == owner, bodies.c.erased_at.is_(None))
    return connection.execute(mine).scalar_one()


def erase(database: Database, owner: str, at: str) -> Erased:
    """Erases all bodies of a person with their salts, so that nobody can try guesses against the leaves either.

    An entry that says so (`predicates.erasure`) is for the caller to append.
    """
    return _erase(database, bodies.c.owner == owner, at)


def erase_one(database: Database, commitment: Commitment, at: str) -> Erased:
    """The same for the one body that a leaf commits to."""
    return _erase(database, bodies.c.commitment == commitment, at)


def scrub(database: Database) -> tuple[str, ...]:
    """Removes what erased rows left in the database's own files; answers where bytes may be left in them."""
    if database.kind == "sqlite":
        return (*(() if _empty_wal(database) else _BUSY), *_ELSEWHERE)
    with database.engine.connect() as plain:
        try:
            plain.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM (FULL) bodies"))
        except DBAPIError:
            return (*_BUSY, *_ELSEWHERE)
    return ("PostgreSQL's write-ahead log, until its segments are reused", *_ELSEWHERE)


# Private

_BUSY = ("the database's own files, because somebody was using them: erase again to finish",)
_ELSEWHERE = ("backups, replicas, and blocks that the file system or the disk has not reused",)


def _erase(database: Database, whose: ColumnElement[bool], at: str) -> Erased:
    def work(connection: Connection) -> tuple[Commitment, ...]:
        mine = (whose, bodies.c.erased_at.is_(None))
        query = select(bodies.c.commitment).where(*mine).order_by(bodies.c.commitment).with_for_update()
        found = tuple(row.commitment for row in connection.execute(query))
        changed(connection, update(bodies).where(*mine).values(body=None, salt=None, erased_at=at))
        return found

    commitments = database.change(work)
    return Erased(commitments, scrub(database))


def _empty_wal(database: Database) -> bool:
    """Outside any transaction, which a checkpoint cannot run in."""
    raw = database.engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        row = cursor.fetchone()
        return row is not None and row[0] == 0
    except sqlite3.OperationalError:
        return False
    finally:
        raw.close()
