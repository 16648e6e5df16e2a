"""Deliveries of a forge: written once, in the transaction that is acknowledged, and handled as often as it takes.

new -> taken -> done | ignored | failed, and back to new where a worker died or gave up for now.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection, and_, func, or_, select, update

from tidegate.store.rows import changed, every, insert_once, one, select_as
from tidegate.store.tables import deliveries

State = Literal["new", "taken", "done", "ignored", "failed"]
Ending = Literal["done", "ignored", "failed"]
MOST = 100


class Delivery(Struct, frozen=True):
    """What a forge sent. `delivery` is the forge's own id, which repeats when it sends the same again."""

    forge: str
    delivery: str
    event: str
    slug: str
    body: bytes


class Received(Struct, frozen=True):
    id: int
    forge: str
    delivery: str
    event: str
    slug: str
    body: bytes
    received_at: str
    state: State
    attempts: int
    worker: str | None
    taken_at: str | None
    handled_at: str | None
    problem: str | None


def receive(connection: Connection, delivery: Delivery, at: str) -> bool:
    """Whether it is new. One that came before is left as it is, whatever it says now."""
    return insert_once(
        connection,
        deliveries,
        {
            "forge": delivery.forge,
            "delivery": delivery.delivery,
            "event": delivery.event,
            "slug": delivery.slug,
            "body": delivery.body,
            "received_at": at,
            "state": "new",
            "attempts": 0,
        },
    )


def get(connection: Connection, identifier: int) -> Received | None:
    return one(connection, Received, select_as(Received, deliveries).where(deliveries.c.id == identifier))


def find(connection: Connection, forge: str, delivery: str) -> Received | None:
    key = and_(deliveries.c.forge == forge, deliveries.c.delivery == delivery)
    return one(connection, Received, select_as(Received, deliveries).where(key))


def claim(connection: Connection, worker: str, at: str, *, most: int = 1) -> tuple[Received, ...]:
    """The oldest new ones, now this worker's. No two workers get the same."""
    waiting = (
        select(deliveries.c.id)
        .where(deliveries.c.state == "new")
        .order_by(deliveries.c.received_at, deliveries.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    found = [row.id for row in connection.execute(waiting)]
    if not found:
        return ()
    _take(connection, found, worker, at)
    return every(connection, Received, select_as(Received, deliveries).where(deliveries.c.id.in_(found)).order_by("id"))


def take(connection: Connection, identifier: int, worker: str, at: str) -> Received | None:
    """This very delivery, now this worker's; None where it is handled, or in another worker's hands."""
    return get(connection, identifier) if _take(connection, [identifier], worker, at) else None


def waiting(connection: Connection, *, most: int = MOST) -> tuple[Received, ...]:
    """The oldest new ones, in nobody's hands: to choose from."""
    query = select_as(Received, deliveries).where(deliveries.c.state == "new").order_by("received_at", "id").limit(most)
    return every(connection, Received, query)


def take_all(connection: Connection, identifiers: Collection[int], worker: str, at: str) -> tuple[Received, ...]:
    """Those of these that were still new, now this worker's. No two workers get the same."""
    free = select(deliveries.c.id).where(deliveries.c.id.in_(identifiers), deliveries.c.state == "new")
    found = [row.id for row in connection.execute(free.with_for_update(skip_locked=True))]
    if not found:
        return ()
    _take(connection, found, worker, at)
    return every(connection, Received, select_as(Received, deliveries).where(deliveries.c.id.in_(found)).order_by("id"))


def put_back(connection: Connection, identifier: int, problem: str | None = None) -> bool:
    """Lets another worker try: the one that had it died, or cannot now."""
    mine = update(deliveries).where(deliveries.c.id == identifier, deliveries.c.state == "taken")
    return changed(connection, mine.values(state="new", worker=None, taken_at=None, problem=problem)) == 1


def finish(connection: Connection, identifier: int, ending: Ending, at: str, problem: str | None = None) -> bool:
    """Whether this ended it: what is handled stays as it was handled first."""
    open_ = update(deliveries).where(deliveries.c.id == identifier, deliveries.c.state.in_(("new", "taken")))
    return changed(connection, open_.values(state=ending, handled_at=at, problem=problem)) == 1


def stuck(connection: Connection, older_than: str, *, most: int = MOST) -> tuple[Received, ...]:
    """Those that nobody took, or that somebody took and did not end, since before `older_than`; the oldest first."""
    waiting = and_(deliveries.c.state == "new", deliveries.c.received_at < older_than)
    held = and_(deliveries.c.state == "taken", deliveries.c.taken_at < older_than)
    query = select_as(Received, deliveries).where(or_(waiting, held)).order_by("received_at", "id").limit(most)
    return every(connection, Received, query)


def held_by(connection: Connection, worker: str, *, most: int = MOST) -> tuple[Received, ...]:
    """What a worker has in its hands: to be adopted when it died."""
    mine = and_(deliveries.c.state == "taken", deliveries.c.worker == worker)
    return every(connection, Received, select_as(Received, deliveries).where(mine).order_by("id").limit(most))


def known(connection: Connection, forge: str, names: Collection[str]) -> frozenset[str]:
    """Which of these delivery ids have come: the forge's own list minus this is what was missed."""
    query = select(deliveries.c.delivery).where(deliveries.c.forge == forge, deliveries.c.delivery.in_(names))
    return frozenset(row.delivery for row in connection.execute(query))


def counts(connection: Connection) -> dict[str, int]:
    """How many there are in each state that has any."""
    query = select(deliveries.c.state, func.count()).group_by(deliveries.c.state).order_by(deliveries.c.state)
    found: dict[str, int] = dict(connection.execute(query).all())
    return found


def page(
    connection: Connection, *, before: int | None = None, state: State | None = None, most: int = MOST
) -> tuple[Received, ...]:
    """The newest first, from before the one with id `before`."""
    query = select_as(Received, deliveries).order_by(deliveries.c.id.desc()).limit(most)
    if before is not None:
        query = query.where(deliveries.c.id < before)
    if state is not None:
        query = query.where(deliveries.c.state == state)
    return every(connection, Received, query)


# Private


def _take(connection: Connection, identifiers: Collection[int], worker: str, at: str) -> int:
    new = update(deliveries).where(deliveries.c.id.in_(identifiers), deliveries.c.state == "new")
    return changed(
        connection, new.values(state="taken", worker=worker, taken_at=at, attempts=deliveries.c.attempts + 1)
    )
