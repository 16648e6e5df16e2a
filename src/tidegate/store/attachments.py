"""Reports, plans and transcripts that somebody attached to a change, and vouches to be of this very head."""

from __future__ import annotations

import hashlib
import zlib
from typing import Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import Connection, func, select, update

from tidegate.errors import InputError, InternalError
from tidegate.store.rows import every, insert_once, one, present, select_as
from tidegate.store.tables import attachments, changes

Kind: TypeAlias = Literal["transcript", "plan", "coverage", "junit", "sarif", "mutation"]
MOST = 64
MOST_BYTES = 96 << 20
"""Of one head: as many files, and so many bytes of them."""


class NewAttachment(Struct, frozen=True):
    change: int
    person: int
    head: str
    kind: Kind
    name: str
    body: bytes


class Attachment(Struct, frozen=True):
    """What was attached, without its bytes. `size` is in bytes."""

    id: int
    change: int
    person: int
    head: str
    kind: Kind
    name: str
    digest: str
    size: int
    at: str
    entry: int | None


class Put(Struct, frozen=True):
    attachment: Attachment
    new: bool


def put(connection: Connection, given: NewAttachment, at: str) -> Put:
    """Keeps it once: the same file of the same kind at the same head is there already. InputError for too many."""
    digest = hashlib.sha256(given.body).hexdigest()
    same = (
        attachments.c.change == given.change,
        attachments.c.head == given.head,
        attachments.c.kind == given.kind,
        attachments.c.digest == digest,
    )
    kept = one(connection, Attachment, select_as(Attachment, attachments).where(*same))
    if kept is not None:
        return Put(kept, new=False)
    of_it = (attachments.c.change == given.change, attachments.c.head == given.head)
    count, size = connection.execute(
        select(func.count(), func.coalesce(func.sum(attachments.c.size), 0)).where(*of_it)
    ).one()
    if count >= MOST or int(size) + len(given.body) > MOST_BYTES:
        raise InputError(f"a head takes {MOST} files with {MOST_BYTES >> 20} MB at most", where=given.name)
    values = {name: getattr(given, name) for name in given.__struct_fields__ if name != "body"}
    values |= {"digest": digest, "body": zlib.compress(given.body, 1), "size": len(given.body), "at": at}
    new = insert_once(connection, attachments, values)
    return Put(present(one(connection, Attachment, select_as(Attachment, attachments).where(*same))), new)


def get(connection: Connection, identifier: int) -> Attachment | None:
    return one(connection, Attachment, select_as(Attachment, attachments).where(attachments.c.id == identifier))


def of_head(connection: Connection, change: int, head: str) -> tuple[Attachment, ...]:
    """In the order in which they came."""
    query = select_as(Attachment, attachments).where(attachments.c.change == change, attachments.c.head == head)
    return every(connection, Attachment, query.order_by("id"))


def of_repositories(
    connection: Connection, kind: Kind, since: str, until: str, *, repository: int | None = None, most: int = 200
) -> tuple[tuple[int, Attachment], ...]:
    """Those of a kind that came then, the last first, each with the number of its repository."""
    mine = (attachments.c.kind == kind, attachments.c.at >= since, attachments.c.at < until)
    query = select(changes.c.repository, *(attachments.c[name] for name in Attachment.__struct_fields__))
    query = query.join(changes, changes.c.id == attachments.c.change).where(*mine)
    if repository is not None:
        query = query.where(changes.c.repository == repository)
    rows = connection.execute(query.order_by(attachments.c.id.desc()).limit(most))
    return tuple((row[0], Attachment(*row[1:])) for row in rows)


def body(connection: Connection, identifier: int) -> bytes:
    """The file. InternalError where what is kept is not what was given."""
    row = connection.execute(
        select(attachments.c.body, attachments.c.digest, attachments.c.size).where(attachments.c.id == identifier)
    ).one()
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(row.body, row.size + 1)
    except zlib.error as error:
        raise InternalError("a kept attachment is damaged", where=f"attachment {identifier}") from error
    if hashlib.sha256(plain).hexdigest() != row.digest:
        raise InternalError("a kept attachment is damaged", where=f"attachment {identifier}")
    return plain


def set_entry(connection: Connection, identifier: int, entry: int) -> None:
    """Says where the ledger holds what it proves."""
    connection.execute(update(attachments).where(attachments.c.id == identifier).values(entry=entry))
