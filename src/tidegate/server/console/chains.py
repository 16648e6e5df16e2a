"""Redeploy cycles on the page of a deployment: the change, its repairs, and how often it was deployed again."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tidegate.rollout.cycles import Cycle
from tidegate.server.bounded import Bounds
from tidegate.server.mirrors import Mirrors
from tidegate.server.production.landed import Lookup
from tidegate.server.production.shipping import Asked, ask
from tidegate.server.production.watching import deployment_of
from tidegate.server.service import Service
from tidegate.store.deployments import Deployment

BOUNDS = Bounds(4, 1024)
MOST_SHOWN = 5


def cycles_of(
    service: Service, lookup: Lookup, one: Deployment, near: Sequence[Deployment]
) -> tuple[Cycle, ...] | None:
    """The chains of changes that needed repair, of which this deployment brought or took away some; of those near it.

    None where the history could not be read in time.
    """
    repository = lookup.repository(one.repository)
    told = [each for each in near if each.revision and each.repository == one.repository]
    if repository is None or len(told) < 2:
        return ()
    asked = tuple(replace(deployment_of(each), previous=lookup.previous(each)) for each in told)
    path = Mirrors(service.config.data / "mirrors").path_of(repository.forge, repository.slug)

    def read() -> tuple[Cycle, ...] | None:
        said = ask(Asked(mirror=str(path), deployments=asked, causes=()), bounds=BOUNDS)
        return None if said is None else said.cycles

    key = ("cycles", repository.id, tuple((each.id, each.status, each.previous, each.revision) for each in asked))
    found = service.cache.get(key, read, lambda made: -1 if made is None else 2000 + 2000 * len(made))
    if found is None:
        return None
    mine = [cycle for cycle in found if cycle.repaired and str(one.id) in cycle.deployments]
    return tuple(sorted(mine, key=lambda cycle: -cycle.redeploys)[:MOST_SHOWN])
