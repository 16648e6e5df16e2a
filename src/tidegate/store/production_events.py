"""What production told us: whole messages as they came, and what was read of them, each once."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import Connection, delete, func, select, update

from tidegate.errors import InternalError
from tidegate.store.folding import insert_many
from tidegate.store.rows import changed, every, select_as
from tidegate.store.tables import production_events, production_messages

EventKind: TypeAlias = Literal["deployment", "alert", "error", "unused"]
MOST = 100
MOST_KEPT = 4 << 20
"""Bytes of a message that are kept with it; of a larger one its size and its digest are."""


class NewEvent(Struct, frozen=True):
    """What one message says of one thing. `subject`: of which; of an unused one, the sender's word for its type."""

    sender: str
    key: str
    kind: EventKind
    subject: str
    at: float
    document: bytes
    message: int | None = None


class NewMessage(Struct, frozen=True):
    """Not `whole`: that it came is kept, and not what it said."""

    sender: str
    body: bytes
    whole: bool = True


class Event(Struct, frozen=True):
    id: int
    message: int | None
    sender: str
    key: str
    kind: EventKind
    subject: str
    at: float
    document: bytes
    received_at: str


def keep_messages(connection: Connection, messages: Sequence[NewMessage], at: str) -> list[int | None]:
    """Their numbers; None where the very same came before, here or among them."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    keys: list[tuple[str, str] | None] = []
    for each in messages:
        key = (each.sender, hashlib.sha256(each.body).hexdigest())
        keys.append(None if key in rows else key)
        rows.setdefault(key, _message(each, key[1], at))
    # Sorted, so that of two processes with the same messages neither waits for the other in a circle.
    new = insert_many(connection, production_messages, [rows[key] for key in sorted(rows)], "id", "sender", "digest")
    numbers = {(sender, digest): int(identifier) for identifier, sender, digest in new}
    return [None if key is None else numbers.get(key) for key in keys]


def keep(connection: Connection, events: Sequence[NewEvent], at: str) -> tuple[NewEvent, ...]:
    """Those that are new, in their order: one whose key its sender used before is left as it was then."""
    first: dict[tuple[str, str], NewEvent] = {}
    for event in events:
        first.setdefault((event.sender, event.key), event)
    rows = [
        {
            "message": event.message,
            "sender": event.sender,
            "key": event.key,
            "kind": event.kind,
            "subject": event.subject,
            "at": event.at,
            "document": event.document,
            "received_at": at,
        }
        for event in first.values()
    ]
    new = set(insert_many(connection, production_events, rows, "sender", "key"))
    return tuple(event for key, event in first.items() if key in new)


def of_subject(connection: Connection, kind: EventKind, subject: str, *, most: int = MOST) -> tuple[Event, ...]:
    """What was said of it, the newest first."""
    about = (production_events.c.kind == kind, production_events.c.subject == subject)
    query = select_as(Event, production_events).where(*about)
    newest = query.order_by(production_events.c.at.desc(), production_events.c.id.desc()).limit(most)
    return every(connection, Event, newest)


def page(
    connection: Connection, *, before: int | None = None, kind: EventKind | None = None, most: int = MOST
) -> tuple[Event, ...]:
    """In the order in which they came, the last first, from before the one with id `before`."""
    query = select_as(Event, production_events).order_by(production_events.c.id.desc()).limit(most)
    if before is not None:
        query = query.where(production_events.c.id < before)
    if kind is not None:
        query = query.where(production_events.c.kind == kind)
    return every(connection, Event, query)


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """How many there are by sender and kind."""
    by = (production_events.c.sender, production_events.c.kind)
    found = connection.execute(select(*by, func.count()).group_by(*by).order_by(*by))
    return {(sender, kind): count for sender, kind, count in found}


def message(connection: Connection, identifier: int) -> bytes | None:
    """As it came; None where it was too large to be kept, or is kept no longer."""
    query = select(production_messages.c.body, production_messages.c.size).where(production_messages.c.id == identifier)
    row = connection.execute(query).first()
    if row is None or row.body is None:
        return None
    try:
        return zlib.decompressobj().decompress(row.body, row.size + 1)
    except zlib.error as error:
        raise InternalError("a kept message is damaged", where=f"message {identifier}") from error


def forget_unused(connection: Connection, before: str) -> int:
    """Lets go what came before then and says nothing here; how many."""
    old = delete(production_events).where(
        production_events.c.kind == "unused", production_events.c.received_at < before
    )
    return len(connection.execute(old.returning(production_events.c.id)).all())


def forget_messages(connection: Connection, before: str) -> int:
    """Lets the bodies of messages go that came before then; what was read of them, and their digests, stay."""
    old = update(production_messages).where(production_messages.c.received_at < before)
    return changed(connection, old.where(production_messages.c.body.is_not(None)).values(body=None))


# Private


def _message(given: NewMessage, digest: str, at: str) -> dict[str, Any]:
    kept = given.whole and len(given.body) <= MOST_KEPT
    return {
        "sender": given.sender,
        "digest": digest,
        "size": len(given.body),
        "body": zlib.compress(given.body, 1) if kept else None,
        "received_at": at,
    }
