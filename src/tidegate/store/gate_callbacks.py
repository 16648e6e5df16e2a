"""Questions whose answer goes to an address: asked again until they are answered for good."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct, structs
from sqlalchemy import Connection, update

from tidegate.store.rows import changed, every, insert_once, one, present, select_as
from tidegate.store.tables import gate_callbacks

State: TypeAlias = Literal["waiting", "answered", "lost"]
MOST = 100


class NewCallback(Struct, frozen=True, kw_only=True):
    """`forge` is the word of the forge whose token opens the address."""

    callback: str
    sender: str
    forge: str
    repository: str
    environment: str
    service: str
    revision: str
    actor: str


class Callback(Struct, frozen=True):
    """`said`: a digest of what was sent last, "" before."""

    id: int
    callback: str
    sender: str
    forge: str
    repository: str
    environment: str
    service: str
    revision: str
    actor: str
    state: State
    said: str
    asked_at: str
    due_at: str
    tries: int


def put(connection: Connection, given: NewCallback, at: str) -> Callback:
    """Once for each address: the same question again changes nothing."""
    values = structs.asdict(given) | {"state": "waiting", "said": "", "asked_at": at, "due_at": at, "tries": 0}
    insert_once(connection, gate_callbacks, values)
    query = select_as(Callback, gate_callbacks).where(gate_callbacks.c.callback == given.callback)
    return present(one(connection, Callback, query))


def due(connection: Connection, at: str, *, most: int = MOST) -> tuple[Callback, ...]:
    """Those that wait and whose time has come, the first asked first."""
    table = gate_callbacks.c
    waiting = select_as(Callback, gate_callbacks).where(table.state == "waiting", table.due_at <= at)
    return every(connection, Callback, waiting.order_by(table.due_at, table.id).limit(most))


def take(connection: Connection, found: Callback, until: str) -> bool:
    """Whether it is ours to answer until then; False where another has taken it."""
    table = gate_callbacks.c
    free = update(gate_callbacks).where(
        table.id == found.id, table.state == "waiting", table.due_at == found.due_at, table.tries == found.tries
    )
    return changed(connection, free.values(due_at=until, tries=table.tries + 1)) == 1


def settle(connection: Connection, identifier: int, state: State, said: str, due_at: str) -> bool:
    """Writes what was said last, and whether that was the end of it; whether it is there."""
    mine = update(gate_callbacks).where(gate_callbacks.c.id == identifier)
    return changed(connection, mine.values(state=state, said=said, due_at=due_at)) == 1
