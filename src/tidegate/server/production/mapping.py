"""The map of an environment as the service knows it: made in a bounded process, because it reads repositories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import structs
from sqlalchemy import Connection

from tidegate.errors import InputError
from tidegate.operate.environment.alerts import Alerted
from tidegate.operate.environment.deployments import Deployed
from tidegate.operate.environment.prometheus import Prometheus, read_prometheus
from tidegate.operate.environment.spans import Seen
from tidegate.operate.environment.values import Map
from tidegate.operate.values import Alert
from tidegate.server.api.problems import Problem
from tidegate.server.bounded import LARGEST, Bounds, alone, child, run
from tidegate.server.mirrors import open_mirrors
from tidegate.server.production.mapped import Asked, Mirror
from tidegate.server.production.setup import read_production
from tidegate.server.production.watching import deployment_of
from tidegate.server.service import Service
from tidegate.store import alerts, deployments, measurements, repositories
from tidegate.store.clock import moment_of
from tidegate.store.repositories import Repository
from tidegate.telemetry.graph import Edge
from tidegate.telemetry.otlp import Span

BOUNDS = Bounds(60, 2048)
CHILD = child("tidegate.server.production.mapped")
SPANS_SECONDS = 3600.0
EDGES_SECONDS = ALERTS_SECONDS = 7 * 86400.0
MOST_SPANS = 10_000
MOST_DEPLOYMENTS = 1_000
MOST_REPOSITORIES = 20
KEPT_SECONDS = 60.0
"""A map is made once in this time."""
TIMEOUT_SECONDS = 5.0


def environment_map(service: Service, environment: str, command: Sequence[str] = CHILD) -> Map:
    """What runs there, as of this minute. Problem 404 where nothing was ever told of such an environment, 409 where
    the map takes too much, 503 while another is being made."""
    now = moment_of(service.now()).timestamp()
    with service.database.read() as connection:
        if not _is_known(connection, environment):
            raise Problem(404, "nothing was told of this environment", detail=environment[:100])

    def make() -> Map:
        with alone(service.config.data / "map.lock", "map"):
            said = run(command, msgspec.json.encode(_gather(service, environment, now)), BOUNDS)
        if said is None or len(said) >= LARGEST:
            raise Problem(
                409, "it takes too much to make this map here", mend="run `tidegate learn` beside the service"
            )
        return msgspec.json.decode(said, type=Map)

    key = ("environment map", environment, now // KEPT_SECONDS)
    return service.cache.get(key, make, lambda found: 2000 * (1 + len(found.services)))


# Private


def _is_known(connection: Connection, environment: str) -> bool:
    if not environment.isprintable() or not environment:
        return False
    told = deployments.page(connection, environment=environment, most=1)
    return bool(told or measurements.edges(connection, environment=environment))


def _gather(service: Service, environment: str, now: float) -> Asked:
    with service.database.read() as connection:
        told = deployments.page(connection, environment=environment, most=MOST_DEPLOYMENTS)
        spans = measurements.spans_of(connection, now - SPANS_SECONDS, now, most=MOST_SPANS)
        edges = measurements.edges(connection, since=now - EDGES_SECONDS, environment=environment)
        alerted = alerts.alerts_between(connection, now - ALERTS_SECONDS, now)
        kept = repositories.page(connection)
    mirrors, unknowns = _mirrors(service, kept, {one.repository for one in told})
    servers, unread = _prometheus(service, environment)
    return Asked(
        environment=environment,
        mirrors=mirrors,
        deployed=Deployed("service", tuple(deployment_of(one) for one in told)),
        seen=Seen("service", tuple(Span(**structs.asdict(one)) for one in spans), tuple(map(_edge, edges))),
        alerted=Alerted("service", tuple(map(_alert, alerted))),
        servers=servers,
        unknowns=(*unknowns, *unread),
    )


def _mirrors(
    service: Service, kept: Iterable[Repository], named: set[str]
) -> tuple[tuple[Mirror, ...], tuple[str, ...]]:
    """The repositories that deployments name; all, where none is named."""
    every = list(kept)
    meant = [one for one in every if any(_is_of(one.slug, name) for name in named)]
    unknowns: list[str] = []
    if not meant and every:
        unknowns.append("no deployment names a repository that is known here: all of them were read")
        meant = every
    if len(meant) > MOST_REPOSITORIES:
        unknowns.append(f"of {len(meant)} repositories {MOST_REPOSITORIES} were read")
    root = open_mirrors(service.config)
    found = [Mirror(one.slug, str(root.path_of(one.forge, one.slug)), one.main) for one in meant[:MOST_REPOSITORIES]]
    return tuple(found), tuple(unknowns)


def _is_of(slug: str, name: str) -> bool:
    bare = name.casefold().removesuffix("/").removesuffix(".git")
    return bare == slug.casefold() or bare.endswith((f"/{slug.casefold()}", f":{slug.casefold()}"))


def _prometheus(service: Service, environment: str) -> tuple[tuple[Prometheus, ...], tuple[str, ...]]:
    if service.config.production is None:
        return (), ("no Prometheus is set up: TIDEGATE_PRODUCTION_FILE",)
    setup = read_production(service.config.production)
    if not setup.watches(environment):
        return (), (f"the Prometheus that is set up does not measure {environment}",)
    try:
        return (read_prometheus(setup.prometheus, TIMEOUT_SECONDS),), ()
    except InputError as error:
        return (), (f"Prometheus could not be asked: {error.what}",)


def _edge(one: measurements.Edge) -> Edge:
    return Edge(
        environment=one.environment,
        caller=one.caller,
        callee=one.callee,
        kind=one.kind,
        calls=0,
        failed=0,
        first=one.first,
        last=one.last,
    )


def _alert(one: alerts.Alert) -> Alert:
    labels: Mapping[str, str] = msgspec.json.decode(one.labels, type=dict[str, str])
    return Alert(
        key=one.key,
        sender=one.sender,
        name=one.name,
        started=one.started,
        ended=one.ended,
        service=one.service,
        environment=one.environment,
        severity=one.severity,
        summary=one.summary,
        labels=labels,
        url=one.url,
    )
