"""The map of an environment as the service knows it: made in a bounded process, because it reads repositories.

    python -m tidegate.server.production.mapping SECONDS MEMORY_MB

reads one `Asked` and writes one `Map`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, structs
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
from tidegate.server.production.setup import read_production
from tidegate.server.production.watching import deployment_of
from tidegate.server.service import Service
from tidegate.store import alerts, deployments, measurements, repositories
from tidegate.store.clock import moment_of
from tidegate.store.repositories import Repository
from tidegate.telemetry.graph import Edge
from tidegate.telemetry.otlp import Span

if TYPE_CHECKING:
    from tidegate.change.git import Repository as GitRepository
    from tidegate.operate.environment.code import Code

BOUNDS = Bounds(60, 2048)
CHILD = child("tidegate.server.production.mapping")
SPANS_SECONDS = 3600.0
EDGES_SECONDS = ALERTS_SECONDS = 7 * 86400.0
MOST_SPANS = 10_000
MOST_DEPLOYMENTS = 1_000
MOST_REPOSITORIES = 20
KEPT_SECONDS = 60.0
"""A map is made once in this time."""
TIMEOUT_SECONDS = 5.0


class Mirror(Struct, frozen=True):
    """A repository: its name for people, its mirror, and the branch that is read."""

    slug: str
    path: str
    branch: str


class Asked(Struct, frozen=True, kw_only=True):
    """All that the service knows of an environment, and the repositories to read."""

    environment: str
    mirrors: tuple[Mirror, ...]
    deployed: Deployed
    seen: Seen
    alerted: Alerted
    servers: tuple[Prometheus, ...] = ()
    unknowns: tuple[str, ...] = ()


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


def main(arguments: Sequence[str]) -> int:
    from tidegate.change.git import open_repository
    from tidegate.operate.environment.sources import Given, learn
    from tidegate.server.work.child import OUT_OF_MEMORY, limit

    limit(int(arguments[0]), int(arguments[1]))
    try:
        asked = msgspec.json.decode(sys.stdin.buffer.read(LARGEST), type=Asked)
        code: list[Code] = []
        unknowns = list(asked.unknowns)
        with ExitStack() as stack:
            for mirror in asked.mirrors:
                if not Path(mirror.path).is_dir():
                    unknowns.append(f"{mirror.slug} was not fetched yet")
                    continue
                try:
                    repository = stack.enter_context(open_repository(Path(mirror.path), bare=True))
                    code.append(_code(repository, mirror))
                except InputError as error:
                    unknowns.append(f"{mirror.slug} could not be read: {error.what}")
        given = Given(
            environment=asked.environment,
            code=tuple(code),
            deployed=(asked.deployed,),
            seen=(asked.seen,),
            servers=asked.servers,
            alerted=(asked.alerted,),
            unknowns=tuple(unknowns),
        )
        sys.stdout.buffer.write(msgspec.json.encode(learn(given)))
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


# Private


def _code(repository: GitRepository, mirror: Mirror) -> Code:
    from tidegate.change.configuration import read_settings
    from tidegate.operate.environment.code import read_code

    commit = repository.resolve(f"refs/heads/{mirror.branch}")
    settings = read_settings(repository, commit, {}).settings
    return read_code(repository, commit, settings, f"{mirror.slug} at {commit[:10]}")


def _is_known(connection: Connection, environment: str) -> bool:
    told = deployments.page(connection, environment=environment, most=1)
    return bool(environment) and bool(told or measurements.edges(connection, environment=environment))


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
