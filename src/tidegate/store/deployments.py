"""Deployments as all the messages about them tell: which revision of which service runs where, and since when."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct, structs
from sqlalchemy import Connection, Select, and_, func, select, tuple_, update

from tidegate.store.folding import fold_in
from tidegate.store.rows import every, one, select_as
from tidegate.store.tables import deployments

Status: TypeAlias = Literal["started", "succeeded", "failed", "rolled_back", "cancelled"]
Action: TypeAlias = Literal["deploy", "roll_back", "remove"]
MOST = 100


class Told(Struct, frozen=True, kw_only=True):
    """A deployment as it is told now. Times are Unix seconds; `share` is of the traffic, 0 to 1.

    `state` is what the fold needs to take in another message. `signed` 1: every message about it was, else 0.
    """

    environment: str
    service: str
    status: Status
    action: Action
    started: float
    finished: float | None
    repository: str
    revision: str
    previous: str
    artifact: str
    share: float | None
    actor: str
    url: str
    chain: str
    state: bytes
    signed: int = 0


class Deployment(Struct, frozen=True):
    id: int
    key: str
    sender: str
    environment: str
    service: str
    status: Status
    action: Action
    started: float
    finished: float | None
    repository: str
    revision: str
    previous: str
    artifact: str
    share: float | None
    actor: str
    url: str
    chain: str
    signed: int
    changed_at: str
    entry: int | None


class Place(Struct, frozen=True):
    """An environment and the services that were deployed to it."""

    environment: str
    services: tuple[str, ...]


def fold(
    connection: Connection, sender: str, first: Mapping[str, Told], again: Callable[[str, bytes], Told], at: str
) -> int:
    """Takes in what new messages say, by the key of the deployment; how many deployments are new.

    `again`: what it is told to be where it is known, from the `state` that is kept.
    """

    def values(told: Told) -> dict[str, Any]:
        return {**structs.asdict(told), "changed_at": at}

    made = {key: values(told) for key, told in first.items()}
    return fold_in(connection, deployments, sender, made, lambda key, state: values(again(key, state)))


def get(connection: Connection, identifier: int) -> Deployment | None:
    return one(connection, Deployment, _all().where(deployments.c.id == identifier))


def by_key(connection: Connection, key: str) -> Deployment | None:
    return one(connection, Deployment, _all().where(deployments.c.key == key))


def of_revision(connection: Connection, revision: str, *, most: int = MOST) -> tuple[Deployment, ...]:
    """Where and when the commit was deployed, the last first."""
    return every(connection, Deployment, _newest().where(deployments.c.revision == revision).limit(most))


def page(
    connection: Connection,
    *,
    environment: str | None = None,
    service: str | None = None,
    status: Status | None = None,
    before: float | None = None,
    most: int = MOST,
) -> tuple[Deployment, ...]:
    """The last that started first, of those that started before `before`."""
    query = _newest().limit(most)
    if status is not None:
        query = query.where(deployments.c.status == status)
    if environment is not None:
        query = query.where(deployments.c.environment == environment)
    if service is not None:
        query = query.where(deployments.c.service == service)
    if before is not None:
        query = query.where(deployments.c.started < before)
    return every(connection, Deployment, query)


def around(connection: Connection, one: Deployment, *, before: int, after: int) -> tuple[Deployment, ...]:
    """Those of the same service and environment next to it, itself included."""
    here = and_(deployments.c.environment == one.environment, deployments.c.service == one.service)
    place = (deployments.c.started, deployments.c.id)
    mine = tuple_(*place)
    earlier = _newest().where(here, mine <= (one.started, one.id)).limit(before + 1)
    later = _all().where(here, mine > (one.started, one.id)).order_by(*place).limit(after)
    return (*every(connection, Deployment, earlier), *every(connection, Deployment, later))


def between(connection: Connection, since: float, until: float, *, most: int = 1000) -> tuple[Deployment, ...]:
    """Those that were under way or began in that time, the last first: what may have changed something then."""
    under_way = and_(
        deployments.c.started < until, func.coalesce(deployments.c.finished, deployments.c.started) >= since
    )
    return every(connection, Deployment, _newest().where(under_way).limit(most))


def ran_before(connection: Connection, environment: str, service: str, at: float) -> Deployment | None:
    """The deployment that last succeeded there before `at`: what ran there then."""
    here = and_(deployments.c.environment == environment, deployments.c.service == service)
    done = and_(here, deployments.c.status == "succeeded", deployments.c.finished < at)
    last = _all().where(done).order_by(deployments.c.finished.desc(), deployments.c.id.desc()).limit(1)
    return one(connection, Deployment, last)


def running(connection: Connection, environment: str) -> tuple[Deployment, ...]:
    """What runs there as far as we were told: for each service its last deployment that succeeded, by service."""
    done = and_(deployments.c.environment == environment, deployments.c.status == "succeeded")
    place = (deployments.c.finished.desc(), deployments.c.id.desc())
    ranked = select(
        deployments.c.id, func.row_number().over(partition_by=deployments.c.service, order_by=place).label("place")
    ).where(done)
    inner = ranked.subquery()
    lasts = _all().join(inner, inner.c.id == deployments.c.id).where(inner.c.place == 1)
    found = every(connection, Deployment, lasts.order_by(deployments.c.service))
    return tuple(deployment for deployment in found if deployment.action != "remove")


def places(connection: Connection) -> tuple[Place, ...]:
    """Every environment with its services, by name."""
    query = select(deployments.c.environment, deployments.c.service).distinct()
    found: dict[str, list[str]] = {}
    for environment, service in connection.execute(query.order_by("environment", "service")):
        found.setdefault(environment, []).append(service)
    return tuple(Place(environment, tuple(services)) for environment, services in found.items())


def of_repository(connection: Connection, names: Collection[str], *, most: int = 1000) -> tuple[Deployment, ...]:
    """Deployments of what these names call, the last first."""
    return every(connection, Deployment, _newest().where(deployments.c.repository.in_(names)).limit(most))


def repositories_named(connection: Connection) -> tuple[str, ...]:
    """What senders call the repositories of what they deployed."""
    query = select(deployments.c.repository).distinct().order_by(deployments.c.repository)
    return tuple(connection.execute(query).scalars())


def set_entry(connection: Connection, identifier: int, entry: int) -> None:
    """Says where the ledger holds it."""
    connection.execute(update(deployments).where(deployments.c.id == identifier).values(entry=entry))


# Private


def _all() -> Select[Any]:
    return select_as(Deployment, deployments)


def _newest() -> Select[Any]:
    return _all().order_by(deployments.c.started.desc(), deployments.c.id.desc())
