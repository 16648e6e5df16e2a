"""What got worse after a deployment: each metric of a service once, however often the watch says it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct, structs
from sqlalchemy import Connection, update

from tidegate.store.rows import changed, every, insert_once, one, select_as
from tidegate.store.tables import regressions

MOST = 1000


class NewRegression(Struct, frozen=True, kw_only=True):
    """Times are Unix seconds. `document`: JSON of the whole answer of the watch."""

    deployment: int
    service: str
    metric: str
    moved: float
    raised: float
    sure: float
    document: bytes


class Regression(Struct, frozen=True):
    id: int
    deployment: int
    service: str
    metric: str
    moved: float
    raised: float
    sure: float
    document: bytes
    incident: int | None
    noticed_at: str


def notice(connection: Connection, given: NewRegression, at: str) -> bool:
    """Whether it is new; of one that is there the first answer stays, because that is when it was known."""
    return insert_once(connection, regressions, {**structs.asdict(given), "noticed_at": at})


def get(connection: Connection, identifier: int) -> Regression | None:
    return one(connection, Regression, select_as(Regression, regressions).where(regressions.c.id == identifier))


def of_deployments(connection: Connection, deployments: Collection[int]) -> tuple[Regression, ...]:
    """Those of these deployments, in the order in which they were noticed."""
    query = select_as(Regression, regressions).where(regressions.c.deployment.in_(deployments))
    return every(connection, Regression, query.order_by(regressions.c.id).limit(MOST))


def of_incident(connection: Connection, incident: int) -> tuple[Regression, ...]:
    query = select_as(Regression, regressions).where(regressions.c.incident == incident)
    return every(connection, Regression, query.order_by(regressions.c.id).limit(MOST))


def put_into(connection: Connection, incident: int, found: Sequence[int]) -> int:
    """Counts them to an incident, those that belong to none yet; how many."""
    free = update(regressions).where(regressions.c.id.in_(found), regressions.c.incident.is_(None))
    return changed(connection, free.values(incident=incident))
