"""Who works in the background, and who has not been heard of: the work of the dead is adopted."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection, update

from tidegate.store.rows import changed, every, insert_once, select_as
from tidegate.store.tables import workers


class Worker(Struct, frozen=True):
    id: str
    host: str
    started_at: str
    seen_at: str
    stopped_at: str | None


def start(connection: Connection, identifier: str, host: str, at: str) -> bool:
    """False where a worker of this id was there before: two processes under one id do each other's work twice."""
    return insert_once(connection, workers, {"id": identifier, "host": host, "started_at": at, "seen_at": at})


def beat(connection: Connection, identifier: str, at: str) -> bool:
    """False where the worker was declared stopped meanwhile: its work is another's now, so it must end."""
    live = update(workers).where(workers.c.id == identifier, workers.c.stopped_at.is_(None))
    return changed(connection, live.values(seen_at=at)) == 1


def stop(connection: Connection, identifier: str, at: str) -> bool:
    """Whether this stopped it. Of two who find a dead worker, only one is told True, and adopts its work."""
    live = update(workers).where(workers.c.id == identifier, workers.c.stopped_at.is_(None))
    return changed(connection, live.values(stopped_at=at)) == 1


def stop_dead(connection: Connection, identifier: str, unseen_since: str, at: str) -> bool:
    """As `stop`, unless the worker was seen at or after `unseen_since`: it was only slow."""
    live = update(workers).where(workers.c.id == identifier, workers.c.stopped_at.is_(None))
    return changed(connection, live.where(workers.c.seen_at < unseen_since).values(stopped_at=at)) == 1


def dead(connection: Connection, unseen_since: str) -> tuple[Worker, ...]:
    """Those that did not stop and were not seen since."""
    gone = (workers.c.stopped_at.is_(None), workers.c.seen_at < unseen_since)
    return every(connection, Worker, select_as(Worker, workers).where(*gone).order_by("id"))


def living(connection: Connection) -> tuple[Worker, ...]:
    """All that did not stop, dead or not."""
    return every(connection, Worker, select_as(Worker, workers).where(workers.c.stopped_at.is_(None)).order_by("id"))
